package model

import (
	"fmt"
	"time"
)

// Times and sizes of PostgreSQL here.
const (
	startTime          = 2500 * time.Millisecond
	retryTime          = 5 * time.Second // between attempts to stream, as 9.5 does
	checkpointInterval = 5 * time.Minute
	checkpointTime     = 4 * time.Second
	promoteTime        = 1500 * time.Millisecond
	streamRate         = 400 << 20 // bytes per second over a good network
	quietLoad          = 36 << 10  // bytes of WAL per second of an ordinary hour
)

// pgPhase is how far the postmaster is.
type pgPhase int

const (
	pgOff      pgPhase = iota
	pgRefused          // the start failed; the process ends at once
	pgStarting         // "the database system is starting up"
	pgStandby          // in recovery, read only
	pgPrimary          // out of recovery
)

// receiver is a WAL receiver that streams.
type receiver struct {
	from   *node
	pid    int
	caught bool // once level with the sender: "streaming", else "catchup"
}

// postgres is the database of one node.
type postgres struct {
	n        *node
	copy     walCopy
	phase    pgPhase
	since    time.Time
	standby  bool   // recovery.conf is there
	upstream string // host of primary_conninfo; "" none
	paused   bool   // leaderl has taken the receiver off its sender
	recv     *receiver
	retryAt  time.Time
	received uint64   // what pg_last_xlog_receive_location says; 0: null
	refusal  string   // why the last attempt to stream failed for good
	throttle float64  // bytes per second that the receiver manages; 0: all
	ruined   []string // why the data cannot be started; a base backup mends it
	backup   *backup  // a base backup that is being written here
	clients  int      // connections of clients
	slots    []slot
	drag     float64       // how many times longer than usual a base backup takes here; 0: as usual; less: it stands still
	redoTime time.Duration // what the next start takes to replay; 0: the usual

	promoteAt    time.Time // zero, or when the promotion is through
	checkpointAt time.Time
	flushAt      time.Time // zero, or when the running checkpoint ends
	redoAt       uint64    // where the running checkpoint began
	carry        float64
	pids         map[string]int
	shown        map[string]bool // files in pg_xlog as written
	shownKey     string
}

func (g *postgres) log(format string, a ...any) { g.n.log("postgresql", format, a...) }

func (g *postgres) enter(p pgPhase) { g.phase, g.since = p, g.n.w.now }

// accepts says whether logins work.
func (g *postgres) accepts() bool { return g.phase == pgStandby || g.phase == pgPrimary }

// pid names a helper process of the postmaster.
func (g *postgres) pid(name string) int {
	if g.pids == nil {
		g.pids = map[string]int{}
	}
	if g.pids[name] == 0 {
		g.pids[name] = g.n.nextPID()
	}
	return g.pids[name]
}

// started is the start of the postmaster by runit.
func (g *postgres) started() {
	g.pids, g.received, g.refusal, g.paused = nil, 0, "", false
	switch {
	case g.n.files.Exists(noStartFile):
		// Invented text: the product's run script has not been seen.
		g.log("not starting: %s exists", noStartFile)
		g.enter(pgRefused)
		return
	case g.n.data.refusal() != "":
		g.log("FATAL:  could not write lock file \"postmaster.pid\": %s", g.n.data.refusal())
		g.enter(pgRefused)
		return
	case !g.copy.whole:
		g.log("FATAL:  could not open file \"%s/global/pg_control\": No such file or directory", dataDir)
		g.enter(pgRefused)
		return
	}
	g.enter(pgStarting)
	g.n.write(pidFile, fmt.Sprintf("%d\n%s\n", g.n.service("postgresql").pid, dataDir))
	switch g.copy.state {
	case "shut down":
		g.log("LOG:  database system was shut down at %s", g.copy.changed.Format("2006-01-02 15:04:05 MST"))
	case "shut down in recovery":
		g.log("LOG:  database system was shut down in recovery at %s", g.copy.changed.Format("2006-01-02 15:04:05 MST"))
	case "in archive recovery":
		g.log("LOG:  database system was interrupted while in recovery at log time %s", g.copy.cpTime.Format("2006-01-02 15:04:05 MST"))
		g.log("HINT:  If this has occurred more than once some data might be corrupted and you might need to choose an earlier recovery target.")
	default:
		g.log("LOG:  database system was interrupted; last known up at %s", g.copy.changed.Format("2006-01-02 15:04:05 MST"))
	}
	if g.standby {
		g.log("LOG:  entering standby mode")
	}
}

