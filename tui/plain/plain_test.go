package plain

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

func TestOnlyThePhraseTypedAfterTheQuestionConfirms(t *testing.T) {
	for name, c := range map[string]struct {
		does func(s *stage)
		says string
		yes  bool
	}{
		"the phrase":   {func(s *stage) { s.types("be3"); s.pass(settleTime) }, "is confirmed and begins", true},
		"another word": {func(s *stage) { s.types("be2"); s.pass(settleTime) }, `"be2" is not "be3"; no: nothing was done on be3`, false},
		"nearly":       {func(s *stage) { s.types("be3 "); s.pass(settleTime) }, "nothing was done", false},
		"nothing":      {func(s *stage) { s.types(""); s.pass(settleTime) }, "No: nothing was done on be3", false},
		"with more behind it": {func(s *stage) {
			s.line(Line{Text: "be3", At: s.human.now, More: true})
			s.pass(settleTime)
		}, "as from a paste", false},
		"several lines": {func(s *stage) { s.types("be3"); s.types("be3"); s.pass(settleTime) }, "as from a paste", false},
		"a line behind it that was not read": {func(s *stage) {
			s.types("be3")
			s.input <- Line{Text: "be3", At: s.human.now}
			s.pass(settleTime)
		}, "as from a paste", false},
		"the end behind it": {func(s *stage) { s.types("be3"); close(s.input); s.pass(settleTime) }, "nothing was done", false},
		"at once": {func(s *stage) {
			s.line(Line{Text: "be3", At: s.question.at.Add(quietTime - 1)})
			s.pass(settleTime)
		}, "too soon", false},
		"read before it was put": {func(s *stage) {
			s.line(Line{Text: "be3", At: s.question.at.Add(-1)})
			s.pass(settleTime)
		}, "too soon", false},
		"after the situation changed": {func(s *stage) {
			s.door.differs = []cluster.CheckedGuard{{Answer: cluster.Answer{Truth: cluster.False, Sentence: "be3 leads"}}}
			s.change(func(*watch.State) {})
			s.types("be3")
			s.pass(settleTime)
		}, "be3 leads", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, rebuild(cluster.T2, "be3"))
			s.asks(t)
			c.does(s)
			if got := s.said(); !strings.Contains(got, c.says) {
				t.Errorf("said %q, want %q in it", got, c.says)
			}
			if got := len(s.door.confirmed) == 1; got != c.yes {
				t.Errorf("handed over %q", s.door.confirmed)
			}
			if s.question != nil {
				t.Error("the question still stands")
			}
		})
	}
}

func TestWhatIsTypedAheadOfAQuestionCountsForNothing(t *testing.T) {
	s := newStage(t, rebuild(cluster.T2, "be3"))
	s.types("plan rebuild-follower be3")
	s.types("confirm")
	s.types("be3")                                // it came before the question
	s.pass(quietTime - 1)                         // not quiet for long enough
	s.input <- Line{Text: "be3", At: s.human.now} // and this was not read yet
	s.pass(1)
	if s.question.phase != waiting || strings.Contains(s.said(), "by hand") {
		t.Fatal("the question was put although input stood before it")
	}
	s.pass(quietTime)
	if got := s.said(); !strings.Contains(got, "Type be3 by hand") {
		t.Fatalf("said %q", got)
	}
	s.pass(time.Minute)
	s.types("")
	if len(s.door.confirmed) > 0 {
		t.Errorf("handed over %q", s.door.confirmed)
	}
}

func TestWhatFollowsARefusalIsNoCommand(t *testing.T) {
	s := newStage(t, rebuild(cluster.T2, "be3"))
	s.asks(t)
	s.types("no")
	s.types("quit") // pasted with it
	if s.quit || !strings.Contains(s.said(), "Ignored") {
		t.Error("a line that came with what was refused was taken as a command")
	}
	s.pass(quietTime)
	if s.types("quit"); !s.quit {
		t.Error("a line that was typed later was not heard")
	}
}

