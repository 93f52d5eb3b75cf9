package model

import (
	"fmt"
	"strings"
	"time"
)

// option is the value of an option of a command line, joined or apart.
func option(argv []string, name string) string {
	for i, a := range argv {
		if a == name && i+1 < len(argv) {
			return argv[i+1]
		}
		if strings.HasPrefix(a, name) && len(a) > len(name) && !strings.HasPrefix(a, "--") {
			return a[len(name):]
		}
	}
	return ""
}

// psql answers the questions that are asked of replication, and no others.
func psql(p *Process) {
	g := p.n.pg
	where := fmt.Sprintf("Connection refused\n\tIs the server running on host \"%s\" and accepting\n\tTCP/IP connections on port 5432?", option(p.argv, "-h"))
	if strings.HasPrefix(option(p.argv, "-h"), "/") {
		where = "No such file or directory\n\tIs the server running locally and accepting\n\tconnections on Unix domain socket \"/tmp/.s.PGSQL.5432\"?"
	}
	switch {
	case g.phase <= pgRefused:
		p.errorf("psql: could not connect to server: %s\n", where)
		p.end(2)
		return
	case g.phase == pgStarting:
		g.log("FATAL:  the database system is starting up")
		p.errorf("psql: FATAL:  the database system is starting up\n")
		p.end(2)
		return
	}
	if p.n.service("postgresql").hung {
		p.then(pause(never))
		return
	}
	if g.clients >= maxConnections {
		g.log("%s", clientRefusal)
		p.errorf("psql: %s\n", clientRefusal)
		p.end(2)
		return
	}
	query := option(p.argv, "-c")
	switch {
	case strings.Contains(query, "pg_stat_activity"):
		for _, row := range g.use() {
			p.printf("%s\n", row)
		}
	case strings.Contains(query, "pg_is_in_recovery"):
		p.printf("%s\n", g.answer())
		if strings.Contains(query, "union all select host(client_addr)") { // as many columns as the first half
			g.printReplicas(p, "|")
		}
	case strings.Contains(query, "pg_stat_replication"):
		g.printReplicas(p, "")
	case strings.Contains(query, "server_version_num"):
		p.printf("90525\n")
	case strings.TrimSuffix(strings.TrimSpace(query), ";") == "select 1":
		p.printf("1\n")
	default:
		p.errorf("ERROR:  the simulated server does not answer this question\n")
		p.end(1)
	}
}

// printReplicas prints the rows of pg_stat_replication.
func (g *postgres) printReplicas(p *Process, more string) {
	for _, s := range g.senders() {
		sent := ""
		if s.sent > 0 {
			sent = lsn(s.sent)
		}
		replay := ""
		if s.replay > 0 {
			replay = lsn(s.replay)
		}
		p.printf("%s|%s|%s|%s%s\n", s.to.address, s.state, sent, replay, more)
	}
}

// answer is the row of pg_is_in_recovery and the positions.
func (g *postgres) answer() string {
	commit := g.copy.lastCommit.Format("2006-01-02 15:04:05.000000-07")
	if g.phase == pgPrimary {
		return "f|||" + lsn(g.copy.end) + "|"
	}
	receive := ""
	if g.received > 0 {
		receive = lsn(g.received)
	}
	return "t|" + receive + "|" + lsn(g.copy.replay) + "||" + commit
}

// pgIsReady tells by its exit code: 0 accepts, 1 rejects, 2 no response.
func pgIsReady(p *Process) {
	if p.n.service("postgresql").hung {
		patience := max(seconds(option(p.argv, "-t")), time.Second)
		p.then(pause(patience), act(func(p *Process) { p.end(2) }))
		return
	}
	switch p.n.pg.phase {
	case pgOff, pgRefused:
		p.end(2)
	case pgStarting:
		p.end(1)
	default:
		p.end(0)
	}
}

