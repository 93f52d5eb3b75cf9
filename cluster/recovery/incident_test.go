package recovery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
)

// Here incidents are made up: nodes that fail and come back at random, an
// operator who types at random, cockpits that die at random. What must hold of
// each is in oracle_test.go.

// dice is where chance comes from: rapid, which shrinks, or a numbered seed.
type dice func(n int) int // 0 … n-1

// leash is a clock that leaps as leap does, but only so often at a time: who
// waits for ever holds still until the operator does something. It moves a
// little whenever it is read, so that what was before is told from what comes.
type leash struct {
	mu   sync.Mutex
	now  time.Time
	left int
	held []waiter
	idle func() // called when somebody is held
}

type waiter struct {
	d  time.Duration
	ch chan time.Time
}

func (c *leash) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func (c *leash) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	if c.left <= 0 {
		c.held = append(c.held, waiter{d, ch})
		go c.idle()
		return ch
	}
	c.left--
	c.now = c.now.Add(d)
	ch <- c.now
	return ch
}

// pull lets the time go on for so many waits.
func (c *leash) pull(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = n
	for _, w := range c.held {
		c.now = c.now.Add(w.d)
		w.ch <- c.now
	}
	c.held = nil
}

func (c *leash) still() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held) > 0
}

// stepLock is a cockpit's way to the operators' lock as lock.sh keeps it: one
// cockpit holds it at a time, and a step that is at work, of whichever plan,
// keeps it from every other plan.
type stepLock struct {
	w      *world
	holder **stepLock // shared by all cockpits
	open   bool       // it is given to everybody: to see the oracle fail
	lost   int        // so many questions are answered with no
}

func (l *stepLock) take(_ context.Context, plan, _ string, _ bool) error {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.open {
		return nil
	}
	if *l.holder != nil && *l.holder != l {
		return &lockTaken{"another cockpit holds it"}
	}
	for _, a := range l.w.acts {
		if a.plan != plan && l.w.clock.Now().Before(a.until) {
			return &lockTaken{"a step is at work on " + a.node}
		}
	}
	*l.holder = l
	return nil
}

func (l *stepLock) held(node string, _ bool) (string, notHeld) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.lost > 0 {
		l.lost--
		return "", notHeld{says: "invented: it was lost on " + node}
	}
	return "lock1", notHeld{}
}

func (l *stepLock) release() {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if *l.holder == l {
		*l.holder = nil
	}
}

func (l *stepLock) tokens() []string { return []string{"lock1"} }

// mortal is a journal that its cockpit writes until it dies.
type mortal struct {
	w      *world
	cancel func()
	forget bool // intents are lost: to see the oracle fail
	left   int  // records until it dies; less than 0: never
	after  bool // the last one is on disk
	dead   bool
}

func (m *mortal) Record(kind string, data any) error {
	m.w.mu.Lock()
	m.left--
	dies, dead := m.left == 0 && !m.dead, m.dead
	m.dead = dead || dies
	after := m.after
	m.w.mu.Unlock()
	if dead || dies && !after {
		m.cancel()
		return errors.New("dead")
	}
	if m.forget && kind != "confirm" {
		return nil
	}
	err := m.w.Record(kind, data)
	if dies {
		m.cancel()
		return errors.New("dead")
	}
	return err
}

// fault changes something about a node, or how it answers. Callers hold the lock.
type fault func(w *world, n *nodeState)

