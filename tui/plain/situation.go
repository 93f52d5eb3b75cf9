package plain

import (
	"fmt"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// topic is one thing that is said of the situation, and said again when it
// reads otherwise. Its text holds nothing that grows older by itself.
type topic struct{ key, text string }

// topics are what is said of a state, in the order in which it is said.
func (t *talk) topics(s *watch.State) []topic {
	all := []topic{
		{"leadership", leadershipWords(s)},
		{"margin", "What can be lost: " + sentence(s.MarginWords())},
		{"mode", modeWords(s)},
	}
	for _, n := range nodesOf(s) {
		all = append(all, topic{"node " + n.Name, nodeWords(s, n)})
	}
	for _, n := range nodesOf(s) {
		all = append(all, topic{"link " + n.Name, linkWords(s, n.Name)})
	}
	all = append(all, topic{"contradictions", contradictionWords(s)}, topic{"lock", othersLockWords(s.Lock)})
	for _, n := range s.Notices {
		all = append(all, topic{"notice " + n.Text, noticeWords(n)})
	}
	return all
}

// ended is said when a topic that had something to say has nothing more.
var ended = map[string]string{
	"contradictions": "The layers no longer contradict each other.",
	"lock":           "Nobody else holds the operators' lock any more.",
}

func nodesOf(s *watch.State) []cluster.Node {
	if s.View == nil || s.View.Snapshot == nil {
		return nil
	}
	return s.View.Snapshot.Nodes
}

// leadershipWords says who leads by each layer that can be asked.
func leadershipWords(s *watch.State) string {
	says := map[string][]string{}
	var order []string
	for _, l := range s.Leadership {
		if l.Layer == string(cluster.SourceEtcd) {
			continue // its raft leader has nothing to do with who leads the cluster
		}
		who := watch.LeaderWords(l)
		if len(says[who]) == 0 {
			order = append(order, who)
		}
		says[who] = append(says[who], l.Layer)
	}
	switch {
	case len(order) == 0, len(order) == 1 && order[0] == watch.LeaderWords(cluster.LayerLeader{}):
		return "Leadership: unknown, no layer tells who leads."
	case len(order) == 1 && order[0] == "nobody":
		return "Leadership: nobody leads, all layers agree."
	case len(order) == 1:
		return "Leadership: " + order[0] + ", all layers agree."
	}
	var parts []string
	for _, who := range order {
		parts = append(parts, who+" by "+joined(says[who]))
	}
	return "Leadership: " + strings.Join(parts, "; ") + "."
}

func modeWords(s *watch.State) string {
	switch s.Mode {
	case watch.Acting:
		return "Mode: acting. What you confirm is carried out, T3 excepted: arm opens it."
	case watch.Armed:
		return "Mode: armed until " + clockText(s.ArmedUntil) + ". What you confirm is carried out, T3 too."
	case watch.ReadOnly, "":
		return "Mode: read-only. Nothing is carried out."
	}
	return "Mode: " + string(s.Mode) + "."
}

// nodeWords is a node in one sentence: address, role, services, marks.
func nodeWords(s *watch.State, n cluster.Node) string {
	who := n.Name
	if n.Address != "" {
		who += ", " + n.Address
	}
	r := s.View.Report(n.Name)
	if r == nil || cluster.Is(r.Reach, cluster.Reached) != cluster.True {
		why := "it was not looked at yet"
		if r != nil {
			why = "it does not answer"
		}
		return who + ": unknown, " + why + marksWords(s, n.Name) + "."
	}
	role, _ := s.View.RoleOf(n.Name)
	if role == "" || role == "unknown" {
		role = "role unknown"
	}
	return who + ": " + strings.ReplaceAll(role, "_", " ") + ". " + serviceWords(r) + marksWords(s, n.Name) + "."
}

// serviceWords names every service that does not run.
func serviceWords(r *cluster.Report) string {
	up := 0
	var down, unknown []string
	for _, name := range cluster.Services {
		switch state := r.Services[name].State; {
		case !state.Known:
			unknown = append(unknown, name)
		case state.Value == "run":
			up++
		case state.Value == "down":
			down = append(down, name+" is down")
		default:
			down = append(down, name+" is in state "+state.Value)
		}
	}
	text := fmt.Sprintf("%d of %d services are up", up, len(cluster.Services))
	if len(down) > 0 {
		text += "; " + joined(down)
	}
	if len(unknown) > 0 {
		text += "; unknown: " + joined(unknown)
	}
	return text
}

// marksWords are what operators said of a node.
func marksWords(s *watch.State, node string) string {
	text := ""
	if until, ok := s.View.Maintenance[node]; ok {
		text += "; in maintenance until " + clockText(until)
		if by := s.View.MarkedBy[node]; by != "" {
			text += ", says " + by
		}
	}
	if s.View.Fenced[node] {
		text += "; marked as off, on an operator's word"
		if at, back := s.View.Returned[node]; back {
			text += ", which no longer counts: it answered at " + clockText(at)
		}
	}
	return text
}

// linkWords says how the link to a node is; phases that only pass are not told
// apart by their times.
func linkWords(s *watch.State, node string) string {
	k, ok := s.Links[node]
	if !ok {
		return ""
	}
	text := "Link to " + node + ": " + k.Phase
	if k.Reason != "" && k.Phase != "live" {
		text += ", " + k.Reason
	}
	if k.Waits {
		text += "; its login has a question: type login to be asked"
	}
	if k.Legacy != "" {
		text += "; it uses broken algorithms: " + k.Legacy
	}
	return sentence(text)
}

func contradictionWords(s *watch.State) string {
	if len(s.Board.Contradictions) == 0 {
		return ""
	}
	return "The layers contradict each other: " + sentence(strings.Join(s.Board.Contradictions, "; "))
}

func othersLockWords(l cluster.Lock) string {
	if l.Held != cluster.True || l.Ours {
		return ""
	}
	return l.Holder.Who + " holds the operators' lock on " + joined(l.On) + ". Nothing can be carried out from here meanwhile. Type lock for more."
}

func noticeWords(n watch.Notice) string {
	if n.Grave {
		return "Grave notice: " + sentence(n.Text)
	}
	return "Notice: " + sentence(n.Text)
}

// hear takes the newest state and says what changed.
func (t *talk) hear() {
	s := t.door.State()
	if s == nil || t.state != nil && s.Seq <= t.state.Seq && s != t.state {
		return
	}
	fresh := s != t.state
	t.state = s
	switch {
	case !t.begun && t.settled(s):
		t.begun = true
		t.situation()
		t.say("Ready. Type help for the commands.")
	case t.begun && fresh:
		t.changes(s)
		t.runChanges(s)
		t.spoil()
	}
	if t.begun {
		t.hearSigns()
		t.hearLogin()
	}
}

// settled answers whether the first round of looks is over, or was waited for
// long enough.
func (t *talk) settled(s *watch.State) bool {
	if t.o.Human.Now().Sub(t.began) >= firstWithin {
		return true
	}
	nodes := nodesOf(s)
	for _, n := range nodes {
		if s.View.Report(n.Name) == nil {
			return false
		}
	}
	return len(nodes) > 0 && (s.Margin.Known || len(s.Findings) > 0)
}

// situation says everything once.
func (t *talk) situation() {
	t.say("Situation at %s.", clockText(t.state.At))
	for _, p := range t.topics(t.state) {
		t.heard[p.key] = p.text
		if p.text != "" && !quietLink(p) {
			t.say("%s", p.text)
		}
	}
	t.findings(true)
	t.runChanges(t.state)
}

// quietLink answers whether a topic is a link of which nothing is to be said.
func quietLink(p topic) bool {
	return strings.HasPrefix(p.key, "link ") && strings.HasSuffix(p.text, ": live.")
}

// changes says what reads otherwise than before.
func (t *talk) changes(s *watch.State) {
	now := t.topics(s)
	for _, p := range now {
		was, known := t.heard[p.key]
		t.heard[p.key] = p.text
		switch {
		case was == p.text, !known && quietLink(p):
		case p.text == "":
			if says := ended[p.key]; says != "" {
				t.say("%s", says)
			}
		default:
			t.say("%s %s", clockText(s.At), p.text)
		}
	}
	for key := range t.heard {
		if strings.HasPrefix(key, "notice ") && !slices.ContainsFunc(now, func(p topic) bool { return p.key == key }) {
			delete(t.heard, key)
		}
	}
	t.findingChanges(s)
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
