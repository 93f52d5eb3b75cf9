//go:build linux

package standin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pgPhase is how far the postmaster is.
type pgPhase int

const (
	pgOff      pgPhase = iota
	pgStarting         // it runs and lets nobody in
	pgStandby          // in recovery, read only
	pgPrimary          // out of recovery
)

// pgFacts is one look at the database.
type pgFacts struct {
	phase    pgPhase
	upstream string // host of primary_conninfo, "" none
	receiver string // status of the WAL receiver
	level    bool   // the receiver has all that the sender had at its last word
	copy     walCopy
	senders  []sender
}

// streaming counts the standbys that stream from here.
func (f pgFacts) streaming() int {
	n := 0
	for _, s := range f.senders {
		if s.State == "streaming" {
			n++
		}
	}
	return n
}

// database is PostgreSQL 12 or newer on this host. Not for concurrent use.
type database struct {
	c       *labFile
	cred    *syscall.Credential // of the owner of the data; nil: run as we are
	stopped walCopy             // the copy as found while it was down
	stamp   string              // of the control file then
}

func newDatabase(c *labFile) *database {
	d := &database{c: c}
	for _, name := range []string{"chef_pgsql", "postgres"} {
		u, err := user.Lookup(name)
		if err != nil || os.Geteuid() != 0 {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		d.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		break
	}
	return d
}

// command prepares one of PostgreSQL's programs, as the owner of the data. It
// ends with its parent, and with all its children where the context ends:
// pg_basebackup has one that would go on.
func (d *database) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(d.c.PostgresqlBin, name), args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC0", "PGCONNECT_TIMEOUT=2", "PGPASSWORD=" + d.c.ReplPassword}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: d.cred, Pdeathsig: syscall.SIGTERM, Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	return cmd
}

// query asks a database and returns the first row's fields, or an error with
// the last line that psql said.
func (d *database) query(ctx context.Context, where, sql string) ([][]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	cmd := d.command(ctx, "psql", "-X", "-w", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1", "-d", where, "-c", sql)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if said := strings.TrimSpace(errs.String()); said != "" {
			return nil, errors.New(said)
		}
		return nil, err
	}
	var rows [][]string
	for line := range strings.Lines(out.String()) {
		if line = strings.TrimSpace(line); line != "" {
			rows = append(rows, strings.Split(line, "|"))
		}
	}
	return rows, nil
}

// here is the local database, there a peer's as the replication user.
func (d *database) here() string {
	owner := "postgres"
	if d.cred != nil {
		if u, err := user.LookupId(strconv.Itoa(int(d.cred.Uid))); err == nil {
			owner = u.Username
		}
	}
	return fmt.Sprintf("host=/tmp port=%d dbname=postgres user=%s", d.c.PgPort, owner)
}

func (d *database) there(address string) string {
	return fmt.Sprintf("host=%s port=%d dbname=postgres user=%s", address, d.c.PgPort, d.c.ReplUser)
}

const lookSQL = `select pg_is_in_recovery(),
 case when pg_is_in_recovery() then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) else pg_current_wal_lsn() end,
 case when pg_is_in_recovery() then greatest((select coalesce(max(received_tli), 0) from pg_stat_wal_receiver),
   (select min_recovery_end_timeline from pg_control_recovery()), (select timeline_id from pg_control_checkpoint()))
   else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end,
 (select system_identifier from pg_control_system()),
 (select coalesce(max(status), '') from pg_stat_wal_receiver),
 coalesce((select pg_last_wal_replay_lsn() >= latest_end_lsn from pg_stat_wal_receiver), false);
select client_addr, state from pg_stat_replication`

// look asks the database how it is. What cannot be asked is taken from its
// files.
func (d *database) look(ctx context.Context) pgFacts {
	f := pgFacts{upstream: d.upstream()}
	rows, err := d.query(ctx, d.here(), lookSQL)
	switch {
	case err == nil && len(rows) > 0 && len(rows[0]) == 6:
		d.running(&f, rows)
	case svStatus(ctx, "postgresql").up || d.postmaster():
		f.phase = pgStarting
		f.copy = d.stopped
		f.copy.Whole = false
	default:
		f.copy = d.resting(ctx)
	}
	return f
}

