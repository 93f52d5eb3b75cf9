package model

import (
	"fmt"
	"strings"
	"time"
)

// ctlTime is what chef-backend-ctl takes to gather a status.
const ctlTime = time.Second

// table lays cells out as the product does: padded to the widest cell, two
// spaces between columns. full pads the last column too.
func table(rows [][]string, full bool) string {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(c))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		for i, c := range r {
			if i > 0 {
				b.WriteString("  ")
			}
			if i < len(r)-1 || full {
				c = fmt.Sprintf("%-*s", widths[i], c)
			}
			b.WriteString(c)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// ctlStatus is `status [SERVICE] [--simple]`.
func ctlStatus(p *Process, args []string) {
	simple, only := false, ""
	for _, a := range args[1:] {
		switch {
		case a == "--simple":
			simple = true
		case !strings.HasPrefix(a, "-"):
			only = a
		}
	}
	if only != "" && only != "disk" && only != "disks" && !known(only) {
		p.errorf("Unknown service: %s\n", only)
		p.end(1)
		return
	}
	p.then(pause(ctlTime), act(func(p *Process) {
		if simple {
			for _, s := range p.n.services {
				switch {
				case only != "" && only != s.name:
				case p.n.adrift:
					p.printf("%s\n", unsupervised(s.name))
				case s.retired:
					p.printf("%s\n", noService(s.name))
				default:
					p.printf("%s\n", s.status(s.name))
				}
			}
			return
		}
		p.printf("%s", p.n.statusTables(only))
	}))
}

// statusTables are the two tables of `status`.
func (n *node) statusTables(only string) string {
	rows := [][]string{{"Service", "Local Status", "Time in State", "Distributed Node Status"}}
	for _, s := range n.services {
		if only != "" && only != s.name {
			continue
		}
		local := "down"
		if s.up {
			local = fmt.Sprintf("running (pid %d)", s.pid)
		}
		rows = append(rows, []string{s.name, local, inState(n.w.now.Sub(s.since)), n.distributed(s.name)})
	}
	text := ""
	if len(rows) > 1 {
		text = table(rows, true)
	}
	if only == "" || strings.HasPrefix(only, "disk") {
		if text != "" {
			text += "\n"
		}
		up := 0
		for _, o := range n.store().registered() {
			if n.w.talks(n, o) {
				up++
			}
		}
		text += table([][]string{
			{"System", "Local Status", "Distributed Node Status"},
			{"disks", logDir + ": OK; " + varDir + ": " + n.data.state(), fmt.Sprintf("health: %s; healthy nodes: %d/%d", shade(up, len(n.store().nodes)), up, len(n.store().nodes))},
		}, true)
	}
	return text
}

func inState(d time.Duration) string {
	s := int64(d / time.Second)
	return fmt.Sprintf("%dd %dh %dm %ds", s/86400, s/3600%24, s/60%60, s%60)
}

// shade is the colour for a count of healthy nodes. Yellow and red are
// invented: only green has been seen.
func shade(healthy, of int) string {
	switch {
	case healthy > 0 && healthy >= of:
		return "green"
	case healthy > of/2:
		return "yellow"
	}
	return "red"
}

// distributed is the last column of `status`.
func (n *node) distributed(service string) string {
	switch service {
	case "epmd":
		return "status: local-only"
	case "etcd":
		healthy := 0
		for _, m := range n.etcd.list {
			if m.healthy() && n.w.talks(n, m.n) {
				healthy++
			}
		}
		return fmt.Sprintf("health: %s; healthy nodes: %d/%d", shade(healthy, len(n.etcd.list)), healthy, len(n.etcd.list))
	case "elasticsearch":
		if !n.es.serving() {
			return "error: could not reach elasticsearch" // invented
		}
		return fmt.Sprintf("state: %s; nodes online: %d/%d", n.es.color(), len(n.es.peers()), len(n.store().nodes))
	case "postgresql":
		return n.distributedCopies()
	}
	if !n.etcd.healthy() {
		return "error: could not read the cluster state from etcd" // invented
	}
	var leader, wait, follower, total int
	for _, o := range n.store().registered() {
		post, live := n.store().post(o)
		if !live {
			continue
		}
		total++
		switch post.role {
		case leading:
			leader++
		case following:
			follower++
		case waiting:
			wait++
		}
	}
	return fmt.Sprintf("leader: %d; waiting: %d; follower: %d; total: %d", leader, wait, follower, total)
}

func (n *node) distributedCopies() string {
	leader := n.store().leader
	if !n.etcd.healthy() || leader == nil || leader.pg.phase != pgPrimary || !n.w.talks(n, leader) {
		return "error: could not reach pgsql leader for replication stats"
	}
	synced, syncing := map[*node]bool{}, map[*node]bool{}
	for _, s := range leader.pg.senders() {
		switch s.state {
		case "backup", "catchup":
			syncing[s.to] = true
		case "streaming":
			synced[s.to] = true
		}
	}
	for o := range syncing {
		delete(synced, o)
	}
	return fmt.Sprintf("leader: 1; offline: %d; syncing: %d; synced: %d", max(0, len(n.store().nodes)-1-len(synced)-len(syncing)), len(syncing), len(synced))
}

// post is a node's newest status, and whether it is fresh enough to count.
func (s *store) post(n *node) (post, bool) {
	p, ok := s.posts[n]
	return p, ok && n.w.now.Sub(p.at) <= leaderTTL
}

// ctlClusterStatus is `cluster-status [--json]`. The first six columns are
// documented; the others and the JSON are invented after the release notes.
func ctlClusterStatus(p *Process, args []string) {
	asJSON := len(args) > 1 && args[1] == "--json"
	p.then(pause(ctlTime), act(func(p *Process) {
		if why := p.n.noState(); why != "" {
			p.failed(why)
			return
		}
		if asJSON {
			p.printf("%s", p.n.store().clusterJSON())
			return
		}
		p.printf("%s", p.n.store().clusterTable())
	}))
}

func (s *store) clusterTable() string {
	rows := [][]string{{"Name", "IP", "GUID", "Role", "PG", "ES", "Following", "Eligible", "Blocked"}}
	for _, n := range s.registered() {
		p := s.shown(n)
		follows := p.following
		if follows == "" {
			follows = "-"
		}
		rows = append(rows, []string{n.name, n.address, n.guid, p.role, p.pg, p.es, follows, yes(p.eligible), yes(s.blocked[n])})
	}
	return table(rows, false)
}

// shown is what the cluster says of a node. How the product shows one that
// has fallen silent is not known; "unknown" is invented.
func (s *store) shown(n *node) post {
	p, live := s.post(n)
	if !live {
		return post{role: "unknown", pg: "unknown", es: "unknown", partial: p.partial, failover: n.leaderl.failover}
	}
	return p
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (s *store) clusterJSON() string {
	var blocks []string
	for _, n := range s.registered() {
		p := s.shown(n)
		blocks = append(blocks, fmt.Sprintf(`    {
      "name": "%s",
      "ip": "%s",
      "guid": "%s",
      "role": "%s",
      "pg": "%s",
      "es": "%s",
      "following": "%s",
      "eligible": %t,
      "blocked": %t,
      "failover_enabled": %t,
      "partially_synced": %t
    }`, n.name, n.address, n.guid, p.role, p.pg, p.es, p.following, p.eligible, s.blocked[n], p.failover, p.partial))
	}
	return fmt.Sprintf("{\n  \"failover_enabled\": %t,\n  \"nodes\": [\n%s\n  ]\n}\n", s.failover, strings.Join(blocks, ",\n"))
}
