package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// mischief is a fault that a test puts into the cockpit itself, to see that the
// oracle tells.
type mischief string

const (
	noMischief  mischief = ""
	noGuards    mischief = "guards are not asked"
	noConfirm   mischief = "confirmations are not waited for"
	noMemory    mischief = "intents are not kept, and folders not looked at"
	noLock      mischief = "the lock is given to everybody"
	otherNode   mischief = "a step runs on another node than it was shown"
	neverArming mischief = "T3 needs no arming"
)

// incident is one that is made up.
type incident struct {
	w      *world
	roll   dice
	clock  *leash
	lock   *stepLock // of the cockpit
	holder *stepLock
	x      *Executor
	diary  *mortal
	l      *ledger
	bad    mischief
	coming []func() // what the next sessions meet, in order
	tries  [][3]string
	ids    int
}

// happens is one whole incident; what it breaks of the invariants comes back,
// with how many commands reached a node.
func happens(t *testing.T, roll dice, bad mischief) (broken []string, acts int) {
	in := &incident{w: newWorld(t), roll: roll, bad: bad, l: &ledger{shown: map[string]cluster.Plan{}, typed: map[string][]said{}}}
	in.clock = &leash{now: in.w.clock.Now()}
	in.clock.idle = func() {
		in.w.mu.Lock()
		defer in.w.mu.Unlock()
		in.w.heard.Broadcast()
	}
	in.w.clock = in.clock
	b := begins[roll(len(begins))]
	b.set(in.w)
	in.tries = b.tries
	in.w.before = func() { in.meets() }
	in.w.during = func() { in.meets() }
	in.start()
	for range 3 + roll(12) {
		in.clock.pull(40)
		in.does()
		in.rests()
		in.revive()
	}
	in.diary.die()
	in.x.Close()
	return in.l.violations(in.w.acts), len(in.w.acts)
}

// start begins a cockpit, which may be fated to die.
func (in *incident) start() {
	in.x = in.open()
	in.lock = in.x.lock.(*stepLock)
	in.diary = &mortal{w: in.w, cancel: in.x.cancel, left: -1, after: in.roll(2) == 0, forget: in.bad == noMemory}
	if in.roll(3) == 0 {
		in.diary.left = 1 + in.roll(12)
	}
	in.x.o.Recorder = in.diary
	in.mischief()
	in.w.life++
}

// open is a cockpit on the nodes.
func (in *incident) open() *Executor {
	x := in.w.open()
	x.lock = &stepLock{w: in.w, holder: &in.holder, open: in.bad == noLock}
	x.o.NewID = func() string { in.ids++; return fmt.Sprintf("%08d", in.ids) }
	x.armed.set(time.Time{})
	return x
}

// second is another cockpit, on another machine, that begins a plan meanwhile
// and goes away.
func (in *incident) second() {
	first := in.x
	in.x = in.open()
	if in.bad == noLock {
		in.w.lasting = 20 * time.Minute
	}
	in.x.o.Recorder = &mortal{w: &world{refuse: map[string]error{}}, left: -1}
	in.plans()
	in.rests()
	in.x.Close()
	in.x.lock.release()
	in.x = first
}

func (in *incident) mischief() {
	switch in.bad {
	case noGuards:
		for i := range in.x.o.Procedures {
			p := &in.x.o.Procedures[i]
			p.Guards = nil
			p.Steps = append([]cluster.Step(nil), p.Steps...)
			for n := range p.Steps {
				p.Steps[n].Guards = nil
			}
		}
	case noMemory:
		in.w.mu.Lock()
		in.w.folders = map[string]*folder{}
		in.w.mu.Unlock()
	case neverArming:
		in.x.armed.set(in.clock.Now().Add(1000 * time.Hour))
	}
}

// meets lets happen what was drawn for a session.
func (in *incident) meets() {
	in.w.mu.Lock()
	defer in.w.mu.Unlock()
	if len(in.coming) > 0 {
		in.coming[0]()
		in.coming = in.coming[1:]
	}
}

// fault draws one; something is mended as often as it breaks.
func (in *incident) fault() func() {
	f, node := faults[in.roll(len(faults))], order[in.roll(len(order))]
	return func() { f(in.w, in.w.nodes[node]) }
}

// does is one thing that happens: by the operator, or to the nodes.
func (in *incident) does() {
	switch in.roll(13) {
	case 0, 1, 2, 3:
		in.plans()
	case 4, 5, 6:
		in.answers()
	case 7:
		in.x.Stop()
	case 8:
		in.w.mu.Lock()
		in.fault()()
		in.w.mu.Unlock()
	case 9:
		in.w.mu.Lock()
		for range in.roll(3) {
			in.coming = append(in.coming, func() {})
		}
		in.coming = append(in.coming, in.fault())
		in.lock.lost = in.roll(3)
		in.w.mu.Unlock()
	case 10:
		in.clock.pull(1 + in.roll(400)) // time goes by
	case 11:
		in.diary.die()
	case 12:
		in.second()
	}
}

