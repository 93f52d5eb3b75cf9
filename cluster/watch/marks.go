package watch

import (
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"chef-backend-cockpit/cluster"
)

// mostMaintenance is how long a node can be marked at once: planned work that
// lasts longer has to be said again.
const mostMaintenance = 24 * time.Hour

// marks are what the operators said of nodes: that one is powered off for
// good, or in planned work. They outlive the cockpit in a file, since a fenced
// node stays fenced when the laptop is closed; other cockpits of the same
// account write it, too.
type marks struct {
	path     string // "" : kept in memory alone
	operator string

	disk    sync.Mutex  // held for as long as the disk takes
	read    fs.FileInfo // of the file when it was read; nil for none
	looking atomic.Bool // a look at the file is under way

	mu   sync.Mutex // held for memory work only
	said said
	err  error // why the file cannot be read: what it says is unknown then
	// back is when a fenced node was first heard to answer; whatever the file
	// tells, it answered. owed: the file does not tell it yet; unkept: why not.
	back   map[string]time.Time
	owed   bool
	unkept error
}

// said is the file's content.
type said struct {
	Fenced      map[string]fencing     `json:"fenced"`
	Maintenance map[string]maintenance `json:"maintenance"`
}

// fencing is who said that a node is off, and when; and when it first answered
// after that.
type fencing struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Back time.Time `json:"back,omitzero"`
}

// maintenance is who works at a node, and until when.
type maintenance struct {
	By    string    `json:"by"`
	Until time.Time `json:"until"`
}

// into gives a view what stands.
func (m *marks) into(v *cluster.View) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v.Fenced, v.Maintenance, v.MarkedBy = map[string]bool{}, map[string]time.Time{}, map[string]string{}
	v.Returned = map[string]time.Time{}
	for n, f := range m.said.Fenced {
		if v.Fenced[n] = true; !f.Back.IsZero() {
			v.Returned[n] = f.Back
		}
	}
	for n, w := range m.said.Maintenance {
		if v.Now.Before(w.Until) {
			v.Maintenance[n], v.MarkedBy[n] = w.Until, w.By
		}
	}
}

// returned notes of fenced nodes that a look, begun after the word was given,
// got an answer from them: the word no longer stands for them when they go
// silent again, in the next cockpit either, once it is kept. What is noted goes
// into v.
func (m *marks) returned(v *cluster.View) {
	m.mu.Lock()
	heard := false
	for n, f := range m.said.Fenced {
		r := v.Report(n)
		if r == nil || !f.Back.IsZero() || !r.Began.After(f.At) {
			continue
		}
		if way := r.Reach; way.Known && (way.Value == cluster.Reached || way.Value == cluster.LoginFailed) {
			m.back[n], heard = r.Began.UTC(), true
		}
	}
	m.owed = m.owed || heard
	m.answered()
	m.mu.Unlock()
	if heard {
		m.into(v)
	}
}

// answered adds to what is said which fenced nodes answered after the word was
// given. Callers hold the lock.
func (m *marks) answered() {
	for n, at := range m.back {
		if f, ok := m.said.Fenced[n]; ok && f.Back.IsZero() && at.After(f.At) {
			f.Back = at
			m.said.Fenced[n] = f
		}
	}
}

// trouble is a notice when what was said before cannot be known.
func (m *marks) trouble() []Notice {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.err != nil:
		return []Notice{{Grave: true, Text: "marks of nodes (fenced, in maintenance) cannot be read: " + m.err.Error()}}
	case m.unkept != nil:
		return []Notice{{Grave: true, Text: "that a fenced node answered cannot be kept for the next cockpit: " + m.unkept.Error()}}
	}
	return nil
}

// FencePhrase is what has to be typed to fence a node.
func FencePhrase(node string) string { return node + " is off" }

// Fence takes the operator's word that a node is powered off, or its port
// closed, and that it will not start with its old disk. text is FencePhrase,
// typed. It changes no node. It writes a small file.
func (w *Watch) Fence(node, text string) error {
	if err := w.known(node); err != nil {
		return err
	}
	if text != FencePhrase(node) {
		return fmt.Errorf("%q is not %q; %s is not fenced", text, FencePhrase(node), node)
	}
	return w.mark(node+" is fenced, on the operator's word", func(s *said) {
		s.Fenced[node] = fencing{By: w.marks.operator, At: w.o.Clock.Now().UTC()}
	})
}

// Unfence takes that word back.
func (w *Watch) Unfence(node string) error {
	if err := w.known(node); err != nil {
		return err
	}
	return w.mark(node+" is no longer fenced", func(s *said) { delete(s.Fenced, node) })
}

// Maintain marks a node as in planned work from now on, up to 24 h; 0 ends it.
// It changes no node. It writes a small file.
func (w *Watch) Maintain(node string, lasts time.Duration) error {
	if err := w.known(node); err != nil {
		return err
	}
	if lasts < 0 || lasts > mostMaintenance {
		return fmt.Errorf("maintenance of %s cannot last %s; give up to %s", node, lasts, mostMaintenance)
	}
	if lasts == 0 {
		return w.mark(node+" is no longer in maintenance", func(s *said) { delete(s.Maintenance, node) })
	}
	until := w.o.Clock.Now().Add(lasts).UTC()
	return w.mark(fmt.Sprintf("%s is in maintenance until %s, says %s", node, until.Format("15:04Z"), w.marks.operator), func(s *said) {
		s.Maintenance[node] = maintenance{w.marks.operator, until}
	})
}

// known refuses a node that is none of the cluster's.
func (w *Watch) known(node string) error {
	if _, ok := w.o.Hosts[node]; !ok {
		return fmt.Errorf("no node %q; there are %v", node, names(w.o.Nodes))
	}
	return nil
}

// mark changes what stands, shows it at once and notes it in an open incident.
func (w *Watch) mark(text string, edit func(*said)) error {
	if err := w.marks.change(edit); err != nil {
		return err
	}
	w.diary.remark(text)
	w.publish()
	return nil
}
