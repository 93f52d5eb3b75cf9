package tui

import (
	"fmt"
	"path"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// serviceLook is one service of a node as it is shown.
type serviceLook struct {
	name, state, note string
	mark, noteMark    cluster.Mark
	up                cluster.Truth
	loops             bool // runit starts it again and again
}

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

// serviceSum sums the services up in at most room cells, naming what does not
// run.
func (n nodeLook) serviceSum(room int) (string, cluster.Mark) {
	up, mark := 0, cluster.MarkNone
	var down, loops, unknown []string
	for _, s := range n.services {
		switch {
		case s.up == cluster.True:
			up++
		case s.loops:
			loops = append(loops, shortService(s.name))
		case s.up == cluster.False:
			down = append(down, shortService(s.name))
		default:
			unknown = append(unknown, shortService(s.name))
		}
	}
	text := fmt.Sprintf("%d of %d up", up, len(n.services))
	switch {
	case len(down)+len(loops) > 0:
		var parts []string
		if len(down) > 0 {
			parts = append(parts, strings.Join(down, " ")+" down")
		}
		if len(loops) > 0 {
			parts = append(parts, strings.Join(loops, " ")+" restarting")
		}
		named := strings.Join(parts, ", ")
		for _, says := range []string{"! " + text + ": " + named, "! " + named} {
			if len(says) <= room {
				return says, cluster.MarkLook
			}
		}
		return "! " + text, cluster.MarkLook
	case len(unknown) == len(n.services):
		return "? unknown", cluster.MarkUnknown
	case len(unknown) > 0:
		return "? " + text + ": " + strings.Join(unknown, " ") + " unknown", cluster.MarkUnknown
	}
	return text, mark
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
		if look.up == cluster.True && m.restarting(n.Name, s) {
			look = serviceLook{name: s, state: "! restarting", mark: cluster.MarkLook, up: cluster.False, loops: true}
		}
		l.services = append(l.services, look)
	}
	l.pg = l.services[3]
	if r == nil {
		l.rest = []lookRow{{text: "not looked at yet", mark: cluster.MarkUnknown}}
		return l
	}
	if d := m.now().Sub(r.Ended); d > 2*fastPeriod {
		l.age = ageText(d)
	}
	if why, reached := m.reach(n.Name, r); !reached {
		l.role, l.roleMark = why.word, why.mark
		l.rest = why.rows
		return l
	}
	l.rest = append(l.rest, m.lookCopy(&l, r)...)
	l.rest = append(l.rest, lookDisks(r), lookClock(r))
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

// lookService puts runit's claims, and the service's own, into words.
func lookService(r *cluster.Report, name string) serviceLook {
	s := serviceLook{name: name, state: "?", mark: cluster.MarkUnknown}
	if r == nil {
		return s
	}
	c := r.Services[name]
	if c.State.Known {
		in := ""
		if c.InState.Known {
			in = " " + stateTime(c.InState.Value)
		}
		switch c.State.Value {
		case "run":
			s.state, s.mark, s.up = "up"+in, cluster.MarkNone, cluster.True
		case "down":
			s.state, s.mark, s.up = "! down"+in, cluster.MarkLook, cluster.False
			if c.WantUp.Known && c.WantUp.Value {
				s.note, s.noteMark = "want up", cluster.MarkLook
			}
		default:
			s.state, s.mark, s.up = "! "+c.State.Value+in, cluster.MarkLook, cluster.Unknown
		}
	}
	if s.up != cluster.True {
		return s
	}
	switch name {
	case "postgresql":
		s.note, s.noteMark = pgNote(r)
	case "etcd":
		if h := r.Etcd.Health; h.Known && !h.Value {
			s.note, s.noteMark = "! not healthy", cluster.MarkLook
		}
	case "elasticsearch":
		s.note, s.noteMark = esNote(r)
	}
	return s
}

// restartsIn is the time in which a service that is started twice over counts
// as restarting, whatever runit calls it at the moment of a look.
const restartsIn = time.Minute

// restarting answers whether the service's process was another one at least
// twice within the last minute.
func (m *model) restarting(node, service string) bool {
	v := m.view()
	last, changes := 0, 0
	for _, s := range v.Past.Samples[node] {
		pid := s.PIDs[service]
		if pid == 0 || v.Now.Sub(s.At) > restartsIn {
			continue // down, or not known
		}
		if last != 0 && pid != last {
			changes++
		}
		last = pid
	}
	return changes >= 2
}

func pgNote(r *cluster.Report) (string, cluster.Mark) {
	p := r.PostgreSQL
	switch {
	case p.InRecovery.Known && !p.InRecovery.Value:
		return "primary", cluster.MarkNone
	case p.Ready.Known && p.Ready.Value == 1:
		return "! starting", cluster.MarkLook
	case p.Ready.Known && p.Ready.Value == 2:
		return "! no answer", cluster.MarkLook
	case !p.InRecovery.Known:
		return "?", cluster.MarkUnknown
	case !p.Receiver.Known:
		return "standby", cluster.MarkNone
	case p.Receiver.Value == "":
		return "! no WAL", cluster.MarkLook
	case strings.HasPrefix(p.Receiver.Value, "streaming"):
		return "streaming", cluster.MarkNone
	}
	return p.Receiver.Value, cluster.MarkNone
}

func esNote(r *cluster.Report) (string, cluster.Mark) {
	e := r.Elasticsearch
	switch {
	case e.Status.Known && e.Status.Value != "green":
		return "! " + e.Status.Value, cluster.MarkLook
	case e.Master.Known && e.Master.Value:
		return "master", cluster.MarkNone
	}
	return "", cluster.MarkNone
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
