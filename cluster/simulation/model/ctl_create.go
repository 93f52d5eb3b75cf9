package model

import "fmt"

// ctlCreateCluster is `create-cluster`. Only --quorum-loss-recovery is carried
// out: founding a cluster is no recovery. Its texts are invented.
func ctlCreateCluster(p *Process, args []string) {
	f, ok := p.flags(args[1:], []string{"--quorum-loss-recovery", "-y", "--yes", "--accept-license", "--quiet", "-q", "--verbose"},
		[]string{"--elasticsearch-wait-time", "--etcd-wait-time"})
	if !ok {
		return
	}
	n := p.n
	switch {
	case n.etcd.ring == n.w.none:
		p.failed("the simulation does not found clusters")
		return
	case !f.has("--quorum-loss-recovery"):
		p.failed("this node is configured already")
		return
	}
	warning := "This resets the cluster to this node alone. Its copy of the data becomes the only one.\nThe other nodes must be down for good."
	p.then(pause(ctlTime), p.license(f.has("--accept-license")), act(func(p *Process) {
		if bar := n.barred(); bar != "" {
			p.failed(bar + " exists: the copy of this node may not lead")
		}
	}), p.proceed(warning, f.has("-y", "--yes")),
		say("Stopping leaderl..."), p.down("leaderl"),
		say("Resetting etcd to a cluster of one node..."), p.down("etcd"), act(func(p *Process) {
			n.w.standalone(n.etcd)
			n.service("etcd").start()
		}), p.etcdUp(),
		say("Forgetting the other nodes..."),
		say("Starting leaderl..."), act(func(*Process) { n.service("leaderl").start() }),
		func(*Process) bool { return n.leaderl.alive() },
		say("Waiting for this node to lead..."))
	p.force()
	p.then(say("This node is a cluster of its own now."))
}

// Restore begins what `restore` of a backup ends in: the node alone is a new
// cluster. The backup is taken to hold what the node holds; time must be
// advanced for it to come about.
func (w *World) Restore(name string) error {
	n := w.node(name)
	if n == nil || !n.booted() {
		return fmt.Errorf("%s does not run", name)
	}
	w.Exec(name, []string{"chef-backend-ctl", "create-cluster", "--quorum-loss-recovery", "--accept-license", "--yes"}, nil)
	return w.err
}

// down is a stage that stops a service and waits for its end.
func (p *Process) down(name string) stage {
	return func(p *Process) bool {
		s := p.n.service(name)
		switch {
		case s.want || s.up && s.endAt.IsZero():
			s.stop()
			return false
		case s.up && p.waited(stopWait):
			p.failed(name + " did not stop")
			return true
		}
		return !s.up
	}
}

func (p *Process) etcdUp() stage {
	return func(p *Process) bool {
		switch {
		case p.n.etcd.healthy():
			return true
		case p.waited(etcdUpTime):
			p.failed("etcd is not healthy after 1m0s")
			return true
		}
		return false
	}
}

// force makes this node the leader, whatever the switches say, and waits.
func (p *Process) force() {
	n := p.n
	p.then(act(func(p *Process) {
		n.store().promote = &promotion{target: n, since: p.w.now, force: true}
		p.printf("Promoting %s to leader...\n", n.name)
	}), p.leads(n), pause(settleTime), p.stays(n))
}

// ctlForceLeader is `force-leader`: only where nobody leads, after a look at
// the cluster, and never without a word at a terminal. It overrides
// eligibility and switches, but not the sentinels. Its texts are invented.
func ctlForceLeader(p *Process, args []string) {
	if _, ok := p.flags(args[1:], []string{"-y", "--yes"}, nil); !ok {
		return
	}
	n := p.n
	p.then(pause(ctlTime), act(func(p *Process) {
		if why := n.noState(); why != "" {
			p.failed(why)
			return
		}
		p.printf("%s\n", n.store().clusterTable())
		if n.store().leader != nil {
			p.failed("the cluster has a leader")
		} else if bar := n.barred(); bar != "" {
			p.failed(bar + " exists")
		}
	}), p.explicitly("This makes "+n.name+" the leader whatever its copy holds. It must not be used in a network partition."))
	p.force()
}
