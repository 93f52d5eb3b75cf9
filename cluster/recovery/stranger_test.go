package recovery

import (
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
)

// A machine that took a member's place under its name, and has not its address in
// the cluster, is never acted on; where its addresses are not told nothing is
// concluded. The step's own look does not ask for them: the newest slow look tells.
func TestAnotherMachineUnderANodesNameIsNotActedOn(t *testing.T) {
	own := "be2: chef-backend-ctl restart elasticsearch"
	further := "be3: chef-backend-ctl restart elasticsearch"
	for name, c := range map[string]struct {
		addresses []string
		fastOnly  bool
		status    cluster.Status
		sentence  string
		ran       []string
	}{
		"its own":     {[]string{"172.17.0.1", "10.0.4.13"}, false, cluster.StatusDone, "", []string{own, further, further}},
		"mapped":      {[]string{"::ffff:10.0.4.13"}, false, cluster.StatusDone, "", []string{own, further, further}},
		"not told":    {nil, false, cluster.StatusDone, "", []string{own, further, further}},
		"another":     {[]string{"10.0.9.13", "172.17.0.1"}, false, cluster.StatusRefused, "the machine that answers as be3 has not the address 10.0.4.13 (it has 10.0.9.13, 172.17.0.1): it is another machine; step 2 did not run", []string{own}},
		"told before": {[]string{"10.0.9.13"}, true, cluster.StatusRefused, "it is another machine", []string{own}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.extra = []cluster.Procedure{both(false)}
			w.nodes["be3"].addresses = c.addresses
			w.lookAll()
			w.slowHangs = c.fastOnly
			x := w.executor()
			plan := w.confirmed(x, "both", "be2", "")
			w.asked(cluster.AskPhrase)
			if _, err := x.Confirm(plan.ID, "be3"); err != nil {
				t.Fatal(err)
			}
			if p := w.done(x); p.Status != c.status || !strings.Contains(p.Sentence, c.sentence) || !slices.Equal(w.ran, c.ran) {
				t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
			}
		})
	}
}
