package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"chef-backend-cockpit/cluster"
)

// Unfinished is a plan that was confirmed and whose end nobody wrote: its
// cockpit was left or died, or it is at work in another one.
type Unfinished struct {
	Plan      string // id
	Incident  string // the newest one that holds a record of it
	Confirmed Record
	// Records are the plan's own, in order: words, intents, outcomes, notes.
	// What was written of its output is not among them.
	Records []Record
	// Written is how far the output of each step stands in Incident, in bytes;
	// by the name of the step's folder.
	Written map[string]int64
	// Output are the last lines that each step wrote; by the name of its folder.
	Output map[string][]string
	// Broken says why the journal cannot be relied on; "" where it can.
	Broken string
	InUse  bool // another cockpit has Incident open
}

// ownPlan is where records name their plan: in a word, an intent or an outcome
// by its id, in a confirmation whole, in a note by what it says of the plan.
type ownPlan struct {
	Plan   json.RawMessage
	Step   string
	Offset int64
	Bytes  int64
	Lines  []string
	Ended  *PlanEnd
	Passed *cluster.Outcome
	GoesOn string
}

// of is the id of the plan that a record belongs to; "" for none.
func (o ownPlan) of(kind string) string {
	var id string
	switch {
	case o.Ended != nil:
		return o.Ended.Plan
	case o.Passed != nil:
		return o.Passed.Plan
	case kind == Note:
		return o.GoesOn
	case len(o.Plan) > 0 && o.Plan[0] == '{':
		var p struct{ ID string }
		_ = json.Unmarshal(o.Plan, &p) // without an id it is nobody's
		return p.ID
	case len(o.Plan) > 0:
		_ = json.Unmarshal(o.Plan, &id)
	}
	return id
}

// plan is what a record says of a plan, and its id; "" for none.
func (r Record) plan() (o ownPlan, id string) {
	if json.Unmarshal(r.Data, &o) != nil {
		return ownPlan{}, ""
	}
	return o, o.of(r.Kind)
}

// begins answers whether a record is a plan's confirmation.
func (o ownPlan) begins(kind string) bool {
	return kind == Confirm && len(o.Plan) > 0 && o.Plan[0] == '{'
}

// FindUnfinished lists the plans of a cluster that were confirmed and did not
// end, oldest first, over all incidents below dir. troubles are journals that
// cannot be read to their end: what they hold may be incomplete.
func FindUnfinished(dir, clusterName string) (plans []Unfinished, troubles []string, err error) {
	there, troubles, err := incidentsOf(dir, clusterName)
	if err != nil {
		return nil, nil, err
	}
	s := search{plans: map[string]*Unfinished{}, held: map[string][]string{}}
	for _, id := range there {
		if err := s.through(id, Path(dir, id)); err != nil {
			troubles = append(troubles, err.Error())
		}
	}
	for _, id := range s.order {
		p := s.plans[id]
		if p == nil {
			continue
		}
		for _, incident := range s.held[id] {
			if err := Verify(Path(dir, incident)); err != nil && p.Broken == "" {
				p.Broken = err.Error()
			}
		}
		p.InUse = inUse(Path(dir, p.Incident))
		plans = append(plans, *p)
	}
	return plans, troubles, nil
}

// incidentsOf lists the incidents of a cluster in the order in which they were
// opened, which names of the same second do not tell.
func incidentsOf(dir, clusterName string) (ids, troubles []string, err error) {
	there, err := files(dir)
	if err != nil {
		return nil, nil, err
	}
	opened := map[string]time.Time{}
	enough := errors.New("one record is enough")
	for _, f := range there {
		err := asWritten(Path(dir, f.id), func(r Record) error {
			var o Opening
			if json.Unmarshal(r.Data, &o) == nil && o.Cluster == clusterName {
				opened[f.id] = r.At
				ids = append(ids, f.id)
			}
			return enough
		})
		if err != nil && !errors.Is(err, enough) {
			troubles = append(troubles, err.Error())
		}
	}
	sort.SliceStable(ids, func(i, j int) bool { return opened[ids[i]].Before(opened[ids[j]]) })
	return ids, troubles, nil
}

// search gathers plans over incidents, oldest first.
type search struct {
	plans map[string]*Unfinished
	held  map[string][]string // incidents that hold records of a plan
	order []string
}

// weighty are kinds that say nothing of plans and make up most of a journal.
var weighty = [][]byte{[]byte(`"kind":"snapshot"`), []byte(`"kind":"finding"`)}

// lastLines is how many lines of a step's output are kept, as many as the plan
// shows.
const lastLines = 200

// kindWithin is how far into a line its kind stands at the latest.
const kindWithin = 128

// isWeighty answers whether a line says nothing of plans, without reading it.
func isWeighty(line []byte) bool {
	begin := line[:min(len(line), kindWithin)]
	return slices.ContainsFunc(weighty, func(kind []byte) bool { return bytes.Contains(begin, kind) })
}

// through reads one incident.
func (s *search) through(id, path string) error {
	return eachLine(path, func(n uint64, line []byte) error {
		if isWeighty(line) {
			return nil
		}
		r, err := parse(line)
		if err != nil {
			return fmt.Errorf("%s: record %d: %w", path, n, err)
		}
		s.take(id, r)
		return nil
	})
}

// take files one record under its plan.
func (s *search) take(incident string, r Record) {
	o, id := r.plan()
	if id == "" {
		return
	}
	if o.begins(r.Kind) {
		s.plans[id] = &Unfinished{Plan: id, Confirmed: r, Output: map[string][]string{}}
		s.order = append(s.order, id)
	}
	p := s.plans[id]
	switch {
	case p == nil:
		return
	case o.Ended != nil:
		delete(s.plans, id)
		return
	case p.Incident != incident:
		p.Incident, p.Written = incident, map[string]int64{}
		s.held[id] = append(s.held[id], incident)
	}
	switch {
	case r.Kind == Output:
		p.Written[o.Step] = max(p.Written[o.Step], o.Offset+o.Bytes)
		lines := append(p.Output[o.Step], o.Lines...)
		if o.Offset == 0 {
			lines = o.Lines // written once more, in another incident
		}
		p.Output[o.Step] = lines[max(0, len(lines)-lastLines):]
	case r.Seq != p.Confirmed.Seq || r.Hash != p.Confirmed.Hash:
		p.Records = append(p.Records, r)
	}
}
