package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
)

// mostMaintenance is how long a node can be marked at once: planned work that
// lasts longer has to be said again.
const mostMaintenance = 24 * time.Hour

// marks are what the operators said of nodes: that one is powered off for
// good, or in planned work. They outlive the cockpit in a file, since a fenced
// node stays fenced when the laptop is closed.
type marks struct {
	path     string // "" : kept in memory alone
	operator string

	mu   sync.Mutex
	said said
	err  error // why the file could not be read; "" marks of before are unknown then
	// unkept is why the file does not tell that a fenced node answered.
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

// newMarks reads what was said before. A file that cannot be read is told by
// trouble and never overwritten.
func newMarks(path, operator string) *marks {
	m := &marks{path: path, operator: operator}
	if path != "" {
		text, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			m.err = err
		default:
			m.err = json.Unmarshal(text, &m.said)
		}
	}
	if m.said.Fenced == nil {
		m.said.Fenced = map[string]fencing{}
	}
	if m.said.Maintenance == nil {
		m.said.Maintenance = map[string]maintenance{}
	}
	return m
}

// change edits a copy, saves it, and only then takes it.
func (m *marks) change(edit func(*said)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return fmt.Errorf("marks of nodes cannot be read: %w; mend or remove %s", m.err, m.path)
	}
	next := said{maps.Clone(m.said.Fenced), maps.Clone(m.said.Maintenance)}
	edit(&next)
	if err := m.save(next); err != nil {
		return fmt.Errorf("the mark cannot be kept: %w", err)
	}
	m.said, m.unkept = next, nil
	return nil
}

// save renames a whole file into place: a half-written one would forget a fence.
func (m *marks) save(s said) error {
	if m.path == "" {
		return nil
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(m.path), ".marks-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), m.path)
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
// silent again, in the next cockpit either. What is noted goes into v.
func (m *marks) returned(v *cluster.View) {
	back := map[string]time.Time{}
	m.mu.Lock()
	for n, f := range m.said.Fenced {
		r := v.Report(n)
		if r == nil || !f.Back.IsZero() || !r.Began.After(f.At) {
			continue
		}
		if way := r.Reach; way.Known && (way.Value == cluster.Reached || way.Value == cluster.LoginFailed) {
			back[n] = r.Began.UTC()
		}
	}
	m.mu.Unlock()
	if len(back) == 0 {
		return
	}
	note := func(s *said) {
		for n, at := range back {
			if f, ok := s.Fenced[n]; ok && at.After(f.At) {
				f.Back = at
				s.Fenced[n] = f
			}
		}
	}
	if err := m.change(note); err != nil { // it holds here all the same
		m.mu.Lock()
		note(&m.said)
		m.unkept = err
		m.mu.Unlock()
	}
	m.into(v)
}

// trouble is a notice when what was said before cannot be known.
func (m *marks) trouble() []Notice {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.unkept != nil:
		return []Notice{{Grave: true, Text: "that a fenced node answered cannot be kept for the next cockpit: " + m.unkept.Error()}}
	case m.err == nil:
		return nil
	}
	return []Notice{{Grave: true, Text: "marks of nodes (fenced, in maintenance) cannot be read: " + m.err.Error()}}
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
