//go:build linux

package standin

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// The settings that make a copy follow: standby.signal and primary_conninfo
// in postgresql.auto.conf, where PostgreSQL itself would write it.
var (
	conninfoLine = regexp.MustCompile(`(?m)^\s*primary_conninfo\s*=.*\n?`)
	conninfoHost = regexp.MustCompile(`host=([^\s']+)`)
)

func (d *database) auto() string   { return filepath.Join(d.c.DataDir, "postgresql.auto.conf") }
func (d *database) signal() string { return filepath.Join(d.c.DataDir, "standby.signal") }

// upstream is the host that the copy is set to follow.
func (d *database) upstream() string {
	if !exists(d.signal()) {
		return ""
	}
	raw, err := os.ReadFile(d.auto())
	if err != nil {
		return ""
	}
	lines := conninfoLine.FindAll(raw, -1)
	if len(lines) == 0 {
		return ""
	}
	m := conninfoHost.FindSubmatch(lines[len(lines)-1])
	if m == nil {
		return ""
	}
	return string(m[1])
}

// standby makes the copy one that follows upstream, or nobody where that is
// "". It counts from the next start or reload on.
func (d *database) standby(upstream string) error {
	if !exists(filepath.Join(d.c.DataDir, "PG_VERSION")) {
		return nil
	}
	raw, err := os.ReadFile(d.auto())
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	text := conninfoLine.ReplaceAllString(string(raw), "")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	info := ""
	if upstream != "" {
		info = fmt.Sprintf("host=%s port=%d user=%s password=%s application_name=%s", upstream, d.c.PgPort, d.c.ReplUser, d.c.ReplPassword, d.c.Name)
	}
	text += "primary_conninfo = '" + info + "'\n"
	if err := d.write(d.auto(), text); err != nil {
		return err
	}
	return d.write(d.signal(), "")
}

// write replaces a file of the data directory in one step.
func (d *database) write(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	if d.cred != nil {
		if err := os.Chown(path+".new", int(d.cred.Uid), int(d.cred.Gid)); err != nil {
			return err
		}
	}
	return os.Rename(path+".new", path)
}

// reload lets a running database read its settings again.
func (d *database) reload(ctx context.Context) error {
	_, err := d.query(ctx, d.here(), "select pg_reload_conf()")
	return err
}

// allow gives leaderl's word that PostgreSQL may start on this host.
func allow() error { return touch(wordFile) }

// start has the database up, stop has it down, for certain.
func (d *database) start(ctx context.Context) error {
	if err := allow(); err != nil {
		return err
	}
	return serviceUp(ctx, "postgresql", 10*time.Second)
}

func (d *database) stop(ctx context.Context) error {
	return serviceDown(ctx, "postgresql", 60*time.Second)
}

// follow sets the copy to an upstream and starts it.
func (d *database) follow(ctx context.Context, upstream string) error {
	if err := d.stop(ctx); err != nil {
		return err
	}
	if err := d.standby(upstream); err != nil {
		return err
	}
	return d.start(ctx)
}

// promote asks the database to leave recovery; it does not wait for it.
func (d *database) promote(ctx context.Context) error {
	out, err := d.command(ctx, "pg_ctl", "promote", "-W", "-D", d.c.DataDir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("pg_ctl promote: %s", strings.TrimSpace(string(out)))
	}
	return nil
}

// admitted says why a leader takes no replication from here, nil when it does.
func (d *database) admitted(ctx context.Context, leader string) error {
	_, err := d.query(ctx, d.there(leader)+" replication=1", "IDENTIFY_SYSTEM")
	return err
}

