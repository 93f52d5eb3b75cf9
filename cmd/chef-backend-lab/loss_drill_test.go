//go:build linux

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

const (
	labVar  = "/var/opt/chef-backend"
	labData = labVar + "/postgresql/15/data"
)

// drill is a lab that a test asks and handles itself.
type drill struct {
	bed
	t     *testing.T
	ctx   context.Context
	names []string
	// current is where the primaries were while the cockpit looked.
	current map[string]cluster.LSN
}

// newDrill is one whose databases the test handles: leaderl is down.
func newDrill(t *testing.T) *drill {
	d := dial(t, realLab(t))
	for _, n := range d.names {
		if err := d.Strike("down:leaderl@" + n); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// dial is a lab that a test can ask.
func dial(t *testing.T, b bed) *drill {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	t.Cleanup(cancel)
	d := &drill{bed: b, t: t, ctx: ctx}
	for _, n := range d.Nodes() {
		d.names = append(d.names, n.Name)
		d.connect(n.Name)
	}
	return d
}

// connect waits until a host can be asked.
func (d *drill) connect(node string) {
	d.t.Helper()
	d.until(node+" can be asked", func() bool {
		if remote.ConnectFirst(d.ctx, d.hosts[node]) != nil {
			return false
		}
		r, err := d.hosts[node].Run(d.ctx, remote.Script{Text: "true"})
		return err == nil && r.Exit == 0
	})
}

// run is what a shell text prints on a host.
func (d *drill) run(node, text string) string {
	d.t.Helper()
	r, err := d.hosts[node].Run(d.ctx, remote.Script{Text: text})
	if err != nil || r.Exit != 0 {
		d.t.Fatalf("%s: %s: exit %d, %v: %s%s", node, text, r.Exit, err, r.Stdout, r.Stderr)
	}
	return strings.TrimSpace(string(r.Stdout))
}

func (d *drill) sql(node, text string) string {
	d.t.Helper()
	return d.run(node, "cd /; psql -XAtq -v ON_ERROR_STOP=1 -h /tmp -U chef_pgsql -d postgres <<'END'\n"+text+";\nEND")
}

func (d *drill) lsn(node, text string) cluster.LSN {
	d.t.Helper()
	at, err := cluster.ParseLSN(d.sql(node, text))
	if err != nil {
		d.t.Fatalf("%s: %s: %v", node, text, err)
	}
	return at
}

// until polls a condition of one host.
func (d *drill) until(what string, ok func() bool) {
	d.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// write commits rows one by one, each with the name of who wrote it.
func (d *drill) write(node string, rows int) {
	d.t.Helper()
	d.sql(node, fmt.Sprintf("do $$ begin for i in 1..%d loop insert into lab_writes (filler) values ('%s ' || repeat('x', 200)); commit; end loop; end $$", rows, node))
}

// level waits until a standby has all that its sender has.
func (d *drill) level(node, sender string) {
	d.t.Helper()
	d.until(node+" is level with "+sender, func() bool {
		return d.lsn(node, "select pg_last_wal_replay_lsn()") == d.lsn(sender, "select pg_current_wal_lsn()")
	})
}

// hold takes a standby off its sender.
func (d *drill) hold(node string) {
	d.t.Helper()
	d.sql(node, "alter system set primary_conninfo = ''")
	d.sql(node, "select pg_reload_conf()")
	d.until(node+" receives nothing", func() bool { return d.sql(node, "select count(*) from pg_stat_wal_receiver") == "0" })
}

// kill ends a database without a word, and keeps it down.
func (d *drill) kill(node string) {
	d.t.Helper()
	if err := d.Strike("down:postgresql@" + node); err != nil {
		d.t.Fatal(err)
	}
}

// alone starts a dead copy as a standby that follows nobody: PostgreSQL itself
// then reads the WAL that lies there to its end.
func (d *drill) alone(node string) {
	d.t.Helper()
	d.run(node, "touch "+labData+"/standby.signal && chown chef_pgsql: "+labData+"/standby.signal && echo \"primary_conninfo = ''\" >>"+labData+
		"/postgresql.auto.conf && printf u >/opt/chef-backend/service/postgresql/supervise/control")
	d.until("PostgreSQL of "+node, func() bool {
		return d.run(node, "psql -XAtq -h /tmp -U chef_pgsql -d postgres -c 'select pg_is_in_recovery()' 2>/dev/null || :") == "t"
	})
}

// readOut is where PostgreSQL stands when it has read all of its WAL.
func (d *drill) readOut(node string) cluster.LSN {
	d.t.Helper()
	last, same := cluster.LSN(0), 0
	d.until(node+" has read its WAL", func() bool {
		at := d.lsn(node, "select pg_last_wal_replay_lsn()")
		if same++; at != last {
			last, same = at, 0
		}
		return same >= 10
	})
	return last
}

// compare looks as the cockpit does, and compares every copy with every other.
func (d *drill) compare() map[[2]string]cluster.CopyComparison {
	d.t.Helper()
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		d.t.Fatal(err)
	}
	w, err := watch.New(watch.Options{Cluster: "bed", Nodes: d.Nodes(), Hosts: d.Hosts(), Clock: d.Clock(), Catalogue: c, JournalDir: simulation.InMemory(d.t)})
	if err != nil {
		d.t.Fatal(err)
	}
	w.Start(d.ctx)
	defer w.Close()
	d.until("all nodes are reached", func() bool {
		reports := w.View().Snapshot.Reports
		return !slices.ContainsFunc(d.names, func(n string) bool {
			return reports[n] == nil || cluster.Is(reports[n].Reach, cluster.Reached) != cluster.True
		})
	})
	// A primary writes a little by itself now and then: none of that between.
	d.until("a look at primaries that do not move", func() bool {
		d.current = d.primaries()
		if err := w.LookAll(d.ctx); err != nil {
			d.t.Fatal(err)
		}
		return maps.Equal(d.current, d.primaries())
	})
	all := map[[2]string]cluster.CopyComparison{}
	for _, x := range d.names {
		if p := w.View().Snapshot.Reports[x].PostgreSQL; !p.InRecovery.Known && !p.EndOfWAL.Known {
			d.t.Logf("%s: the end of its WAL is not known: %s", x, p.EndOfWAL.Reason)
		}
		for _, cmp := range w.View().CompareCopies(x) {
			all[[2]string{x, cmp.Other}] = cmp
		}
	}
	return all
}

// primaries are those that accept writes, with where they are.
func (d *drill) primaries() map[string]cluster.LSN {
	d.t.Helper()
	all := map[string]cluster.LSN{}
	for _, n := range d.names {
		if d.run(n, "psql -XAtq -h /tmp -U chef_pgsql -d postgres -c 'select pg_is_in_recovery()' 2>/dev/null || :") == "f" {
			all[n] = d.lsn(n, "select pg_current_wal_lsn()")
		}
	}
	return all
}

// truth is what became of a copy.
type truth struct {
	timeline uint32
	began    cluster.LSN // where its timeline left the one before; 0 on the first
	end      cluster.LSN // of its last whole record
	kept     cluster.LSN // how far its own WAL is kept when it is promoted
	before   []string    // its rows
}

// rows are those of a database, each with its writer.
func (d *drill) rows(node string) []string {
	var all []string
	// A line for each run of numbers: many rows would not fit in one answer.
	text := d.sql(node, `select who, min(n), max(n) from (select left(filler, 3) who, n, n - row_number() over (partition by left(filler, 3) order by n) run
		from lab_writes) r group by who, run order by 1, 2`)
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSpace(line), "|")
		first, err := strconv.Atoi(f[1])
		last, also := strconv.Atoi(f[2])
		if err != nil || also != nil {
			d.t.Fatalf("%s: %s", node, text)
		}
		for n := first; n <= last; n++ {
			all = append(all, f[0]+" "+strconv.Itoa(n))
		}
	}
	return all
}

