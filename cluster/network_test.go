package cluster_test

import (
	"testing"

	"chef-backend-cockpit/cluster"
)

// heard is what a service of a stranger may answer, for the better or worse.
func heard(code int, good bool) cluster.NetworkClaims {
	status := map[bool]string{true: "green", false: "red"}[good]
	return cluster.NetworkClaims{EtcdHealth: known(good), MemberName: known("be3"), RaftLeader: known("be3"),
		RaftTerm: known(uint64(412)), LeaderCode: known(code), Elasticsearch: known(status)}
}

// What is heard over the network of a node that cannot be looked at answers no
// fact: neither better nor worse, about any node, whatever the ports say.
func TestWhatIsHeardOverTheNetworkAnswersNoFact(t *testing.T) {
	for _, how := range []cluster.Reach{cluster.LoginFailed, cluster.HostKeyUnknown, cluster.Unreachable} {
		answers := func(network map[string]cluster.NetworkClaims) map[string]cluster.Truth {
			s := newStage()
			s.blind("be3", how)
			for _, n := range []string{"be1", "be2"} {
				s.at(n).Network = network
			}
			s.looks(25)
			all := map[string]cluster.Truth{}
			for _, f := range cluster.Facts() {
				if f.Check != nil && f.Check(nil) != nil {
					continue
				}
				for _, node := range []string{"", "be1", "be2", "be3"} {
					all[f.Name+"@"+node] = f.Ask(s.view, cluster.Binding{Node: node}).Truth
				}
			}
			return all
		}
		silent := answers(nil)
		if len(silent) < 200 {
			t.Fatalf("only %d answers", len(silent))
		}
		for _, code := range []int{0, 200, 503} {
			for _, good := range []bool{true, false} {
				for name, truth := range answers(map[string]cluster.NetworkClaims{addressBe3: heard(code, good)}) {
					if truth != silent[name] {
						t.Errorf("%s: %s was %s and is %s with /leader %d, %v", how, name, silent[name], truth, code, good)
					}
				}
			}
		}
	}
}

// It is shown where the node's own word is missing, with who heard it, and
// stays unknown; the node's own word always goes before.
func TestWhatIsHeardOverTheNetworkIsShownAsHearsay(t *testing.T) {
	s := newStage()
	s.at("be1").Network = map[string]cluster.NetworkClaims{addressBe3: heard(200, true), addressBe2: heard(200, true)}
	s.blind("be3", cluster.LoginFailed)
	s.looks(2)
	b := s.view.Board()
	for i, want := range map[int]string{0: "leader by be1", 1: "raft leader by be1", 2: "?", 4: "?"} {
		c := b.Rows[2].Cells[i]
		if c.Text != want || c.Mark != cluster.MarkUnknown || c.Why.Truth != cluster.Unknown {
			t.Errorf("%s of be3: %+v", b.Columns[i], c)
		}
	}
	why := b.Rows[2].Cells[0].Why
	if last := why.Claims[len(why.Claims)-1]; last.Node != "be1" || last.Source != "" && last.Source != cluster.SourceLeaderl || last.Name != "network."+addressBe3+".leaderl-leader-code" {
		t.Errorf("behind it: %+v", last)
	}
	if c := b.Rows[1].Cells[0]; c.Text != "not leader" || c.Mark != cluster.MarkNone {
		t.Errorf("of be2, which was looked at: %+v", c)
	}
	if len(b.Contradictions) > 0 {
		t.Errorf("hearsay contradicts: %v", b.Contradictions)
	}
	names := map[string]bool{}
	for _, c := range s.view.Report("be1").Claims() {
		names[c.Name] = true
	}
	if !names["network."+addressBe3+".etcd-health"] {
		t.Error("the claims of be1 do not list what it heard")
	}
}
