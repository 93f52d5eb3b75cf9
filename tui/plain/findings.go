package plain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// priorities in words, since a letter and a digit say little aloud.
var priorities = map[cluster.Priority]string{
	cluster.P1: "P1, data is at risk or nobody leads",
	cluster.P2: "P2, redundancy is lost or a node is out of service",
	cluster.P3: "P3, advice",
}

// unhidden are the findings that fold under no other one.
func unhidden(s *watch.State) []cluster.Finding {
	return slices.DeleteFunc(slices.Clone(s.Findings), func(f cluster.Finding) bool {
		return f.Under != "" && slices.ContainsFunc(s.Findings, func(o cluster.Finding) bool { return o.ID() == f.Under })
	})
}

// number is the number of a finding, which it keeps while the cockpit is open.
func (t *talk) number(id string) int {
	if n, ok := t.numbers[id]; ok {
		return n
	}
	t.ids = append(t.ids, id)
	t.numbers[id] = len(t.ids)
	return len(t.ids)
}

// nameOf is a finding as it is said.
func nameOf(f cluster.Finding) string {
	if len(f.Nodes) == 0 {
		return f.Failure
	}
	return f.Failure + " on " + joined(f.Nodes)
}

// standing is what is said of how a finding stands; a change is news.
func standing(f cluster.Finding) string {
	return f.Priority.String() + ", " + string(f.Certainty)
}

// findingChanges says which findings came, went or stand otherwise.
func (t *talk) findingChanges(s *watch.State) {
	now := map[string]string{}
	for _, f := range unhidden(s) {
		id, how := f.ID(), standing(f)
		now[id] = how
		was, stood := t.stood[id]
		n := t.number(id)
		switch {
		case !stood:
			t.say("%s Finding %d is new: %s, %s, %s.", clockText(s.At), n, how, nameOf(f), strings.TrimSuffix(f.Title, "."))
			t.sub("Type why %d for the evidence, menu %d for what can be done.", n, n)
		case was != how:
			t.say("%s Finding %d, %s, is now %s.", clockText(s.At), n, nameOf(f), how)
		}
	}
	for _, id := range t.ids {
		_, stood := t.stood[id]
		_, stands := now[id]
		if stood && !stands {
			t.say("%s Finding %d, %s, is gone%s.", clockText(s.At), t.numbers[id], id, foldedWords(s, id))
		}
	}
	if len(t.stood) > 0 && len(now) == 0 {
		t.say("No finding stands.")
	}
	t.stood = now
}

// foldedWords tells a finding that folded from one that went away.
func foldedWords(s *watch.State, id string) string {
	for _, f := range s.Findings {
		if f.ID() == id {
			return " from the list: it is a consequence of " + f.Under
		}
	}
	return ""
}

// findings lists what stands, gravest first; first says it as the beginning.
func (t *talk) findings(first bool) {
	all := unhidden(t.state)
	if first {
		for _, f := range all {
			t.stood[f.ID()] = standing(f)
		}
	}
	switch len(all) {
	case 0:
		t.say("No finding stands.")
		if l := t.state.Last; l != nil {
			t.sub("The last one was %s; it ended at %s.", l.ID, clockText(l.Ended))
		}
		return
	case 1:
		t.say("1 finding stands.")
	default:
		t.say("%d findings stand, the gravest first.", len(all))
	}
	for _, f := range all {
		t.say("Finding %d: %s, %s.", t.number(f.ID()), nameOf(f), strings.TrimSuffix(f.Title, "."))
		t.sub("%s, since %s%s.", standing(f), clockText(f.Since), stateWords(f))
		if d, ok := t.door.Describe(f.Failure); ok {
			t.labelled("Do first", d.First)
		}
		for _, c := range t.state.Findings {
			if c.Under == f.ID() {
				t.sub("Its consequence: %s.", nameOf(c))
			}
		}
	}
}

// stateWords are what else is to be said of a finding.
func stateWords(f cluster.Finding) string {
	text := ""
	if f.FirstOut {
		text += ", came first"
	}
	if f.Acked {
		return text + ", acknowledged"
	}
	return text + ", not acknowledged"
}

