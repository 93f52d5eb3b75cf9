package logs

import (
	"bytes"
	"time"

	"chef-backend-cockpit/cluster"
)

// ParseLine takes a log line, without its line feed, apart: svlogd's own stamp
// in any of its three forms, the text after it, and how loud the service says
// it is. A line without a stamp has a zero one and is all text. A stamp that
// the service wrote itself (etcd, Elasticsearch) stays in the text: it may be
// local time. text is a part of raw. It allocates nothing.
func ParseLine(service string, raw []byte) (stamp time.Time, text []byte, level cluster.Level) {
	ns, n := parseStamp(raw)
	if n > 0 {
		stamp = time.Unix(0, ns).UTC()
	}
	text = raw[n:]
	return stamp, text, levelOf(service, text)
}

// parseStamp reads a stamp at the start of a line: nanoseconds since 1970, and
// how many bytes it takes with the space after it; 0 for none.
func parseStamp(b []byte) (ns int64, n int) {
	if len(b) > 0 && b[0] == '@' {
		return parseTAI(b)
	}
	return parseDate(b)
}

// taiEpoch is 1970 as a TAI64 label, with the ten seconds that runit counts.
const taiEpoch = 1<<62 + 10

// parseTAI reads "@4000000065a0b1c21d2e3f4a " (svlogd -t).
func parseTAI(b []byte) (int64, int) {
	if len(b) < 25 {
		return 0, 0
	}
	var seconds, nanos uint64
	for i, c := range b[1:25] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, 0
		}
		if i < 16 {
			seconds = seconds<<4 | d
		} else {
			nanos = nanos<<4 | d
		}
	}
	// 33 bits of seconds are enough for the next centuries and keep the
	// product within 64 bits.
	if seconds < taiEpoch || seconds-taiEpoch > 1<<33 || nanos >= 1e9 {
		return 0, 0
	}
	end, ok := stampEnd(b, 25)
	if !ok {
		return 0, 0
	}
	return int64(seconds-taiEpoch)*1e9 + int64(nanos), end
}

func hexDigit(c byte) (uint64, bool) {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0'), true
	case c >= 'a' && c <= 'f':
		return uint64(c-'a') + 10, true
	}
	return 0, false
}

// parseDate reads "2026-11-23_11:34:39.45706 " (svlogd -tt) and the same with
// a T (svlogd -ttt), which may carry a Z. All are UTC.
func parseDate(b []byte) (int64, int) {
	const shape = "dddd-dd-dd_dd:dd:dd"
	if len(b) < len(shape) {
		return 0, 0
	}
	var v [14]int64 // the digits
	k := 0
	for i := 0; i < len(shape); i++ {
		c := b[i]
		switch {
		case shape[i] == 'd':
			if c < '0' || c > '9' {
				return 0, 0
			}
			v[k] = int64(c - '0')
			k++
		case c != shape[i] && !(shape[i] == '_' && c == 'T'):
			return 0, 0
		}
	}
	year := v[0]*1000 + v[1]*100 + v[2]*10 + v[3]
	month, day := v[4]*10+v[5], v[6]*10+v[7]
	hour, minute, second := v[8]*10+v[9], v[10]*10+v[11], v[12]*10+v[13]
	if year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return 0, 0
	}
	nanos, i := parseFraction(b, len(shape))
	if i < len(b) && b[i] == 'Z' {
		i++
	}
	end, ok := stampEnd(b, i)
	if !ok {
		return 0, 0
	}
	return (daysSince1970(year, month, day)*86400+hour*3600+minute*60+second)*1e9 + nanos, end
}

// parseFraction reads ".45706" at i; more than nine digits are passed over.
func parseFraction(b []byte, i int) (nanos int64, end int) {
	if i >= len(b) || b[i] != '.' {
		return 0, i
	}
	unit := int64(1e8)
	for i++; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		nanos += int64(b[i]-'0') * unit
		unit /= 10
	}
	return nanos, i
}

// stampEnd wants a space after the stamp, or the end of the line: svlogd
// stamps empty lines too.
func stampEnd(b []byte, i int) (int, bool) {
	if i == len(b) {
		return i, true
	}
	return i + 1, b[i] == ' '
}

