package cluster_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/failure"
)

// planSteps are steps of a plan, each "id node status command".
func planSteps(lines ...string) (p cluster.Plan, steps []cluster.StepState) {
	for _, l := range lines {
		f := strings.SplitN(l, " ", 4)
		s := cluster.PlanStep{ID: f[0], Node: f[1], Command: f[3]}
		if strings.HasPrefix(f[1], "~") { // nothing runs there, it is only asked about
			s.Node, s.About = "", f[1][1:]
		}
		if strings.HasPrefix(f[1], "+") { // it is about that node as well
			s.Node, s.About = f[1][1:], f[1][1:]
		}
		if s.Node == "-" {
			s.Node = ""
		}
		p.Steps = append(p.Steps, s)
		steps = append(steps, cluster.StepState{Step: s, Status: cluster.Status(f[2]), ExitKnown: f[2] == "waiting"})
	}
	return p, steps
}

// A plan explains what is amiss on its own node as long as something is left to
// be done there, and on another one only while a step is at work on it: a
// leader that dies while a plan waits for a person, or for a long sync, is news.
func TestPlanExcusesWhereItIsAtWork(t *testing.T) {
	replace := []string{"1-remove be1 done chef-backend-ctl remove-node be3 --yes", "1a-machine be3 asked ",
		"6-join be3 next chef-backend-ctl join-cluster 10.0.4.11 --yes", "7-follow - next "}
	at := func(lines []string, i int, status string) []string {
		lines = slices.Clone(lines)
		f := strings.SplitN(lines[i], " ", 4)
		f[2] = status
		lines[i] = strings.Join(f, " ")
		return lines
	}
	synced := at(at(at(replace, 1, "done"), 2, "done"), 3, "running")
	alone := []string{"1-create be3 done chef-backend-ctl create-cluster --quorum-loss-recovery --yes", "2a-install +be1 asked ",
		"2b-join +be1 next chef-backend-ctl join-cluster 10.0.4.13 --yes", "2e-follow ~be1 next "}
	for name, c := range map[string]struct {
		steps  []string
		status cluster.Status
		want   []string // nodes that are excused
	}{
		"its step on the leader runs":              {at(at(replace, 0, "running"), 1, "next"), cluster.StatusRunning, []string{"be1", "be3"}},
		"its effect is waited for":                 {at(at(replace, 0, "waiting"), 1, "next"), cluster.StatusWaiting, []string{"be1", "be3"}},
		"a person is waited for":                   {replace, cluster.StatusAsked, []string{"be3"}},
		"a sync of hours":                          {synced, cluster.StatusRunning, []string{"be3"}},
		"a cluster of one waits for a new machine": {alone, cluster.StatusAsked, nil},
		"the new machine syncs":                    {at(at(at(alone, 1, "done"), 2, "done"), 3, "running"), cluster.StatusRunning, []string{"be1"}},
		"it only saves":                            {[]string{"2-save be3 running umask 077; tar -c -f /a/be3.tar -C / etc/chef-backend"}, cluster.StatusRunning, nil},
		"it only collects":                         {[]string{"1-gather be3 running chef-backend-ctl gather-logs"}, cluster.StatusRunning, nil},
		"a command of the site's own":              {[]string{"1-heap be3 running /usr/local/sbin/site-raise-heap"}, cluster.StatusRunning, []string{"be3"}},
		"it promotes from another node":            {[]string{"2-promote be1 running chef-backend-ctl promote be3"}, cluster.StatusRunning, []string{"be1", "be3"}},
		"it has ended":                             {at(at(synced, 2, "done"), 3, "done"), cluster.StatusDone, nil},
	} {
		v := newStage().view
		p, steps := planSteps(c.steps...)
		p.ID, p.Node, p.Tier = "7c1e5a02", "be3", cluster.T3
		v.Plans = []cluster.PlanState{{Plan: p, Status: c.status, Steps: steps}}
		for _, n := range stageNodes {
			if a := ask(t, v, "our-plan-runs", n.Name); (a.Truth == yes) != slices.Contains(c.want, n.Name) {
				t.Errorf("%s: %s of %s, want %v", name, a.Truth, n.Name, c.want)
			}
		}
	}
}

// What kills a leader's leaderl while a replacement waits for a person is found.
func TestLeaderDiesBesideAPlan(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	p, steps := planSteps("1-remove be1 done chef-backend-ctl remove-node be3 --yes", "1a-machine be3 asked ")
	p.ID, p.Node, p.Tier = "7c1e5a02", "be3", cluster.T3
	s.view.Plans = []cluster.PlanState{{Plan: p, Status: cluster.StatusAsked, Steps: steps}}
	for _, n := range []string{"be1", "be3"} {
		s.at(n).Services["leaderl"] = service("down", 0, time.Minute)
	}
	fs, _ := watchRow(e, s, 10)
	if got := unhidden(fs); !slices.Equal(got, []string{"leaderl-down@be1"}) || fs[0].Priority != cluster.P1 {
		t.Errorf("stands %v%s", got, explain(fs))
	}
}

