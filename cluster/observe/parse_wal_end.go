package observe

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// postgresqlSlow fills the slow claims about PostgreSQL.
func (l *look) postgresqlSlow(r *cluster.Report) {
	p := &r.PostgreSQL
	body, reason := l.sqlReason("pg-version")
	p.VersionNum = unknown[int](l, reason, pg)
	if reason == "" {
		p.VersionNum.Reason = "psql's answer was not understood: " + remark(body, "no output")
		for line := range bytes.Lines(body) {
			if n, err := strconv.Atoi(string(bytes.TrimSpace(line))); err == nil && n >= 80000 && n < 1000000 {
				p.VersionNum = known(l, n, pg)
			}
		}
	}
	p.DataBytes = l.dataBytes()
	p.EndOfWAL, p.LastCommit = l.walEnd()
}

// dataBytes reads du -s -k -L. It complains and goes on when a file goes away
// meanwhile, so its exit status is not asked.
func (l *look) dataBytes() cluster.Claim[int64] {
	body, _, reason := l.open("data-size", "du")
	if reason != "" {
		return unknown[int64](l, reason, pg)
	}
	for line := range bytes.Lines(body) {
		words := bytes.Fields(line)
		if len(words) == 2 {
			if n, err := strconv.ParseInt(string(words[0]), 10, 64); err == nil && n >= 0 && n < 1<<50 {
				return known(l, n*1024, pg)
			}
		}
	}
	return unknown[int64](l, "du was not understood: "+remark(body, "no output"), pg)
}

// walEnd reads where the log of a stopped server ends: `server N` before and
// after (0 runs, 1 does not, 2 cannot be told), between them one `dump
// TIMELINE START` with the tail of pg_xlogdump for each timeline in turn.
func (l *look) walEnd() (end cluster.Claim[cluster.LSN], commit cluster.Claim[time.Time]) {
	body, exit, reason := l.open("wal-end", "pg_xlogdump")
	if reason == "" && exit != 0 {
		reason = remark(body, "no data directory")
	}
	end, commit = unknown[cluster.LSN](l, reason, pg), unknown[time.Time](l, reason, pg)
	if reason != "" {
		return end, commit
	}
	end.Reason, commit.Reason = "pg_xlogdump tells no end: "+lastLine(body), "no commit since the last checkpoint"
	var servers []string
	var start cluster.LSN
	told, said := true, []byte(nil) // whether the newest dump came to an end, and what it said last
	for line := range bytes.Lines(body) {
		words := strings.Fields(string(line[:min(len(line), 4096)]))
		switch {
		case len(words) == 2 && words[0] == "server":
			servers = append(servers, words[1])
			continue
		case len(words) == 3 && words[0] == "dump":
			start, _ = cluster.ParseLSN(words[2])
			told, said = false, nil
			continue
		}
		// A later timeline counts only where its log goes beyond its start.
		at, ok := endOfDump(string(line))
		if ok && at >= start && at > end.Value {
			end = known(l, at, pg)
		}
		said = line
		told = told || ok || bytes.Contains(line, []byte("could not find a valid record after "))
		if t, ok := commitTime(string(line)); ok {
			commit = known(l, t, pg)
		}
	}
	if why := whyRunning(servers); why != "" {
		return unknown[cluster.LSN](l, why, pg), unknown[time.Time](l, why, pg)
	}
	if end.Known && !told {
		end = unknown[cluster.LSN](l, "pg_xlogdump tells no end of the newest timeline: "+remark(said, "no output"), pg)
	}
	return end, commit
}

func whyRunning(servers []string) string {
	switch {
	case len(servers) > 0 && servers[0] == "0":
		return "PostgreSQL runs"
	case len(servers) == 0 || servers[0] != "1":
		return "whether PostgreSQL runs is unknown"
	case len(servers) < 2 || servers[1] != "1":
		return "PostgreSQL started meanwhile"
	}
	return ""
}

// endOfDump reads pg_xlogdump's complaint about the first record that is not
// there any more. The end is where that record would stand, not where the last
// good one begins:
//
//	… error in WAL record at A: invalid record length at B: wanted 24, got 0
//	… error in WAL record at A: unexpected pageaddr … in log segment S, offset N
//	… could not find file "S": No such file or directory
//
// What cannot be read is no end: on a disk that dies more may follow.
func endOfDump(line string) (cluster.LSN, bool) {
	for _, s := range []string{"could not read", "could not seek", "could not open"} {
		if strings.Contains(line, s) {
			return 0, false
		}
	}
	_, rest, found := strings.Cut(line, "error in WAL record at ")
	if found {
		if _, after, ok := strings.Cut(rest, ": "); ok {
			rest = after
		}
		words := strings.Fields(rest)
		for i := len(words) - 2; i >= 0; i-- {
			if words[i] != "at" && words[i] != "LSN" {
				continue
			}
			if at, err := cluster.ParseLSN(strings.TrimRight(words[i+1], ":,.")); err == nil {
				return at, true
			}
		}
	}
	if seg, after, ok := segmentIn(line, " segment "); ok {
		if _, off, ok := strings.Cut(after, "offset "); ok {
			n, err := strconv.ParseUint(strings.TrimRight(firstField(off), ":,."), 10, 32)
			return seg + cluster.LSN(n), err == nil && n < cluster.SegmentSize
		}
	}
	if seg, after, ok := segmentIn(line, "could not find file \""); ok {
		return seg, strings.Contains(after, "No such file or directory")
	}
	return 0, false
}

// segmentIn finds a WAL file's name after a phrase and gives its first position.
func segmentIn(line, phrase string) (start cluster.LSN, after string, ok bool) {
	_, rest, found := strings.Cut(line, phrase)
	if !found || len(rest) < 24 {
		return 0, "", false
	}
	digits, ok := cluster.SegmentNumber(rest[:24])
	if !ok {
		return 0, "", false
	}
	hi, err1 := strconv.ParseUint(digits[:8], 16, 32)
	lo, err2 := strconv.ParseUint(digits[8:], 16, 32)
	if err1 != nil || err2 != nil || lo >= 1<<32/cluster.SegmentSize {
		return 0, "", false
	}
	return cluster.LSN(hi<<32 | lo*cluster.SegmentSize), rest[24:], true
}

// commitTime reads "… desc: COMMIT 2018-04-25 16:36:30.901240 UTC; …".
func commitTime(line string) (time.Time, bool) {
	_, rest, ok := strings.Cut(line, "COMMIT ")
	if !ok {
		return time.Time{}, false
	}
	w := strings.Fields(rest)
	if len(w) < 3 {
		return time.Time{}, false
	}
	return sqlTime(w[0] + " " + w[1] + " " + strings.Trim(w[2], ";,"))
}

func firstField(s string) string {
	if f := strings.Fields(s); len(f) > 0 {
		return f[0]
	}
	return ""
}

func lastLine(b []byte) string {
	lines := bytes.Split(bytes.TrimSpace(b[max(0, len(b)-4096):]), []byte("\n"))
	return remark(lines[len(lines)-1], "no output")
}
