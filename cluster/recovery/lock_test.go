package recovery

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// lockSpeed is how much faster than life the nodes of these tests are.
const lockSpeed = 4

// cockpit is an executor on simulated nodes, as far as the lock needs it.
type cockpit struct {
	*Executor
	way map[string]*valve // to each node
}

// cut cuts the ways to nodes, and opens all others.
func (c *cockpit) cut(nodes ...string) {
	for name, v := range c.way {
		v.shut.Store(slices.Contains(nodes, name))
	}
}

// valve lets heartbeats through, or lets them vanish, as a cut link does.
type valve struct{ shut atomic.Bool }

// valved is a host behind a valve.
type valved struct {
	remote.Host
	v *valve
}

func (h valved) Start(ctx context.Context, s remote.Script) (remote.Session, error) {
	if h.v.shut.Load() {
		return nil, errors.New("invented: cut off")
	}
	session, err := h.Host.Start(ctx, s)
	if err != nil {
		return nil, err
	}
	return valvedSession{session, h.v}, nil
}

type valvedSession struct {
	remote.Session
	v *valve
}

func (s valvedSession) Stdin() io.WriteCloser { return valvedInput{s.Session.Stdin(), s.v} }

type valvedInput struct {
	io.WriteCloser
	v *valve
}

func (w valvedInput) Write(b []byte) (int, error) {
	if w.v.shut.Load() {
		return len(b), nil
	}
	return w.WriteCloser.Write(b)
}

func simulated(t *testing.T) (*simulation.Cluster, cluster.Clock) {
	clock := remote.NewScaled(lockSpeed)
	sim, err := simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim, clock
}

func newCockpit(t *testing.T, sim *simulation.Cluster, clock cluster.Clock, who string) *cockpit {
	c := &cockpit{way: map[string]*valve{}}
	hosts := map[string]remote.Host{}
	for _, n := range sim.Nodes() {
		c.way[n.Name] = &valve{}
		hosts[n.Name] = valved{sim.Host(n.Name), c.way[n.Name]}
	}
	c.Executor = New(Options{Hosts: hosts, Clock: clock, Operator: who,
		View: func() *cluster.View { return &cluster.View{Snapshot: &cluster.Snapshot{Nodes: sim.Nodes()}} }})
	t.Cleanup(func() {
		c.Close()
		for _, h := range hosts {
			h.Close()
		}
	})
	return c
}

// free waits until nobody holds the lock on any node.
func free(t *testing.T, sim *simulation.Cluster) {
	t.Helper()
	for _, n := range sim.Nodes() {
		h := sim.Host(n.Name)
		r, err := h.Run(t.Context(), remote.Script{Text: "mkdir -p /var/opt/chef-backend-cockpit/lock; n=0; while ! flock -n /var/opt/chef-backend-cockpit/lock/operator true; do n=$((n + 1)); [ $n -lt 300 ] || exit 9; sleep 0.1; done"})
		if h.Close(); err != nil || r.Exit != 0 {
			t.Fatalf("%s is not free: %d %v", n.Name, r.Exit, err)
		}
	}
}

// Two cockpits take the lock at the same moment, a hundred times; in every
// third race neither reaches all nodes, and they share one. There are never two
// holders, and who loses hears who won.
func TestRacesOfTwoCockpits(t *testing.T) {
	t.Parallel()
	sim, clock := simulated(t)
	ann, bob := newCockpit(t, sim, clock, "ann@bastion"), newCockpit(t, sim, clock, "bob@laptop")
	const races = 100
	won := map[string]int{}
	for i := range races {
		if ann.cut(); i%3 == 2 {
			ann.cut("be3")
		}
		if bob.cut(); i%3 == 2 {
			bob.cut("be1")
		}
		var errs [2]error
		var both sync.WaitGroup
		for i, c := range []*cockpit{ann, bob} {
			both.Go(func() { errs[i] = c.lock.take(t.Context(), "-", "", false) })
		}
		both.Wait()
		switch {
		case errs[0] == nil && errs[1] == nil:
			won["both"]++
		case errs[0] == nil:
			won["ann"]++
		case errs[1] == nil:
			won["bob"]++
		default:
			won["neither"]++
		}
		for i, winner := range []string{"bob@laptop", "ann@bastion"} {
			if errs[i] != nil && errs[1-i] == nil && !strings.Contains(errs[i].Error(), winner+" holds the lock on") {
				t.Errorf("the loser hears: %v", errs[i])
			}
		}
		ann.lock.release()
		bob.lock.release()
		free(t, sim)
	}
	t.Logf("%d races of two cockpits: %v; two holders: %d", races, won, won["both"])
	if won["both"] > 0 || won["ann"]+won["bob"] < races*9/10 {
		t.Errorf("%v", won)
	}
}

