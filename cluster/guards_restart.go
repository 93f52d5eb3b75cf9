package cluster

import (
	"fmt"
	"slices"
	"time"
)

// The guards and effects of restart-service. The service is the binding's.
func init() {
	register(
		Fact{Name: "service-is", Check: servicesArg, Ask: askServiceIs,
			Doc: "The plan's service is one of those named; decided when a plan is bound."},
		Fact{Name: "service-needs-restart", Check: noArgs, Ask: askNeedsRestart,
			Doc: "The service does not run or stand, or has had its time to start and its own health does not answer (service, and the service's own claims)."},
		Fact{Name: "service-is-well", Check: noArgs, Ask: askServiceWell,
			Doc: "The service runs for 15 s and its own health answers (service, and the service's own claims)."},
		Fact{Name: "restart-is-harmless", Check: noArgs, Ask: askHarmless,
			Doc: "The node is a follower and the cluster can lose one more node (elected leader, margin)."},
		Fact{Name: "restart-not-held-back", Check: noArgs, Ask: askNotHeldBack,
			Doc: "For postgresql: neither sentinel lies on the node, and leaderl is in no state in which it holds PostgreSQL down on purpose (sentinel, cluster-status)."},
		Fact{Name: "other-etcd-members-healthy", Check: noArgs, Ask: askOtherEtcd,
			Doc: "For etcd: the other members are healthy, except when too few etcd processes run at all for a quorum (etcd.health, service.etcd)."},
	)
}

// ownHealth is what the service itself answers.
func (v *View) ownHealth(node, service string) Answer {
	r := v.report(node)
	switch service {
	case "leaderl":
		c := r.Leaderl.LeaderCode
		if !c.Known {
			return unknownFor(node, "leaderl.leader-code", c)
		}
		return answers(c.Value != 0, "/leader on "+node, mention(node, "leaderl.leader-code", c)) // 0: refused
	case "etcd":
		return v.etcdHealth(node)
	case "elasticsearch":
		c := r.Elasticsearch.Answers
		if !c.Known {
			return unknownFor(node, "elasticsearch.answers", c)
		}
		return answers(c.Value, "Elasticsearch on "+node, mention(node, "elasticsearch.answers", c))
	case "postgresql":
		c := r.PostgreSQL.Ready
		if !c.Known {
			return unknownFor(node, "postgresql.ready", c)
		}
		word := map[int]string{0: "accepts connections", 1: "is starting"}[c.Value]
		if word == "" {
			word = "does not answer"
		}
		return say(TruthOf(c.Value == 0), fmt.Sprintf("PostgreSQL on %s %s", node, word), mention(node, "postgresql.ready", c))
	}
	return say(True, service+" has no health of its own to ask")
}

// answers says whether somebody answers.
func answers(yes bool, who string, ref ClaimRef) Answer {
	if yes {
		return say(True, who+" answers", ref)
	}
	return say(False, who+" does not answer", ref)
}

// reached is the first question about any service: on a node that is not
// reached nothing is known of it.
func (v *View) reached(node string) Answer {
	c := v.report(node).Reach
	if !c.Known {
		return unknownFor(node, "reach", c)
	}
	if c.Value != Reached {
		return say(Unknown, fmt.Sprintf("%s cannot be asked: %s", node, c.Value), mention(node, "reach", c))
	}
	return say(True, node+" is reached", mention(node, "reach", c))
}

func askServiceWell(v *View, b Binding) Answer {
	if a := v.reached(b.Node); a.Truth != True {
		return a
	}
	return all(fmt.Sprintf("%s on %s runs and answers", b.Service, b.Node),
		v.ServiceRuns(b.Node, b.Service), v.ownHealth(b.Node, b.Service))
}

// settling is how long a started service may give no answer without meaning
// anything.
var settling = map[string]time.Duration{"etcd": etcdSettles, "elasticsearch": 2 * time.Minute}

// askNeedsRestart: what stands and is on its way up gets its time; a
// PostgreSQL that is starting would have to begin anew. What has not stood for
// 15 s may be what keeps falling over.
func askNeedsRestart(v *View, b Binding) Answer {
	a := askServiceWell(v, b)
	a.Truth = a.Truth.Not()
	if a.Truth == False {
		if t := v.answersInTrouble(b.Node, b.Service); t.Truth == True {
			return t
		}
		a.Sentence += ": nothing to restart"
	}
	if a.Truth != True || v.serviceRestarts(b.Node, b.Service).Truth == True {
		return a
	}
	s := v.service(b.Node, b.Service)
	grace := settling[b.Service]
	switch {
	case Is(s.State, "run") != True || !s.InState.Known || s.InState.Value < StandsFor:
		return a
	case b.Service == "postgresql" && Is(v.report(b.Node).PostgreSQL.Ready, 1) == True:
		return say(False, "PostgreSQL on "+b.Node+" is starting: restarting it would begin that anew", a.Claims...)
	case s.InState.Value < grace:
		return say(False, fmt.Sprintf("%s on %s started only %s ago and has %s", b.Service, b.Node, s.InState.Value.Round(time.Second), grace), a.Claims...)
	}
	return a
}

func askHarmless(v *View, b Binding) Answer {
	e := v.Elected()
	if e.Truth != True {
		a := e.Answer
		a.Truth = e.Truth
		return a
	}
	if e.Node == b.Node {
		return say(False, b.Node+" is the elected leader", e.Answer.Claims...)
	}
	m := v.Margin()
	if m.CanLose < 1 {
		return say(False, "the cluster can lose no further node")
	}
	return say(True, fmt.Sprintf("%s is a follower and the cluster can lose %d", b.Node, m.CanLose))
}

func askNotHeldBack(v *View, b Binding) Answer {
	if b.Service != "postgresql" {
		return say(True, "no sentinel holds "+b.Service)
	}
	held := askRole(v, Binding{Node: b.Node, Args: []string{"waiting_for_leader", "promoting", "deposed_leader", "initializing"}})
	held.Truth = held.Truth.Not()
	return all("nothing holds PostgreSQL down on "+b.Node, v.without(b.Node, "no-start-pgsql"), v.without(b.Node, "unsynced"), held)
}

func askOtherEtcd(v *View, b Binding) Answer {
	if b.Service != "etcd" {
		return say(True, "etcd is not touched")
	}
	if lost := v.etcdProcessesMissing(); lost.Truth == True {
		lost.Sentence = "etcd has lost its quorum: " + lost.Sentence + ", and starting one can only help"
		return lost
	}
	var as []Answer
	for _, n := range v.others(b.Node) {
		as = append(as, v.etcdHealth(n))
	}
	return all("the other etcd members are healthy", as...)
}

// servicesArg is the check of facts that take one or more services.
func servicesArg(args []string) error {
	for _, a := range args {
		if err := serviceArg([]string{a}); err != nil {
			return err
		}
	}
	return nil
}

func askServiceIs(_ *View, b Binding) Answer {
	return say(TruthOf(slices.Contains(b.Args, b.Service)), "the service is "+b.Service)
}
