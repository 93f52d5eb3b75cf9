package logs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// slowLink is a host whose first link takes its time.
type slowLink struct {
	inFolder
	up atomic.Bool
}

func (h *slowLink) Link() remote.Link {
	if !h.up.Load() {
		return remote.Link{Phase: remote.Connecting}
	}
	return h.inFolder.Link()
}

// openOnTwo follows two nodes whose lines take turns in time; be2's link is not
// up yet. The opening lasts until then; the zero time is its usual length.
func openOnTwo(t *testing.T, until time.Time) (f *followed, clock cluster.Clock, be2 *slowLink) {
	root := t.TempDir()
	hosts := map[string]remote.Host{}
	for i, node := range []string{"be1", "be2"} {
		dir := filepath.Join(root, node)
		var b strings.Builder
		for n := i; n < 400; n += 2 {
			at := time.Date(2026, 3, 1, 2, 0, n, 0, time.UTC)
			fmt.Fprintf(&b, "%s line %d\n", at.Format("2006-01-02_15:04:05.00000"), n)
		}
		if err := os.MkdirAll(dir+"/etcd", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/etcd/current", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		h := inFolder{newShellHost("sh"), root, dir}
		if hosts[node] = h; node == "be2" {
			be2 = &slowLink{inFolder: h}
			hosts[node] = be2
		}
	}
	clock = remote.NewScaled(10)
	changed := make(chan struct{}, 1)
	l, err := New(Options{
		Nodes: []cluster.Node{{Name: "be1"}, {Name: "be2"}}, Host: func(n string) remote.Host { return hosts[n] },
		Clock: clock, Folder: root,
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.opening.until = until
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	return &followed{Logs: l, changed: changed, stop: func() { cancel(); <-done }}, clock, be2
}

// The first screen is in the order of time although one node's link came up
// later than lines wait for each other.
func TestFirstScreenIsInOrder(t *testing.T) {
	defer goleak.VerifyNone(t)
	f, clock, be2 := openOnTwo(t, time.Now().Add(time.Hour))
	defer f.stop()
	for f.Streams()[2].Lines < 200 {
		<-clock.After(pollEvery)
	}
	<-clock.After(2 * window) // long enough for be1's lines, were they not held back
	if p, _ := f.Page(Query{}, 0, 10); p.Held != 0 {
		t.Fatalf("%d lines are placed already", p.Held)
	}
	be2.up.Store(true)
	f.until(t, "both backlogs", func() bool { p, _ := f.Page(Query{}, 0, 1); return p.Held == 400 })
	p, _ := f.Page(Query{}, 0, 400)
	for i, l := range p.Lines {
		if l.Late || l.Text != fmt.Sprintf("line %d", i) {
			t.Fatalf("line %d: %+v", i, l)
		}
	}
}

// A node that does not come holds the others up for a moment only.
func TestOpeningEnds(t *testing.T) {
	defer goleak.VerifyNone(t)
	f, clock, _ := openOnTwo(t, time.Time{})
	defer f.stop()
	began := clock.Now()
	f.until(t, "be1's lines", func() bool { p, _ := f.Page(Query{}, 0, 1); return p.Held == 200 })
	if took := clock.Now().Sub(began); took > 5*openingFor {
		t.Errorf("the first lines took %s", took)
	}
}
