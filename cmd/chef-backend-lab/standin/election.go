//go:build linux

package standin

import "time"

// States of leaderl by the words that the product's commands show.
const (
	initializing = "initializing"
	waiting      = "waiting_for_leader"
	following    = "follower"
	promoting    = "promoting"
	leading      = "leader"
	deposed      = "deposed_leader"
)

// standTime is how long a waiting node looks around before it stands; chosen
// here, as all rules of the election are. They keep to what the vendor says
// of causes and effects, and are the ones that the simulation has.
const standTime = 2 * time.Second

// self is what a node knows of itself when it judges whether to stand.
type self struct {
	guid      string
	state     string
	since     time.Duration // in this state
	sawLeader bool          // since leaderl's start
	barred    bool          // a sentinel is there
	eligible  bool
	turning   bool // its database restarts to follow somebody: its end is known again soon
	copy      walCopy
}

// mayStand says whether a waiting node may take the leader key. A node that
// has seen no leader since it started does not know whether its copy is good
// and waits for a word: so three nodes that were all restarted elect nobody
// (chef-server issue 1473).
func mayStand(me self, c *clusterState) bool {
	if c.Leader != "" || me.barred || me.state != waiting {
		return false
	}
	if r := c.Request; r != nil && r.Target != "" {
		return r.Target == me.guid && me.copy.Whole && (r.Force || c.mayMove(me.guid))
	}
	if !c.mayMove(me.guid) || !me.sawLeader || !me.eligible || !me.copy.Whole || me.since < standTime {
		return false
	}
	for guid, p := range c.Posts {
		if guid != me.guid && standsToo(guid, p, c) && better(guid, p.Copy, me.guid, me.copy) {
			return false
		}
	}
	return true
}

// standsToo says whether another node is or will be a candidate.
func standsToo(guid string, p post, c *clusterState) bool {
	return (p.Role == waiting || p.Role == following) && p.SawLeader && p.Eligible && p.Copy.Whole && !p.Barred && c.mayMove(guid)
}

// better says whether a holds more than b; of equals the lesser GUID wins.
func better(a string, ac walCopy, b string, bc walCopy) bool {
	if ac.Timeline != bc.Timeline {
		return ac.Timeline > bc.Timeline
	}
	if ac.End != bc.End {
		return ac.End > bc.End
	}
	return a < b
}

// fit says whether a node could lead: no service has failed its checks, its
// copy is whole, no sentinel bars it, and it is not too far behind.
func fit(me self, failures map[string]int, t tunables, c *clusterState) bool {
	for service, n := range failures {
		if n >= t.maxFailures[service] {
			return false
		}
	}
	if me.barred || !me.copy.Whole && !me.turning {
		return false
	}
	if leader, ok := c.leading(); ok && leader.GUID != me.guid && me.copy.Whole {
		return int64(c.Posts[leader.GUID].Copy.End)-int64(me.copy.End) <= t.maxBehind
	}
	return true
}

// givesUp names the service whose failed checks cost a leader its place, or
// "". etcd is not among them since release 2.2: a leader without etcd loses
// its key instead.
func givesUp(failures map[string]int, t tunables) string {
	for _, service := range []string{"postgresql", "elasticsearch"} {
		if failures[service] >= t.maxFailures[service] {
			return service
		}
	}
	return ""
}

// mayPromote says why a promotion is refused, or "". It asks nothing of the
// copies: that is the operator's judgement.
func mayPromote(c *clusterState, target peer, known bool, name string) string {
	switch {
	case !known:
		return "no such node: " + name
	case c.Leader == target.GUID:
		return target.Name + " is already the leader"
	case !c.Failover:
		return "failover is disabled for the cluster"
	case !c.nodeFailover(target.GUID):
		return "failover is disabled for " + target.Name
	case c.Blocked[target.GUID]:
		return target.Name + " is blocked from becoming leader"
	}
	return ""
}
