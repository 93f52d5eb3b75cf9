//go:build linux

package standin

import (
	"testing"
	"time"
)

// be2 may be elected in this state: it saw be1 lead, whose key has gone.
func candidate() (self, *clusterState) {
	c := parseState(etcdNode{})
	c.Posts = map[string]post{
		"g2": {Role: waiting, SawLeader: true, Eligible: true, Copy: walCopy{Timeline: 3, End: 500, Whole: true}},
		"g3": {Role: waiting, SawLeader: true, Eligible: true, Copy: walCopy{Timeline: 3, End: 400, Whole: true}},
	}
	return self{guid: "g2", state: waiting, since: standTime, sawLeader: true, eligible: true, copy: c.Posts["g2"].Copy}, c
}

func TestWhoStandsForElection(t *testing.T) {
	other := func(c *clusterState, f func(*post)) {
		p := c.Posts["g3"]
		f(&p)
		c.Posts["g3"] = p
	}
	for name, x := range map[string]struct {
		change func(*self, *clusterState)
		stands bool
	}{
		"the furthest":                   {func(*self, *clusterState) {}, true},
		"somebody leads":                 {func(_ *self, c *clusterState) { c.Leader = "g1" }, false},
		"no leader seen since the start": {func(m *self, _ *clusterState) { m.sawLeader = false }, false},
		"a sentinel":                     {func(m *self, _ *clusterState) { m.barred = true }, false},
		"not eligible":                   {func(m *self, _ *clusterState) { m.eligible = false }, false},
		"not looked around yet":          {func(m *self, _ *clusterState) { m.since = standTime - 1 }, false},
		"not waiting":                    {func(m *self, _ *clusterState) { m.state = following }, false},
		"failover off":                   {func(_ *self, c *clusterState) { c.Failover = false }, false},
		"failover off here":              {func(_ *self, c *clusterState) { c.NodeFailover["g2"] = false }, false},
		"blocked":                        {func(_ *self, c *clusterState) { c.Blocked["g2"] = true }, false},
		"another is further":             {func(_ *self, c *clusterState) { other(c, func(p *post) { p.Copy.End = 501 }) }, false},
		"another is on a newer timeline": {func(_ *self, c *clusterState) {
			other(c, func(p *post) { p.Copy = walCopy{Whole: true, Timeline: 4, End: 1} })
		}, false},
		"equal, and the lesser name":         {func(_ *self, c *clusterState) { other(c, func(p *post) { p.Copy.End = 500 }) }, true},
		"the further one is barred":          {func(_ *self, c *clusterState) { other(c, func(p *post) { p.Copy.End, p.Barred = 501, true }) }, true},
		"the further one saw no leader":      {func(_ *self, c *clusterState) { other(c, func(p *post) { p.Copy.End, p.SawLeader = 501, false }) }, true},
		"the further one is deposed":         {func(_ *self, c *clusterState) { other(c, func(p *post) { p.Copy.End, p.Role = 501, deposed }) }, true},
		"the further one is blocked":         {func(_ *self, c *clusterState) { other(c, func(p *post) { p.Copy.End = 501 }); c.Blocked["g3"] = true }, true},
		"another was asked for":              {func(_ *self, c *clusterState) { c.Request = &request{Target: "g3"} }, false},
		"a step down was asked for":          {func(_ *self, c *clusterState) { c.Request = &request{} }, true},
		"asked for, though it saw nobody":    {func(m *self, c *clusterState) { m.sawLeader, c.Request = false, &request{Target: "g2"} }, true},
		"asked for, at once":                 {func(m *self, c *clusterState) { m.since, c.Request = 0, &request{Target: "g2"} }, true},
		"asked for, with failover off":       {func(_ *self, c *clusterState) { c.Failover, c.Request = false, &request{Target: "g2"} }, false},
		"forced, with failover off":          {func(_ *self, c *clusterState) { c.Failover, c.Request = false, &request{Target: "g2", Force: true} }, true},
		"forced, with a sentinel":            {func(m *self, c *clusterState) { m.barred, c.Request = true, &request{Target: "g2", Force: true} }, false},
		"asked for, with half a copy":        {func(m *self, c *clusterState) { m.copy.Whole, c.Request = false, &request{Target: "g2"} }, false},
		"forced, though somebody else leads": {func(_ *self, c *clusterState) { c.Leader, c.Request = "g3", &request{Target: "g2", Force: true} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			me, c := candidate()
			x.change(&me, c)
			if got := mayStand(me, c); got != x.stands {
				t.Errorf("stands: %v, want %v", got, x.stands)
			}
		})
	}
}

