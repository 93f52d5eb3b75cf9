package model

import (
	"fmt"
	"time"
)

// copyRate is how many bytes of a database are copied in a second here. One of
// this size takes hours on a real network; a demonstration must not.
const (
	copyRate      = databaseBytes / 24
	databaseBytes = int64(58) << 30
	progressEvery = 2 * time.Second
)

// copyTime is how long a copy of so many bytes takes: the whole database the
// same time, whatever its size.
func (w *World) copyTime(bytes int64) time.Duration {
	return time.Duration(float64(w.asUsual(bytes)) / float64(copyRate) * float64(time.Second))
}

// asUsual is what so many bytes would be in a database of the usual size.
func (w *World) asUsual(bytes int64) int64 {
	return int64(float64(bytes) * float64(databaseBytes) / float64(w.database))
}

// stepReceive is the WAL receiver of a standby.
func (g *postgres) stepReceive() {
	now := g.n.w.now
	if g.phase != pgStandby || !g.promoteAt.IsZero() {
		g.recv = nil
		return
	}
	if g.paused || g.upstream == "" {
		g.recv = nil
		return
	}
	if g.recv != nil {
		g.stream()
		return
	}
	if now.Before(g.retryAt) {
		return
	}
	g.retryAt, g.refusal = now.Add(retryTime), ""
	g.connect()
}

// connect tries to begin streaming.
func (g *postgres) connect() {
	up := g.n.w.byAddress(g.upstream)
	if g.received == 0 {
		// Streaming begins at the start of the segment, and so does what
		// counts as received, whether or not anything comes.
		g.received = g.copy.end - g.copy.end%segmentSize
	}
	switch {
	case up == nil || !g.n.w.passes(g.n, up, portPostgres) || up.service("postgresql").hung:
		g.noConnection("Connection timed out")
		return
	case !up.service("postgresql").up || up == g.n:
		g.noConnection("Connection refused")
		return
	case !up.pg.accepts():
		g.log("FATAL:  could not connect to the primary server: FATAL:  the database system is starting up")
		up.pg.log("FATAL:  the database system is starting up")
		return
	case up.pg.clients >= maxConnections-reservedConnections: // they are not for replication either
		g.log("FATAL:  could not connect to the primary server: %s", reservedRefusal)
		up.pg.log("%s", reservedRefusal)
		return
	case up.pg.copy.system != g.copy.system:
		g.log("FATAL:  database system identifier differs between the primary and standby")
		return
	}
	g.startFrom(up)
}

func (g *postgres) noConnection(why string) {
	g.log("FATAL:  could not connect to the primary server: could not connect to server: %s", why)
	g.log("\t\tIs the server running on host \"%s\" and accepting", g.upstream)
	g.log("\t\tTCP/IP connections on port 5432?")
}

// startFrom begins to stream from a server that answers, or says why not.
func (g *postgres) startFrom(up *node) {
	c, o := &g.copy, &up.pg.copy
	begin := c.end - c.end%segmentSize
	switch fork, ok := c.follows(o); {
	case o.tli < c.tli:
		g.log("FATAL:  highest timeline %d of the primary is behind recovery timeline %d", o.tli, c.tli)
		return
	case !ok:
		g.log("LOG:  fetching timeline history file for timeline %d from primary server", o.tli)
		g.refusal = fmt.Sprintf("FATAL:  could not start WAL streaming: ERROR:  requested starting point %s on timeline %d is not in this server's history", lsn(begin), c.tli)
		g.log("%s", g.refusal)
		g.log("\tDETAIL:  This server's history forked from timeline %d at %s.", c.tli, lsn(fork))
		g.log("LOG:  new timeline %d forked off current database system timeline %d before current recovery point %s", o.tli, c.tli, lsn(c.end))
		return
	}
	if segment(begin) < o.oldest {
		name := segmentName(c.tli, segment(begin))
		g.log("LOG:  started streaming WAL from primary at %s on timeline %d", lsn(begin), c.tli)
		g.refusal = fmt.Sprintf("FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment %s has already been removed", name)
		g.log("%s", g.refusal)
		g.log("")
		up.pg.log("ERROR:  requested WAL segment %s has already been removed", name)
		return
	}
	if o.tli != c.tli {
		g.log("LOG:  fetching timeline history file for timeline %d from primary server", o.tli)
		g.log("LOG:  new target timeline is %d", o.tli)
		c.follow(o)
		g.writeHistory()
	}
	g.log("LOG:  started streaming WAL from primary at %s on timeline %d", lsn(begin), c.tli)
	g.recv = &receiver{from: up, pid: g.n.nextPID()}
}

// stream takes over what the sender has, as far as the line carries it.
func (g *postgres) stream() {
	up := g.recv.from
	if !g.n.w.passes(g.n, up, portPostgres) {
		// A cut line is noticed by its silence (wal_receiver_timeout).
		if g.silent() {
			g.log("LOG:  terminating walreceiver due to timeout")
			up.pg.log("LOG:  terminating walsender process due to replication timeout")
			g.recv = nil
		}
		return
	}
	if !up.pg.accepts() {
		g.log("FATAL:  could not receive data from WAL stream: server closed the connection unexpectedly")
		g.log("\t\tThis probably means the server terminated abnormally")
		g.log("\t\tbefore or while processing the request.")
		g.recv = nil
		g.retryAt = g.n.w.now.Add(Step)
		return
	}
	if up.pg.copy.tli != g.copy.tli {
		g.log("LOG:  replication terminated by primary server")
		g.log("\tDETAIL:  End of WAL reached on timeline %d at %s.", g.copy.tli, lsn(g.copy.end))
		g.recv, g.retryAt = nil, g.n.w.now.Add(Step)
		return
	}
	rate := float64(streamRate)
	if g.throttle > 0 {
		rate = g.throttle
	}
	behind := up.pg.copy.end - g.copy.end
	got := min(behind, uint64(rate*Step.Seconds())&^7)
	g.copy.replay = g.copy.end
	g.copy.end += got
	g.received = g.copy.end
	g.copy.lastCommit = up.pg.copy.lastCommit
	if got == behind {
		g.recv.caught = true
		if got == 0 {
			g.copy.replay = g.copy.end
		}
	}
	g.retryAt = g.n.w.now.Add(retryTime)
}

