package failure

import (
	"slices"
	"sort"
	"time"

	"chef-backend-cockpit/cluster"
)

// arrange folds consequences under their causes, marks what came first, and
// puts the findings in the order in which they are shown.
func arrange(cs []candidate, v *cluster.View) []cluster.Finding {
	over := make([]int, len(cs))
	for i := range cs {
		over[i] = hider(cs, i)
	}
	fs := make([]cluster.Finding, len(cs))
	for i := range cs {
		fs[i] = cs[i].finding(v)
	}
	top := make([]int, len(cs))
	for i := range cs {
		top[i] = root(over, i)
		if top[i] != i {
			fs[i].Under = fs[top[i]].ID()
		}
	}
	markFirst(fs)
	return inOrder(cs, fs, top)
}

// release lets what was folded under a finding that has gone stand the test
// anew: most consequences end a look or two after their cause, and would flash
// up alone until then. P1 rows that the newest look does not deny wait for nothing.
func (e *Engine) release(standing []candidate, now time.Time) []candidate {
	there := map[string]bool{}
	for _, c := range standing {
		there[c.id()] = true
	}
	left := make([]candidate, 0, len(standing))
	for i, c := range standing {
		orphan := slices.ContainsFunc(e.last, func(f cluster.Finding) bool {
			return f.ID() == c.id() && f.Under != "" && !there[f.Under]
		})
		if !orphan || c.priority == cluster.P1 && c.truth != cluster.False || hider(standing, i) >= 0 {
			left = append(left, c)
			continue
		}
		e.states[c.id()] = &state{
			facts:      span{}.next(c.facts, now, 0),
			askedSince: sinceWhen(time.Time{}, c.asked, now),
		}
	}
	return left
}

// hider finds the candidate that folds candidate i, -1 for none: of several
// the gravest, then the first of the catalogue. Where two hide each other only
// the one that ranks higher does.
func hider(cs []candidate, i int) int {
	best := -1
	for j := range cs {
		if i == j || !folds(cs[j], cs[i]) || folds(cs[i], cs[j]) && !outranks(cs[j], cs[i]) {
			continue
		}
		if best < 0 || outranks(cs[j], cs[best]) {
			best = j
		}
	}
	return best
}

// folds answers whether a's row hides b. A suspicion hides no certainty.
func folds(a, b candidate) bool {
	if a.certainty == cluster.Suspected && b.certainty == cluster.Confirmed {
		return false
	}
	for _, h := range a.failure.Hides {
		if h.Matches(b.failure.Name) && (h.Node == "any" || a.node == b.node) {
			return true
		}
	}
	return false
}

// outranks is the order of gravity, then of the catalogue, then of the nodes.
func outranks(a, b candidate) bool {
	if a.priority != b.priority {
		return a.priority < b.priority
	}
	if a.rank != b.rank {
		return a.rank < b.rank
	}
	return a.node < b.node
}

// root follows the hiders up to one that nobody hides. Longer circles than two
// end where they were entered.
func root(over []int, i int) int {
	seen := map[int]bool{}
	for over[i] >= 0 && !seen[i] {
		seen[i] = true
		i = over[i]
	}
	return i
}

// markFirst marks the first-out: the oldest of those that are not folded.
func markFirst(fs []cluster.Finding) {
	first := -1
	for i, f := range fs {
		if f.Under == "" && (first < 0 || f.Since.Before(fs[first].Since)) {
			first = i
		}
	}
	if first >= 0 {
		fs[first].FirstOut = true
	}
}

// inOrder sorts by priority, age and rank, each root followed by what folds
// under it.
func inOrder(cs []candidate, fs []cluster.Finding, top []int) []cluster.Finding {
	order := make([]int, len(fs))
	for i := range order {
		order[i] = i
	}
	before := func(a, b int) bool {
		if fs[a].Priority != fs[b].Priority {
			return fs[a].Priority < fs[b].Priority
		}
		if cs[a].failure.Above != cs[b].failure.Above {
			return cs[a].failure.Above
		}
		if !fs[a].Since.Equal(fs[b].Since) {
			return fs[a].Since.Before(fs[b].Since)
		}
		return cs[a].rank < cs[b].rank
	}
	sort.SliceStable(order, func(x, y int) bool {
		a, b := order[x], order[y]
		if top[a] != top[b] {
			return before(top[a], top[b]) || !before(top[b], top[a]) && top[a] < top[b]
		}
		if (a == top[a]) != (b == top[b]) {
			return a == top[a]
		}
		return before(a, b)
	})
	out := make([]cluster.Finding, 0, len(fs))
	for _, i := range order {
		out = append(out, fs[i])
	}
	return out
}
