//go:build linux

package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// parting brings the copies of be1, which leads, and be2 and be3 apart.
type parting struct {
	name  string
	do    func(d *drill)
	exact bool // the specification says: to the byte
}

var partings = []parting{
	{"the leader is killed, all are level", func(d *drill) {
		d.write("be1", 50)
		d.level("be2", "be1")
		d.level("be3", "be1")
		d.kill("be1")
	}, true},
	{"one follower is behind", func(d *drill) {
		d.write("be1", 20)
		d.level("be3", "be1")
		d.hold("be3")
		d.write("be1", 700)
		d.level("be2", "be1")
		d.kill("be1")
	}, true},
	{"both are behind the leader, each by its own", func(d *drill) {
		d.level("be3", "be1")
		d.hold("be3")
		d.write("be1", 300)
		d.level("be2", "be1")
		d.hold("be2")
		d.write("be1", 1)
		d.kill("be1")
	}, true},
	{"one follower was promoted and wrote: two branches", func(d *drill) {
		d.write("be1", 20)
		d.level("be3", "be1")
		d.hold("be3")
		d.sql("be3", "select pg_promote()")
		d.write("be3", 150)
		d.write("be1", 400)
		d.level("be2", "be1")
		d.kill("be1")
	}, true},
	{"the leader is killed in the middle of large writes", func(d *drill) {
		d.run("be1", "setsid sh -c 'until [ -e /tmp/enough ]; do psql -Xq -h /tmp -U chef_pgsql -d postgres -c \"insert into lab_writes (filler) select '\\''be1 '\\'' || repeat(chr(97 + i % 26), 900) from generate_series(1, 20000) i\"; done' >/dev/null 2>&1 </dev/null &")
		time.Sleep(700 * time.Millisecond) // the moments are what is tried
		d.hold("be3")
		time.Sleep(300 * time.Millisecond)
		d.hold("be2")
		time.Sleep(200 * time.Millisecond)
		d.kill("be1")
		d.run("be1", "touch /tmp/enough")
	}, false},
}

// TestLossIsTrue compares what the cockpit says promoting a copy would lose of
// another with what PostgreSQL really makes of the copies: to the byte where
// both ends are known, never less where they are not.
func TestLossIsTrue(t *testing.T) {
	t.Parallel()
	for _, p := range partings {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if !apart(t) {
				return
			}
			d := newDrill(t)
			p.do(d)
			said := d.compare()
			// What is promoted first must not take the others along.
			for _, n := range d.names {
				if _, writes := d.current[n]; !writes && n != "be1" {
					d.hold(n)
				}
			}
			d.alone("be1")
			found := map[string]truth{}
			for _, n := range d.names {
				found[n] = d.find(n)
				t.Logf("%s: timeline %d from %s to %s, promoted at %s, %d rows", n, found[n].timeline, found[n].began, found[n].end, found[n].kept, len(found[n].before))
			}
			for pair, cmp := range said {
				if err := judge(cmp, found[pair[0]], found[pair[1]], p.exact); err != nil {
					t.Errorf("%s chosen, %s: %v\n  said: %+v", pair[0], pair[1], err, cmp)
				}
			}
		})
	}
}

// judge compares what was said of choosing c against f with what is true.
func judge(cmp cluster.CopyComparison, c, f truth, exact bool) error {
	lost := max(0, int64(f.end)-int64(parted(c, f)))
	back := max(0, int64(c.end)-int64(parted(f, c)))
	kept := map[string]bool{}
	for _, row := range c.before {
		kept[row] = true
	}
	gone := slices.DeleteFunc(slices.Clone(f.before), func(row string) bool { return kept[row] })
	switch {
	case exact && !cmp.Known:
		return fmt.Errorf("%d bytes and %d rows are lost, and nothing is known", lost, len(gone))
	case exact && cmp.Lost != lost:
		return fmt.Errorf("%d bytes are lost", lost)
	case cmp.Known && cmp.Lost < lost:
		return fmt.Errorf("%d bytes are lost: fewer were told", lost)
	case cmp.Contained == cluster.True && len(gone) > 0:
		return fmt.Errorf("%d rows are lost", len(gone))
	case exact && cmp.Branches != (lost > 0 && back > 0):
		return fmt.Errorf("%d bytes are lost one way and %d the other", lost, back)
	}
	return nil
}

// parted is where f left what c keeps.
func parted(c, f truth) cluster.LSN {
	switch {
	case c.timeline == f.timeline && c.began == f.began:
		return min(c.kept, f.end)
	case c.timeline < f.timeline:
		return min(c.kept, f.began)
	case c.timeline > f.timeline:
		return min(c.began, f.end)
	}
	return min(c.began, f.began)
}
