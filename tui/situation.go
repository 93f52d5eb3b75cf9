package tui

import (
	"fmt"
	"strings"

	"chef-backend-cockpit/cluster"
)

// segment is one part of the situation line, said shorter and shorter where
// there is no room.
type segment struct {
	p    paint
	says []string // longest first; the last may be empty
	rank int      // the greater, the sooner it is said shorter
	at   int      // index into says
}

// drawSituation is the one line that is always there.
func (m *model) drawSituation(w int) string {
	if m.state == nil {
		return newLine(w).put(m.st.dim, " looking for the cluster").String()
	}
	left := []segment{
		{p: m.st.stamp, says: stampText(m.state.Stamp), rank: 0},
		m.clusterSegment(),
		m.leaderSegment(),
		m.marginSegment(),
		m.aheadSegment(),
	}
	if m.state.Replay != nil {
		left = append(left[:1], append([]segment{m.replaySegment(*m.state.Replay)}, left[1:]...)...)
	}
	if m.state.Earlier != nil {
		left = append(left[:1], append([]segment{m.pastSegment(*m.state.Earlier)}, left[1:]...)...)
	}
	if r := m.running(); r != nil {
		left = append(left, m.runSegment(r))
	}
	left = append(left, m.lockSegment(), m.linkSegment(), m.legacySegment())
	gap := 3
	if w < 100 {
		gap = 2
	}
	tail, mode := "  "+m.clockOnScreen()+" ", ""
	if !(w < 100 && m.running() != nil) || m.armed() {
		mode = "  " + m.modeText() // a plan at work says by itself that the cockpit acts
	}
	room := w - width(mode) - width(tail)
	l := newLine(room) // the clock stays whole, whatever else is cut
	m.shorten(left, gap, room)
	for _, s := range left {
		if text := s.says[s.at]; text != "" {
			l.put(s.p, text).gap(gap)
		}
	}
	p := m.st.plain
	if m.armed() {
		p = m.st.red
	}
	return l.String() + p.on(mode) + m.st.plain.on(tail)
}

// shorten says segments shorter until they fit, then says as many as possible
// longer again, the weightiest first.
func (m *model) shorten(all []segment, gap, room int) {
	need := func() (n int) {
		for _, s := range all {
			if k := width(s.says[s.at]); k > 0 {
				n += k + gap
			}
		}
		return n - gap // none behind the last
	}
	for need() > room {
		worst := -1
		for i, s := range all {
			if s.at < len(s.says)-1 && (worst < 0 || s.rank > all[worst].rank) {
				worst = i
			}
		}
		if worst < 0 {
			return
		}
		all[worst].at++
		all[worst].rank-- // the others shorten too before it does so again
	}
	for rank := range 12 {
		for i := range all {
			for all[i].at > 0 && all[i].rank+all[i].at == rank {
				all[i].at--
				all[i].rank++
				if need() > room {
					all[i].at++
					all[i].rank--
					break
				}
			}
		}
	}
}

func stampText(stamp string) []string {
	if stamp == "" {
		return []string{" "}
	}
	return []string{" " + stamp + " "}
}

func short(s string, n int) string {
	s, _ = clip(s, n)
	return s
}

// clusterSegment is whose cluster this is. Whoever is armed sees it whatever else
// is cut.
func (m *model) clusterSegment() segment {
	says := []string{m.state.Cluster, short(m.state.Cluster, 12), short(m.state.Cluster, 9)}
	if !m.armed() {
		says = append(says, "")
	}
	return segment{p: m.st.strong, says: says, rank: 4}
}

// clockOnScreen has seconds only while something is wrong: nothing ticks on a
// quiet screen. It always takes the same room, and hours and minutes keep
// their place.
func (m *model) clockOnScreen() string {
	now := m.now().UTC()
	if m.troubled() {
		return now.Format("15:04:05Z")
	}
	return now.Format("15:04Z   ")
}

// settling answers whether the first round of looks is still under way: what
// is unknown then is no news. It ends when something is wrong, too.
func (m *model) settling() bool {
	v := m.view()
	switch {
	case len(m.state.Findings) > 0:
		return false
	case v == nil || v.Snapshot == nil:
		return true
	}
	for _, n := range v.Snapshot.Nodes {
		if v.Report(n.Name) == nil {
			return true
		}
	}
	young := v.Past.Since.IsZero() || v.Now.Sub(v.Past.Since) < slowPeriod
	return young && !m.state.Margin.Known && v.Elected().Truth == cluster.Unknown
}

// lookingText is said instead of what the first round has not told yet.
const lookingText = "looking…"

