package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// lockView shows who holds the operators' lock, and what he does: live from his
// journal where it lies on this machine, else from the steps on the nodes.
type lockView struct{ box }

func (v *lockView) head(m *model) (string, string) {
	return "Who acts", map[bool]string{true: "this cockpit", false: ""}[m.state != nil && m.state.Lock.Ours]
}

func (v *lockView) body(m *model, w int) ([]string, int) {
	if m.state == nil || m.view() == nil || m.view().Snapshot == nil {
		return []string{lookingText}, -1
	}
	rows := wrap(m.lockText(), w)
	rows = append(rows, "", m.st.title.on("The newest step on each node"))
	for _, n := range m.nodeList() {
		rows = append(rows, m.labelled(n.Name, m.stepSeenText(n.Name), w)...)
	}
	o := m.state.Other
	if o == nil || m.state.Lock.Ours {
		return rows, -1
	}
	what := strings.Join(strings.Fields(o.Plan.Procedure+" "+o.Plan.Service+" "+o.Plan.Node), " ")
	rows = append(rows, "", m.st.title.on("From the other cockpit's journal on this machine: "+what))
	rows = append(rows, wrap(string(o.Status)+": "+o.Sentence, w)...)
	run := &runView{plan: o.Plan}
	at := -1
	for _, s := range o.Steps {
		if atWork(s) {
			at = len(rows)
		}
		rows = append(rows, run.step(m, s, w)...)
	}
	return rows, at
}

// lockText says who holds the lock, since when and where.
func (m *model) lockText() string {
	l := m.state.Lock
	switch {
	case l.Held == cluster.Unknown:
		return "Whether somebody holds the operators' lock is unknown: a node that answers does not tell. It is tried when a plan begins."
	case l.Held == cluster.False:
		return "Nobody holds the operators' lock. It is taken when a plan is confirmed, and given up at its end."
	case l.Ours:
		return "This cockpit holds the operators' lock since " + sinceText(l.Holder.Since) + " on " + strings.Join(l.On, ", ") + "."
	}
	return fmt.Sprintf("%s holds the operators' lock since %s on %s. Nothing can be carried out from here meanwhile. It is free 6 s after that cockpit is gone, and no sooner than its step ends.",
		l.Holder.Who, sinceText(l.Holder.Since), strings.Join(l.On, ", "))
}

func sinceText(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format("15:04") + "Z"
}

// stepSeenText says what was begun last on a node, by whichever cockpit.
func (m *model) stepSeenText(node string) string {
	r := m.view().Report(node)
	if r == nil || !r.Lock.Step.Known {
		if r != nil && r.Lock.Step.Reason != "" {
			return "unknown: " + r.Lock.Step.Reason
		}
		return "unknown"
	}
	s := r.Lock.Step.Value
	if s.Plan == "" {
		return "none"
	}
	how := "ended, its exit status is unknown"
	switch {
	case s.Ended:
		how = fmt.Sprintf("ended with %d", s.Exit)
	case s.Running == cluster.True:
		how = "runs"
	case s.Running == cluster.Unknown:
		how = "whether it runs is unknown"
	}
	return fmt.Sprintf("%s: %s (step %s of plan %s)", how, s.Command, s.Step, s.Plan)
}

func (v *lockView) bindings(m *model) []key.Binding {
	all := []key.Binding{renamed(m.keys.Back, "back"), bind("up/down", "scroll")}
	if m.othersLock() {
		all = append([]key.Binding{m.keys.TakeOver}, all...)
	}
	return all
}

// othersLock answers whether somebody else holds the lock.
func (m *model) othersLock() bool {
	return m.state != nil && m.state.Lock.Held == cluster.True && !m.state.Lock.Ours
}

func (v *lockView) key(m *model, k tea.KeyMsg) tea.Cmd {
	if is(k, m.keys.TakeOver) && m.othersLock() {
		return m.takeOver()
	}
	v.scroll.key(m, k)
	return nil
}

// takeOver asks for the phrase that takes the lock from its holder.
func (m *model) takeOver() tea.Cmd {
	if m.state.Mode == watch.ReadOnly {
		m.say("the cockpit is read-only: it never takes the lock")
		return nil
	}
	who := m.state.Lock.Holder.Who
	return m.push(&wordDialog{
		title: "Take over from " + who, phrase: newPhrase(m), want: watch.TakeOverPhrase(who),
		says: []says{
			{"Holder", m.lockText()},
			{"Means", "That cockpit loses the lock and holds its plan before the next step. What it left half done is for you to finish."},
			{"Not", "It is refused while a step runs on any node."},
			{"Ask", who + " first, if you can: two people who act on one cluster undo each other."},
		},
		hand: func(text string) error {
			ctx, cancel := context.WithTimeout(m.ctx, time.Minute)
			defer cancel()
			return m.door.TakeOver(ctx, text)
		},
		said: "the operators' lock is yours for the next plan, or for five minutes", nothing: "the lock stays with " + who,
	})
}

// lockSegment says who acts, while somebody does.
func (m *model) lockSegment() segment {
	l := m.state.Lock
	switch {
	case l.Held != cluster.True:
		return segment{says: []string{""}}
	case l.Ours:
		return segment{p: m.st.dim, rank: 9, says: []string{"lock: yours since " + sinceText(l.Holder.Since), "lock: yours", ""}}
	}
	return segment{p: m.st.amber, rank: 2, says: []string{
		"! " + l.Holder.Who + " acts since " + sinceText(l.Holder.Since) + " (K)", "! " + l.Holder.Who + " acts (K)",
		"! " + short(l.Holder.Who, 12) + " acts (K)", "! lock (K)"}}
}
