package cluster

import (
	"fmt"
	"time"
)

func init() {
	register(
		Fact{"service-runs", "runit says run and the pid has stood for 15 s.", aboutService((*View).ServiceRuns), serviceArg},
		Fact{"service-down", "runit says that the service does not run; no answer from its supervisor is unknown.", aboutService((*View).serviceDown), serviceArg},
		Fact{"service-wanted-up", "The service does not run, and runsv wants it up: it fails to start.", aboutService((*View).serviceWantedUp), serviceArg},
		Fact{"service-restarts", "The service was started at least twice within 60 s: its pid changed, or it went down again although wanted up (history of looks).", aboutService((*View).serviceRestarts), serviceArg},
		Fact{"service-stood", "The service runs and its pid has stood for so many seconds.", askStood, serviceAndSeconds},
		Fact{"postgresql-silent", "pg_isready got no answer in the last three looks.", aboutNode((*View).postgresqlSilent), noArgs},
		Fact{"postgresql-starting", "PostgreSQL rejects connections because it is starting (pg_isready 1).", aboutNode((*View).postgresqlStarting), noArgs},
		Fact{"postgresql-start-stuck", "PostgreSQL has been starting for more than 5 minutes, and what it replays did not change in the last two minutes (pg_isready, runit, process list, history of looks).", aboutNode((*View).postgresqlStartStuck), noArgs},
		Fact{"postgresql-out", "PostgreSQL fails to start, keeps restarting, or does not answer.", aboutNode((*View).postgresqlOut), noArgs},
		Fact{"leaderl-still-checks", "PostgreSQL on the node is in trouble for less than 25 s where it leads, for less than 40 s where leaderl may hold it down: leaderl is still at it.", aboutNode((*View).leaderlStillChecks), noArgs},
		Fact{"elasticsearch-out", "Elasticsearch does not run, keeps restarting, or has run for 120 s and gives no answer over HTTP, in three looks.", aboutNode((*View).elasticsearchOut), noArgs},
		Fact{"etcd-out", "etcd does not run, keeps restarting, or has run for 30 s and is unhealthy in three looks while its peers are healthy and connect to it.", aboutNode((*View).etcdOut), noArgs},
		Fact{"leaderl-out", "leaderl does not run or keeps restarting.", aboutNode((*View).leaderlOut), noArgs},
	)
}

func (v *View) serviceDown(node, service string) Answer {
	s := v.service(node, service)
	if !s.State.Known {
		return unknownFor(node, "service."+service+".state", s.State)
	}
	ref := mention(node, "service."+service+".state", s.State)
	switch s.State.Value {
	case "run":
		return say(False, fmt.Sprintf("%s runs on %s", service, node), ref)
	case "down", "finish":
		return say(True, fmt.Sprintf("%s does not run on %s", service, node), ref)
	}
	return say(Unknown, fmt.Sprintf("runit says %q of %s on %s", s.State.Value, service, node), ref)
}

func (v *View) serviceWantedUp(node, service string) Answer {
	want := v.service(node, service).WantUp
	up := unknownFor(node, "service."+service+".want-up", want)
	if want.Known {
		words := "is not wanted up"
		if want.Value {
			words = "is wanted up"
		}
		up = say(TruthOf(want.Value), fmt.Sprintf("%s %s on %s", service, words, node), mention(node, "service."+service+".want-up", want))
	}
	return all(fmt.Sprintf("%s does not run on %s although runit wants it up", service, node), v.serviceDown(node, service), up)
}

// restartWindow is within how long two changes of a pid mean "keeps restarting".
const restartWindow = time.Minute

func (v *View) serviceRestarts(node, service string) Answer {
	state := v.service(node, service).State
	if !state.Known {
		return unknownFor(node, "service."+service+".state", state)
	}
	ref := mention(node, "service."+service+".pid", v.service(node, service).PID)
	// One that runs, by the meaning of the word, does not keep restarting: else a
	// loop would be said to go on after the restart that ended it.
	if up := v.service(node, service).InState; state.Value == "run" && up.Known && up.Value >= StandsFor {
		return say(False, fmt.Sprintf("%s on %s has stood for %s", service, node, up.Value.Round(time.Second)), ref)
	}
	if changes := v.Restarts(node, service); changes >= 2 {
		return say(True, fmt.Sprintf("%s on %s restarted %d times within 60 s", service, node, changes), ref)
	}
	return say(False, fmt.Sprintf("%s on %s does not keep restarting", service, node), ref)
}

