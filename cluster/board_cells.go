package cluster

import (
	"fmt"
	"strings"
)

// boardColumns are the layers side by side, in the order in which they are shown.
var boardColumns = []string{"leaderl", "etcd", "PostgreSQL", "cluster-status", "sentinels", "seen by"}

// Board is the disagreement board of the newest snapshot.
func (v *View) Board() Board {
	b := Board{Columns: boardColumns}
	if v.Snapshot == nil {
		return b
	}
	for _, n := range v.Snapshot.Nodes {
		r := v.Report(n.Name)
		if r == nil {
			r = &Report{Node: n.Name}
		}
		b.Rows = append(b.Rows, BoardRow{Node: n.Name, Cells: []Cell{
			v.leaderlCell(r), v.etcdCell(r), v.postgresqlCell(r), v.ctlCell(r), sentinelCell(r), v.seenByCell(n),
		}})
	}
	b.Contradictions = v.contradictions()
	return b
}

// unknownCell is a "?" with the reason behind it.
func unknownCell[T any](node, name string, c Claim[T]) Cell {
	reason := c.Reason
	if reason == "" {
		reason = "not asked yet"
	}
	return Cell{Text: "?", Mark: MarkUnknown, Why: Answer{
		Sentence: name + " of " + node + " is unknown: " + reason,
		Claims:   []ClaimRef{{Node: node, Name: name, Source: c.Source, At: c.At}},
	}}
}

// knownCell is a value with its claim.
func knownCell[T any](node, name, text string, mark Mark, c Claim[T]) Cell {
	return Cell{Text: text, Mark: mark, Why: Answer{
		Truth: True, Sentence: name + " of " + node + ": " + text,
		Claims: []ClaimRef{{Node: node, Name: name, Source: c.Source, At: c.At}},
	}}
}

// leaderlCell shows what leaderl's own port answers.
func (v *View) leaderlCell(r *Report) Cell {
	c := r.Leaderl.LeaderCode
	if !c.Known {
		return v.leaderlHeard(r, unknownCell(r.Node, "leaderl.leader-code", c))
	}
	switch c.Value {
	case 200:
		return knownCell(r.Node, "leaderl.leader-code", "leader", MarkLeader, c)
	case 503:
		return knownCell(r.Node, "leaderl.leader-code", "not leader", MarkNone, c)
	case 0:
		return knownCell(r.Node, "leaderl.leader-code", "silent", MarkLook, c) // nobody listens
	}
	return knownCell(r.Node, "leaderl.leader-code", fmt.Sprintf("answers %d", c.Value), MarkLook, c)
}

// etcdCell shows the member's health and whether it is the raft leader.
func (v *View) etcdCell(r *Report) Cell {
	h := r.Etcd.Health
	if !h.Known {
		return v.etcdHeard(r, unknownCell(r.Node, "etcd.health", h))
	}
	if !h.Value {
		return knownCell(r.Node, "etcd.health", "not healthy", MarkLook, h)
	}
	text := "member"
	if r.Etcd.RaftLeader.Known && r.Etcd.RaftLeader.Value != "" && Is(r.Etcd.MemberName, r.Etcd.RaftLeader.Value) == True {
		text = "raft leader"
	}
	if r.Etcd.RaftTerm.Known {
		text += fmt.Sprintf(", term %d", r.Etcd.RaftTerm.Value)
	}
	return knownCell(r.Node, "etcd.health", text, MarkNone, h)
}

// postgresqlCell shows primary or standby, its timeline and whom it follows.
func (v *View) postgresqlCell(r *Report) Cell {
	p := r.PostgreSQL
	if !p.InRecovery.Known {
		if Is(p.Ready, 2) == True {
			return knownCell(r.Node, "postgresql.ready", "down", MarkLook, p.Ready)
		}
		if Is(p.Ready, 1) == True {
			return knownCell(r.Node, "postgresql.ready", "starting", MarkLook, p.Ready)
		}
		return unknownCell(r.Node, "postgresql.in-recovery", p.InRecovery)
	}
	text, mark := "primary", MarkLeader
	if p.InRecovery.Value {
		text, mark = "standby", MarkNone
	} else if e := v.Elected(); e.Truth == True && e.Node != r.Node {
		mark = MarkLook
	}
	if p.Control.Known {
		text += fmt.Sprintf(", tl %d", p.Control.Value.Timeline)
	}
	return knownCell(r.Node, "postgresql.in-recovery", text, mark, p.InRecovery)
}

// ctlCell shows the role that cluster-status gives the node.
func (v *View) ctlCell(r *Report) Cell {
	role, a := v.RoleOf(r.Node)
	if a.Truth == Unknown || role == "" {
		sentence := a.Sentence
		if sentence == "" {
			sentence = "no cluster-status names " + r.Node
		}
		return Cell{Text: "?", Mark: MarkUnknown, Why: Answer{Sentence: sentence, Claims: a.Claims}}
	}
	mark := MarkLook
	switch role {
	case "leader":
		mark = MarkLeader
	case "follower":
		mark = MarkNone
	}
	return Cell{Text: role, Mark: mark, Why: a}
}

// sentinelCell names the sentinels that lie there; "-" for none.
func sentinelCell(r *Report) Cell {
	s := r.Sentinels
	if !s.NoStart.Known {
		return unknownCell(r.Node, "sentinel.no-start-pgsql", s.NoStart)
	}
	if !s.Unsynced.Known {
		return unknownCell(r.Node, "sentinel.unsynced", s.Unsynced)
	}
	var lie []string
	if s.NoStart.Value {
		lie = append(lie, "no-start-pgsql")
	}
	if s.Unsynced.Value {
		lie = append(lie, "unsynced")
	}
	if len(lie) == 0 {
		return knownCell(r.Node, "sentinel.no-start-pgsql", "-", MarkNone, s.NoStart)
	}
	return knownCell(r.Node, "sentinel", strings.Join(lie, " "), MarkLook, s.NoStart)
}

// seenByCell lists the peers that see the node over the network.
func (v *View) seenByCell(n Node) Cell {
	cell := Cell{Why: Answer{Truth: True}}
	var see, blind, unknown []string
	for _, peer := range v.Snapshot.Nodes {
		if peer.Name == n.Name {
			continue
		}
		a := v.SeenByPeer(n.Name, peer.Name)
		cell.Why.Claims = append(cell.Why.Claims, a.Claims...)
		switch a.Truth {
		case True:
			see = append(see, peer.Name)
		case False:
			blind = append(blind, peer.Name)
		default:
			unknown = append(unknown, peer.Name+"?")
		}
	}
	cell.Text = strings.Join(append(see, unknown...), " ")
	switch {
	case len(blind) > 0:
		cell.Mark = MarkLook
		cell.Why.Sentence = n.Name + " is not seen by " + strings.Join(blind, " and ")
		if len(see)+len(unknown) == 0 {
			cell.Text = "nobody"
		}
	case len(unknown) > 0:
		cell.Mark = MarkUnknown
		cell.Why.Truth = Unknown
		cell.Why.Sentence = "what " + strings.Join(unknown, " and ") + " see of " + n.Name + " is unknown"
	default:
		cell.Why.Sentence = n.Name + " is seen by " + strings.Join(see, " and ")
	}
	return cell
}
