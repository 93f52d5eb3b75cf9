package scenario

import (
	"cmp"
	"encoding/json"
	"slices"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/recovery"
)

// wayBack are the moments before the steps of the way back of a plan, for the
// moment before the step from which on there is something to undo: that step
// moved the sentinel aside, and the one after it failed. No row comes there,
// since every command of the simulation does what it says.
func (m moment) wayBack() (out []moment) {
	from := slices.IndexFunc(m.Plan.Steps, func(s cluster.PlanStep) bool { return s.ID == m.Step })
	if len(m.Plan.Back) == 0 || m.Step == "" || m.Step != m.Plan.BackFrom {
		return nil
	}
	r := *m.View.Report(m.Plan.Node)
	r.Sentinels.NoStart.Value = false
	m.View = withReport(m.View, &r)
	ran := func(s cluster.PlanStep, status cluster.Status, exit int) {
		m.Left.Records = append(slices.Clone(m.Left.Records),
			m.record("intent", cluster.Intent{Plan: m.Plan.ID, Step: s.ID, Node: s.Node, Command: s.Command, Repeatable: s.Repeatable}),
			m.record("outcome", cluster.Outcome{Plan: m.Plan.ID, Step: s.ID, Node: s.Node, Status: status, Exit: exit, ExitKnown: true, Sentence: "invented"}))
	}
	ran(m.Plan.Steps[from], cluster.StatusDone, 0)
	ran(m.Plan.Steps[from+1], cluster.StatusFailed, 1)
	for _, s := range m.Plan.Back {
		m.Step, m.Node, m.Guards = s.ID, s.Node, nil
		about := cluster.Binding{Node: cmp.Or(s.About, m.Plan.Node), Service: m.Plan.Service, Plan: &m.Plan}
		for _, g := range s.Guards {
			m.Guards = append(m.Guards, cluster.CheckedGuard{Guard: g, Node: about.Node, Answer: g.Ask(m.View, about)})
		}
		out = append(out, m)
		ran(s, cluster.StatusDone, 0)
	}
	return out
}

// record is one of the journal, as it was written at the moment.
func (m moment) record(kind string, data any) recovery.LeftRecord {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(err) // values of our own
	}
	return recovery.LeftRecord{Kind: kind, At: m.View.Now, Data: raw}
}