// Restarts counts how often a service was started anew within the last minute,
// as far as looks tell: its pid was another one, or it went down, wanted up,
// after a look that had found it down already. A service that dies at once is
// never seen with a pid.
func (v *View) Restarts(node, service string) int {
	changes, last := 0, 0
	// Of the last look, where it found the service down: its beginning, since
	// runit's durations are counted back from the beginning, too.
	var before time.Time
	for _, s := range v.samples(node) {
		if v.Now.Sub(s.At) > restartWindow {
			continue
		}
		pid, known := s.PIDs[service]
		since, failed := s.Failed[service]
		switch {
		case !known:
		case pid != 0:
			if last != 0 && pid != last {
				changes++
			}
			last = pid
		case failed && !before.IsZero() && since.After(before):
			changes++
		}
		before = time.Time{}
		if known && pid == 0 {
			before = s.Began
		}
	}
	return changes
}

func askStood(v *View, b Binding) Answer {
	if b.Node == "" || len(b.Args) != 2 {
		return say(Unknown, "no node was named")
	}
	d, err := secondsArg(b.Args[1])
	if err != nil {
		return say(Unknown, err.Error())
	}
	return v.stoodFor(b.Node, b.Args[0], d)
}

func (v *View) postgresqlSilent(node string) Answer {
	c := v.report(node).PostgreSQL.Ready
	if !c.Known {
		return unknownFor(node, "postgresql.ready", c)
	}
	ref := mention(node, "postgresql.ready", c)
	if c.Value != 2 {
		return say(False, "PostgreSQL on "+node+" answers pg_isready", ref)
	}
	looks, ok := v.lastLooks(node, 3)
	if !ok {
		return say(Unknown, "PostgreSQL on "+node+" does not answer, in fewer than three looks so far", ref)
	}
	for _, s := range looks {
		if s.Ready != 2 {
			return say(False, "PostgreSQL on "+node+" does not answer, but did within the last three looks", ref)
		}
	}
	return say(True, "PostgreSQL on "+node+" does not answer, in three looks running", ref)
}

func (v *View) postgresqlStarting(node string) Answer {
	c := v.report(node).PostgreSQL.Ready
	if !c.Known {
		return unknownFor(node, "postgresql.ready", c)
	}
	ref := mention(node, "postgresql.ready", c)
	if c.Value == 1 {
		return say(True, "PostgreSQL on "+node+" is starting and rejects connections", ref)
	}
	return say(False, "PostgreSQL on "+node+" is not starting", ref)
}

// startsWithin is how long a start may take before its progress is asked for;
// progressWithin is over what time progress must show.
const (
	startsWithin   = 5 * time.Minute
	progressWithin = 110 * time.Second // a little less than the history of looks
)

func (v *View) postgresqlStartStuck(node string) Answer {
	a := all("", v.postgresqlStarting(node), v.stoodFor(node, "postgresql", startsWithin))
	if a.Truth != True {
		return a
	}
	now := v.report(node).PostgreSQL.Recovering
	if !now.Known {
		return unknownFor(node, "postgresql.recovering", now)
	}
	ref := mention(node, "postgresql.recovering", now)
	ss, since := v.samples(node), v.Now
	for i := len(ss) - 1; i >= 0 && ss[i].Ready == 1; i-- {
		if ss[i].Recovering != now.Value {
			return say(False, fmt.Sprintf("PostgreSQL on %s replays on and is at %s", node, now.Value), ref)
		}
		since = ss[i].At
	}
	if v.Now.Sub(since) < progressWithin {
		return say(Unknown, "whether PostgreSQL on "+node+" gets on with its start has not been watched for long enough", ref)
	}
	return say(True, fmt.Sprintf("PostgreSQL on %s has been starting for more than 5 minutes and does not get on", node), ref)
}

// postgresqlOut counts restarts only while PostgreSQL does not answer: one that
// has come back, after a sync say, is starting and not out.
func (v *View) postgresqlOut(node string) Answer {
	ready := v.report(node).PostgreSQL.Ready
	mute := unknownFor(node, "postgresql.ready", ready)
	if ready.Known {
		mute = say(TruthOf(ready.Value == 2), fmt.Sprintf("pg_isready on %s says %d", node, ready.Value), mention(node, "postgresql.ready", ready))
	}
	return anyOf("PostgreSQL runs and answers on "+node,
		v.serviceWantedUp(node, "postgresql"), all("", v.serviceRestarts(node, "postgresql"), mute), v.postgresqlSilent(node))
}