var faults = []fault{
	func(_ *world, n *nodeState) { n.streams = !n.streams },
	func(_ *world, n *nodeState) { n.unsynced = !n.unsynced },
	func(_ *world, n *nodeState) { n.noStart = !n.noStart },
	func(_ *world, n *nodeState) { n.unreachable = !n.unreachable },
	func(_ *world, n *nodeState) { n.frozen = !n.frozen },
	func(_ *world, n *nodeState) { n.blind = !n.blind },
	func(_ *world, n *nodeState) { n.boot += "x" },
	func(_ *world, n *nodeState) { n.machine += "x" },
	func(_ *world, n *nodeState) { n.down["leaderl"] = !n.down["leaderl"] },
	func(_ *world, n *nodeState) { n.down["etcd"] = !n.down["etcd"] },
	func(_ *world, n *nodeState) { n.down["elasticsearch"] = !n.down["elasticsearch"] },
	func(_ *world, n *nodeState) {
		n.down["postgresql"] = !n.down["postgresql"]
		n.ready = map[bool]int{true: 2}[n.down["postgresql"]]
	},
	func(_ *world, n *nodeState) { n.end += 1 << 20 },
	func(_ *world, n *nodeState) { n.end -= 20 << 20 },
	func(_ *world, n *nodeState) { n.timeline++ },
	func(_ *world, n *nodeState) { n.recovery = !n.recovery },
	func(_ *world, n *nodeState) { n.role = "deposed_leader" },
	func(w *world, n *nodeState) { // it is elected
		for _, other := range w.nodes {
			if other.role == "leader" {
				other.role, other.recovery, other.streams = "follower", true, true
			}
		}
		n.role, n.recovery, n.streams, n.ready, n.down["postgresql"] = "leader", false, false, 0, false
	},
	func(w *world, _ *nodeState) { w.holder = cluster.LockHolder{} },
	func(w *world, _ *nodeState) { w.holder = cluster.LockHolder{Who: "bob@laptop"} },
	func(w *world, _ *nodeState) { w.refuse["intent"] = errors.New("disk full") },
	func(w *world, _ *nodeState) { w.refuse["outcome"] = errors.New("disk full") },
	func(w *world, _ *nodeState) { w.refuse = map[string]error{} },
	func(w *world, _ *nodeState) { w.exits[""] = 1 },
	func(w *world, _ *nodeState) { w.exits = map[string]int{} },
	func(w *world, _ *nodeState) { w.cut[""] = "before it starts" },
	func(w *world, _ *nodeState) { w.cut[""] = "after it started" },
	func(w *world, _ *nodeState) { w.cut[""] = "for ever" },
	func(w *world, _ *nodeState) { w.cut = map[string]string{} },
	func(w *world, _ *nodeState) { w.lasting = 0 },
	func(w *world, _ *nodeState) { w.lasting = 90 * time.Second },
	func(w *world, _ *nodeState) { w.lasting = 20 * time.Minute },
	func(w *world, _ *nodeState) { w.slowHangs = !w.slowHangs },
	func(w *world, _ *nodeState) { w.foreign = !w.foreign },
}

// begins are how an incident may begin, each with what is likely to be tried.
var begins = []struct {
	set   func(*world)
	tries [][3]string
}{
	{behind, [][3]string{{"rebuild-follower", "be3"}, {"resync-follower", "be3"}}},
	{func(w *world) { behind(w); w.nodes["be3"].unsynced = true }, [][3]string{{"resync-follower", "be3"}, {"rebuild-follower", "be3"}}},
	{func(w *world) { behind(w); w.nodes["be2"].streams = false }, [][3]string{{"rebuild-follower", "be3"}, {"rebuild-follower", "be2"}}},
	{func(w *world) { behind(w); w.nodes["be2"].streams = false; w.nodes["be3"].end = start + 1<<20 }, [][3]string{{"rebuild-follower", "be3"}, {"rebuild-follower", "be2"}}},
	{func(w *world) { w.leaderless(); w.nodes["be1"].noStart = false }, [][3]string{{"promote-node", "be2"}, {"promote-node", "be3"}}},
	{func(w *world) { w.leaderless(); w.nodes["be1"].noStart = false; w.nodes["be3"].end += 1 << 20 }, [][3]string{{"promote-node", "be2"}, {"promote-node", "be3"}}},
	{func(w *world) { w.leaderless() }, [][3]string{{"promote-previous-leader", "be1"}, {"promote-node", "be2"}}},
	{func(w *world) { w.nodes["be2"].down["elasticsearch"] = true }, [][3]string{{"restart-service", "be2", "elasticsearch"}}},
	{func(w *world) { w.nodes["be1"].down["leaderl"] = true }, [][3]string{{"restart-service", "be1", "leaderl"}}},
	{func(w *world) { w.extra = []cluster.Procedure{both(true)} }, [][3]string{{"both", "be2"}, {"both", "be1"}}},
}

// copies are commands that replace what the node's own PostgreSQL holds.
func replacesCopy(command string) bool {
	return strings.Contains(command, "pgsql-follow") || strings.Contains(command, "cleanse") || strings.Contains(command, "join-cluster")
}

// good answers whether a node had told, not long before, that its copy is whole
// and current: it answers and streams, whatever runit says of who started it.
// A report may be 10 s old when it is judged on, and the go as much again on its
// way: then the node itself refuses it.
func (a act) good(node string) bool {
	t, there := a.told[node]
	n := t.state
	if !there || a.began.Sub(t.at) > 2*lookMax || n.unreachable || n.ready != 0 {
		return false
	}
	streams := false // it is the leader that tells
	for _, other := range a.told {
		streams = streams || other.state.role == "leader" && a.began.Sub(other.at) <= 2*lookMax && other.streams[node]
	}
	return n.role == "leader" && !n.recovery || n.recovery && streams && !n.unsynced
}

func (a act) String() string {
	return fmt.Sprintf("%s %s/%s on %s: %s", a.began.Format(time.TimeOnly), a.plan, a.folder, a.node, a.command)
}