// daysSince1970 counts by the Gregorian calendar (Hinnant, "chrono-compatible
// low-level date algorithms"); time.Date does the same more slowly.
func daysSince1970(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// levelOf reads how loud a line is in the manner of its service.
func levelOf(service string, text []byte) cluster.Level {
	if l := levelOfService(service, text); l != cluster.LevelNone {
		return l
	}
	return levelRunit(text)
}

func levelOfService(service string, text []byte) cluster.Level {
	switch service {
	case "postgresql":
		return levelPostgreSQL(text)
	case "etcd":
		return levelEtcd(text)
	case "elasticsearch":
		return levelElasticsearch(text)
	}
	return levelErlang(text)
}

// levelRunit reads what runit's tools say in any service's log before it has
// begun: "chpst: fatal: unable to lock: …" (runit 2.1.2, chpst.c).
func levelRunit(text []byte) cluster.Level {
	name, says, found := bytes.Cut(text[:min(len(text), 40)], []byte(": "))
	if !found {
		return cluster.LevelNone
	}
	switch string(name) {
	case "chpst", "runsv", "svlogd":
		switch {
		case bytes.HasPrefix(says, []byte("fatal: ")):
			return cluster.LevelError
		case bytes.HasPrefix(says, []byte("warning: ")):
			return cluster.LevelWarning
		}
	}
	return cluster.LevelNone
}

// levelErlang reads "[I] <0.715.0> …" of leaderl (lager's letters) and the
// reports of a raw error_logger: "=ERROR REPORT==== …".
func levelErlang(text []byte) cluster.Level {
	if len(text) >= 3 && text[0] == '[' && text[2] == ']' {
		return levelOfLetter(text[1])
	}
	if len(text) > 8 && text[0] == '=' {
		switch {
		case bytes.HasPrefix(text, []byte("=ERROR R")), bytes.HasPrefix(text, []byte("=CRASH R")), bytes.HasPrefix(text, []byte("=SUPERVI")):
			return cluster.LevelError
		case bytes.HasPrefix(text, []byte("=WARNING")):
			return cluster.LevelWarning
		case bytes.HasPrefix(text, []byte("=INFO RE")), bytes.HasPrefix(text, []byte("=PROGRES")):
			return cluster.LevelInfo
		}
	}
	return cluster.LevelNone
}

// levelOfLetter knows the letters of lager and of etcd's capnslog.
func levelOfLetter(c byte) cluster.Level {
	switch c {
	case 'D', 'T':
		return cluster.LevelDebug
	case 'I', 'N':
		return cluster.LevelInfo
	case 'W':
		return cluster.LevelWarning
	case 'E', 'C', 'A', 'M':
		return cluster.LevelError
	}
	return cluster.LevelNone
}

// levelEtcd reads "2026-11-23 11:34:39.457060 W | raft: …" of etcd 2 and
// `{"level":"warn",…` of etcd 3.
func levelEtcd(text []byte) cluster.Level {
	if i := bytes.Index(text[:min(len(text), 40)], []byte(" | ")); i >= 2 && text[i-2] == ' ' {
		return levelOfLetter(text[i-1])
	}
	if rest, ok := bytes.CutPrefix(text, []byte(`{"level":"`)); ok {
		word, _, _ := bytes.Cut(rest, []byte{'"'})
		return levelOfWord(word)
	}
	return cluster.LevelNone
}

// levelPostgreSQL reads "FATAL:  …", with or without a prefix of its own. The
// word stands before the first colon with two spaces.
func levelPostgreSQL(text []byte) cluster.Level {
	i := bytes.Index(text[:min(len(text), 120)], []byte(":  "))
	if i < 0 {
		return cluster.LevelNone
	}
	start := bytes.LastIndexByte(text[:i], ' ') + 1
	return levelOfWord(text[start:i])
}

// levelElasticsearch reads "[2021-01-18T22:44:42,691][WARN ][…".
func levelElasticsearch(text []byte) cluster.Level {
	if len(text) == 0 || text[0] != '[' {
		return cluster.LevelNone
	}
	i := bytes.Index(text[:min(len(text), 40)], []byte("]["))
	if i < 0 {
		return cluster.LevelNone
	}
	word, _, _ := bytes.Cut(text[i+2:min(len(text), i+10)], []byte{']'})
	return levelOfWord(bytes.TrimRight(word, " "))
}

func levelOfWord(word []byte) cluster.Level {
	switch string(word) {
	case "PANIC", "FATAL", "ERROR", "panic", "dpanic", "fatal", "error":
		return cluster.LevelError
	case "WARNING", "WARN", "warn":
		return cluster.LevelWarning
	case "LOG", "NOTICE", "INFO", "info":
		return cluster.LevelInfo
	case "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5", "TRACE", "debug":
		return cluster.LevelDebug
	}
	return cluster.LevelNone
}

// continues tells whether a line without a level of its own goes on with the
// line before it: PostgreSQL's details, stack traces, indented terms. It is as
// loud as that one, so that a filter keeps them together.
func continues(text []byte) bool {
	if len(text) == 0 || text[0] == '\t' || text[0] == ' ' {
		return true
	}
	for _, word := range [...]string{"DETAIL:  ", "HINT:  ", "CONTEXT:  ", "STATEMENT:  ", "QUERY:  ", "LOCATION:  ", "Caused by:"} {
		if len(text) >= len(word) && string(text[:len(word)]) == word {
			return true
		}
	}
	return false
}
