package observe

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"

	"chef-backend-cockpit/cluster"
)

// process is one row of ps -e -o pid= -o ppid= -o args=.
type process struct {
	pid, ppid int
	args      []byte
}

func parsePS(body []byte) []process {
	var all []process
	for line := range bytes.Lines(body) {
		a, rest, ok1 := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		b, args, ok2 := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
		pid, err1 := strconv.Atoi(string(a))
		ppid, err2 := strconv.Atoi(string(b))
		if ok1 && ok2 && err1 == nil && err2 == nil {
			all = append(all, process{pid, ppid, bytes.TrimSpace(args)})
		}
	}
	return all
}

// processes finds PostgreSQL's postmaster, its WAL receiver and anything that
// is copying a database. The process itself counts, not its pid file.
func (l *look) processes(p *cluster.PostgreSQLClaims) {
	body, exit, reason := l.open("ps", "ps")
	all := parsePS(body)
	if reason == "" && (exit != 0 || len(all) == 0) {
		reason = "ps was not understood: " + remark(body, "no output")
	}
	if reason != "" {
		p.Postmaster, p.Receiver, p.SyncProc = unknown[int](l, reason, pg), unknown[string](l, reason, pg), unknown[string](l, reason, pg)
		p.Recovering = unknown[string](l, reason, pg)
		return
	}
	p.Postmaster, p.Receiver, p.SyncProc = known(l, 0, pg), known(l, "", pg), known(l, "", pg)
	p.Recovering = known(l, "", pg)
	children := false
	for _, one := range all {
		words := firstWords(one.args, 12)
		switch {
		case isPostmaster(words):
			if p.Postmaster.Value == 0 || bytes.Contains(one.args, []byte("/var/opt/chef-backend/")) {
				p.Postmaster.Value = one.pid
			}
		case len(words) > 0 && words[0] == "postgres:":
			children = true
			l.receiver(p, string(one.args))
			if f := recovering(string(one.args)); f != "" {
				p.Recovering.Value = f
			}
		case p.SyncProc.Value == "":
			p.SyncProc.Value = syncProcess(words)
		}
	}
	if children && p.Postmaster.Value == 0 {
		p.Postmaster = unknown[int](l, "processes of PostgreSQL run, and which is the postmaster is not told", pg)
	}
}

func firstWords(args []byte, n int) []string {
	var words []string
	for w := range bytes.FieldsSeq(args[:min(len(args), 2048)]) {
		if words = append(words, string(w)); len(words) == n {
			break
		}
	}
	return words
}

func isPostmaster(words []string) bool {
	if len(words) < 2 {
		return false
	}
	name := path.Base(words[0])
	return (name == "postgres" || name == "postmaster") && slices.Contains(words, "-D")
}

// receiver reads the WAL receiver's title:
//
//	postgres: wal receiver process   streaming 16F3/2D0A1B28     (to 10)
//	postgres: walreceiver streaming 0/3000148                    (from 11)
//
// The position stands in for SQL's where SQL does not answer.
func (l *look) receiver(p *cluster.PostgreSQLClaims, title string) {
	_, rest, ok := strings.Cut(title, "wal receiver process")
	if !ok {
		_, rest, ok = strings.Cut(title, "walreceiver")
	}
	if !ok {
		return
	}
	words := strings.Fields(rest)
	p.Receiver.Value = "starting"
	if len(words) > 0 {
		p.Receiver.Value = text([]byte(words[0]))
	}
	if len(words) > 1 && !p.Receive.Known && !p.InRecovery.Known {
		if at, err := cluster.ParseLSN(words[1]); err == nil {
			p.Receive = known(l, at, pg)
		}
	}
}

// recovering is the WAL file in the startup process's title:
//
//	postgres: startup process   recovering 00000058000016F30000002D    (to 10)
//	postgres: startup recovering 00000058000016F30000002D              (from 11)
func recovering(title string) string {
	_, rest, ok := strings.Cut(title, "startup ")
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		return ""
	}
	file := words[len(words)-1]
	if _, ok := cluster.SegmentNumber(file); !ok {
		return ""
	}
	return text([]byte(file))
}

// copiers are the commands that write another node's database over this one.
var copiers = []string{"pg_basebackup", "pg_rewind", "pgsql-follow"}

// readers name those commands without running them.
var readers = []string{"grep", "egrep", "tail", "less", "more", "vi", "vim", "nano", "man", "watch", "pgrep", "cat"}

// syncProcess is the name of the copying command that a process is, or "". A
// shell with a text is passed over: what it runs has a row of its own.
func syncProcess(words []string) string {
	if len(words) == 0 {
		return ""
	}
	name := path.Base(words[0])
	if slices.Contains(readers, name) {
		return ""
	}
	if isShellText(words) {
		return ""
	}
	for _, w := range words {
		if w = path.Base(w); slices.Contains(copiers, w) {
			return w
		}
	}
	return ""
}