func TestEveryPhraseIsAskedByItself(t *testing.T) {
	s := newStage(t, rebuild(cluster.T3, "lock be3 alone", "rebuild be3"))
	s.door.left = [][]string{{"rebuild be3"}, nil}
	s.types("plan rebuild-follower be3")
	s.types("confirm")
	if got := s.said(); s.question != nil || !strings.Contains(got, "Type arm first") {
		t.Fatalf("T3 was asked for without being armed: %q", got)
	}
	s.types("arm")
	s.pass(quietTime)
	s.pass(time.Second)
	s.types("chef-prod")
	s.pass(settleTime)
	if !slices.Equal(s.door.armed, []string{"chef-prod"}) {
		t.Fatalf("armed with %q", s.door.armed)
	}
	s.change(func(s *watch.State) { s.Mode, s.ArmedUntil = watch.Armed, now.Add(10*time.Minute) })
	s.types("confirm")
	for _, phrase := range []string{"lock be3 alone", "rebuild be3"} {
		s.pass(quietTime)
		if got := s.said(); !strings.Contains(got, "Type "+phrase+" by hand") {
			t.Fatalf("said %q", got)
		}
		s.pass(time.Second)
		s.types(phrase)
		s.pass(settleTime)
	}
	if !slices.Equal(s.door.confirmed, []string{"lock be3 alone", "rebuild be3"}) || s.question != nil {
		t.Errorf("handed over %q", s.door.confirmed)
	}
}

// A plan that waits for arming alone can be read by its number; one that waits
// for a fact cannot.
func TestPlanIsReadBeforeArming(t *testing.T) {
	unarmed := cluster.CheckedGuard{Answer: cluster.Answer{Truth: cluster.False, Sentence: watch.NeedsArming}}
	fact := cluster.CheckedGuard{Answer: cluster.Answer{Truth: cluster.False, Sentence: "be3 leads"}}
	for words, why := range map[string][]cluster.CheckedGuard{"Nothing has run. Type confirm": {unarmed}, "is not to be had now": {fact, unarmed}} {
		s := newStage(t, rebuild(cluster.T3, "rebuild be3"))
		s.offers = []watch.Offered{{Procedure: "rebuild-follower", Node: "be3", Tier: cluster.T3, WhyNot: why}}
		s.types("plan 1")
		got := s.said()
		if refused := strings.Contains(got, "is not to be had now"); !strings.Contains(got, words) || refused != (len(why) > 1) {
			t.Errorf("%q is missing: %q", words, got)
		}
	}
}

func TestReadOnlyConfirmsNothing(t *testing.T) {
	s := newStage(t, rebuild(cluster.T1, "y"))
	s.change(func(s *watch.State) { s.Mode = watch.ReadOnly })
	s.types("plan rebuild-follower be3")
	s.types("confirm")
	s.types("arm")
	if s.question != nil || len(s.door.confirmed) > 0 {
		t.Error("a read-only cockpit asked for a confirmation")
	}
}

