//go:build linux

package standin

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// status is `status [SERVICE] [--simple]`. Its exit status with something
// down is not known; here it is 0.
func (c *ctl) status() error {
	o, err := parseOptions(c.args, []string{"--simple"}, nil)
	if err != nil {
		return err
	}
	only := strings.Join(o.words, " ")
	if only != "" && !strings.HasPrefix("disks", only) && !isService(only) {
		fmt.Fprintf(c.err, "Unknown service: %s\n", only)
		return exitWith(exitFailed)
	}
	if o.has("--simple") {
		for _, name := range serviceNames {
			if only == "" || only == name {
				line := svStatus(c.ctx, name).raw
				c.printf("%s\n", strings.Replace(line, serviceDir+"/", "", 1))
			}
		}
		return nil
	}
	state, err := c.store.read(c.ctx)
	if err != nil {
		state = nil
	}
	if !strings.HasPrefix("disks", only) || only == "" {
		c.printf("%s", c.services(only, state))
	}
	if only == "" {
		c.printf("\n")
	}
	if strings.HasPrefix("disks", only) {
		c.printf("%s", c.system(state))
	}
	return nil
}

// services is the first table of `status`.
func (c *ctl) services(only string, state *clusterState) string {
	rows := [][]string{{"Service", "Local Status", "Time in State", "Distributed Node Status"}}
	for _, name := range serviceNames {
		if only != "" && only != name {
			continue
		}
		s := svStatus(c.ctx, name)
		local := "down"
		if s.up {
			local = fmt.Sprintf("running (pid %d)", s.pid)
		}
		rows = append(rows, []string{name, local, inState(s.seconds), c.distributed(name, state)})
	}
	return table(rows, true)
}

// distributed is the last column for one service.
func (c *ctl) distributed(service string, state *clusterState) string {
	switch service {
	case "epmd":
		return "status: local-only"
	case "etcd":
		healthy := 0
		for _, ok := range each(c.all(), func(p peer) bool { return storeAt(p.Address).healthy(c.ctx) }) {
			if ok {
				healthy++
			}
		}
		return fmt.Sprintf("health: %s; healthy nodes: %d/%d", shade(healthy, len(c.all())), healthy, len(c.all()))
	case "elasticsearch":
		body, ok := getText(c.ctx, "http://127.0.0.1:9200/_cluster/health?local=true")
		if !ok {
			return "error: could not reach elasticsearch" // invented
		}
		color, nodes := elasticSays(body)
		return fmt.Sprintf("state: %s; nodes online: %d/%d", color, nodes, len(c.all()))
	case "postgresql":
		if state != nil {
			if leader, ok := state.leading(); ok && opens(leader.Address, "5432") {
				return copies(state)
			}
		}
		return "error: could not reach pgsql leader for replication stats"
	}
	if state == nil {
		return "error: could not read the cluster state from etcd" // invented
	}
	return roles(state)
}

// roles is leaderl's column: the other states are not counted, only in total.
func roles(state *clusterState) string {
	count := map[string]int{}
	for _, p := range state.Posts {
		count[p.Role]++
	}
	return fmt.Sprintf("leader: %d; waiting: %d; follower: %d; total: %d", count[leading], count[waiting], count[following], len(state.Posts))
}

// copies is PostgreSQL's column, by what the leader last posted of its
// standbys.
func copies(state *clusterState) string {
	synced, syncing := map[string]bool{}, map[string]bool{}
	for _, s := range state.Posts[state.Leader].Senders {
		switch s.State {
		case "streaming":
			synced[s.Address] = true
		case "backup", "catchup", "startup":
			syncing[s.Address] = true
		}
	}
	for address := range syncing {
		delete(synced, address)
	}
	offline := max(0, len(state.Nodes)-1-len(synced)-len(syncing))
	return fmt.Sprintf("leader: 1; offline: %d; syncing: %d; synced: %d", offline, len(syncing), len(synced))
}