// Two waiting nodes with the same facts never both stand.
func TestOnlyOneStands(t *testing.T) {
	me, c := candidate()
	for _, end := range []uint64{400, 500, 600} {
		p := c.Posts["g3"]
		p.Copy.End = end
		c.Posts["g3"] = p
		you := me
		you.guid, you.copy = "g3", p.Copy
		if mayStand(me, c) == mayStand(you, c) {
			t.Errorf("with %d against %d bytes both or none stand", me.copy.End, end)
		}
	}
}

func TestFitness(t *testing.T) {
	tune := readTunables(nil)
	copyAt := func(end uint64) walCopy { return walCopy{Timeline: 1, End: end, Whole: true} }
	c := parseState(etcdNode{})
	c.Leader, c.Nodes["g1"] = "g1", peer{Name: "be1", GUID: "g1"}
	c.Posts["g1"] = post{Role: leading, Copy: copyAt(100 << 20)}
	for name, x := range map[string]struct {
		me       self
		failures map[string]int
		fit      bool
	}{
		"level":                 {self{copy: copyAt(100 << 20)}, nil, true},
		"50 MiB behind":         {self{copy: copyAt(50 << 20)}, nil, true},
		"a byte more":           {self{copy: copyAt(50<<20 - 1)}, nil, false},
		"a sentinel":            {self{copy: copyAt(100 << 20), barred: true}, nil, false},
		"no whole copy":         {self{copy: walCopy{End: 100 << 20}}, nil, false},
		"four failed checks":    {self{copy: copyAt(100 << 20)}, map[string]int{"elasticsearch": 4}, true},
		"five failed checks":    {self{copy: copyAt(100 << 20)}, map[string]int{"elasticsearch": 5}, false},
		"five failed of etcd's": {self{copy: copyAt(100 << 20)}, map[string]int{"etcd": 5}, false},
	} {
		if got := fit(x.me, x.failures, tune, c); got != x.fit {
			t.Errorf("%s: fit %v, want %v", name, got, x.fit)
		}
	}
	if s := givesUp(map[string]int{"etcd": 9, "postgresql": 4}, tune); s != "" {
		t.Errorf("a leader gives up for %q", s)
	}
	if s := givesUp(map[string]int{"elasticsearch": 5}, tune); s != "elasticsearch" {
		t.Errorf("a leader without Elasticsearch gives up for %q", s)
	}
}

func TestTunables(t *testing.T) {
	got := readTunables([]byte("publish_address '10.0.4.11'\nleaderl.leader_ttl_seconds 10\n leaderl.required_active_followers = 1\n# leaderl.health_check.interval_seconds 2\n"))
	if got.ttl != 10*time.Second || got.required != 1 || got.healthInterval != 5*time.Second || got.maxBehind != 52428800 {
		t.Errorf("%+v", got)
	}
}

func TestWhetherACopyFits(t *testing.T) {
	leader := walCopy{System: "7", Timeline: 3, End: 900, Whole: true, History: []branch{{1, 300}, {2, 600}}}
	for name, x := range map[string]struct {
		c    walCopy
		fits bool
	}{
		"same timeline":                  {walCopy{System: "7", Timeline: 3, End: 900, Whole: true}, true},
		"ancestor, up to the switch":     {walCopy{System: "7", Timeline: 2, End: 600, Whole: true}, true},
		"ancestor, one byte too far":     {walCopy{System: "7", Timeline: 2, End: 601, Whole: true}, false},
		"grandparent, beyond its switch": {walCopy{System: "7", Timeline: 1, End: 301, Whole: true}, false},
		"newer timeline":                 {walCopy{System: "7", Timeline: 4, End: 10, Whole: true}, false},
		"other cluster":                  {walCopy{System: "8", Timeline: 3, End: 10, Whole: true}, false},
		"no copy":                        {walCopy{}, false},
	} {
		if got := x.c.fits(leader); got != x.fits {
			t.Errorf("%s: fits %v, want %v", name, got, x.fits)
		}
	}
	if (walCopy{End: 5*segmentBytes + 1}).gap(walCopy{Oldest: 5 * segmentBytes}) {
		t.Error("a copy within the oldest kept segment has no gap")
	}
	if !(walCopy{End: 5*segmentBytes - 1}).gap(walCopy{Oldest: 5 * segmentBytes}) {
		t.Error("a copy before the oldest kept segment has a gap")
	}
}