// baseBackup replaces the copy by a new one from a leader. The old copy is
// gone first, as the small disk of a node may not hold both. The database
// must be down. say gets what pg_basebackup says, line by line.
func (d *database) baseBackup(ctx context.Context, from string, say func(string)) error {
	d.stamp = ""
	if err := os.RemoveAll(d.c.DataDir); err != nil {
		return err
	}
	parent := filepath.Dir(d.c.DataDir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	if d.cred != nil {
		if err := os.Chown(parent, int(d.cred.Uid), int(d.cred.Gid)); err != nil {
			return err
		}
	}
	cmd := d.command(ctx, "pg_basebackup", "--progress", "--verbose", "--checkpoint=fast", "--wal-method=stream",
		"-w", "-D", d.c.DataDir, "-d", fmt.Sprintf("host=%s port=%d user=%s application_name=%s", from, d.c.PgPort, d.c.ReplUser, d.c.Name))
	errs, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	last := ""
	lines := bufio.NewScanner(errs)
	for lines.Scan() {
		last = lines.Text()
		say(last)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("pg_basebackup: %s (%w)", strings.TrimPrefix(last, "pg_basebackup: "), err)
	}
	return nil
}

// refusals are lines of PostgreSQL's log that say that following cannot work,
// however long one waits. Those of this node's own receiver and recovery are
// FATAL: the same words as ERROR are what a sender of this node told another.
var refusals = regexp.MustCompile(`FATAL:.*(?:requested WAL segment\s+[0-9A-F]{24} has already been removed|is not (?:a child of|in) this server's history|database system identifier differs|is behind recovery timeline)`)

// logTail reads what is added to PostgreSQL's log.
type logTail struct {
	path string
	at   int64
}

func newLogTail() *logTail {
	t := &logTail{}
	all, _ := filepath.Glob(filepath.Join(logDir, "postgresql/*/current"))
	if len(all) > 0 {
		t.path = all[len(all)-1]
		if s, err := os.Stat(t.path); err == nil {
			t.at = s.Size()
		}
	}
	return t
}

// refusal is the first line since the last call that says that following
// cannot work, without the stamp; "" when there is none.
func (t *logTail) refusal() string {
	f, err := os.Open(t.path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if s, err := f.Stat(); err == nil && s.Size() < t.at {
		t.at = 0 // svlogd has begun a new file
	}
	raw := make([]byte, 256<<10)
	n, _ := f.ReadAt(raw, t.at)
	text := string(raw[:n])
	text = text[:strings.LastIndex(text, "\n")+1]
	t.at += int64(len(text))
	for line := range strings.Lines(text) {
		if refusals.MatchString(line) {
			_, said, _ := strings.Cut(strings.TrimSpace(line), " ")
			return said
		}
	}
	return ""
}

// runPostgresql is the run script of the postgresql service. How the product
// keeps PostgreSQL down beside no-start-pgsql and after a boot is not
// published; here its start is refused, and after a boot it waits for leaderl.
func runPostgresql(ctx context.Context, h *host) error {
	refuse := func(why string) error {
		fmt.Println(why)
		_ = pause(ctx, time.Second) // runsv would start it again at once
		return fmt.Errorf("postgresql is not started")
	}
	switch {
	case exists(noStartFile):
		return refuse("not starting: " + noStartFile + " exists")
	case !exists(filepath.Join(h.DataDir, "PG_VERSION")):
		return refuse(fmt.Sprintf("FATAL:  could not open file %q: No such file or directory", h.DataDir+"/global/pg_control"))
	}
	for exists(memberFile) && !exists(wordFile) {
		// leaderl, once it runs, ends this process until it has an answer.
		if pause(ctx, 200*time.Millisecond) != nil {
			return nil
		}
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if c := h.db.cred; c != nil {
		for _, drop := range []func() error{
			func() error { return syscall.Setgroups([]int{int(c.Gid)}) },
			func() error { return syscall.Setgid(int(c.Gid)) },
			func() error { return syscall.Setuid(int(c.Uid)) },
		} {
			if err := drop(); err != nil {
				return err
			}
		}
	}
	bin := filepath.Join(h.PostgresqlBin, "postgres")
	return syscall.Exec(bin, []string{bin, "-D", h.DataDir}, os.Environ())
}
