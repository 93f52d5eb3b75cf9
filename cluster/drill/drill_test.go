package drill

import (
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

var start = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

var (
	right   = Target{"rebuild-follower", "be3", ""}
	task    = Task{Fault: "follower-wal-gap", Expect: []string{"follower-wal-gap@be3"}, Right: []Target{right, {"stop-node", "be3", ""}}}
	promote = Target{"promote-node", "be2", ""}
)

// after is an event so many seconds after the start; the fault strikes at 10.
func after(seconds int, e Event) Event {
	e.At = start.Add(time.Duration(seconds) * time.Second)
	return e
}

// well is an exercise that goes well; what is put in goes between.
func well(in ...Event) []Event {
	all := append([]Event{after(10, Event{Kind: Struck}), after(22, Event{Kind: Appeared, Finding: "follower-wal-gap@be3"}),
		after(40, Event{Kind: Looked, Finding: "follower-wal-gap@be3"})}, in...)
	return append(all, after(70, Event{Kind: Opened, Target: right, Tier: cluster.T2}), after(90, Event{Kind: Confirmed, Target: right, Tier: cluster.T2}),
		after(190, Event{Kind: Healthy}))
}

func TestScore(t *testing.T) {
	s := Of(task, well())
	for _, c := range []struct {
		what string
		got  Moment
		want int
	}{{"appeared", s.Appeared, 12}, {"looked", s.Looked, 30}, {"decided", s.Decided, 60}, {"begun", s.Begun, 80}, {"healthy", s.Healthy, 180}} {
		if !c.got.Known || c.got.After != time.Duration(c.want)*time.Second {
			t.Errorf("%s: %v, want %d s", c.what, c.got, c.want)
		}
	}
	if len(s.Wrong) > 0 {
		t.Errorf("wrong turns: %v", s.Wrong)
	}
}

func TestWrongTurns(t *testing.T) {
	elsewhere := Target{"rebuild-follower", "be2", ""}
	for name, c := range map[string]struct {
		in   []Event
		want []string
	}{
		"another node's plan": {[]Event{after(50, Event{Kind: Opened, Target: elsewhere, Tier: cluster.T2})}, []string{"opened the plan rebuild-follower be2"}},
		"opened twice counts once": {[]Event{after(50, Event{Kind: Opened, Target: elsewhere, Tier: cluster.T2}),
			after(55, Event{Kind: Opened, Target: elsewhere, Tier: cluster.T2})}, []string{"opened the plan rebuild-follower be2"}},
		"carried out": {[]Event{after(50, Event{Kind: Opened, Target: elsewhere, Tier: cluster.T2}), after(55, Event{Kind: Confirmed, Target: elsewhere, Tier: cluster.T2})},
			[]string{"opened the plan rebuild-follower be2", "carried out rebuild-follower be2"}},
		"a T3 without need":           {[]Event{after(55, Event{Kind: Confirmed, Target: promote, Tier: cluster.T3})}, []string{"promote-node be2, T3, without need"}},
		"a wrong phrase":              {[]Event{after(80, Event{Kind: Mistyped, Target: right, Typed: "be2"})}, []string{`typed "be2" to confirm rebuild-follower be3`}},
		"reading is none":             {[]Event{after(50, Event{Kind: Opened, Target: Target{"observe", "", ""}, Tier: cluster.T0})}, nil},
		"another part of the way":     {[]Event{after(65, Event{Kind: Opened, Target: task.Right[1], Tier: cluster.T1})}, nil},
		"before the fault it is none": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			events := well(c.in...)
			if name == "before the fault it is none" {
				events = append([]Event{after(5, Event{Kind: Opened, Target: promote, Tier: cluster.T3}), after(6, Event{Kind: Healthy})}, events...)
			}
			s := Of(task, events)
			if len(s.Wrong) != len(c.want) {
				t.Fatalf("wrong turns %v, want %q", s.Wrong, c.want)
			}
			for i, w := range c.want {
				if !strings.Contains(s.Wrong[i].Says, w) {
					t.Errorf("turn %d is %q, want %q in it", i, s.Wrong[i].Says, w)
				}
			}
			if !s.Healthy.Known || s.Healthy.After != 180*time.Second {
				t.Errorf("healthy %v", s.Healthy)
			}
		})
	}
}