func TestOnlyWhatChangedIsSaid(t *testing.T) {
	s := newStage(t, rebuild(cluster.T2, "be3"))
	first := s.said()
	for _, want := range []string{"stamped PROD", "be1, all layers agree", "3 vote, 3 good copies, can lose 1", "Mode: acting", "No finding stands", "Type help"} {
		if !strings.Contains(first, want) {
			t.Errorf("the situation lacks %q:\n%s", want, first)
		}
	}
	step := func(want, not string, f func(*watch.State)) {
		t.Helper()
		s.change(f)
		got := s.said()
		if want == "" && got != "" || !strings.Contains(got, want) || not != "" && strings.Contains(got, not) {
			t.Errorf("said %q, want %q and not %q", got, want, not)
		}
	}
	step("", "", func(s *watch.State) { s.At = s.At.Add(time.Minute) })
	step("Finding 1 is new: P2, confirmed, follower-wal-gap on be3", "Leadership", func(s *watch.State) { s.Findings = []cluster.Finding{gap()} })
	step("", "", func(*watch.State) {})
	step("Finding 1, follower-wal-gap on be3, is now P2, suspected", "", func(s *watch.State) {
		f := gap()
		f.Certainty = cluster.Suspected
		s.Findings = []cluster.Finding{f}
	})
	step("Leadership: be1 by leaderl; be2 by postgresql.", "Finding", func(s *watch.State) {
		s.Leadership = []cluster.LayerLeader{{Layer: "leaderl", Nodes: []string{"be1"}, Known: true}, {Layer: "postgresql", Nodes: []string{"be2"}, Known: true}}
	})
	for says, known := range map[string]string{"Leadership: unknown, no layer tells who leads.": "", "Leadership: unknown by leaderl; nobody by postgresql.": "postgresql",
		"Leadership: nobody leads, all layers agree.": "leaderl postgresql"} {
		step(says, "Finding", func(s *watch.State) {
			s.Leadership = []cluster.LayerLeader{{Layer: "leaderl", Known: strings.Contains(known, "leaderl")}, {Layer: "postgresql", Known: strings.Contains(known, "postgresql")}}
		})
	}
	step("Link to be2: lost, no answer.", "Leadership", func(s *watch.State) {
		s.Links = map[string]watch.Link{"be1": {Phase: "live"}, "be2": {Phase: "lost", Reason: "no answer"}, "be3": {Phase: "live"}}
	})
	step("Mode: armed until 14:10:00Z", "", func(s *watch.State) { s.Mode, s.ArmedUntil = watch.Armed, now.Add(10*time.Minute) })
	step("Finding 1, follower-wal-gap@be3, is gone.", "", func(s *watch.State) { s.Findings = nil })
	step("Finding 1 is new", "Finding 2", func(s *watch.State) { s.Findings = []cluster.Finding{gap()} })
}

func TestStepsAreSaidAsTheyGo(t *testing.T) {
	s := newStage(t, rebuild(cluster.T2, "be3"))
	s.said()
	run := func(status cluster.Status, step cluster.StepState) *cluster.PlanState {
		p := rebuild(cluster.T2, "be3")
		step.Step = p.Steps[0]
		return &cluster.PlanState{Plan: p, Status: status, Sentence: "all steps are done", Steps: []cluster.StepState{step}}
	}
	for _, c := range []struct {
		run  *cluster.PlanState
		want string
	}{
		{run(cluster.StatusRunning, cluster.StepState{Status: cluster.StatusNext}), ""},
		{run(cluster.StatusRunning, cluster.StepState{Status: cluster.StatusRunning}), "Step 1 on be3 begins: stop leaderl."},
		{run(cluster.StatusRunning, cluster.StepState{Status: cluster.StatusRunning, Output: []string{"ok: down"}}), ""},
		{run(cluster.StatusAsked, cluster.StepState{Status: cluster.StatusAsked, Asks: cluster.AskTick}), "Type tick when it is done"},
		{run(cluster.StatusRunning, cluster.StepState{Status: cluster.StatusSkipped, Sentence: "leaderl is down on be3"}), "Step 1 on be3 is skipped. Leaderl is down on be3."},
		{run(cluster.StatusDone, cluster.StepState{Status: cluster.StatusDone, Sentence: "be3 is in recovery"}), "Step 1 on be3 is done. be3 is in recovery."},
	} {
		s.change(func(s *watch.State) { s.Run = c.run })
		if got := s.said(); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("said %q, want %q", got, c.want)
		}
		if c.run.Status == cluster.StatusAsked {
			s.types("tick")
			s.pass(quietTime)
			s.pass(time.Second)
			s.types("done")
			s.pass(settleTime)
			s.said()
		}
	}
	if !slices.Equal(s.door.ticked, []string{"1"}) {
		t.Errorf("ticked %q", s.door.ticked)
	}
}

