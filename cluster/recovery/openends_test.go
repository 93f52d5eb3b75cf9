package recovery

import (
	"slices"
	"testing"

	"chef-backend-cockpit/cluster"
)

// What stays down or off is an open end of a plan that did all it was made for.
func TestOpenEndsOfPlansThatEndedWell(t *testing.T) {
	for name, c := range map[string]struct{ commands, want []string }{
		"a node stopped":  {[]string{"chef-backend-ctl stop"}, []string{"everything is stopped on be3"}},
		"a stale primary": {[]string{"chef-backend-ctl stop leaderl", "chef-backend-ctl stop postgresql", "umask 077; tar -c"}, []string{"leaderl is stopped on be3", "postgresql is stopped on be3"}},
		"a rebuild":       {[]string{"chef-backend-ctl stop leaderl", "mv -n /a/unsynced /b/", "chef-backend-ctl start"}, nil},
		"failover":        {[]string{"chef-backend-ctl set-cluster-failover off"}, []string{"failover is off"}},
		"a replacement":   {[]string{"chef-backend-ctl remove-node be3 --yes", "chef-backend-ctl cleanse --yes", "chef-backend-ctl join-cluster 10.0.4.11 --recovery --yes"}, nil},
	} {
		var p cluster.PlanState
		for _, command := range c.commands {
			p.Steps = append(p.Steps, cluster.StepState{Step: cluster.PlanStep{Node: "be3", Command: command}, Status: cluster.StatusDone, ExitKnown: true})
		}
		if got := openEnds(p, true); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
