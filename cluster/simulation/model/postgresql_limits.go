package model

import (
	"fmt"
	"time"
)

// Limits of PostgreSQL as the product sets them.
const (
	maxConnections      = 350
	reservedConnections = 3 // for superusers: superuser_reserved_connections
	usualClients        = 41

	clientRefusal   = "FATAL:  sorry, too many clients already"
	reservedRefusal = "FATAL:  remaining connection slots are reserved for non-replication superuser connections"
)

// slot is a replication slot. An inactive one keeps WAL for a client that may
// never come back.
type slot struct {
	name   string
	active bool
	start  uint64 // restart_lsn
}

// keptBySlots is the oldest segment to keep, given what else is kept.
func (g *postgres) keptBySlots(keep uint64) uint64 {
	for _, s := range g.slots {
		keep = min(keep, segment(s.start))
	}
	return keep
}

// use are the connections in use, psql's own included, and the rows of
// pg_replication_slots.
func (g *postgres) use() []string {
	rows := []string{fmt.Sprintf("connections|%d|%d|%d", g.clients+1, maxConnections, reservedConnections)}
	for _, s := range g.slots {
		active := "f"
		if s.active {
			active = "t"
		}
		rows = append(rows, fmt.Sprintf("slot|%s|%s|%s", s.name, active, lsn(s.start)))
	}
	return rows
}

// copies slows a base backup down; false: it stands still. Its beginning moves
// with the time that it loses.
func (g *postgres) copies(b *backup) bool {
	if g.drag < 0 {
		b.begun = b.begun.Add(Step)
		return false
	}
	if g.drag > 1 {
		b.begun = b.begun.Add(Step - time.Duration(float64(Step)/g.drag))
	}
	return true
}
