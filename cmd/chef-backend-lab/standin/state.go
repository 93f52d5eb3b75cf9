//go:build linux

package standin

import (
	"context"
	"encoding/json"
	"net/url"
	"sort"
	"strings"
	"time"
)

// Keys of the cluster's state in etcd. Only cb/control/blocked_leaders is
// known from the product; the others are invented.
const (
	keyRoot         = "cb"
	keyLeader       = "cb/leader"                    // GUID of the leader, expires
	keyNodes        = "cb/nodes/"                    // + GUID: name and address
	keyStatus       = "cb/status/"                   // + GUID: post, expires
	keyBlocked      = "cb/control/blocked_leaders"   // JSON list of GUIDs
	keyFailover     = "cb/control/cluster_failover"  // on or off
	keyNodeFailover = "cb/control/node_failover/"    // + GUID: on or off
	keyRequest      = "cb/control/leadership_change" // request, expires
)

// Times of what is kept there.
const (
	postLife    = 30 * time.Second // a silent node's post is gone then
	requestLife = 60 * time.Second // until somebody must have acted on a request
)

// post is what a node last told the others.
type post struct {
	Role      string   `json:"role"`
	PG        string   `json:"pg"`
	ES        string   `json:"es"`
	Following string   `json:"following"`
	Eligible  bool     `json:"eligible"`
	Partial   bool     `json:"partially_synced"`
	SawLeader bool     `json:"saw_leader"`
	Barred    bool     `json:"barred"` // a sentinel is there
	DisksFull []string `json:"disks_full,omitempty"`
	Copy      walCopy  `json:"copy"`
	Senders   []sender `json:"senders,omitempty"` // of a primary
}

// sender is one row of pg_stat_replication.
type sender struct {
	Address string `json:"address"`
	State   string `json:"state"`
}

// request asks for another leader. An empty target only asks the leader to
// step down. force overrides what forbids the target to stand, except the
// sentinels.
type request struct {
	Target string `json:"target"`
	Force  bool   `json:"force"`
}

// clusterState is everything the cluster keeps in etcd, read at one moment.
type clusterState struct {
	Leader       string // "" when nobody holds the key
	Nodes        map[string]peer
	Posts        map[string]post // live ones only
	Blocked      map[string]bool
	Failover     bool
	NodeFailover map[string]bool // missing: on
	Request      *request
}

// read gets the state by way of etcd's quorum.
func (s *store) read(ctx context.Context) (*clusterState, error) {
	root, err := s.tree(ctx, keyRoot)
	if err != nil {
		return nil, err
	}
	return parseState(root), nil
}

// parseState takes what it understands; a value that is not JSON is as good
// as absent.
func parseState(root etcdNode) *clusterState {
	c := &clusterState{Nodes: map[string]peer{}, Posts: map[string]post{}, Blocked: map[string]bool{}, Failover: true, NodeFailover: map[string]bool{}}
	root.leaves(func(key, value string) {
		switch {
		case key == keyLeader:
			c.Leader = value
		case key == keyFailover:
			c.Failover = value != "off"
		case key == keyBlocked:
			var guids []string
			if json.Unmarshal([]byte(value), &guids) == nil {
				for _, g := range guids {
					c.Blocked[g] = true
				}
			}
		case key == keyRequest:
			r := &request{}
			if json.Unmarshal([]byte(value), r) == nil {
				c.Request = r
			}
		case strings.HasPrefix(key, keyNodes):
			var p peer
			if json.Unmarshal([]byte(value), &p) == nil {
				c.Nodes[p.GUID] = p
			}
		case strings.HasPrefix(key, keyStatus):
			var p post
			if json.Unmarshal([]byte(value), &p) == nil {
				c.Posts[strings.TrimPrefix(key, keyStatus)] = p
			}
		case strings.HasPrefix(key, keyNodeFailover):
			c.NodeFailover[strings.TrimPrefix(key, keyNodeFailover)] = value != "off"
		}
	})
	return c
}

// nodes are the registered nodes by name.
func (c *clusterState) nodes() []peer {
	var all []peer
	for _, p := range c.Nodes {
		all = append(all, p)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// find is the node of this name or address.
func (c *clusterState) find(name string) (peer, bool) {
	for _, p := range c.Nodes {
		if p.Name == name || p.Address == name {
			return p, true
		}
	}
	return peer{}, false
}

// nodeFailover is the switch of one node.
func (c *clusterState) nodeFailover(guid string) bool {
	on, set := c.NodeFailover[guid]
	return on || !set
}

// mayMove says whether the leadership may go to or from a node.
func (c *clusterState) mayMove(guid string) bool {
	return c.Failover && c.nodeFailover(guid) && !c.Blocked[guid]
}

// leading is the leader that has finished its promotion, by the key and by
// its own post.
func (c *clusterState) leading() (peer, bool) {
	p, known := c.Nodes[c.Leader]
	return p, known && c.Posts[c.Leader].Role == leading
}

func (s *store) register(ctx context.Context, p peer) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.put(ctx, keyNodes+p.GUID, string(raw), 0, nil)
}

func (s *store) post(ctx context.Context, guid string, p post) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.put(ctx, keyStatus+guid, string(raw), postLife, nil)
}

func (s *store) ask(ctx context.Context, r request) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.put(ctx, keyRequest, string(raw), requestLife, nil)
}

// acquire takes the leader key where nobody holds it.
func (s *store) acquire(ctx context.Context, guid string, ttl time.Duration) error {
	return s.put(ctx, keyLeader, guid, ttl, url.Values{"prevExist": {"false"}})
}

// refresh gives the own leader key its full time again.
func (s *store) refresh(ctx context.Context, guid string, ttl time.Duration) error {
	return s.put(ctx, keyLeader, guid, ttl, url.Values{"prevValue": {guid}})
}

// release gives the own leader key back.
func (s *store) release(ctx context.Context, guid string) error {
	return s.drop(ctx, keyLeader, url.Values{"prevValue": {guid}})
}

// forget removes all that the cluster keeps of a node.
func (s *store) forget(ctx context.Context, guid string, c *clusterState) error {
	for _, key := range []string{keyStatus + guid, keyNodes + guid, keyNodeFailover + guid} {
		if err := s.drop(ctx, key, nil); err != nil {
			return err
		}
	}
	if !c.Blocked[guid] {
		return nil
	}
	text, err := blockedText(c, guid)
	if err != nil {
		return err
	}
	return s.put(ctx, keyBlocked, text, 0, nil)
}