// system is the second table of `status`.
func (c *ctl) system(state *clusterState) string {
	full := fullDisks()
	var local []string
	for _, dir := range []string{logDir, varDir} {
		word := "OK"
		if contains(full, dir) {
			word = "LOW" // invented
		}
		local = append(local, filepath.Clean(dir)+": "+word)
	}
	healthy := 0
	if state != nil {
		for _, p := range state.Posts {
			if len(p.DisksFull) == 0 {
				healthy++
			}
		}
	}
	return table([][]string{
		{"System", "Local Status", "Distributed Node Status"},
		{"disks", strings.Join(local, "; "), fmt.Sprintf("health: %s; healthy nodes: %d/%d", shade(healthy, len(c.all())), healthy, len(c.all()))},
	}, true)
}

// clusterStatus is `cluster-status [--json]`. The first six columns are
// documented; the others and the JSON are invented after the release notes.
func (c *ctl) clusterStatus() error {
	o, err := parseOptions(c.args, []string{"--json"}, nil)
	if err != nil {
		return err
	}
	if !exists(memberFile) && len(c.members()) == 0 {
		return fmt.Errorf("this node is not part of a cluster") // invented; documented: not zero
	}
	state, err := c.store.read(c.ctx)
	if err != nil {
		return errNoState
	}
	if o.has("--json") {
		c.printf("%s", clusterJSON(state))
		return nil
	}
	c.printf("%s", clusterTable(state))
	return nil
}

// members are the members that the local etcd knows; none when it is silent.
func (c *ctl) members() []member {
	all, err := c.store.members(c.ctx)
	if err != nil {
		return nil
	}
	return all
}

var errNoState = fmt.Errorf("could not read the cluster state from etcd") // invented

// shown is what the cluster says of a node. How the product shows one that
// has fallen silent is not known; "unknown" is invented.
func shown(state *clusterState, guid string) post {
	p, live := state.Posts[guid]
	if !live {
		return post{Role: "unknown", PG: "unknown", ES: "unknown"}
	}
	return p
}

func clusterTable(state *clusterState) string {
	rows := [][]string{{"Name", "IP", "GUID", "Role", "PG", "ES", "Following", "Eligible", "Blocked"}}
	for _, n := range state.nodes() {
		p := shown(state, n.GUID)
		follows := p.Following
		if follows == "" {
			follows = "-"
		}
		rows = append(rows, []string{n.Name, n.Address, n.GUID, p.Role, p.PG, p.ES, follows, yes(p.Eligible), yes(state.Blocked[n.GUID])})
	}
	return table(rows, false)
}

func clusterJSON(state *clusterState) string {
	var blocks []string
	for _, n := range state.nodes() {
		p := shown(state, n.GUID)
		blocks = append(blocks, fmt.Sprintf(`    {
      "name": %q,
      "ip": %q,
      "guid": %q,
      "role": %q,
      "pg": %q,
      "es": %q,
      "following": %q,
      "eligible": %t,
      "blocked": %t,
      "failover_enabled": %t,
      "partially_synced": %t
    }`, n.Name, n.Address, n.GUID, p.Role, p.PG, p.ES, p.Following, p.Eligible, state.Blocked[n.GUID], state.nodeFailover(n.GUID), p.Partial))
	}
	return fmt.Sprintf("{\n  \"failover_enabled\": %t,\n  \"nodes\": [\n%s\n  ]\n}\n", state.Failover, strings.Join(blocks, ",\n"))
}

// each asks something of several nodes at once.
func each(nodes []peer, f func(peer) bool) []bool {
	answers := make([]bool, len(nodes))
	var all sync.WaitGroup
	for i, p := range nodes {
		all.Go(func() { answers[i] = f(p) })
	}
	all.Wait()
	return answers
}

// opens says whether a TCP connection to a port of a node comes about.
func opens(address, port string) bool {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(address, port), time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
