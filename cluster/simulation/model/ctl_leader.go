package model

import (
	"strings"
	"time"
)

// Times of the commands that move the leader. The documents name the five
// minutes of a promotion; the others are chosen here.
const (
	requestTime = 60 * time.Second // until somebody must have acted on a request
	settleTime  = 5 * time.Second  // a new leader is watched this long
)

// ctlPromote is `promote NODE`. Its texts are invented.
func ctlPromote(p *Process, args []string) {
	if len(args) < 2 {
		p.failed("promote needs the name of a node")
		return
	}
	target := p.n.store().find(args[1])
	p.then(pause(ctlTime), act(func(p *Process) {
		if why := p.mayPromote(target, args[1]); why != "" {
			p.failed(why)
			return
		}
		p.n.store().promote = &promotion{target: target, since: p.w.now}
		p.printf("Promoting %s to leader...\n", target.name)
	}), p.leads(target), pause(settleTime), p.stays(target))
}

// leads is a stage that waits until a node leads. It gives up when the request
// has expired and the node is not being promoted.
func (p *Process) leads(target *node) stage {
	return func(p *Process) bool {
		l := target.leaderl
		asked := p.n.store().promote
		switch {
		case l.state == leading && target.pg.phase == pgPrimary:
			return true
		case (asked == nil || asked.target != target) && l.state != promoting:
			p.failed("timed out waiting for " + target.name + " to become leader")
			return true
		}
		return false
	}
}

// stays is a stage that looks whether the new leader still leads.
func (p *Process) stays(target *node) stage {
	return act(func(p *Process) {
		if target.leaderl.state != leading {
			p.failed(target.name + " did not stay leader")
			return
		}
		p.printf("%s is now the leader.\n", target.name)
	})
}

// mayPromote says why a promotion is refused, or "".
func (p *Process) mayPromote(target *node, name string) string {
	s := p.n.store()
	switch {
	case p.n.noState() != "":
		return p.n.noState()
	case target == nil:
		return "no such node: " + name
	case s.leader == target:
		return target.name + " is already the leader"
	case !s.failover:
		return "failover is disabled for the cluster"
	case !target.leaderl.failover:
		return "failover is disabled for " + target.name
	case s.blocked[target]:
		return target.name + " is blocked from becoming leader"
	}
	return ""
}

// ctlDemote is `demote`, on the leader: it ends when another node leads.
func ctlDemote(p *Process, _ []string) {
	var asked *promotion
	p.then(pause(ctlTime), act(func(p *Process) {
		switch {
		case p.n.noState() != "":
			p.failed(p.n.noState())
		case p.n.store().leader != p.n:
			p.failed("this node is not the leader")
		case !p.w.failoverOn(p.n):
			p.failed("failover is disabled")
		default:
			asked = &promotion{since: p.w.now}
			p.n.store().promote = asked
			p.printf("Demoting %s...\n", p.n.name)
		}
	}), func(p *Process) bool {
		leader := p.n.store().leader
		if leader != nil && leader != p.n && leader.leaderl.state == leading {
			p.printf("%s is now the leader.\n", leader.name)
			return true
		}
		if p.waited(2 * requestTime) {
			p.failed("timed out waiting for a new leader")
			return true
		}
		return false
	})
}

// ctlSetFailover is set-cluster-failover and set-node-failover.
func ctlSetFailover(p *Process, args []string) {
	states := map[string]bool{"on": true, "true": true, "enabled": true, "off": false, "false": false, "disabled": false}
	state, ok := states[strings.Join(args[1:], " ")]
	if !ok {
		p.failed("STATE must be on, off, true, false, enabled or disabled")
		return
	}
	p.then(pause(ctlTime), act(func(p *Process) {
		if why := p.n.noState(); why != "" {
			p.failed(why)
			return
		}
		what := "the cluster"
		if args[0] == "set-node-failover" {
			p.n.leaderl.failover, what = state, p.n.name
		} else {
			p.n.store().failover = state
		}
		word := "disabled"
		if state {
			word = "enabled"
		}
		p.printf("Failover %s for %s.\n", word, what)
	}))
}