// find reads the truth of a copy, and promotes it where it is in recovery.
func (d *drill) find(node string) truth {
	d.t.Helper()
	var f truth
	if at, writes := d.current[node]; writes {
		f.end = at
		f.kept, f.before = f.end, d.rows(node)
		f.timeline, f.began = d.history(node)
		return f
	}
	f.end = d.readOut(node)
	f.timeline, f.began = d.history(node)
	f.before = d.rows(node)
	d.sql(node, "select pg_promote()")
	_, f.kept = d.history(node)
	if after := d.rows(node); !slices.Equal(f.before, after) {
		d.t.Errorf("%s had %d rows and has %d when it was promoted", node, len(f.before), len(after))
	}
	return f
}

// history reads the newest timeline of a database and where it began, from the
// file that PostgreSQL wrote.
func (d *drill) history(node string) (uint32, cluster.LSN) {
	d.t.Helper()
	text := d.run(node, "cd "+labData+"/pg_wal; for f in *.history; do last=$f; done; [ ! -e \"$last\" ] || { echo \"$last\"; tail -n 1 \"$last\"; }")
	f := strings.Fields(text)
	if len(f) < 3 {
		return 1, 0
	}
	timeline, err := strconv.ParseUint(strings.TrimSuffix(f[0], ".history"), 16, 32)
	if err != nil {
		d.t.Fatalf("%s: %s", node, text)
	}
	at, err := cluster.ParseLSN(f[2])
	if err != nil {
		d.t.Fatalf("%s: %s", node, text)
	}
	return uint32(timeline), at
}
