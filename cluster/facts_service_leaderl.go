package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// hungAfter is how long a service must have run before its silence counts.
const hungAfter = time.Minute

func init() {
	register(
		Fact{"leaderl-initializing", "leaderl runs on the node, and cluster-status calls the node initializing (runit, cluster-status).", aboutNode((*View).leaderlInitializing), noArgs},
		Fact{"leaderl-initializing-everywhere", "cluster-status calls every node initializing.", aboutCluster((*View).initializingEverywhere), noArgs},
		Fact{logFact, "Raw Erlang crash terms stood at least twice in leaderl's log on the node, the last one within 2 minutes (signs); a log names the kind of a failure and never proves one.", aboutNode((*View).leaderlLogCrashes), noArgs},
		Fact{"leads-without-leaderl", "The node leads, and leaderl does not run there or keeps restarting.", aboutNode(func(v *View, n string) Answer { return all("", v.leads(n), v.leaderlOut(n)) }), noArgs},
		Fact{"epmd-out", "epmd does not run or keeps restarting.", aboutNode((*View).epmdOut), noArgs},
		Fact{"supervisor-silent", "runit's supervisor does not answer for a service of the node (sv status).", aboutNode((*View).supervisorSilent), noArgs},
		Fact{"service-hung", "leaderl or etcd has run for a minute under one pid and gives no answer at all (runit, /leader, etcd).", aboutNode((*View).serviceHung), noArgs},
	)
}

func (v *View) leaderlInitializing(node string) Answer {
	role, a := v.RoleOf(node)
	if a.Truth == True {
		a.Truth = TruthOf(role == "initializing")
	}
	return all("", a, v.ServiceRuns(node, "leaderl"))
}

func (v *View) initializingEverywhere() Answer {
	var as []Answer
	for _, n := range v.nodes() {
		as = append(as, v.leaderlInitializing(n.Name))
	}
	if len(as) == 0 {
		return say(Unknown, "no node is known")
	}
	return all("leaderl is initializing on every node", as...)
}

// crashSigns are the signs of raw Erlang terms.
var crashSigns = []string{"leaderl-crash-report", "leaderl-epmd-unreachable", "leaderl-supervisor-gave-up", "leaderl-boot-failed", "leaderl-crash-dump"}

// crashedWithin is how fresh the newest crash term must be: a loop of runit
// comes round every few seconds.
const crashedWithin = 2 * time.Minute

func (v *View) leaderlLogCrashes(node string) Answer {
	if v == nil {
		return say(Unknown, "no log has been read")
	}
	count := uint64(0)
	for _, s := range v.Signs {
		if s.Node == node && s.Service == "leaderl" && slices.Contains(crashSigns, s.Sign) && v.Now.Sub(s.Last) <= crashedWithin {
			count += s.Count
		}
	}
	if count < 2 {
		return say(False, "no raw Erlang terms repeat in leaderl's log on "+node)
	}
	return say(True, fmt.Sprintf("raw Erlang terms of a crash stand in leaderl's log on %s, %d times", node, count))
}

func (v *View) epmdOut(node string) Answer {
	return anyOf("epmd runs on "+node, v.serviceDown(node, "epmd"), v.serviceRestarts(node, "epmd"))
}

// supervisorSilent tells a supervisor that is gone from a service that was
// never set up on the node, of which sv says that the folder is missing.
func (v *View) supervisorSilent(node string) Answer {
	var as []Answer
	for _, name := range Services {
		s := v.service(node, name)
		ref := mention(node, "service."+name+".state", s.State)
		switch {
		case !s.State.Known:
			as = append(as, unknownFor(node, "service."+name+".state", s.State))
		case s.State.Value != "fail":
			as = append(as, say(False, "runit answers for "+name+" on "+node, ref))
		case strings.Contains(s.PID.Reason, "runsv not running"), strings.Contains(s.PID.Reason, "supervise"):
			as = append(as, say(True, fmt.Sprintf("sv says of %s on %s: %s", name, node, strings.TrimPrefix(s.PID.Reason, "runit: ")), ref))
		default:
			as = append(as, say(Unknown, fmt.Sprintf("sv says of %s on %s: %s", name, node, strings.TrimPrefix(s.PID.Reason, "runit: ")), ref))
		}
	}
	return anyOf("runit answers for every service on "+node, as...)
}

// serviceHung is about the two services whose own rows speak only of a process
// that is gone or of an answer that is wrong. PostgreSQL and Elasticsearch that
// do not answer are down by their own rows.
func (v *View) serviceHung(node string) Answer {
	r := v.report(node)
	mute := func(service, name string, c Claim[bool]) Answer {
		if !c.Known {
			return unknownFor(node, name, c)
		}
		s := service + " on " + node + " answers"
		if !c.Value {
			s = service + " on " + node + " gives no answer"
		}
		return say(TruthOf(!c.Value), s, mention(node, name, c))
	}
	// etcd that refuses connections has said so: etcd-down speaks of it.
	etcd := mute("etcd", "etcd.answers", r.Etcd.Answers)
	if etcd.Truth == True && r.Etcd.Health.Known {
		etcd.Truth, etcd.Sentence = False, "etcd on "+node+" refuses connections"
	}
	return anyOf("leaderl and etcd on "+node+" answer, or have not run for long",
		all("", v.stoodFor(node, "leaderl", hungAfter), mute("leaderl", "leaderl.answers", r.Leaderl.Answers)),
		all("", v.stoodFor(node, "etcd", hungAfter), etcd))
}

// answersInTrouble answers whether a service that runs and answers is still
// what a row speaks of: leaderl that never joins, an index with a part missing.
func (v *View) answersInTrouble(node, service string) Answer {
	switch service {
	case "leaderl":
		return v.leaderlInitializing(node)
	case "elasticsearch":
		return anyOf("Elasticsearch is well", v.elasticsearchRed(), v.elasticsearchThin())
	}
	return say(False, service+" on "+node+" is in no trouble of that kind")
}
