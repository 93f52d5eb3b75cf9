package observe

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

const pg = cluster.SourcePostgreSQL

// postgresql fills the fast claims: what the server answers, what its
// processes show and what lies in its directory.
func (l *look) postgresql(r *cluster.Report) {
	p := &r.PostgreSQL
	p.Ready = l.ready()
	p.TurnedAway = l.turnedAway()
	l.state(p)
	p.Replicas = l.replicas()
	l.processes(p)
	p.Upstream = l.upstream()
	p.Control = l.control()
	p.Segments = l.segments()
	p.Histories = l.histories()
}

// ready is pg_isready's exit code. The probe leaves pg_isready out where SQL
// answered, which says more.
func (l *look) ready() cluster.Claim[int] {
	if _, exit, reason := l.open("pg-state", "psql"); reason == "" && exit == 0 {
		return known(l, 0, pg)
	}
	_, exit, reason := l.open("pg-ready", "pg_isready")
	switch {
	case reason != "":
		return unknown[int](l, reason, pg)
	case exit >= 0 && exit <= 2:
		return known(l, exit, pg)
	}
	return unknown[int](l, "pg_isready ended with "+strconv.Itoa(exit), pg)
}

// sqlReason is why SQL gave nothing.
func (l *look) sqlReason(name string) (body []byte, reason string) {
	body, exit, reason := l.open(name, "psql or chpst")
	if reason == "" && exit != 0 {
		reason = remark(body, "psql ended with "+strconv.Itoa(exit))
	}
	return body, reason
}

// stateRows splits psql's answer: the one row of in recovery, receive, replay,
// current and last replayed commit, and the rows of pg_stat_replication in as
// many cells; empty is NULL. Warnings may stand around them. Without the one
// row nothing counts, and reason says why.
func (l *look) stateRows() (own []string, replicas [][]string, reason string) {
	body, reason := l.sqlReason("pg-state")
	if reason != "" {
		return nil, nil, reason
	}
	for line := range bytes.Lines(body) {
		cells := strings.Split(strings.TrimSpace(string(line)), "|")
		switch {
		case len(cells) != 5:
		case cells[0] == "t" || cells[0] == "f":
			own = cells
		case cells[4] == "" && len(replicas) < 256:
			replicas = append(replicas, cells)
		}
	}
	if own == nil {
		return nil, nil, "psql's answer was not understood: " + remark(body, "no output")
	}
	return own, replicas, ""
}

// state reads what the server says of itself.
func (l *look) state(p *cluster.PostgreSQLClaims) {
	row, _, reason := l.stateRows()
	p.InRecovery, p.LastCommit = unknown[bool](l, reason, pg), unknown[time.Time](l, reason, pg)
	p.Current, p.Receive, p.Replay = unknown[cluster.LSN](l, reason, pg), unknown[cluster.LSN](l, reason, pg), unknown[cluster.LSN](l, reason, pg)
	if row == nil {
		return
	}
	p.InRecovery = known(l, row[0] == "t", pg)
	if row[0] == "t" {
		p.Receive, p.Replay = l.position(row[1]), l.position(row[2])
		p.Current.Reason, p.LastCommit.Reason = "in recovery", "nothing replayed yet"
	} else {
		p.Current = l.position(row[3])
		p.Receive.Reason, p.Replay.Reason, p.LastCommit.Reason = "not in recovery", "not in recovery", "not in recovery"
	}
	if t, ok := sqlTime(row[4]); ok {
		p.LastCommit = known(l, t, pg)
	}
}

// position reads a WAL position; NULL is 0.
func (l *look) position(s string) cluster.Claim[cluster.LSN] {
	if s == "" {
		return known(l, cluster.LSN(0), pg)
	}
	at, err := cluster.ParseLSN(s)
	if err != nil {
		return unknown[cluster.LSN](l, "not a WAL position: "+text([]byte(s)), pg)
	}
	return known(l, at, pg)
}