// silent says whether nothing has come for the time after which both ends
// give a connection up. retryAt moves with every packet.
func (g *postgres) silent() bool {
	return g.n.w.now.Sub(g.retryAt.Add(-retryTime)) >= 20*time.Second
}

// sender is one row of pg_stat_replication.
type sender struct {
	to           *node
	state        string
	sent, replay uint64
}

// senders are the connections that g serves.
func (g *postgres) senders() []sender {
	var rows []sender
	for _, o := range g.n.w.nodes {
		if r := o.pg.recv; r != nil && r.from == g.n {
			state := "catchup"
			if r.caught {
				state = "streaming"
			}
			rows = append(rows, sender{o, state, o.pg.copy.end, o.pg.copy.replay})
		}
		if b := o.pg.backup; b != nil && b.from == g.n {
			rows = append(rows, sender{o, "backup", 0, 0}, sender{o, "streaming", g.copy.end, 0})
		}
	}
	return rows
}

// backup is a running pg_basebackup.
type backup struct {
	from    *node
	begun   time.Time
	start   uint64
	told    time.Time
	say     func(line string)
	failed  string // why it ended early
	done    bool
	whole   int64 // bytes that there are to copy
	written int64
}

// beginBackup empties the data directory and begins to copy. The old data is
// gone from this moment.
func (g *postgres) beginBackup(from *node, say func(string)) *backup {
	g.n.removeAll(dataDir)
	g.n.mkdir(dataDir)
	g.shown, g.shownKey = nil, ""
	g.copy = walCopy{system: g.copy.system, state: "in archive recovery"}
	g.ruined = nil
	b := &backup{from: from, begun: g.n.w.now, start: from.pg.copy.end, say: say, whole: g.n.w.database}
	g.backup = b
	say(fmt.Sprintf("transaction log start point: %s on timeline %d", lsn(b.start), from.pg.copy.tli))
	say("pg_basebackup: starting background WAL receiver")
	return b
}

// stepBackup moves a base backup on.
func (g *postgres) stepBackup() {
	b := g.backup
	if b == nil {
		return
	}
	w := g.n.w
	switch {
	case !g.copies(b):
		return
	case !w.passes(g.n, b.from, portPostgres) || b.from.pg.phase != pgPrimary:
		b.failed = "pg_basebackup: could not read COPY data: server closed the connection unexpectedly"
	case g.n.data.free() == 0:
		b.failed = "pg_basebackup: could not write to file \"" + dataDir + "/base/16385/2691\": No space left on device"
	case g.n.data.readOnly:
		b.failed = "pg_basebackup: could not create directory \"" + dataDir + "\": Read-only file system"
	}
	if b.failed != "" {
		g.backup = nil
		return
	}
	gone := w.now.Sub(b.begun)
	all := w.copyTime(b.whole)
	b.written = min(b.whole, int64(float64(b.whole)*float64(gone)/float64(all)))
	if gone < all && w.now.Sub(b.told) >= progressEvery {
		b.told = w.now
		b.say(fmt.Sprintf("%d/%d kB (%d%%), 0/1 tablespace", b.written>>10, b.whole>>10, b.written*100/b.whole))
	}
	if gone < all {
		return
	}
	b.say(fmt.Sprintf("%d/%d kB (100%%), 1/1 tablespace", b.whole>>10, b.whole>>10))
	b.say("transaction log end point: " + lsn(b.from.pg.copy.end))
	b.say("pg_basebackup: waiting for background process to finish streaming ...")
	b.say("pg_basebackup: base backup completed")
	g.restored(b)
}

// restored makes the copied directory a whole copy.
func (g *postgres) restored(b *backup) {
	o := &b.from.pg.copy
	g.copy = o.clone()
	g.copy.whole, g.copy.state = true, "in archive recovery"
	g.copy.oldest = segment(b.start)
	g.copy.redo, g.copy.checkpoint = b.start, b.start+0x60
	g.copy.replay = g.copy.end
	g.writeData()
	g.backup, b.done = nil, true
}

// writeData writes the fixed files of a data directory.
func (g *postgres) writeData() {
	g.n.write(dataDir+"/PG_VERSION", "9.5\n")
	if g.n.certificate != "" {
		g.n.write(dataDir+"/server.crt", g.n.certificate)
	}
	g.n.mkdir(walDir + "/archive_status")
	g.shown, g.shownKey = nil, ""
	g.writeHistory()
}

// dataBytes is the size of the data directory.
func (g *postgres) dataBytes() int64 {
	if g.backup != nil {
		return g.backup.written
	}
	if !g.copy.whole {
		return 4096
	}
	return g.n.w.database + int64(segment(g.copy.end)-g.copy.oldest+1)*segmentSize
}
