package model

import "time"

// chatter is what a node's services write when nothing happens, and when they
// do it next.
type chatter struct {
	next map[string]time.Time
}

// habit is one kind of ordinary line.
type habit struct {
	name  string
	every time.Duration
	say   func(n *node)
}

// habits are the ordinary lines, at a calm rate.
var habits = []habit{
	{"status", 60 * time.Second, func(n *node) {
		if l := n.leaderl; l.alive() && l.state != initializing {
			old := l.erlang
			l.erlang = 716
			l.log("I", "status_updater:post", "status posted: %s", l.state) // invented
			l.erlang = old
		}
	}},
	{"snapshot", 4 * time.Minute, func(n *node) {
		if m := n.etcd; m.takesPart() && m.healthy() {
			m.log("I", "etcdserver: start to snapshot (applied: %d, lastsnap: %d)", m.index, m.index-5000)
			m.log("I", "etcdserver: saved snapshot at index %d", m.index)
			m.log("I", "etcdserver: compacted raft log at %d", m.index-5000)
		}
	}},
	{"purge", 9 * time.Minute, func(n *node) {
		if m := n.etcd; m.takesPart() {
			m.log("I", "fileutil: purged file %s/etcd/data/member/snap/%016x-%016x.snap successfully", varDir, m.term, m.index-25000)
		}
	}},
	{"gc", 11 * time.Minute, func(n *node) {
		if n.es.serving() {
			n.es.log("INFO", "o.e.m.j.JvmGcMonitorService", "[gc][young][%d][%d] duration [%dms], collections [1]/[1.1s], total [%dms]/[%.1fm]",
				int(n.w.now.Sub(n.service("elasticsearch").since)/time.Second), 4000+n.rnd.Intn(900), 700+n.rnd.Intn(90), 700+n.rnd.Intn(90), 3+n.rnd.Float64())
		}
	}},
	{"autovacuum", 3 * time.Minute, func(n *node) {
		if n.pg.phase == pgPrimary {
			n.pg.log("LOG:  automatic analyze of table \"opscode_chef.public.nodes\" system usage: CPU 0.0%ds/0.%02du sec elapsed 0.%02d sec", n.rnd.Intn(9), n.rnd.Intn(60), 10+n.rnd.Intn(80))
		}
	}},
	{"mapping", 13 * time.Minute, func(n *node) {
		if n.es.serving() && n.es.master == n {
			n.es.log("INFO", "o.e.c.m.MetaDataMappingService", "[chef/qZ1vU4mYQ6a] update_mapping [object]")
		}
	}},
}

func newHabits(n *node) chatter {
	c := chatter{next: map[string]time.Time{}}
	for _, h := range habits {
		c.next[h.name] = n.w.now.Add(time.Duration(n.rnd.Int63n(int64(h.every))))
	}
	return c
}

// gossip writes the ordinary lines that are due.
func (n *node) gossip() {
	for _, h := range habits {
		if n.w.now.Before(n.habits.next[h.name]) {
			continue
		}
		n.habits.next[h.name] = n.w.now.Add(h.every*3/4 + time.Duration(n.rnd.Int63n(int64(h.every)/2)))
		if n.booted() {
			h.say(n)
		}
	}
}

// backlog writes what the last quarter of an hour left in the logs, so that a
// cockpit that comes now does not find them empty.
func (w *World) backlog() {
	now := w.now
	for at := now.Add(-15 * time.Minute); at.Before(now); at = at.Add(time.Second) {
		w.now = at
		for _, n := range w.nodes {
			for _, h := range habits {
				phase := int64(h.every/time.Second) / 3 * int64(n.index+1)
				if (at.Unix()+phase)%int64(h.every/time.Second) == 0 {
					h.say(n)
				}
			}
		}
	}
	w.now = now
}