// sqlTime reads a timestamp with time zone as psql and pg_xlogdump print it.
func sqlTime(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999999 UTC", "2006-01-02 15:04:05.999999999 GMT"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// replicas reads pg_stat_replication: address, state, sent, replayed.
func (l *look) replicas() cluster.Claim[[]cluster.Replica] {
	_, rows, reason := l.stateRows()
	if reason != "" {
		return unknown[[]cluster.Replica](l, reason, pg)
	}
	all := []cluster.Replica{}
	for _, cells := range rows {
		rep := cluster.Replica{Address: address(text([]byte(cells[0]))), State: text([]byte(cells[1]))}
		sent, err1 := cluster.ParseLSN(cells[2])
		replay, err2 := cluster.ParseLSN(cells[3])
		if (err1 != nil && cells[2] != "") || (err2 != nil && cells[3] != "") {
			continue // a warning with bars in it
		}
		rep.Sent, rep.Replay = sent, replay // NULL, as while a base backup runs, is 0
		all = append(all, rep)
	}
	return known(l, all, pg)
}

// upstream is the host in primary_conninfo. Without recovery.conf (or, from
// PostgreSQL 12, standby.signal) the node follows nobody.
func (l *look) upstream() cluster.Claim[string] {
	said, reason := l.pgFiles()
	if reason != "" {
		return unknown[string](l, reason, pg)
	}
	up, told := said["upstream"]
	switch {
	case said["standby"] == "no":
		return known(l, "", pg)
	case told && up != "":
		return known(l, address(up), pg)
	case said["standby"] != "":
		return unknown[string](l, "no host in primary_conninfo of "+said["standby"], pg)
	}
	return unknown[string](l, "PostgreSQL's directory could not be read", pg)
}

func (l *look) pgFiles() (said map[string]string, reason string) {
	body, _, reason := l.open("pg-files", "sh")
	if reason == "" {
		said = keyValues(body)
		if said["data-directory"] == "" {
			reason = "no data directory below /var/opt/chef-backend/postgresql"
		}
	}
	return said, reason
}

// filesReason is why a section about PostgreSQL's files gives nothing.
func (l *look) filesReason(name, tool string) (body []byte, reason string) {
	if _, reason := l.pgFiles(); reason != "" {
		return nil, reason
	}
	body, exit, reason := l.open(name, tool)
	if reason == "" && exit != 0 {
		reason = remark(body, tool+" ended with "+strconv.Itoa(exit))
	}
	return body, reason
}

// control reads pg_controldata's "name:  value" lines.
func (l *look) control() cluster.Claim[cluster.ControlData] {
	body, reason := l.filesReason("pg-control", "pg_controldata")
	if reason != "" {
		return unknown[cluster.ControlData](l, reason, pg)
	}
	var c cluster.ControlData
	for line := range bytes.Lines(body) {
		key, value, ok := strings.Cut(strings.TrimSpace(string(line)), ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch key {
		case "Database system identifier":
			c.SystemID = text([]byte(value))
		case "Database cluster state":
			c.State = text([]byte(value))
		case "Latest checkpoint location":
			c.Checkpoint, _ = cluster.ParseLSN(value)
		case "Latest checkpoint's REDO location":
			c.Redo, _ = cluster.ParseLSN(value)
		case "Latest checkpoint's TimeLineID":
			n, _ := strconv.ParseUint(value, 10, 32)
			c.Timeline = uint32(n)
		case "Minimum recovery ending location":
			c.MinEnd, _ = cluster.ParseLSN(value)
		}
	}
	if c.SystemID == "" || c.State == "" || c.Timeline == 0 || c.Checkpoint == 0 {
		return unknown[cluster.ControlData](l, "pg_controldata was not understood: "+remark(body, "no output"), pg)
	}
	return known(l, c, pg)
}

// segments reads the names in pg_xlog or pg_wal. Files that are no plain
// segments are passed over. A standby that followed a promotion keeps the file
// of the old timeline beside that of the new one, with the same number: the new
// one is the newest.
func (l *look) segments() cluster.Claim[cluster.Segments] {
	body, reason := l.filesReason("pg-wal", "ls")
	if reason != "" {
		return unknown[cluster.Segments](l, reason, pg)
	}
	var s cluster.Segments
	var oldest, newest string
	for line := range bytes.Lines(body) {
		name := string(bytes.TrimSpace(line))
		digits, ok := cluster.SegmentNumber(name)
		if !ok {
			continue
		}
		if s.Count++; s.Count == 1 || digits < oldest {
			s.Oldest, oldest = name, digits
		}
		if digits > newest || digits == newest && name > s.Newest {
			s.Newest, newest = name, digits
		}
	}
	return known(l, s, pg)
}

// histories reads `file NAME` lines, each followed by the file: lines of
// parent, switch position, reason. A file that is not understood is left out:
// missing is unknown to whoever needs it.
func (l *look) histories() cluster.Claim[[]cluster.History] {
	body, reason := l.filesReason("pg-history", "head")
	if reason != "" {
		return unknown[[]cluster.History](l, reason, pg)
	}
	all := []cluster.History{}
	var cur cluster.History
	whole := false
	keep := func() {
		if whole && len(cur.Switches) > 0 {
			all = append(all, cur)
		}
		whole = false
	}
	for line := range bytes.Lines(body) {
		words := strings.Fields(string(line))
		switch {
		case len(words) == 2 && words[0] == "file":
			keep()
			name, ok := strings.CutSuffix(words[1], ".history")
			tli, err := strconv.ParseUint(name, 16, 32)
			cur, whole = cluster.History{Timeline: uint32(tli)}, ok && err == nil && len(name) == 8
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
		case len(words) >= 2 && whole:
			parent, err1 := strconv.ParseUint(words[0], 10, 32)
			at, err2 := cluster.ParseLSN(words[1])
			whole = err1 == nil && err2 == nil && len(cur.Switches) < 4096
			cur.Switches = append(cur.Switches, cluster.Switch{Parent: uint32(parent), At: at})
		default:
			whole = false
		}
	}
	keep()
	return known(l, all, pg)
}