// marginSegment is what votes, the good copies, and what more can be lost.
func (m *model) marginSegment() segment {
	g := m.state.Margin
	if m.settling() {
		return segment{p: m.st.dim, says: []string{"votes and copies: " + lookingText, ""}, rank: 6}
	}
	votes := fmt.Sprintf("%d vote", g.Votes)
	if g.Listed > g.Votes {
		votes = fmt.Sprintf("%d of %d vote", g.Votes, g.Listed)
	}
	say := func(p paint, mark, lose, alone, tight, after string) segment {
		before := fmt.Sprintf("%s%s, ", mark, votes)
		return segment{p: p, rank: 6, says: []string{before + plural(g.Copies, "good copy", "good copies") + ", " + lose + after,
			before + plural(g.Copies, "copy", "copies") + ", " + lose, alone, tight}}
	}
	lose := fmt.Sprintf("can lose %d", g.CanLose)
	switch {
	case !g.Known && g.CanLose < 0:
		return say(m.st.amber, "? at least ", "may not serve", "? may not serve", "? may not serve", "; unknown counts as lost")
	case !g.Known:
		return say(m.st.amber, "? at least ", lose, fmt.Sprintf("? can lose at least %d", g.CanLose), "? "+lose+"+", "; unknown counts as lost")
	case g.CanLose < 0:
		return say(m.st.red, "", "! cannot serve now", "! cannot serve now", "! cannot serve", "")
	case m.state.Contradicted():
		return say(m.st.amber, "? ", lose, "? "+lose, "? "+lose, ", if the layers are right")
	case g.CanLose == 0:
		return say(m.st.amber, "", "! can lose 0", "! can lose 0", "! can lose 0", "")
	}
	return say(m.st.plain, "", lose, lose, lose, "")
}

// aheadSegment is how much of the leader's writes no follower has yet.
func (m *model) aheadSegment() segment {
	g := m.state.Margin
	if !g.AheadKnown || g.Ahead <= 0 {
		return segment{says: []string{""}}
	}
	return segment{p: m.st.dim, says: []string{"leader " + bytesText(g.Ahead) + " ahead", ""}, rank: 9}
}

// runSegment says that a plan is at work even when its box is hidden.
func (m *model) runSegment(r *cluster.PlanState) segment {
	done, all := progressOf(r)
	what := strings.TrimSpace(r.Plan.Procedure + " " + r.Plan.Node)
	return segment{p: m.st.strong, rank: 1, says: []string{
		fmt.Sprintf("running: %s, %s (g)", what, stepOf(r)),
		fmt.Sprintf("running: %s %d/%d (g)", what, done, all),
		fmt.Sprintf("running %d/%d (g)", done, all),
		fmt.Sprintf("run %d/%d (g)", done, all)}}
}

// linkSegment is silent while every link lives.
func (m *model) linkSegment() segment {
	var bad []string
	phases := map[string]int{}
	for _, n := range m.nodeList() {
		if k, ok := m.state.Links[n.Name]; ok && k.Phase != "live" {
			says := k.Phase
			if k.Waits {
				says = "waits for you (R)"
			}
			bad = append(bad, n.Name+" "+says)
			phases[k.Phase]++
		}
	}
	if len(bad) == 0 {
		return segment{p: m.st.plain, says: []string{""}}
	}
	p, mark := m.st.dim, ""
	if phases["refused"]+phases["lost"] > 0 {
		p, mark = m.st.amber, "! "
	}
	word := "not live"
	if len(phases) == 1 {
		_, word, _ = strings.Cut(bad[0], " ")
		if len(bad) > 1 {
			word = strings.Replace(word, "waits", "wait", 1)
		}
	}
	says := []string{mark + "link " + strings.Join(bad, ", "), mark + plural(len(bad), "node ", "nodes ") + word}
	if m.running() == nil { // else the mode gives way, and there is room
		says = append(says, fmt.Sprintf("%s%d %s", mark, len(bad), word))
	}
	return segment{p: p, rank: 3, says: says}
}

// legacySegment names the nodes that are reached with broken algorithms, which
// somebody has allowed.
func (m *model) legacySegment() segment {
	var nodes []string
	for _, n := range m.nodeList() {
		if m.state.Links[n.Name].Legacy != "" {
			nodes = append(nodes, n.Name)
		}
	}
	if len(nodes) == 0 {
		return segment{says: []string{""}}
	}
	return segment{p: m.st.amber, rank: 8, says: []string{"legacy SSH: " + strings.Join(nodes, ", "), "legacy SSH", "old SSH"}}
}