// shutDown is a fast shutdown. A primary writes a checkpoint and lets its
// standbys have it before it goes.
func (g *postgres) shutDown() {
	if g.phase <= pgRefused {
		g.enter(pgOff)
		return
	}
	g.log("LOG:  received fast shutdown request")
	g.log("LOG:  aborting any active transactions")
	g.log("LOG:  shutting down")
	if g.phase == pgPrimary {
		g.checkpointed(g.copy.end)
		g.feedAll()
		g.copy.state = "shut down"
	} else if g.phase == pgStandby || g.copy.state == "in archive recovery" {
		g.copy.state = "shut down in recovery"
	}
	g.copy.changed = g.n.clock()
	g.log("LOG:  database system is shut down")
	g.n.remove(pidFile)
	g.gone()
}

// crashed is the end of the postmaster without a shutdown.
func (g *postgres) crashed() { g.gone() }

func (g *postgres) gone() {
	g.enter(pgOff)
	g.recv, g.promoteAt, g.flushAt = nil, time.Time{}, time.Time{}
	g.copy.replay = min(g.copy.replay, g.copy.end)
}

// feedAll lets the standbys that stream from g have its last records.
func (g *postgres) feedAll() {
	for _, o := range g.n.w.nodes {
		if r := o.pg.recv; r != nil && r.from == g.n && r.caught && g.n.w.passes(o, g.n, portPostgres) {
			o.pg.copy.end, o.pg.copy.replay, o.pg.received = g.copy.end, g.copy.end, g.copy.end
		}
	}
}

// stepPostgres moves the databases on: primaries write before standbys read.
func (w *World) stepPostgres() {
	for _, n := range w.nodes {
		if n.booted() {
			n.pg.stepSelf()
		}
	}
	for _, n := range w.nodes {
		if n.booted() {
			n.pg.stepReceive()
			n.pg.stepBackup()
		}
	}
	for _, n := range w.nodes {
		n.pg.showFiles()
	}
}

func (g *postgres) stepSelf() {
	switch g.phase {
	case pgStarting:
		g.stepStarting()
	case pgStandby:
		g.stepPromotion()
	case pgPrimary:
		g.write()
	}
	if g.accepts() {
		g.stepCheckpoint()
	}
}

func (g *postgres) stepStarting() {
	if g.n.w.now.Sub(g.since) < max(startTime, g.redoTime) {
		return
	}
	g.redoTime = 0
	if len(g.ruined) > 0 {
		for _, line := range g.ruined {
			g.log("%s", line)
		}
		g.enter(pgRefused)
		return
	}
	g.checkpointAt = g.n.w.now.Add(checkpointInterval)
	if g.standby {
		g.log("LOG:  redo starts at %s", lsn(g.copy.redo))
		g.log("LOG:  consistent recovery state reached at %s", lsn(g.copy.end))
		g.log("LOG:  invalid record length at %s", lsn(g.copy.end))
		g.log("LOG:  database system is ready to accept read only connections")
		g.copy.state, g.copy.replay = "in archive recovery", g.copy.end
		g.enter(pgStandby)
		g.retryAt = g.n.w.now.Add(300 * time.Millisecond)
		return
	}
	if g.copy.state != "shut down" {
		g.log("LOG:  database system was not properly shut down; automatic recovery in progress")
		g.log("LOG:  redo starts at %s", lsn(g.copy.redo))
		g.log("LOG:  invalid record length at %s", lsn(g.copy.end))
		g.checkpointed(g.copy.end)
	}
	g.openForWrites()
}

func (g *postgres) openForWrites() {
	g.log("LOG:  MultiXact member wraparound protections are now enabled")
	g.log("LOG:  database system is ready to accept connections")
	g.log("LOG:  autovacuum launcher started")
	g.copy.state, g.copy.replay = "in production", g.copy.end
	g.enter(pgPrimary)
	g.recv = nil
}

// promote asks a standby to become primary.
func (g *postgres) promote() {
	if g.phase == pgStandby && g.promoteAt.IsZero() {
		g.log("LOG:  received promote request")
		g.recv = nil
		g.promoteAt = g.n.w.now.Add(promoteTime)
	}
}