// An election is ours where a plan took the old leader out then, not where one
// once ran something there.
func TestElectionsOfOurs(t *testing.T) {
	for ago, want := range map[time.Duration][]string{time.Hour: {"leadership-flapping"}, 3 * time.Minute: nil} {
		s, e := newStage(), failure.NewEngine(load(t).Failures)
		elections("be1", "be2", "be1", "be2")(s)
		p, steps := planSteps("1-remove be1 done chef-backend-ctl remove-node be3 --yes", "1a-machine be3 asked ")
		p.ID, p.Node, p.Tier = "7c1e5a02", "be3", cluster.T3
		steps[0].Began, steps[0].Ended = s.now.Add(-ago), s.now.Add(-ago+time.Minute)
		s.view.Plans = []cluster.PlanState{{Plan: p, Status: cluster.StatusAsked, Steps: steps, Began: s.now.Add(-2 * time.Hour)}}
		if fs, _ := watchRow(e, s, 2); !slices.Equal(unhidden(fs), want) {
			t.Errorf("it ran %s ago: stands %v, want %v", ago, unhidden(fs), want)
		}
	}
}

// What a plan left open holds up the node that it is about, and no other.
func TestHalfDoneIsWhatTheOpenEndNames(t *testing.T) {
	for name, c := range map[string]struct {
		open []string
		half []string // nodes that may not be started
	}{
		"a replacement":      {[]string{"be3 is no member any more: losing either of the others stops the cluster"}, []string{"be3"}},
		"a stop of leaderl":  {[]string{"leaderl is stopped on be3"}, []string{"be3"}},
		"on the other node":  {[]string{`what came of "remove it" on be1 is unknown`}, []string{"be1"}},
		"no node is named":   {[]string{"the copy may be incomplete"}, []string{"be3"}},
		"a longer name":      {[]string{"leaderl is stopped on be10"}, []string{"be3"}},
		"it left nothing":    {nil, nil},
		"two nodes are left": {[]string{"be3 is no member any more: so", "leaderl is stopped on be2"}, []string{"be2", "be3"}},
	} {
		v := newStage().view
		p, steps := planSteps("1-remove be1 done chef-backend-ctl remove-node be3 --yes", "1a-machine be3 stopped ")
		p.ID, p.Node, p.Tier = "7c1e5a02", "be3", cluster.T3
		v.Plans = []cluster.PlanState{{Plan: p, Status: cluster.StatusStopped, Steps: steps, OpenEnds: c.open}}
		for _, n := range stageNodes {
			half := slices.Contains(c.half, n.Name)
			if a := ask(t, v, "no-half-done-plan", n.Name); (a.Truth == no) != half {
				t.Errorf("%s: %s on %s: %s", name, a.Truth, n.Name, a.Sentence)
			}
			if a := ask(t, v, "our-plan-left-open", n.Name); (a.Truth == yes) != half {
				t.Errorf("%s: left open %s on %s: %s", name, a.Truth, n.Name, a.Sentence)
			}
		}
	}
}

// What a plan left open is closed by one that ends well about the node, and
// neither by one that only collects nor by the restart of some service.
func TestOpenEndIsClosedByARepair(t *testing.T) {
	for name, c := range map[string]struct {
		procedure, service, step string
		half                     bool
	}{
		"a rebuild":  {"rebuild-follower", "", "3-basebackup be3 done PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup 10.0.4.11", false},
		"collecting": {"support-bundle", "", "1-gather be3 done chef-backend-ctl gather-logs", true},
		"a copy":     {"backup-nodes", "", "2-save be3 done umask 077; tar -c -f /a/be3.tar -C / etc/chef-backend", true},
		"a restart":  {"restart-service", "etcd", "1-restart be3 done chef-backend-ctl restart etcd", true},
	} {
		v := newStage().view
		left, steps := planSteps("1-stop be3 done chef-backend-ctl stop leaderl", "3-basebackup be3 failed chef-backend-ctl pgsql-follow x")
		left.ID, left.Node, left.Tier, left.Procedure = "7c1e5a02", "be3", cluster.T2, "rebuild-follower"
		later, done := planSteps(c.step)
		later.ID, later.Node, later.Tier, later.Procedure = "7c1e5a03", "be3", cluster.T1, c.procedure
		later.Service = c.service
		v.Plans = []cluster.PlanState{
			{Plan: left, Status: cluster.StatusFailed, Steps: steps, OpenEnds: []string{"leaderl is stopped on be3"}},
			{Plan: later, Status: cluster.StatusDone, Steps: done},
		}
		for fact, half := range map[string]cluster.Truth{"no-half-done-plan": no, "our-plan-left-open": yes} {
			if a := ask(t, v, fact, "be3"); (a.Truth == half) != c.half {
				t.Errorf("%s: %s %s: %s", name, fact, a.Truth, a.Sentence)
			}
		}
	}
}
