package main

import (
	"strings"

	"chef-backend-cockpit/cluster/drill"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/scenario"
)

// path is the way of the fastest row.
func (x *exercise) path() []drill.Target { return targets(x.rows[:1]) }

// targets are all procedures of rows, in order.
func targets(rows []scenario.Scenario) []drill.Target {
	var all []drill.Target
	for _, row := range rows {
		for _, p := range row.Path() {
			all = append(all, drill.Target{Procedure: p.Procedure, Node: p.Node, Service: p.Service})
		}
	}
	return all
}

// told is the ID of the finding that the fault is about.
func told(row scenario.Scenario) string {
	for _, id := range row.Expect {
		if name, _, _ := strings.Cut(id, "@"); strings.HasPrefix(row.Name, name) {
			return id
		}
	}
	return row.Expect[0]
}

// debriefing gathers what is told after a drill: what the table and the
// catalogue know, what was heard, what the nodes say ran, and the journal.
func (e *env) debriefing(x *exercise, seed int64) (drill.Debriefing, error) {
	c, _, err := e.catalogue()
	if err != nil {
		return drill.Debriefing{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	row := x.rows[0]
	task := drill.Task{Fault: row.Name, Expect: row.Expect, Right: targets(x.rows)}
	d := drill.Debriefing{Seed: seed, Task: task, Score: drill.Of(task, x.events), Title: x.title, Fastest: x.fastest, Incidents: x.incidents}
	name, _, _ := strings.Cut(told(row), "@")
	for _, f := range c.Failures {
		if f.Name == name {
			d.Failure = f
		}
	}
	for _, t := range d.Fastest.Path {
		for _, p := range c.Procedures {
			if p.Name == t.Procedure {
				d.Guides = append(d.Guides, p)
			}
		}
	}
	for _, n := range x.sim.Nodes() {
		for _, command := range x.sim.StepCommands(n.Name) {
			d.Ran = append(d.Ran, drill.Ran{Node: n.Name, Command: command})
		}
	}
	d.Timeline, err = timeline(x.incidents)
	return d, err
}

// timeline is what the journals of incidents say happened.
func timeline(incidents []string) (lines []string, err error) {
	dir, err := journal.DefaultDir()
	if err != nil {
		return nil, err
	}
	for _, id := range incidents {
		err := journal.Read(journal.Path(dir, id), func(r journal.Record) error {
			switch r.Kind {
			case journal.Finding, journal.Confirm, journal.Intent, journal.Outcome, journal.Note:
				lines = append(lines, r.At.UTC().Format("15:04:05Z ")+journal.Words(r))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return lines, nil
}