// patient tries to take the lock until it is had, and tells how long that took.
func (c *cockpit) patient(t *testing.T, most time.Duration) time.Duration {
	t.Helper()
	began := c.o.Clock.Now()
	for {
		err := c.lock.take(t.Context(), "-", "", false)
		took := c.o.Clock.Now().Sub(began)
		if err == nil {
			return took
		}
		if took > most {
			t.Fatalf("not free after %s: %v", took, err)
		}
		<-c.o.Clock.After(100 * time.Millisecond)
	}
}

// A holder that dies or is cut off loses the lock within 6 s, and knows it by
// then; one that is released is free at once. Threefold slack is for a machine
// that is busy: the clock runs faster than life.
func TestLockIsFreeWithoutItsHolder(t *testing.T) {
	t.Parallel()
	sim, clock := simulated(t)
	ann, bob := newCockpit(t, sim, clock, "ann@bastion"), newCockpit(t, sim, clock, "bob@laptop")
	if err := ann.lock.take(t.Context(), "-", "", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is held for certain", func() bool { token, _ := ann.lock.held("be2", false); return token != "" })
	ann.cut("be1", "be2", "be3")
	took := bob.patient(t, 3*lockLasts)
	if _, why := ann.lock.held("be2", false); why.says == "" {
		t.Error("two holders: who was cut off still believes to have it")
	}
	t.Logf("cut off: free after %s", took.Round(10*time.Millisecond))

	bob.Close() // as when it is killed: every session ends
	ann.cut()
	took = ann.patient(t, 3*lockLasts)
	t.Logf("killed: free after %s", took.Round(10*time.Millisecond))
	ann.lock.release()
	free(t, sim)
}

// While a step runs nobody else gets the lock, even by taking it over; the
// cockpit of its own plan does.
func TestLockIsKeptByAStep(t *testing.T) {
	t.Parallel()
	sim, clock := simulated(t)
	ann, bob := newCockpit(t, sim, clock, "ann@bastion"), newCockpit(t, sim, clock, "bob@laptop")
	const dir = "/var/opt/chef-backend-cockpit/lock"
	h := sim.Host("be3")
	t.Cleanup(func() { h.Close() })
	step, err := h.Start(t.Context(), remote.Script{Text: "mkdir -p " + dir + "; exec flock -n " + dir + "/step sh -c 'echo 7f3a0001 1-copy - x >" + dir + "/step; echo up; cat'"})
	if err != nil {
		t.Fatal(err)
	}
	up := make([]byte, 3)
	if _, err := io.ReadFull(step.Stdout(), up); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"", "other"} {
		var taken *lockTaken
		if err := bob.lock.take(t.Context(), "-", from, false); !errors.As(err, &taken) || !strings.Contains(err.Error(), "step 1-copy of plan 7f3a0001") {
			t.Errorf("from %q: %v", from, err)
		}
	}
	free(t, sim) // of who was refused
	if err := ann.lock.take(t.Context(), "7f3a0001", "", false); err != nil {
		t.Errorf("its own plan: %v", err)
	}
	ann.lock.release()
	step.Close()
	free(t, sim)
	bob.patient(t, 3*lockLasts)
}

// Who takes over has the lock, and who had it hears by whom it was taken.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	sim, clock := simulated(t)
	ann, bob := newCockpit(t, sim, clock, "ann@bastion"), newCockpit(t, sim, clock, "bob@laptop")
	if err := ann.lock.take(t.Context(), "-", "", false); err != nil {
		t.Fatal(err)
	}
	token := ann.lock.tokens()[0]
	if err := bob.lock.take(t.Context(), "-", "", false); err == nil {
		t.Fatal("two holders")
	}
	if err := bob.lock.take(t.Context(), "-", token, false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the one before hears of it", func() bool {
		_, why := ann.lock.held("be1", false)
		return why.says == "bob@laptop took the operators' lock over"
	})
	var taken *lockTaken
	if err := ann.lock.take(t.Context(), "-", "", false); !errors.As(err, &taken) {
		t.Errorf("it tried again: %v", err)
	}
}

// A cockpit that only watches never takes the lock.
func TestReadOnlyNeverTakesTheLock(t *testing.T) {
	t.Parallel()
	sim, clock := simulated(t)
	c := newCockpit(t, sim, clock, "ann@bastion")
	c.o.ReadOnly = true
	if err := c.lock.take(t.Context(), "-", "", true); err == nil {
		t.Error("taken")
	}
	if err := c.TakeOver(t.Context(), TakeOverPhrase("bob@laptop")); err == nil {
		t.Error("taken over")
	}
	free(t, sim)
}

// eventually waits until ok, which what happens in the background must bring about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