// leaderlStillChecks gives leaderl the time that it takes to act itself: on the
// leader its health checks; on another node, where it may hold PostgreSQL down
// on purpose, the time until what it is at has been posted and read.
func (v *View) leaderlStillChecks(node string) Answer {
	leads := v.leads(node)
	age := v.postgresqlInTrouble(node)
	switch {
	case leads.Truth == Unknown:
		return leads
	case leads.Truth == True && age < HealthChecks:
		return say(True, fmt.Sprintf("PostgreSQL on the leader %s is in trouble for %s; leaderl checks it for %s first", node, age.Round(time.Second), HealthChecks), leads.Claims...)
	case leads.Truth == True:
		return say(False, fmt.Sprintf("leaderl had its %s to act on %s", HealthChecks, node), leads.Claims...)
	case age < statePosted && v.serviceWantedUp(node, "postgresql").Truth != True:
		return say(True, fmt.Sprintf("PostgreSQL on %s is in trouble for %s; what leaderl is at there may be told %s late", node, age.Round(time.Second), statePosted))
	}
	return say(False, fmt.Sprintf("what leaderl is at on %s had %s to be told", node, statePosted))
}

// statePosted is how late cluster-status may tell a node's state: leaderl posts
// it every 10 s, the leader's key lives for 30 s, and a look takes its time.
const statePosted = 40 * time.Second

// postgresqlInTrouble is since how long, from the first look of the last minute
// that was not well; 0 when all were.
func (v *View) postgresqlInTrouble(node string) time.Duration {
	pid := 0
	for _, s := range v.samples(node) {
		if v.Now.Sub(s.At) > restartWindow {
			continue
		}
		changed := pid != 0 && s.PIDs["postgresql"] != pid
		pid = s.PIDs["postgresql"]
		if s.Ready > 0 || changed {
			return v.Now.Sub(s.At)
		}
	}
	return 0
}

func (v *View) leaderlOut(node string) Answer {
	return anyOf("leaderl runs on "+node, v.serviceDown(node, "leaderl"), v.serviceRestarts(node, "leaderl"))
}

func (v *View) etcdOut(node string) Answer {
	return anyOf("etcd runs on "+node+" and its peers get to it", v.serviceDown(node, "etcd"), v.serviceRestarts(node, "etcd"),
		all("", v.stoodFor(node, "etcd", etcdSettles), v.etcdUnhealthy(node), v.othersHoldQuorum(node), v.othersStayHealthy(node), v.etcdPeersConnect(node)))
}

// othersStayHealthy: the other members were healthy in their last five looks,
// about ten seconds. After a partition one of the members is the last to come
// back; on real ones that took up to eight seconds.
func (v *View) othersStayHealthy(node string) Answer {
	var refs []ClaimRef
	for _, peer := range v.others(node) {
		refs = append(refs, mention(peer, "etcd.health", v.report(peer).Etcd.Health))
		looks, ok := v.lastLooks(peer, 5)
		if !ok {
			return say(Unknown, "etcd on "+peer+" was looked at fewer than five times so far", refs...)
		}
		for _, s := range looks {
			if s.EtcdHealth != True {
				return say(s.EtcdHealth, "etcd on "+peer+" was not healthy, or unknown, within the last five looks", refs...)
			}
		}
	}
	return say(True, "etcd on the others was healthy in five looks running", refs...)
}

func (v *View) elasticsearchOut(node string) Answer {
	silent := v.elasticsearchSilent(node)
	return anyOf("Elasticsearch runs and answers on "+node,
		v.threeLooks(node, v.serviceDown(node, "elasticsearch"), func(s Sample) bool { pid, known := s.PIDs["elasticsearch"]; return known && pid == 0 }),
		all("", v.serviceRestarts(node, "elasticsearch"), silent),
		all("", v.stoodFor(node, "elasticsearch", 2*time.Minute),
			v.threeLooks(node, silent, func(s Sample) bool { return s.ESAnswers == False })))
}

func (v *View) elasticsearchSilent(node string) Answer {
	c := v.report(node).Elasticsearch.Answers
	if !c.Known {
		return unknownFor(node, "elasticsearch.answers", c)
	}
	ref := mention(node, "elasticsearch.answers", c)
	if c.Value {
		return say(False, "Elasticsearch on "+node+" answers", ref)
	}
	return say(True, "Elasticsearch on "+node+" does not answer", ref)
}

// threeLooks holds back a yes until the last three looks agree with it.
func (v *View) threeLooks(node string, a Answer, agrees func(Sample) bool) Answer {
	if a.Truth != True {
		return a
	}
	looks, ok := v.lastLooks(node, 3)
	if !ok {
		a.Truth, a.Sentence = Unknown, a.Sentence+", in fewer than three looks so far"
		return a
	}
	for _, s := range looks {
		if !agrees(s) {
			a.Truth, a.Sentence = False, a.Sentence+", but not in three looks running"
			return a
		}
	}
	a.Sentence += ", in three looks running"
	return a
}