// pgControlData prints the control file as 9.5 does.
func pgControlData(p *Process) {
	g := p.n.pg
	c := &g.copy
	dir := dataDir
	if args := paths(p.argv); len(args) > 0 {
		dir = strings.TrimSuffix(args[0], "/")
	}
	if dir != dataDir || !c.whole {
		p.errorf("pg_controldata: could not open file \"%s/global/pg_control\" for reading: No such file or directory\n", dir)
		p.end(2)
		return
	}
	minimum, minTLI := "0/0", uint32(0)
	if strings.Contains(c.state, "recovery") {
		minimum, minTLI = lsn(c.replay), c.tli
	}
	when := func(t time.Time) string { return t.Format("Mon 02 Jan 2006 03:04:05 PM MST") }
	rows := [][2]any{
		{"pg_control version number", 942}, {"Catalog version number", 201510051},
		{"Database system identifier", c.system}, {"Database cluster state", c.state},
		{"pg_control last modified", when(c.changed)},
		{"Latest checkpoint location", lsn(c.checkpoint)}, {"Prior checkpoint location", lsn(c.prior)},
		{"Latest checkpoint's REDO location", lsn(c.redo)},
		{"Latest checkpoint's REDO WAL file", segmentName(c.cpTLI, segment(c.redo))},
		{"Latest checkpoint's TimeLineID", c.cpTLI}, {"Latest checkpoint's PrevTimeLineID", c.cpTLI},
		{"Latest checkpoint's full_page_writes", "on"}, {"Latest checkpoint's NextXID", "0/21873320"},
		{"Latest checkpoint's NextOID", 90123}, {"Latest checkpoint's NextMultiXactId", 1},
		{"Time of latest checkpoint", when(c.cpTime)}, {"Fake LSN counter for unlogged rels", "0/1"},
		{"Minimum recovery ending location", minimum}, {"Min recovery ending loc's timeline", minTLI},
		{"Backup start location", "0/0"}, {"Backup end location", "0/0"}, {"End-of-backup record required", "no"},
		{"wal_level setting", "hot_standby"}, {"max_connections setting", 350}, {"Maximum data alignment", 8},
		{"Database block size", 8192}, {"WAL block size", 8192}, {"Bytes per WAL segment", segmentSize},
		{"Data page checksum version", 0},
	}
	for _, r := range rows {
		p.printf("%-37s %v\n", fmt.Sprint(r[0])+":", r[1])
	}
}

// pgXlogDump prints the last records of a timeline and the end of its log.
func pgXlogDump(p *Process) {
	c := &p.n.pg.copy
	var tli uint32
	var high, low uint64
	fmt.Sscanf(option(p.argv, "-t"), "%d", &tli)
	if n, _ := fmt.Sscanf(option(p.argv, "-s"), "%X/%X", &high, &low); n != 2 {
		p.errorf("pg_xlogdump: could not parse start log position \"%s\"\n", option(p.argv, "-s"))
		p.end(1)
		return
	}
	start, end := high<<32|low, c.end
	at, ancestor := c.switchOf(tli)
	if ancestor {
		end = at
	}
	if !c.whole || (!ancestor && tli != c.tli) || segment(start) < c.oldest || segment(start) > segment(end) {
		p.errorf("pg_xlogdump: FATAL:  could not find file \"%s\": No such file or directory\n", segmentName(tli, segment(start)))
		p.end(1)
		return
	}
	last := start
	for back := uint64(6); back > 0; back-- {
		record := end - back*0x38
		if record < start || back*0x38 > end {
			continue
		}
		when := c.lastCommit.Add(-time.Duration(back) * 200 * time.Millisecond).Format("2006-01-02 15:04:05.000000 MST")
		p.printf("rmgr: Transaction len (rec/tot):     20/    46, tx:   %d, lsn: %s, prev %s, desc: COMMIT %s\n", 21873320-back, wide(record), wide(record-0x38), when)
		last = record
	}
	p.errorf("pg_xlogdump: FATAL:  error in WAL record at %s: invalid record length at %s: wanted 24, got 0\n", lsn(last), lsn(end))
	p.end(1)
}

// wide is a position as pg_xlogdump pads it.
func wide(v uint64) string { return fmt.Sprintf("%X/%08X", v>>32, uint32(v)) }
