//go:build linux

package standin

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// follow is one run of pgsql-follow.
type follow struct {
	*ctl
	leader  string // address
	force   bool
	verbose bool
}

// pgsqlFollow is the internal command pgsql-follow LEADER_IP. Its texts are
// invented, except pg_basebackup's own and PostgreSQL's.
func (c *ctl) pgsqlFollow() error {
	o, err := parseOptions(c.args, []string{"--force-basebackup", "--verbose", "-V"}, nil)
	if err != nil {
		return err
	}
	if !c.internal {
		return errors.New("pgsql-follow is an internal command; it runs only with PSQL_INTERNAL_OK=true")
	}
	if len(o.words) != 1 {
		return errors.New("pgsql-follow needs the address of the leader")
	}
	f := &follow{c, o.words[0], o.has("--force-basebackup"), o.has("--verbose", "-V")}
	for _, step := range []func() error{f.check, f.copy, f.launch, f.stream} {
		if err := step(); err != nil {
			return err
		}
	}
	c.printf("This node now follows %s.\n", f.leader)
	return nil
}

func (f *follow) tell(format string, a ...any) {
	if f.verbose {
		f.printf(format+"\n", a...)
	}
}

// check looks whether anything stands against it before anything is changed.
func (f *follow) check() error {
	if s := svStatus(f.ctx, "leaderl"); !s.known || s.up {
		return errors.New("leaderl is running; stop it first")
	}
	if f.leader == f.Address {
		return errors.New("this node cannot follow itself")
	}
	if exists(noStartFile) {
		return errors.New(noStartFile + " exists: postgresql must not start on this node")
	}
	rows, err := f.db.query(f.ctx, f.db.there(f.leader), "select pg_is_in_recovery()")
	switch {
	case err != nil:
		return err
	case len(rows) != 1 || rows[0][0] != "f":
		return errors.New(f.leader + " is not a leader: its database is in recovery")
	}
	return nil
}

// copy takes a base backup where it was asked for, or where there is no data.
func (f *follow) copy() error {
	f.tell("Stopping postgresql")
	if err := f.db.stop(f.ctx); err != nil {
		return err
	}
	if !f.force && exists(filepath.Join(f.DataDir, "PG_VERSION")) {
		return nil
	}
	f.tell("Running pg_basebackup from %s", f.leader)
	err := f.db.baseBackup(f.ctx, f.leader, func(line string) { f.tell("%s", line) })
	if err != nil {
		fmt.Fprintln(f.err, err)
		return errors.New("pg_basebackup failed")
	}
	return nil
}

func (f *follow) launch() error {
	f.tell("Writing standby.signal and primary_conninfo: following %s", f.leader)
	if err := f.db.standby(f.leader); err != nil {
		return err
	}
	f.tell("Starting postgresql")
	return nil
}

// stream starts the database and waits for it to stream, or for the reason
// why it cannot.
func (f *follow) stream() error {
	log := newLogTail()
	if err := f.db.start(f.ctx); err != nil {
		return err
	}
	for end := time.Now().Add(syncDeadline); time.Now().Before(end); {
		if err := pause(f.ctx, 200*time.Millisecond); err != nil {
			return errors.New("interrupted")
		}
		if why := log.refusal(); why != "" {
			fmt.Fprintln(f.err, why)
			return errors.New("this node could not follow " + f.leader)
		}
		pg := f.db.look(f.ctx)
		if pg.phase == pgStandby && pg.receiver == "streaming" && pg.level {
			f.tell("Streaming from %s at %s on timeline %d", f.leader, lsn(pg.copy.End), pg.copy.Timeline)
			return nil
		}
	}
	return errors.New("timed out waiting for postgresql to stream from " + f.leader)
}