func (g *postgres) stepPromotion() {
	if g.promoteAt.IsZero() || g.n.w.now.Before(g.promoteAt) {
		return
	}
	w := g.n.w
	g.promoteAt = time.Time{}
	g.copy.replay = g.copy.end
	g.log("LOG:  redo done at %s", lsn(g.copy.end-0x40))
	g.log("LOG:  last completed transaction was at log time %s", g.copy.lastCommit.Format("2006-01-02 15:04:05.000000-07"))
	// PostgreSQL takes the number after the newest history that it knows.
	// Here no number is given out twice: two branches of one number could not
	// be told apart by anybody.
	w.taken++
	g.copy.branch(w.taken)
	g.log("LOG:  selected new timeline ID: %d", g.copy.tli)
	g.writeHistory()
	g.log("LOG:  archive recovery complete")
	g.setStandby(false, "")
	g.n.write(dataDir+"/recovery.done", recoveryConf(""))
	g.openForWrites()
	// The control file tells the old timeline until this checkpoint is done.
	g.checkpointAt = w.now
}

// write is the load of the clients. Records are a multiple of 8 bytes long.
func (g *postgres) write() {
	g.carry += g.n.w.load * (0.5 + g.n.w.rnd.Float64()) * Step.Seconds()
	whole := uint64(g.carry) &^ 7
	if whole < 64 {
		return
	}
	g.carry -= float64(whole)
	g.advance(whole)
	g.copy.replay, g.copy.lastCommit = g.copy.end, g.n.clock()
}

func (g *postgres) advance(bytes uint64) {
	end := g.copy.end + bytes
	if segment(end) != segment(g.copy.end) && end%segmentSize < firstInFile {
		end = end - end%segmentSize + firstInFile
	}
	g.copy.end = end
}

// stepCheckpoint runs checkpoints, and restartpoints on a standby.
func (g *postgres) stepCheckpoint() {
	now, kind := g.n.w.now, "checkpoint"
	if g.phase == pgStandby {
		kind = "restartpoint"
	}
	if g.flushAt.IsZero() {
		if now.Before(g.checkpointAt) {
			return
		}
		cause := "time"
		if now.Sub(g.since) < Step*3 && g.phase == pgPrimary {
			cause = "force"
		}
		g.log("LOG:  %s starting: %s", kind, cause)
		g.flushAt, g.redoAt = now.Add(checkpointTime), g.copy.end
		return
	}
	if now.Before(g.flushAt) {
		return
	}
	removed := g.checkpointed(g.redoAt)
	buffers := 40 + g.n.w.rnd.Intn(200)
	g.log("LOG:  %s complete: wrote %d buffers (%.1f%%); 0 transaction log file(s) added, %d removed, %d recycled; write=%.3f s, sync=0.0%02d s, total=%.3f s; sync files=%d, longest=0.004 s, average=0.000 s; distance=%d kB, estimate=%d kB",
		kind, buffers, float64(buffers)/163.84, removed, min(removed, spareFiles), checkpointTime.Seconds(), 4+buffers%40, checkpointTime.Seconds()+0.1, 12+buffers%30, buffers*42, buffers*57)
	if kind == "restartpoint" {
		g.log("LOG:  recovery restart point at %s", lsn(g.copy.redo))
	}
	g.flushAt, g.checkpointAt = time.Time{}, now.Add(checkpointInterval)
}

// checkpointed notes a checkpoint whose redo point is given, and removes the
// WAL that nobody is promised. It says how many files went.
func (g *postgres) checkpointed(redo uint64) (removed int) {
	c := &g.copy
	c.prior, c.redo = c.checkpoint, redo
	if g.phase == pgStandby {
		c.checkpoint = redo
	} else {
		c.checkpoint = c.end
		g.advance(checkpointRecord)
		c.replay = c.end
	}
	c.cpTLI, c.cpTime, c.changed = c.tli, g.n.clock(), g.n.clock()
	current := segment(c.redo)
	if current < keepSegments {
		return 0
	}
	if keep := g.keptBySlots(current - keepSegments); keep > c.oldest {
		removed = int(keep - c.oldest)
		c.oldest = keep
	}
	return removed
}
