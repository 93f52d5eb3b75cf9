package plain

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// What is confirmed is the plan that was asked for last, or nothing. One of T0
// begins without a question.
func TestAPlanThatCouldNotBeMadeLeavesNoneToConfirm(t *testing.T) {
	for words, again := range map[string]string{"plan 1": "stop-service be2 etcd", "plan 2": "restart-service be1", "plan 9": "observe", "plan observe be2": "observe be2"} {
		s := newStage(t, cluster.Plan{ID: "7f3a0001", Procedure: "observe", Tier: cluster.T0})
		s.types("plan observe")
		s.offers = []watch.Offered{{Procedure: "stop-service", Node: "be2", Service: "etcd", Ready: true}, {Procedure: "restart-service", Node: "be1"}}
		s.door.noPlan = errors.New("be2 does not answer")
		s.types(words)
		s.said()
		s.types("confirm")
		if got := s.said(); len(s.door.confirmed) > 0 || !strings.Contains(got, "There is no plan to confirm") {
			t.Errorf("%s: handed over %q, said %q", words, s.door.confirmed, got)
		}
		s.door.noPlan = nil
		s.types("plan again")
		if got := s.door.asked[len(s.door.asked)-1]; got != again {
			t.Errorf("%s: again made %q, want %q", words, got, again)
		}
		s.types("confirm")
		if !slices.Equal(s.door.confirmed, []string{""}) {
			t.Errorf("%s: then handed over %q", words, s.door.confirmed)
		}
	}
}

func TestNothingToMakeAgain(t *testing.T) {
	s := newStage(t, rebuild(cluster.T2, "be3"))
	s.types("plan again")
	if got := s.said(); len(s.door.asked) > 0 || !strings.Contains(got, "There is no plan to make again") {
		t.Errorf("asked for %q, said %q", s.door.asked, got)
	}
}
