package model

import (
	"strings"
	"time"
)

// ctlFollow is the internal command pgsql-follow LEADER_IP. Its texts are
// invented, except pg_basebackup's own and PostgreSQL's.
func ctlFollow(p *Process, args []string) {
	force, verbose, address := false, false, ""
	for _, a := range args[1:] {
		switch {
		case a == "--force-basebackup":
			force = true
		case a == "--verbose" || a == "-V":
			verbose = true
		case !strings.HasPrefix(a, "-"):
			address = a
		}
	}
	if p.env["PSQL_INTERNAL_OK"] != "true" {
		p.failed("pgsql-follow is an internal command; it runs only with PSQL_INTERNAL_OK=true")
		return
	}
	if address == "" {
		p.failed("pgsql-follow needs the address of the leader")
		return
	}
	f := &follow{address: address, force: force, verbose: verbose}
	p.then(pause(600*time.Millisecond), f.check, f.stop, f.copy, f.launch, f.stream)
	p.onKill = func() { f.abandon(p) }
}

// follow is one run of pgsql-follow.
type follow struct {
	address string
	leader  *node
	force   bool
	verbose bool
	backup  *backup
}

func (f *follow) tell(p *Process, format string, a ...any) {
	if f.verbose {
		p.printf(format+"\n", a...)
	}
}

// check looks whether anything stands against it before anything is changed.
func (f *follow) check(p *Process) bool {
	w := p.w
	f.leader = w.byAddress(f.address)
	switch {
	case p.n.leaderl.running:
		p.failed("leaderl is running; stop it first")
	case f.leader == p.n:
		p.failed("this node cannot follow itself")
	case f.leader == nil || w.Connect(p.n.name, f.address, portPostgres) == Timeout:
		if !p.waited(10 * time.Second) {
			return false
		}
		p.failed("could not connect to server: Connection timed out")
	case !f.leader.pg.accepts():
		p.failed("could not connect to server: Connection refused")
	case f.leader.pg.phase != pgPrimary:
		p.failed(f.address + " is not a leader: its database is in recovery")
	case p.n.files.Exists(noStartFile):
		p.failed(noStartFile + " exists: postgresql must not start on this node")
	}
	return true
}

func (f *follow) stop(p *Process) bool {
	s := p.n.service("postgresql")
	if s.want || s.up {
		if s.want {
			f.tell(p, "Stopping postgresql")
		}
		s.stop()
		return false
	}
	return true
}

// copy takes a base backup where it was asked for, or where there is no data.
func (f *follow) copy(p *Process) bool {
	g := p.n.pg
	if !f.force && g.copy.whole {
		return true
	}
	if f.backup == nil {
		f.tell(p, "Running pg_basebackup from %s", f.address)
		p.child = backupArgs(f.leader)
		f.backup = g.beginBackup(f.leader, func(line string) { f.tell(p, "%s", line) })
		return false
	}
	if f.backup.failed != "" {
		p.errorf("%s\n", f.backup.failed)
		p.failed("pg_basebackup failed")
		return true
	}
	if f.backup.done {
		p.child = ""
	}
	return f.backup.done
}

func (f *follow) launch(p *Process) bool {
	g := p.n.pg
	f.tell(p, "Writing recovery.conf: following %s", f.address)
	g.setStandby(true, f.address)
	g.paused = false
	f.tell(p, "Starting postgresql")
	s := p.n.service("postgresql")
	s.unstick()
	s.start()
	return true
}

// stream waits for the database to stream, or for the reason why it cannot.
func (f *follow) stream(p *Process) bool {
	g := p.n.pg
	switch {
	case g.phase == pgStandby && g.recv != nil && g.recv.caught:
		f.tell(p, "Streaming from %s at %s on timeline %d", f.address, lsn(g.copy.end), g.copy.tli)
		p.printf("This node now follows %s.\n", f.address)
		return true
	case g.phase == pgStandby && g.refusal != "":
		p.errorf("%s\n", g.refusal)
		p.failed("this node could not follow " + f.address)
		return true
	case p.waited(syncDeadline):
		p.failed("timed out waiting for postgresql to stream from " + f.address)
		return true
	}
	return false
}

// abandon is what a killed run leaves: a base backup ends with it.
func (f *follow) abandon(p *Process) {
	if g := p.n.pg; f.backup != nil && g.backup == f.backup {
		g.backup = nil
	}
}
