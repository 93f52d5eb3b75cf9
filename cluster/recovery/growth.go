package recovery

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// growth watches the size of a node's data directory while a copy is pulled:
// pg_basebackup may say nothing for long, and a join says nothing at all.
type growth struct {
	node  string // "" where no copy is expected
	bytes int64  // newest known size; -1 before the first
	moved time.Time
}

// growth is for the node whose copy a step's command or effects are about.
func (r *run) growth(s cluster.PlanStep) *growth {
	g := &growth{bytes: -1, moved: r.x.o.Clock.Now()}
	pulls := strings.Contains(s.Command, " pgsql-follow ") || strings.Contains(s.Command, " join-cluster ")
	if pulls || slices.ContainsFunc(s.Effects, func(q cluster.Question) bool { return q.Fact == "good-follower" && !q.Not }) {
		g.node = bound(&r.plan, s).Node
	}
	return g
}

// look reads the newest size: how far the copy is of the elected leader's, and
// what is to be said when nothing grew for long. Nothing is ended for it.
func (g *growth) look(v *cluster.View, now time.Time) (progress, still string) {
	r := v.Report(g.node)
	if r == nil || !r.PostgreSQL.DataBytes.Known {
		return "", ""
	}
	size := r.PostgreSQL.DataBytes.Value
	if size != g.bytes {
		if g.bytes >= 0 {
			g.moved = now
		}
		g.bytes = size
	}
	progress = cluster.Amount(size)
	e := v.Elected()
	if l := v.Report(e.Node); e.Truth == cluster.True && l != nil && l.PostgreSQL.DataBytes.Known && l.PostgreSQL.DataBytes.Value > 0 {
		whole := l.PostgreSQL.DataBytes.Value
		progress = fmt.Sprintf("%s of %s, %d %%", cluster.Amount(size), cluster.Amount(whole), min(100, 100*size/whole))
	}
	if quiet := now.Sub(g.moved); quiet >= stillAfter {
		still = fmt.Sprintf("the data directory of %s is still for %s, at %s; nothing is ended for it", g.node, quiet.Truncate(time.Minute), cluster.Amount(size))
	}
	return progress, still
}
