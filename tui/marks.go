package tui

import (
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// fence asks for the operator's word that the selected node is off, or takes
// it back where it was given.
func (m *model) fence() tea.Cmd {
	n, ok := m.nodes.selected(m.nodeList())
	if !ok {
		m.say("no node is known yet")
		return nil
	}
	// A word that no longer stands is given anew once the node is silent again.
	if v := m.view(); v.Fenced[n.Name] && (v.FenceStands(n.Name) || v.Unreachable(n.Name).Truth != cluster.True) {
		return m.push(m.unfenceDialog(n))
	}
	return m.push(&wordDialog{
		title: "Say that " + n.Name + " is off", phrase: newPhrase(m), want: watch.FencePhrase(n.Name),
		says: []says{
			{"Where", n.Name + ", " + n.Address},
			{"Means", "You know, not from this screen, that " + n.Name + " is powered off or that its port is closed, and that it will not start with its old disk."},
			{"Why", "From here a dead node and a partitioned one look alike. What makes a cluster without it is offered only on your word."},
			{"Wrong", "Two old members that come back out of reach of the new cluster elect a leader of their own: two clusters, and writes in both."},
			{"Back", "F again takes the word back, and so does an answer from " + n.Name + "."},
		},
		hand: func(text string) error { return m.door.Fence(n.Name, text) },
		said: n.Name + " is fenced, on your word", nothing: n.Name + " is not fenced",
	})
}

func (m *model) unfenceDialog(n cluster.Node) *wordDialog {
	return &wordDialog{
		title: "Take back that " + n.Name + " is off", phrase: newPhrase(m), want: n.Name + " is on",
		says: []says{{"Means", n.Name + " counts again as a node that may be alive."}},
		hand: func(string) error { return m.door.Unfence(n.Name) },
		said: n.Name + " is no longer fenced", nothing: n.Name + " stays fenced",
	}
}

// maintenanceView is the list of how long a node will be in planned work.
type maintenanceView struct {
	box
	node cluster.Node
	at   int
}

// lengths of planned work; 0 ends it.
var lengths = []struct {
	lasts time.Duration
	says  string
}{
	{30 * time.Minute, "30 min"}, {time.Hour, "1 h"}, {2 * time.Hour, "2 h"}, {4 * time.Hour, "4 h"}, {8 * time.Hour, "8 h"},
	{0, "over: back in service"},
}

// maintain opens the list for the selected node.
func (m *model) maintain() tea.Cmd {
	n, ok := m.nodes.selected(m.nodeList())
	if !ok {
		m.say("no node is known yet")
		return nil
	}
	return m.push(&maintenanceView{node: n})
}

func (v *maintenanceView) head(m *model) (string, string) {
	return "Planned work on " + v.node.Name, m.maintenanceText(v.node.Name)
}

// maintenanceText says until when a node is in planned work; "" for not at all.
func (m *model) maintenanceText(node string) string {
	until, marked := m.view().Maintenance[node]
	if !marked || !m.now().Before(until) {
		return ""
	}
	text := "in maintenance until " + until.UTC().Format("15:04") + "Z"
	if by := m.view().MarkedBy[node]; by != "" {
		text += ", says " + by
	}
	return text
}

func (v *maintenanceView) body(m *model, w int) ([]string, int) {
	rows := wrap("Findings of "+v.node.Name+" below P1 drop to a note until then. What can be lost counts it as lost. Nothing changes on the node.", w)
	rows = append(rows, "")
	at := 0
	for i, l := range lengths {
		row := newLine(w).put(m.st.plain, map[bool]string{true: "> ", false: "  "}[i == v.at]+l.says).String()
		if i == v.at {
			row, at = m.st.chosenRow(row), len(rows)
		}
		rows = append(rows, row)
	}
	return rows, at
}

func (v *maintenanceView) bindings(m *model) []key.Binding {
	return []key.Binding{renamed(m.keys.Choose, "choose"), bind("up/down", "move"), renamed(m.keys.Back, "back")}
}

func (v *maintenanceView) key(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.Up):
		v.at = max(v.at-1, 0)
	case is(k, m.keys.Down):
		v.at = min(v.at+1, len(lengths)-1)
	case is(k, m.keys.Choose):
		node, l := v.node.Name, lengths[v.at]
		m.pop()
		return m.command(func() tea.Msg {
			if err := m.door.Maintain(node, l.lasts); err != nil {
				return saidMsg{err.Error()}
			}
			if l.lasts == 0 {
				return saidMsg{node + " is no longer in maintenance"}
			}
			return saidMsg{node + " is in maintenance for " + l.says}
		})
	}
	return nil
}

// saidMsg is a word for the operator, and a reason for a new picture.
type saidMsg struct{ text string }

// markRow adds what the operator said of a node to a row of its pane; what
// lies on the node comes first.
func (m *model) markRow(node string, row lookRow) lookRow {
	text := m.maintenanceText(node)
	if text != "" {
		text = "maintenance until " + m.view().Maintenance[node].UTC().Format("15:04") + "Z"
	}
	if m.view().Fenced[node] {
		text = "fenced, on your word"
		if at := m.view().Returned[node]; !at.IsZero() {
			text = "was fenced, answered " + at.UTC().Format("01-02 15:04") + "Z"
		}
	}
	switch {
	case text == "":
		return row
	case row.label == "sentinels" || row.mark == cluster.MarkLook:
		row.text += ", " + text
		return row
	}
	return lookRow{label: "marked", text: text}
}
