package tui

import (
	"fmt"
	"path"
	"strings"

	"chef-backend-cockpit/cluster"
)

// lookRow is one further row about a node.
type lookRow struct {
	label, text, note string
	mark, noteMark    cluster.Mark
}

// nodeLook is what the screen says of a node: claims in words, nothing
// concluded. Roles come from the board, which is made by others.
type nodeLook struct {
	node     cluster.Node
	place    int
	role     string
	roleMark cluster.Mark
	age      string
	services []serviceLook
	pg       serviceLook
	lag      string
	lagMark  cluster.Mark
	rest     []lookRow
}

func (n nodeLook) roleText() string {
	if n.roleMark == cluster.MarkNone || n.roleMark == cluster.MarkLeader || strings.HasPrefix(n.role, string(n.roleMark)) {
		return n.role
	}
	return string(n.roleMark) + " " + n.role
}

// pgText is PostgreSQL in one word where there is a row for a node only.
func (n nodeLook) pgText() string {
	if n.pg.note != "" {
		return n.pg.note
	}
	return n.pg.state
}

func (n nodeLook) pgMark() cluster.Mark {
	if n.pg.note != "" {
		return n.pg.noteMark
	}
	return n.pg.mark
}

// lookAt puts a node's newest report into words.
func (m *model) lookAt(n cluster.Node, place int) nodeLook {
	l := nodeLook{node: n, place: place, role: "?", roleMark: cluster.MarkUnknown, lag: "?", lagMark: cluster.MarkUnknown}
	if c, ok := m.roleCell(n.Name); ok {
		l.role, l.roleMark = strings.TrimPrefix(c.Text, string(c.Mark)+" "), c.Mark
	}
	r := m.view().Report(n.Name)
	for _, s := range cluster.Services {
		look := lookService(r, s)
		if look.up == cluster.True && m.view().Restarts(n.Name, s) >= 2 {
			look = serviceLook{name: s, state: "! restarting", mark: cluster.MarkLook, up: cluster.False, loops: true}
		}
		l.services = append(l.services, look)
	}
	l.pg = l.services[3]
	if r == nil {
		l.rest = []lookRow{{text: "not looked at yet", mark: cluster.MarkUnknown}}
		return l
	}
	if d := m.looked().Sub(r.Ended); d > 2*fastPeriod {
		l.age = ageText(d)
	}
	if why, reached := m.reach(n.Name, r); !reached {
		l.role, l.roleMark = why.word, why.mark
		l.rest = why.rows
		m.hear(&l)
		if marked := m.markRow(n.Name, lookRow{}); marked.label != "" {
			l.rest = append([]lookRow{marked}, l.rest...)
		}
		return l
	}
	l.rest = append(l.rest, m.lookCopy(&l, r)...)
	l.rest = append(l.rest, lookDisks(r), m.markRow(n.Name, lookClock(r)))
	l.rest = append(l.rest, m.lookMore(r)...)
	return l
}

// roleCell is the node's role as the board has it: cluster-status's word for
// it, else leaderl's.
func (m *model) roleCell(node string) (cell cluster.Cell, ok bool) {
	b := m.state.Board
	for _, row := range b.Rows {
		for i, c := range row.Cells {
			switch {
			case row.Node != node || i >= len(b.Columns):
			case b.Columns[i] == "leaderl":
				cell, ok = c, true
			case b.Columns[i] == "cluster-status" && c.Mark != cluster.MarkUnknown:
				cell, ok = c, true
			}
		}
	}
	return cell, ok
}

// reachLook is why a node cannot be looked at.
type reachLook struct {
	word string
	mark cluster.Mark
	rows []lookRow
}

func (m *model) reach(node string, r *cluster.Report) (reachLook, bool) {
	if r.Reach.Known && r.Reach.Value == cluster.Reached {
		return reachLook{}, true
	}
	k := reachLook{word: "unknown", mark: cluster.MarkUnknown}
	reason := r.Reach.Reason
	if r.Reach.Known {
		k.word, k.mark = string(r.Reach.Value), cluster.MarkLook
	}
	if link := m.state.Links[node]; link.Reason != "" {
		reason = link.Reason
	}
	if reason == "" {
		reason = "no answer"
	}
	rows := wrap(reason, max(m.w/max(len(m.nodeList()), 1)-6, 20))
	if n := paneRows - 6 + m.lay.extra; len(rows) > n {
		rows = append(rows[:n-1], strings.Join(rows[n-1:], " ")) // cut with a mark
	}
	for _, row := range rows {
		k.rows = append(k.rows, lookRow{text: row, mark: cluster.MarkUnknown})
	}
	return k, false
}

// hear shows what services of a node that is not reached answer to another one.
func (m *model) hear(l *nodeLook) {
	c, from, ok := m.view().OverNetwork(l.node.Name)
	if !ok {
		return
	}
	said := map[string]string{}
	if c.LeaderCode.Known {
		said["leaderl"] = map[int]string{200: "leader", 503: "not leader", 0: "refused"}[c.LeaderCode.Value]
	}
	if c.EtcdHealth.Known {
		said["etcd"] = map[bool]string{true: "healthy", false: "not healthy"}[c.EtcdHealth.Value]
	}
	if c.Elasticsearch.Known {
		said["elasticsearch"] = c.Elasticsearch.Value
	}
	for i := range l.services {
		if text := said[l.services[i].name]; text != "" {
			l.services[i].state, l.services[i].mark = "? "+text+" by "+from, cluster.MarkUnknown
		}
	}
}

