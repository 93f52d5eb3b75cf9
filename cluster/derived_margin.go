package cluster

// standing is what one node brings to the margin.
type standing struct {
	name               string
	votes, leads, good bool // good: a copy that streams
	heir               bool // a good follower that leaderl could promote
}

// Margin says how much more can be lost: the greatest k for which, whatever k
// further nodes go, an etcd majority of the listed members stays, the leader
// or an heir stays, and enough followers stay. Unknown counts as lost, and so
// does a node in planned work.
func (v *View) Margin() Margin {
	m, _ := v.margins()
	return m
}

// margins computes the margin twice: with everything unknown counted as lost,
// and the most that it could be if everything unknown were well. A node that
// neither we nor any peer sees is lost in both.
func (v *View) margins() (least Margin, most int) {
	e := v.Elected()
	listed, known := v.listed()
	low, sure := v.standings(e, False)
	high, _ := v.standings(e, True)
	least = Margin{Listed: listed, Known: sure && known && e.Truth != Unknown}
	for _, s := range low {
		if s.votes {
			least.Votes++
		}
		if s.good || s.leads {
			least.Copies++
		}
	}
	failover := v.failoverOn()
	need, _, told := v.required()
	least.CanLose = canLose(low, demands{listed, need, failover == True})
	least.Known = least.Known && failover != Unknown && (told || e.Truth != True)
	least.Ahead, least.AheadKnown = v.ahead(e)
	return least, canLose(high, demands{listed, need, failover != False})
}

// standings reads every node; what is unknown counts as doubt says. sure tells
// whether nothing was in doubt.
func (v *View) standings(e Elected, doubt Truth) (out []standing, sure bool) {
	sure = true
	settle := func(a Answer, lost bool) bool {
		if lost {
			return false
		}
		if a.Truth == Unknown {
			sure = false
			return doubt == True
		}
		return a.Truth == True
	}
	for _, n := range v.nodes() {
		s := standing{name: n.Name}
		lost := v.Gone(n.Name).Truth == True || v.inMaintenance(n.Name)
		s.votes = settle(v.etcdHealth(n.Name), lost)
		switch {
		case e.Truth == True && e.Node == n.Name:
			s.leads = !lost
		case e.Truth == Unknown && doubt == True:
			s.leads, s.good, s.heir = !lost, !lost, !lost
		case e.Truth == True:
			s.good = settle(v.GoodFollower(n.Name), lost)
			s.heir = s.good && settle(all("", v.unblocked(n.Name),
				v.ServiceRuns(n.Name, "leaderl"), v.ServiceRuns(n.Name, "elasticsearch")), lost)
		}
		out = append(out, s)
	}
	return out, sure
}

// demands are what the nodes that stay must bring: a majority of the listed
// members, and so many followers, which is 0 where no configuration tells it.
type demands struct {
	listed, followers int
	failover          bool
}

// canLose tries every set of nodes; with at most a handful of nodes that is cheap.
func canLose(ss []standing, d demands) int {
	worst := make([]bool, len(ss)+1) // by number of nodes lost: some set fails
	for set := range 1 << len(ss) {
		lost := 0
		for i := range ss {
			lost += set >> i & 1
		}
		if !survives(ss, set, d) {
			worst[lost] = true
		}
	}
	for k, fails := range worst {
		if fails {
			return k - 1
		}
	}
	return len(ss)
}

// survives answers whether the cluster serves on when the nodes in set go.
func survives(ss []standing, set int, d demands) bool {
	votes, followers, leader, heir := 0, 0, false, false
	for i, s := range ss {
		if set>>i&1 == 1 {
			continue
		}
		if s.votes {
			votes++
		}
		if s.good {
			followers++
		}
		leader = leader || s.leads
		heir = heir || s.heir
	}
	if !leader && heir {
		followers-- // one of them becomes the leader
	}
	return d.listed > 0 && votes >= d.listed/2+1 && (leader || d.failover && heir) && followers >= d.followers
}

// failoverOn answers whether failover is enabled for the cluster.
func (v *View) failoverOn() Truth {
	for _, n := range v.nodes() {
		r := v.report(n.Name)
		if Is(r.Etcd.Health, true) == True && r.Ctl.Failover.Known {
			return TruthOf(r.Ctl.Failover.Value)
		}
	}
	return Unknown
}

// unblocked answers whether cluster-status does not call the node blocked, nor
// its failover disabled.
func (v *View) unblocked(node string) Answer {
	row, read, ok := v.row(node, true)
	switch {
	case !ok || row.Blocked == Unknown:
		return say(Unknown, "whether "+node+" is blocked is unknown: cluster-status does not tell", read.ref)
	case row.Blocked == True:
		return say(False, node+" is blocked from leading", read.ref)
	case row.Failover == False:
		return say(False, "failover is disabled for "+node, read.ref)
	}
	return say(True, node+" is not blocked from leading", read.ref)
}

// ahead is by how many bytes the leader is ahead of the best good follower.
func (v *View) ahead(e Elected) (int64, bool) {
	if e.Truth != True {
		return 0, false
	}
	p := v.report(e.Node).PostgreSQL
	if !p.Current.Known || !p.Replicas.Known {
		return 0, false
	}
	best, found := LSN(0), false
	for _, n := range v.others(e.Node) {
		if v.GoodFollower(n).Truth != True {
			continue
		}
		node, _ := v.snapshotNode(n)
		for _, r := range p.Replicas.Value {
			if SameAddress(r.Address, node.Address) && r.State == "streaming" {
				best, found = max(best, r.Replay), true
			}
		}
	}
	if !found {
		return 0, false
	}
	return max(0, int64(p.Current.Value)-int64(best)), true
}

// Gone answers whether neither we nor any other node that can be asked sees
// the node. It cannot tell a dead node from one that is cut off.
func (v *View) Gone(node string) Answer {
	as := []Answer{v.Unreachable(node)}
	if len(v.others(node)) == 0 {
		as = append(as, say(Unknown, "no peer of "+node+" is known that could see it"))
	}
	for _, peer := range v.others(node) {
		a := v.SeenByPeer(node, peer)
		a.Truth = a.Truth.Not()
		as = append(as, a)
	}
	return all(node+" is seen neither from here nor by its peers", as...)
}

// inMaintenance answers whether the operator marked the node as in planned work.
func (v *View) inMaintenance(node string) bool {
	return v != nil && v.Now.Before(v.Maintenance[node])
}