func TestWhatDoesNotCount(t *testing.T) {
	if s := Of(task, []Event{after(1, Event{Kind: Looked}), after(2, Event{Kind: Healthy})}); s.Struck || s.Looked.Known || s.Healthy.Known {
		t.Errorf("before the fault: %+v", s)
	}
	s := Of(task, []Event{
		after(10, Event{Kind: Struck}),
		after(11, Event{Kind: Healthy}),                           // nothing was to be seen of it yet
		after(12, Event{Kind: Looked}),                            // at nothing in particular
		after(13, Event{Kind: Appeared, Finding: "disk-low@be1"}), // something else
		after(20, Event{Kind: Appeared, Finding: task.Expect[0]}), //
		after(21, Event{Kind: Looked, Finding: "disk-low@be1"}),   // and looked at that
	})
	if s.Healthy.Known || s.Looked.Known || s.Appeared.After != 10*time.Second {
		t.Errorf("%+v", s)
	}
}

func TestDebriefing(t *testing.T) {
	d := Debriefing{Seed: 4711, Task: task, Title: "WAL gone on the leader, be3 cannot catch up",
		Score:   Of(task, well(after(80, Event{Kind: Mistyped, Target: right, Typed: "be2"}))),
		Failure: cluster.Failure{Cause: "It needs WAL that is gone.", Section: "General Follower Recovery Process", First: "Rebuild it.", Advice: []string{"Wait for nothing."}},
		Guides:  []cluster.Procedure{{Name: "rebuild-follower", Tier: cluster.T2, Section: "General Follower Recovery Process", Summary: "Replaces PostgreSQL on {node} with a copy of {leader}."}},
		Fastest: Fastest{Known: true, Found: 11 * time.Second, Healthy: 75 * time.Second, Commands: 4, Path: []Target{right}},
		Ran:     []Ran{{"be3", "chef-backend-ctl stop leaderl"}}, Timeline: []string{"03:00:22Z P2 follower-wal-gap@be3"}, Incidents: []string{"20261124T030022Z-1"}}
	text := strings.Join(d.Paragraphs(), "\n")
	for _, want := range []string{
		"It was follower-wal-gap: WAL gone on the leader, be3 cannot catch up.", "Cause: It needs WAL", "Guide: General Follower", "Advice: Wait for nothing.",
		"The right way: rebuild-follower be3.", "Replaces PostgreSQL on be3 with a copy of the leader.",
		"12 s: the finding stood. The fastest right path: 11 s.", "3 min 00 s: all was well again. The fastest right path: 1 min 15 s.",
		"Detection took you 18 s after the finding stood, the decision 30 s more, the repair 2 min 00 s.",
		`Wrong turns: 1.`, `you typed "be2" to confirm`, "Commands that reached nodes: 1. The fastest right path: 4.", "be3: chef-backend-ctl stop leaderl",
		"03:00:22Z P2", "journal report 20261124T030022Z-1", "demo --drill --seed 4711",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	left := Debriefing{Seed: 1, Task: task}
	if text := strings.Join(left.Paragraphs(), "\n"); strings.Contains(text, task.Fault) || !strings.Contains(text, "before anything happened") {
		t.Errorf("left before the fault it says %q", text)
	}
	d.Fastest, d.Score.Healthy = Fastest{Why: "it was left before"}, Moment{}
	if text := strings.Join(d.Paragraphs(), "\n"); !strings.Contains(text, "It never came to this: all was well again.\n") || !strings.Contains(text, "not known: it was left before") {
		t.Errorf("left before the end it says\n%s", text)
	}
}

// Whoever opens the evidence as soon as it is shown may be heard before the
// finding is: that is a detection all the same.
func TestLookedBeforeItWasHeardOf(t *testing.T) {
	s := Of(task, []Event{after(10, Event{Kind: Struck}), after(12, Event{Kind: Looked}), after(22, Event{Kind: Looked, Finding: "follower-wal-gap@be3"}),
		after(23, Event{Kind: Appeared, Finding: "follower-wal-gap@be3"})})
	if !s.Looked.Known || s.Looked.After != 12*time.Second || s.Appeared.After != 12*time.Second {
		t.Errorf("looked %v, appeared %v", s.Looked, s.Appeared)
	}
}