// lookCopy says where the node's copy of the database stands.
func (m *model) lookCopy(l *nodeLook, r *cluster.Report) []lookRow {
	p := r.PostgreSQL
	timeline := "timeline ?"
	if p.Control.Known {
		timeline = fmt.Sprintf("timeline %d", p.Control.Value.Timeline)
	}
	switch {
	case !p.InRecovery.Known:
		row := lookRow{label: timeline, text: "position ?", mark: cluster.MarkUnknown}
		if p.EndOfWAL.Known {
			row.text, row.mark = "ends at "+p.EndOfWAL.Value.String(), cluster.MarkNone
		}
		return []lookRow{row}
	case !p.InRecovery.Value:
		l.lag, l.lagMark = "-", cluster.MarkNone
		row := lookRow{label: timeline, text: "position ?", mark: cluster.MarkUnknown}
		if p.Current.Known {
			row.text, row.mark = p.Current.Value.String(), cluster.MarkNone
		}
		return []lookRow{row}
	}
	streams := p.Receiver.Known && p.Receiver.Value != ""
	if s := m.view().Past.Samples[l.node.Name]; len(s) > 0 && s[len(s)-1].LagKnown {
		l.lag, l.lagMark = bytesText(s[len(s)-1].LagBytes), cluster.MarkNone
		if !streams {
			l.lagMark = cluster.MarkLook
		}
	}
	behind := l.lag + " behind"
	if l.lagMark == cluster.MarkLook {
		behind = "! " + behind
	}
	return []lookRow{{label: "follows " + m.upstream(p), text: behind, mark: l.lagMark}}
}

// upstream is whom a follower follows, by name where the address is a node's.
func (m *model) upstream(p cluster.PostgreSQLClaims) string {
	if !p.Upstream.Known {
		return "?"
	}
	if n, ok := m.view().Snapshot.ByAddress(p.Upstream.Value); ok {
		return n.Name
	}
	if p.Upstream.Value == "" {
		return "nobody"
	}
	return p.Upstream.Value
}

// lookDisks names each file system once, with how full it is.
func lookDisks(r *cluster.Report) lookRow {
	row := lookRow{label: "disk", text: "?", mark: cluster.MarkUnknown}
	if !r.Host.Disks.Known {
		return row
	}
	seen := map[[2]int64]bool{}
	for _, k := range r.Host.Disks.Value {
		if k.Total <= 0 || seen[[2]int64{k.Total, k.Free}] || row.note != "" {
			continue
		}
		first := len(seen) == 0
		seen[[2]int64{k.Total, k.Free}] = true
		used := 100 - int(k.Free*100/k.Total)
		text, mark := fmt.Sprintf("%d %%", used), cluster.MarkNone
		if k.ReadOnly {
			text += " read-only"
		}
		if used >= 90 || k.ReadOnly {
			text, mark = "! "+text, cluster.MarkLook
		}
		if first {
			row = lookRow{label: shortPath(k.Path), text: text, mark: mark}
			continue
		}
		row.note, row.noteMark = path.Base(shortPath(k.Path))+" "+text, mark
	}
	return row
}

// shortPath keeps what tells two file systems apart.
func shortPath(p string) string {
	parts := strings.SplitN(strings.TrimPrefix(p, "/"), "/", 3)
	return "/" + strings.Join(parts[:min(len(parts), 2)], "/")
}

// lookClock is the clock, and any sentinel that lies on the node: a sentinel
// takes the place of a clock that is in step.
func lookClock(r *cluster.Report) lookRow {
	row := lookRow{label: "clock", text: "?", mark: cluster.MarkUnknown}
	off := false
	if c := r.Host.ClockOffset; c.Known {
		row.text, off = offsetText(c.Value)
		row.mark = cluster.MarkNone
	}
	if off {
		row.text, row.mark = "! "+row.text, cluster.MarkLook
	}
	var lie []string
	mark := cluster.MarkUnknown
	for _, s := range []struct {
		name string
		c    cluster.Claim[bool]
	}{{"no-start-pgsql", r.Sentinels.NoStart}, {"unsynced", r.Sentinels.Unsynced}} {
		switch {
		case !s.c.Known:
			lie = append(lie, "? "+s.name)
		case s.c.Value:
			lie = append(lie, "! "+s.name)
			mark = cluster.MarkLook
		}
	}
	if len(lie) > 0 {
		text := strings.Join(lie, " ")
		if off {
			text += ", clock " + strings.TrimPrefix(row.text, "! ")
		}
		return lookRow{label: "sentinels", text: text, mark: mark}
	}
	return row
}

// lookMore is shown where the panes are tall.
func (m *model) lookMore(r *cluster.Report) []lookRow {
	or := func(known bool, s string) string {
		if known {
			return s
		}
		return "?"
	}
	e, s, h := r.Etcd, r.Elasticsearch, r.Host
	health := or(e.Health.Known, map[bool]string{true: "healthy", false: "not healthy"}[e.Health.Value])
	return []lookRow{
		{label: "etcd member", text: fmt.Sprintf("%s, raft term %s", health, or(e.RaftTerm.Known, fmt.Sprint(e.RaftTerm.Value)))},
		{label: "index", text: fmt.Sprintf("%s, %s nodes", or(s.Status.Known, s.Status.Value), or(s.Nodes.Known, fmt.Sprint(s.Nodes.Value)))},
		{label: "database", text: or(r.PostgreSQL.DataBytes.Known, bytesText(r.PostgreSQL.DataBytes.Value))},
		{label: "host", text: fmt.Sprintf("up %s, version %s", or(h.Uptime.Known, stateTime(h.Uptime.Value)), or(h.Version.Known, h.Version.Value))},
	}
}

// shortService is a service's name where there is little room.
func shortService(s string) string {
	if s == "elasticsearch" {
		return "elastic"
	}
	return s
}