// meant is the finding that a word names: its number, its ID, or the failure
// where that stands once. Without a word it is the one that stands alone.
func (t *talk) meant(words []string) (cluster.Finding, bool) {
	if len(words) == 0 {
		all := unhidden(t.state)
		switch len(all) {
		case 0:
			t.say("No finding stands.")
		case 1:
			return all[0], true
		default:
			t.say("%d findings stand. Say which, by its number: %s.", len(all), t.numbered(all))
		}
		return cluster.Finding{}, false
	}
	id, byName := words[0], true
	if n, err := strconv.Atoi(id); err == nil {
		if n < 1 || n > len(t.ids) {
			t.say("There is no finding %d. Type findings for the list.", n)
			return cluster.Finding{}, false
		}
		id, byName = t.ids[n-1], false
	}
	var named []cluster.Finding
	for _, f := range t.state.Findings {
		if f.ID() == id || byName && f.Failure == id {
			named = append(named, f)
		}
	}
	switch len(named) {
	case 0:
		t.say("%s does not stand. Type findings for the list.", id)
		return cluster.Finding{}, false
	case 1:
		return named[0], true
	}
	t.say("%s stands %d times. Say which, by its number: %s.", id, len(named), t.numbered(named))
	return cluster.Finding{}, false
}

// numbered names findings by their numbers.
func (t *talk) numbered(all []cluster.Finding) string {
	var parts []string
	for _, f := range all {
		parts = append(parts, fmt.Sprintf("%d is %s", t.number(f.ID()), nameOf(f)))
	}
	return strings.Join(parts, "; ")
}

// why says a finding with its evidence.
func (t *talk) why(words []string) {
	f, ok := t.meant(words)
	if !ok {
		return
	}
	t.witness(func(w watch.Witness) { w.Looked(f.ID()) })
	t.say("Finding %d: %s. %s", t.number(f.ID()), nameOf(f), sentence(f.Title))
	t.sub("%s. %s since %s.", sentenceless(priorities[f.Priority]), capital(string(f.Certainty)), clockText(f.Since))
	d, ok := t.door.Describe(f.Failure)
	if ok {
		t.labelled("Cause", d.Cause)
		t.labelled("If it is ignored", d.Ignored)
		t.labelled("Time", d.Time)
		t.labelled("Do first", d.First)
		t.labelled("Guide", d.Section)
	}
	t.evidence(f)
	for _, a := range d.Advice {
		t.labelled("Advice", a)
	}
	t.rivals(f)
	t.say("Type menu %d for what can be done.", t.number(f.ID()))
}

func sentenceless(s string) string { return strings.TrimSuffix(s, ".") }

// evidence says what speaks for a finding, what against it, and what is missing,
// and how long ago it was seen where that is not now.
func (t *talk) evidence(f cluster.Finding) {
	for _, e := range f.Evidence {
		from := string(e.Source)
		if e.Node != "" {
			from = strings.TrimSpace(from + " on " + e.Node)
		}
		if age, aged := watch.Aged(t.o.Clock.Now(), e.At, e.Source); aged {
			from = strings.TrimPrefix(from+seenWords(age), ", ")
		}
		if from != "" {
			from = " (" + from + ")"
		}
		t.sub("%s: %s%s", evidenceWord(e), strings.TrimSuffix(e.Sentence, "."), from)
	}
}

// evidenceWord says how a piece of evidence is to be read.
func evidenceWord(e cluster.Evidence) string {
	switch {
	case e.Kind == "sign":
		return "Recognised in a log"
	case e.Answer == cluster.Unknown:
		return "Unknown"
	case e.Side == cluster.SideAgainst && e.Answer == cluster.True:
		return "Speaks against it"
	case e.Side == cluster.SideAgainst:
		return "Would speak against it, and is ruled out"
	case e.Answer == cluster.False:
		return "Would speak for it, and does not hold"
	}
	return "Speaks for it"
}

// rivals say what would tell a suspected finding from others.
func (t *talk) rivals(f cluster.Finding) {
	for _, r := range t.door.Rivals(f.ID()) {
		other := r.A
		if other == f.ID() {
			other = r.B
		}
		for _, q := range r.Tells[:min(len(r.Tells), 3)] {
			says := fmt.Sprintf("What would tell it from %s: %s, by a %s", other, q.Question, q.Look)
			if q.IfTrue != "" {
				says += "; yes speaks for " + q.IfTrue
			}
			if q.IfFalse != "" {
				says += "; no speaks for " + q.IfFalse
			}
			t.sub("%s. Type look to look now.", says)
		}
	}
}

// acknowledge marks a finding as seen. It has to be named: what stands may have
// changed since it was said.
func (t *talk) acknowledge(words []string) {
	if len(words) == 0 {
		t.say("Say which finding: ack and its number. Type findings for the list.")
		return
	}
	if f, ok := t.meant(words); ok {
		t.door.Acknowledge(f.ID())
		t.say("Acknowledged: finding %d, %s. It stands until it is mended.", t.number(f.ID()), nameOf(f))
	}
}