// TestNothingButPrintableLinesIsWritten gives it what a hostile node would say.
func TestNothingButPrintableLinesIsWritten(t *testing.T) {
	hostile := "\x1b[2J\x1b]0;x\a\u009b31m\u202e" + strings.Repeat("long words ", 40) + "\r\nbe3\t!"
	s := newStage(t, rebuild(cluster.T2, "be3"))
	s.door.lines = []cluster.Line{{Seq: 1, Node: "be1", Service: "etcd", Text: hostile}}
	s.change(func(s *watch.State) {
		f := gap()
		f.Title, f.Evidence = hostile, []cluster.Evidence{{Kind: "sign", Sentence: hostile}}
		s.Findings = []cluster.Finding{f}
		s.Notices = []watch.Notice{{Text: hostile}}
	})
	for _, line := range []string{"status", "findings", "why 1", "logs", "signs", "help", "plan rebuild-follower be3", hostile} {
		s.types(line)
	}
	for _, r := range s.said() {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e {
			t.Fatalf("wrote %q", r)
		}
	}
	s.types("help")
	for _, row := range strings.Split(s.said(), "\n") {
		if ansi.StringWidth(row) > columns {
			t.Errorf("longer than %d: %q", columns, row)
		}
	}
}

// answering is a door whose logins ask.
type answering struct {
	*fakeDoor
	answers  [][]string
	declined int
}

func (d *answering) Reconnect() []string           { return []string{"be3"} }
func (d *answering) Answer(_ uint64, all []string) { d.answers = append(d.answers, all) }
func (d *answering) Decline(uint64)                { d.declined++ }

func TestWhatALoginAsksIsAnsweredUnseen(t *testing.T) {
	s := newStage(t, rebuild(cluster.T2, "be3"))
	door := &answering{fakeDoor: s.door}
	s.talk.door = door
	var echo []bool
	flushed := 0 // times that what was half typed was thrown away
	s.o.Flush = func() { flushed++ }
	s.o.Echo = func(on bool) {
		if echo = append(echo, on); flushed != len(echo) {
			t.Errorf("what was half typed was thrown away %d times of %d", flushed, len(echo))
		}
	}
	asks := func(id uint64) {
		s.change(func(s *watch.State) {
			s.Question = &watch.Question{ID: id}
			s.Question.Host, s.Question.From = "be3", "the host asks"
			s.Question.Prompts = []remote.Prompt{{Text: "Name:"}, {Text: "Code:", Secret: true}}
		})
	}
	s.types("login")
	asks(1)
	s.line(Line{Text: "status", At: s.human.now.Add(-time.Second)}) // typed before
	s.types("me")
	s.types("123456")
	if len(door.answers) != 1 || !slices.Equal(door.answers[0], []string{"me", "123456"}) {
		t.Fatalf("answered %q", door.answers)
	}
	if got := s.said(); strings.Contains(got, "123456") || !strings.Contains(got, "Code:") {
		t.Errorf("said %q", got)
	}
	if !slices.Equal(echo, []bool{true, false, true}) {
		t.Errorf("the terminal's echo was %v", echo)
	}
	asks(1) // on its way: it is not put again
	if s.login != nil {
		t.Error("a question was put twice")
	}
	asks(2)
	s.types("")
	asks(3)
	s.change(func(s *watch.State) { s.Question = nil })
	if door.declined != 1 || s.login != nil || !strings.Contains(s.said(), "No longer asked by be3") {
		t.Errorf("declined %d times, still asks %v", door.declined, s.login != nil)
	}
}

func TestTheEndOfTheInputIsTheEnd(t *testing.T) {
	d := &fakeDoor{state: healthy()}
	closed := make(chan Line)
	close(closed)
	human := &handClock{now}
	out := &strings.Builder{}
	if err := Run(t.Context(), Options{Door: d, Clock: human, Human: human, Lines: closed, Out: out}); err != nil || !strings.Contains(out.String(), "The input ended") {
		t.Errorf("error %v, said %q", err, out)
	}
	why := errors.New("a signal")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := Run(ctx, Options{Door: d, Clock: human, Human: human, Lines: make(chan Line), Out: out}); !errors.Is(err, why) {
		t.Errorf("error %v, want the cause", err)
	}
}