// plans makes a plan, often of what is called for, and types.
func (in *incident) plans() {
	try := in.tries[in.roll(len(in.tries))]
	if in.roll(6) == 0 {
		all := in.x.o.Procedures
		try = [3]string{all[in.roll(len(all))].Name, order[in.roll(len(order))], cluster.Services[in.roll(len(cluster.Services))]}
	}
	plan, err := in.x.Plan(context.Background(), try[0], try[1], try[2])
	if err != nil || !plan.Acts() {
		return
	}
	plan.Steps = slices.Clone(plan.Steps)
	in.l.shown[plan.ID] = plan
	if in.roll(5) == 0 {
		in.w.mu.Lock()
		in.fault()()
		in.w.mu.Unlock()
	}
	if plan.Tier == cluster.T3 && in.roll(5) > 0 {
		in.arms()
	}
	if in.bad == noConfirm {
		in.x.mu.Lock()
		f := in.x.frozen[plan.ID]
		free := f != nil && in.x.busy() == ""
		in.x.mu.Unlock()
		if !free {
			return
		}
		if r, err := in.x.confirmed(f, in.w.view()); err == nil { // it may not begin
			in.x.begun(plan.ID, r)
		}
		return
	}
	if in.bad == otherNode {
		in.x.frozen[plan.ID].identity = in.everybody()
		for i := range plan.Steps {
			in.x.frozen[plan.ID].plan.Steps[i].Node = order[i%len(order)]
		}
	}
	for _, phrase := range plan.Phrases {
		if in.roll(12) == 0 {
			phrase = []string{"", "y", "be3", "be2", "promote be2", phrase + " ", strings.ToUpper(phrase)}[in.roll(7)]
		}
		if !in.types(plan.ID, phrase) {
			return
		}
	}
}

func (in *incident) everybody() map[string]identity {
	out := map[string]identity{}
	for _, n := range order {
		out[n] = identityOf(in.w.view().Report(n))
	}
	return out
}

func (in *incident) arms() {
	name := "invented"
	if in.roll(5) == 0 {
		name = "other"
	}
	if name == in.x.o.Cluster {
		in.l.armed = append(in.l.armed, in.clock.Now())
	}
	in.x.Arm(name) //nolint:errcheck // a wrong name is refused
}

// types notes a text before it is handed over, as the one who typed it knows it.
func (in *incident) types(plan, text string) bool {
	in.w.mu.Lock()
	in.w.seq++
	in.l.typed[plan] = append(in.l.typed[plan], said{text, in.w.life, in.w.seq, in.clock.Now()})
	in.w.mu.Unlock()
	_, err := in.x.Confirm(plan, text)
	return err == nil
}

// answers gives the plan at work what it asks for, or something else.
func (in *incident) answers() {
	states := in.w.published()
	if len(states) == 0 {
		return
	}
	p := states[len(states)-1]
	for _, st := range p.Steps {
		switch {
		case st.Status != cluster.StatusAsked:
		case st.Asks == cluster.AskTick:
			in.x.Tick(p.Plan.ID, st.Step.ID) //nolint:errcheck // it may have gone on
		case st.Asks == cluster.AskPhrase:
			if p.Plan.Tier == cluster.T3 && in.roll(4) > 0 {
				in.arms()
			}
			text := st.AskedFor
			if in.roll(10) == 0 {
				text = "be9"
			}
			in.types(p.Plan.ID, text)
		}
	}
}

// rests waits until nothing goes on by itself: the plan has ended or asks, or
// time would have to go by.
func (in *incident) rests() {
	in.x.mu.Lock()
	r := in.x.run
	in.x.mu.Unlock()
	if r == nil {
		return
	}
	ended := make(chan struct{})
	go func() {
		<-r.done
		in.w.mu.Lock()
		defer in.w.mu.Unlock()
		close(ended)
		in.w.heard.Broadcast()
	}()
	in.w.mu.Lock()
	defer in.w.mu.Unlock()
	for {
		select {
		case <-ended:
			return
		default:
		}
		if n := len(in.w.states); in.clock.still() || n > 0 && in.w.states[n-1].Status == cluster.StatusAsked {
			return
		}
		in.w.heard.Wait()
	}
}

// revive begins another cockpit where the one before has died, and lets it take
// up what was left.
func (in *incident) revive() {
	if in.w.mu.Lock(); !in.diary.dead {
		in.w.mu.Unlock()
		return
	}
	in.w.mu.Unlock()
	in.x.Close()
	in.lock.release()
	l, plan := in.left()
	in.start()
	if plan == "" {
		return
	}
	in.clock.pull(40)
	in.x.Resume(l) //nolint:errcheck // it may be broken
	in.rests()
}

// die ends the cockpit without a word.
func (m *mortal) die() {
	m.w.mu.Lock()
	m.dead = true
	m.w.mu.Unlock()
	m.cancel()
}

// left is what the journal tells of a plan without an end; plan is "" for none.
func (in *incident) left() (l Left, plan string) {
	w := in.w
	w.mu.Lock()
	defer w.mu.Unlock()
	for n, data := range w.kept {
		raw, err := json.Marshal(data)
		if err != nil {
			w.t.Error(err)
		}
		switch d := data.(type) {
		case confirmation:
			l, plan = Left{Confirmed: raw, At: d.At, Written: map[string]int64{}, Output: map[string][]string{}}, d.Plan.ID
		case piece:
			l.Written[d.Step] = max(l.Written[d.Step], d.Offset+d.Bytes)
			l.Output[d.Step] = append(l.Output[d.Step], d.Lines...)
		default:
			if note, ok := data.(planNote); ok && note.Ended != nil {
				l, plan = Left{}, ""
				continue
			}
			l.Records = append(l.Records, LeftRecord{Kind: w.records[n], At: w.clock.Now(), Data: raw})
		}
	}
	return l, plan
}
