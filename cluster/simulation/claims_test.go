package simulation

import (
	"context"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/remote"
)

// slowLook is what a slow and a fast look at a node tell.
func slowLook(t *testing.T, c *Cluster, name string) *cluster.Report {
	t.Helper()
	h := c.Host(name)
	defer h.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	began := c.clock.Now()
	r, err := h.Run(ctx, remote.Script{Name: "cockpit-look", Text: observe.Probe() + "\nlook slow n1 10.0.4.11 10.0.4.12\n"})
	if err != nil {
		t.Fatal(err)
	}
	report, err := observe.ParseLook(name, r.Stdout, began, c.clock.Now(), h.Link())
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Stdout)
	}
	return report
}

// What the faults of machines change must reach the cockpit through the look
// itself. They do not touch one another, so one cluster has them all.
func TestMachineFaultsShowInALook(t *testing.T) {
	checks := []struct {
		fault, node string
		struck      func(r *cluster.Report) bool
	}{
		{"disk-low", "be3", func(r *cluster.Report) bool {
			return r.Host.Disks.Known && r.Host.Disks.Value[0].Free < 7<<30
		}},
		{"out-of-memory-kill", "be3", func(r *cluster.Report) bool {
			k := r.Host.MemoryKills
			return k.Known && k.Value.Count == 1 && k.Value.Victim != "" && !k.Value.Last.IsZero()
		}},
		{"clock-skew", "be3", func(r *cluster.Report) bool { return r.Host.ClockOffset.Value > 5*time.Second }},
		{"certificate-expiring", "be3", func(r *cluster.Report) bool {
			c := r.Host.Certificates
			return c.Known && c.Value[0].Ends.Before(r.Began.Add(31*24*time.Hour))
		}},
		{"version-mismatch", "be3", func(r *cluster.Report) bool { return r.Host.Version.Value == "2.2.0" }},
		{"etcd-cannot-write", "be3", func(r *cluster.Report) bool { return r.Etcd.Writable.Known && !r.Etcd.Writable.Value }},
		{"elasticsearch-read-only", "be1", func(r *cluster.Report) bool {
			return r.Elasticsearch.ReadOnly.Known && len(r.Elasticsearch.ReadOnly.Value) == 1
		}},
		{"slot-holds-wal", "be1", func(r *cluster.Report) bool {
			s := r.PostgreSQL.Slots
			return s.Known && len(s.Value) == 1 && !s.Value[0].Active && s.Value[0].Restart > 0
		}},
		{"connections-exhausted-leader", "be1", func(r *cluster.Report) bool {
			u := r.PostgreSQL.Connections
			return u.Known && u.Value.Used >= u.Value.Max-u.Value.Reserved
		}},
		{"leader-withheld", "be1", func(r *cluster.Report) bool {
			return r.Settings.RequiredFollowers.Value == 1 && r.Settings.KeptSegments.Value == 32 && r.Settings.MinSpace.Value == 250<<20
		}},
	}
	c := start(t, Options{Speed: 5})
	reports := func() map[string]*cluster.Report {
		return map[string]*cluster.Report{"be1": slowLook(t, c, "be1"), "be3": slowLook(t, c, "be3")}
	}
	before := reports()
	for _, check := range checks {
		if check.struck(before[check.node]) {
			t.Errorf("%s shows before it strikes", check.fault)
		}
		if err := c.Strike(check.fault); err != nil {
			t.Fatal(err)
		}
	}
	after := reports()
	for _, check := range checks {
		if !check.struck(after[check.node]) {
			t.Errorf("%s does not show in a look at %s", check.fault, check.node)
		}
		if err := c.Heal(check.fault); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}

// On a disk that can only be read, or is full, nothing more can be written
// through a shell either.
func TestNothingIsWrittenOnABadDisk(t *testing.T) {
	c := start(t, Options{Speed: 5})
	h := c.Host("be3")
	defer h.Close()
	write := func() string {
		r, err := h.Run(t.Context(), remote.Script{Text: "mkdir -p /var/opt/chef-backend-cockpit/steps; echo x >/var/opt/chef-backend-cockpit/steps/a; echo y >/tmp/b && echo elsewhere"})
		if err != nil {
			t.Fatal(err)
		}
		return string(r.Stdout) + string(r.Stderr)
	}
	for fault, says := range map[string]string{"filesystem-read-only": "ead-only file system", "disk-full": "o space left on device"} {
		if out := write(); out != "elsewhere\n" {
			t.Errorf("before %s: %s", fault, out)
		}
		if err := c.Strike(fault); err != nil {
			t.Fatal(err)
		}
		if out := write(); !strings.Contains(out, says) || !strings.Contains(out, "elsewhere") {
			t.Errorf("%s: %s", fault, out)
		}
		if r := slowLook(t, c, "be3"); r.Host.Disks.Value[0].ReadOnly != (fault == "filesystem-read-only") || (r.Host.Disks.Value[0].Free == 0) != (fault == "disk-full") {
			t.Errorf("%s: disks %+v", fault, r.Host.Disks)
		}
		if err := c.Heal(fault); err != nil {
			t.Fatal(err)
		}
	}
}
