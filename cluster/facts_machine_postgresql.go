package cluster

import "fmt"

// The product's defaults of what a leader keeps (vendor documentation).
const (
	keptSegments = 32
	segmentBytes = 16 << 20
)

func init() {
	register(
		Fact{"connections-taken", "PostgreSQL lives and has no connection left for its clients: it turned us away, or all that are not reserved are in use (psql).", aboutNode((*View).connectionsTaken), noArgs},
		Fact{"slot-holds-wal", "A replication slot that nobody uses makes PostgreSQL keep more WAL than it would keep anyway (pg_replication_slots).", aboutNode((*View).slotHoldsWAL), noArgs},
	)
}

func (v *View) connectionsTaken(node string) Answer {
	p := v.report(node).PostgreSQL
	if p.TurnedAway.Known && p.TurnedAway.Value {
		return say(True, "PostgreSQL on "+node+" lives and refuses connections: all are taken", mention(node, "postgresql.turned-away", p.TurnedAway))
	}
	if a, ok := aged(v, node, "postgresql.connections", p.Connections); !ok {
		return a
	}
	c, ref := p.Connections.Value, mention(node, "postgresql.connections", p.Connections)
	return say(TruthOf(c.Used >= c.Max-c.Reserved), fmt.Sprintf("%d of %d connections of PostgreSQL on %s are in use, %d are reserved", c.Used, c.Max, node, c.Reserved), ref)
}

func (v *View) slotHoldsWAL(node string) Answer {
	r := v.report(node)
	if a, ok := aged(v, node, "postgresql.slots", r.PostgreSQL.Slots); !ok {
		return a
	}
	p, ref := r.PostgreSQL, mention(node, "postgresql.slots", r.PostgreSQL.Slots)
	idle := false
	for _, s := range p.Slots.Value {
		idle = idle || !s.Active && s.Restart > 0
	}
	if !idle {
		return say(False, "no replication slot on "+node+" keeps WAL for nobody", ref)
	}
	at := max(p.Current.Value, p.Receive.Value, p.Replay.Value)
	if at == 0 {
		return say(Unknown, "how much WAL the replication slots on "+node+" hold is unknown: no position is known", ref)
	}
	kept := int64(keptSegments)
	if c := r.Settings.KeptSegments; c.Known {
		kept = int64(c.Value)
	}
	var as []Answer
	for _, s := range p.Slots.Value {
		if s.Active || s.Restart == 0 || s.Restart > at {
			continue
		}
		held := int64(at - s.Restart)
		as = append(as, say(TruthOf(held > kept*segmentBytes), fmt.Sprintf("replication slot %q on %s, which nobody uses, holds %s of WAL", s.Name, node, Amount(held)), ref))
	}
	return anyOf("no unused replication slot on "+node+" holds more WAL than is kept anyway", as...)
}