func (d *database) running(f *pgFacts, rows [][]string) {
	r := rows[0]
	f.phase = pgPrimary
	if r[0] == "t" {
		f.phase = pgStandby
	}
	end, ok := parseLSN(r[1])
	tli, err := strconv.ParseUint(r[2], 10, 32)
	f.copy = walCopy{System: r[3], Timeline: uint32(tli), End: end, Whole: ok && err == nil}
	f.receiver, f.level = r[4], r[5] == "t"
	for _, s := range rows[1:] {
		if len(s) == 2 {
			f.senders = append(f.senders, sender{s[0], s[1]})
		}
	}
	d.files(&f.copy)
	d.stamp = ""
}

// files adds what the WAL folder tells. The control file of a standby may name
// a timeline that it has left; the newest file that holds its end does not.
func (d *database) files(c *walCopy) {
	wal := filepath.Join(d.c.DataDir, "pg_wal")
	list, _ := os.ReadDir(wal)
	first := true
	for _, e := range list {
		at, ok := segmentStart(e.Name())
		if !ok {
			continue
		}
		if first || at < c.Oldest {
			c.Oldest, first = at, false
		}
		if tli, err := strconv.ParseUint(e.Name()[:8], 16, 32); err == nil && at == c.End/segmentBytes*segmentBytes {
			c.Timeline = max(c.Timeline, uint32(tli))
		}
	}
	if raw, err := os.ReadFile(filepath.Join(wal, fmt.Sprintf("%08X.history", c.Timeline))); err == nil {
		c.History = parseHistory(string(raw))
	}
}

// postmaster says whether a postmaster runs, whoever started it.
func (d *database) postmaster() bool {
	raw, err := os.ReadFile(filepath.Join(d.c.DataDir, "postmaster.pid"))
	if err != nil {
		return false
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	args, err := os.ReadFile("/proc/" + strings.TrimSpace(line) + "/cmdline")
	return err == nil && strings.Contains(string(args), "postgres")
}

// resting finds out what the copy holds while the database is down. Reading
// the WAL takes a while, so the answer is kept as long as nothing changes.
func (d *database) resting(ctx context.Context) walCopy {
	control, err := os.Stat(filepath.Join(d.c.DataDir, "global/pg_control"))
	if err != nil || !exists(filepath.Join(d.c.DataDir, "PG_VERSION")) {
		return walCopy{}
	}
	stamp := control.ModTime().String()
	if wal, err := os.Stat(filepath.Join(d.c.DataDir, "pg_wal")); err == nil {
		stamp += wal.ModTime().String() // files that came or went
	}
	if stamp == d.stamp {
		return d.stopped
	}
	cmd := d.command(ctx, "pg_controldata", d.c.DataDir)
	out, err := cmd.Output()
	if err != nil {
		return walCopy{}
	}
	k := parseControl(string(out))
	c := walCopy{System: k.system, Timeline: k.timeline, End: k.least, Whole: k.system != ""}
	if end, ok := d.dump(ctx, k.timeline, k.redo); ok {
		c.End = max(c.End, end)
	} else {
		c.Whole = false // the WAL that a start would read is not there
	}
	// A standby may have received WAL of a newer timeline before it ended.
	for exists(filepath.Join(d.c.DataDir, "pg_wal", fmt.Sprintf("%08X.history", c.Timeline+1))) {
		c.Timeline++
		d.files(&c)
		if len(c.History) > 0 {
			c.End = c.History[len(c.History)-1].Switch
			if end, ok := d.dump(ctx, c.Timeline, c.End); ok {
				c.End = max(c.End, end)
			}
		}
	}
	d.files(&c)
	d.stopped, d.stamp = c, stamp
	return c
}

// dump reads WAL from a position to its end.
func (d *database) dump(ctx context.Context, tli uint32, from uint64) (uint64, bool) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := d.command(ctx, "pg_waldump", "-q", "-p", filepath.Join(d.c.DataDir, "pg_wal"), "-t", strconv.Itoa(int(tli)), "-s", lsn(from))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	_ = cmd.Run() // it always ends with an error: the end of the WAL
	return parseWALEnd(errs.String(), from)
}
