package recovery

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

var size = remote.Size{Columns: 80, Rows: 24}

// interactive is an invented procedure whose first step runs in a terminal; it
// goes on afterwards.
func interactive(kind cluster.StepKind) cluster.Procedure {
	runs := []cluster.Question{{Fact: "service-runs", Args: []string{"elasticsearch"}}}
	step := func(id, command string, kind cluster.StepKind) cluster.Step {
		return cluster.Step{ID: id, Kind: kind, Say: "restart", On: "node", Command: command, Effects: runs, Deadline: time.Minute}
	}
	return cluster.Procedure{Name: "interactive", Title: "Restart by hand", Target: "node", Tier: cluster.T2, Phrase: "{node}", Built: true,
		Guards: []cluster.Guard{{Question: cluster.Question{Fact: "unsynced", Not: true}}},
		Steps:  []cluster.Step{step("1-restart", "chef-backend-ctl restart elasticsearch", kind), step("2-start", "chef-backend-ctl start", "")}}
}

// offered begins the procedure on a node without Elasticsearch and waits until
// the terminal is offered.
func offered(t *testing.T, kind cluster.StepKind) (*world, *Executor, cluster.Plan, cluster.StepState) {
	w := newWorld(t)
	w.extra = []cluster.Procedure{interactive(kind)}
	w.nodes["be2"].down["elasticsearch"] = true
	if kind == "" {
		w.approval = "restart elasticsearch"
	}
	x := w.executor()
	plan := w.confirmed(x, "interactive", "be2", "")
	return w, x, plan, w.asked(cluster.AskTerminal)
}

// A step runs in the terminal with what the operator types, after the same two
// phases as every command; what passed is kept, safe and without passwords; the
// procedure goes on. The same holds for a command that asks for one by itself.
func TestTerminal(t *testing.T) {
	for _, kind := range []cluster.StepKind{cluster.StepTerminal, ""} {
		t.Run("kind "+string(kind), func(t *testing.T) {
			w, x, plan, st := offered(t, kind)
			want, folder := "the command needs a terminal", "1-restart"
			var ran []string
			if kind == "" {
				want, folder = "the command requires explicit approval", "1-restart-terminal1"
				ran = []string{"be2: chef-backend-ctl restart elasticsearch"}
			}
			if st.AskedFor != want || !slices.Equal(w.ran, ran) {
				t.Errorf("asked for %q; ran %v", st.AskedFor, w.ran)
			}
			term, err := x.Terminal(t.Context(), plan.ID, "1-restart", size)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := x.Terminal(t.Context(), plan.ID, "1-restart", size); err == nil {
				t.Error("the terminal was given twice")
			}
			term.Resize(remote.Size{Columns: 100, Rows: 30})
			go io.WriteString(term, "proceed\n")
			raw, err := io.ReadAll(term)
			if err != nil || !strings.Contains(string(raw), "\x1b[33mAre you sure?") {
				t.Errorf("what came is %q, %v", raw, err)
			}
			term.Close()
			p := w.done(x)
			ran = append(ran, "be2 (80×24): chef-backend-ctl restart elasticsearch", "be2: chef-backend-ctl start")
			if p.Status != cluster.StatusDone || !slices.Equal(w.ran, ran) {
				t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
			}
			kept := w.journalled(folder)
			if kept.intent == nil || !kept.intent.Terminal || kept.outcome == nil || kept.outcome.Status != cluster.StatusDone ||
				kept.outcome.By != "ann@bastion" || kept.outcome.Bytes != int64(len(raw)) {
				t.Errorf("the journal holds %+v, %+v", kept.intent, kept.outcome)
			}
			if strings.ContainsAny(kept.text, "\x1b\r") || strings.Contains(kept.text, "invented") || !strings.Contains(kept.text, "Are you sure?") || !strings.Contains(kept.text, "password=***") {
				t.Errorf("the transcript is %q", kept.text)
			}
		})
	}
}

// journalled is what the journal holds of one step's folder.
type journalled struct {
	intent  *cluster.Intent
	outcome *cluster.Outcome
	text    string
}

func (w *world) journalled(folder string) (j journalled) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, data := range w.kept {
		switch d := data.(type) {
		case cluster.Intent:
			if d.Step == folder {
				j.intent = &d
			}
		case cluster.Outcome:
			if d.Step == folder {
				j.outcome = &d
			}
		case piece:
			if d.Step == folder {
				j.text += strings.Join(d.Lines, "\n")
			}
		}
	}
	return j
}

// What ends badly in a terminal, or never begins.
func TestTerminalThatEndsOtherwise(t *testing.T) {
	take := func(t *testing.T, x *Executor, plan cluster.Plan) remote.Terminal {
		t.Helper()
		term, err := x.Terminal(t.Context(), plan.ID, "1-restart", size)
		if err != nil {
			t.Fatal(err)
		}
		return term
	}
	cases := []struct {
		name     string
		act      func(t *testing.T, w *world, x *Executor, plan cluster.Plan)
		status   cluster.Status
		sentence string
		ran      int
	}{
		{"cancelled by the operator", func(t *testing.T, w *world, x *Executor, plan cluster.Plan) {
			term := take(t, x, plan)
			go io.WriteString(term, "no\n")
			io.ReadAll(term)
			term.Close()
		}, cluster.StatusFailed, "exit status 4", 1},
		{"hung up in the middle", func(t *testing.T, w *world, x *Executor, plan cluster.Plan) {
			term := take(t, x, plan)
			term.Read(make([]byte, 10))
			term.Close()
		}, cluster.StatusUnknown, "the outcome is unknown", 1},
		{"hung up although it had worked", func(t *testing.T, w *world, x *Executor, plan cluster.Plan) {
			term := take(t, x, plan)
			term.Read(make([]byte, 10))
			w.mu.Lock()
			w.nodes["be2"].down["elasticsearch"] = false
			w.mu.Unlock()
			term.Close()
		}, cluster.StatusDone, "all steps are done", 2},
		{"stopped before it was taken", func(t *testing.T, w *world, x *Executor, plan cluster.Plan) {
			x.Stop()
		}, cluster.StatusStopped, "before the terminal was taken; step 1 did not run", 0},
		{"a guard broke while it was offered", func(t *testing.T, w *world, x *Executor, plan cluster.Plan) {
			w.mu.Lock()
			w.nodes["be2"].unsynced = true
			w.mu.Unlock()
			if _, err := x.Terminal(t.Context(), plan.ID, "1-restart", size); err == nil {
				t.Error("a terminal was given")
			}
		}, cluster.StatusRefused, "step 1 did not run", 0},
		{"another machine while it was offered", func(t *testing.T, w *world, x *Executor, plan cluster.Plan) {
			w.mu.Lock()
			w.nodes["be2"].machine = "machine-9"
			w.mu.Unlock()
			if _, err := x.Terminal(t.Context(), plan.ID, "1-restart", size); err == nil {
				t.Error("a terminal was given")
			}
		}, cluster.StatusRefused, "not the machine of the plan", 0},
		{"the intent cannot be written", func(t *testing.T, w *world, x *Executor, plan cluster.Plan) {
			w.mu.Lock()
			w.refuse["intent"] = errors.New("disk full")
			w.mu.Unlock()
			if _, err := x.Terminal(t.Context(), plan.ID, "1-restart", size); err == nil || !strings.Contains(err.Error(), "disk full") {
				t.Error(err)
			}
		}, cluster.StatusRefused, "disk full", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w, x, plan, _ := offered(t, cluster.StepTerminal)
			c.act(t, w, x, plan)
			p := w.done(x)
			if p.Status != c.status || !strings.Contains(p.Sentence, c.sentence) || len(w.ran) != c.ran {
				t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
			}
		})
	}
}

// Whoever read to the end closes at once, and may do so before the exit status
// is told: that the command failed is known all the same.
func TestTerminalIsClosedBeforeItsExitStatusIsTold(t *testing.T) {
	w, x, plan, _ := offered(t, cluster.StepTerminal)
	closed := make(chan struct{})
	w.reap = func() { <-closed }
	term, err := x.Terminal(t.Context(), plan.ID, "1-restart", size)
	if err != nil {
		t.Fatal(err)
	}
	go io.WriteString(term, "no\n")
	io.ReadAll(term)
	term.Close()
	close(closed)
	if p := w.done(x); p.Status != cluster.StatusFailed || !strings.Contains(p.Sentence, "exit status 4") {
		t.Errorf("%s: %s", p.Status, p.Sentence)
	}
}

// proceed answers the command in a terminal and reads it to its end.
func proceed(term io.ReadWriteCloser) {
	go io.WriteString(term, "proceed\n")
	io.ReadAll(term)
	term.Close()
}

// Where no terminal could be opened and nothing began, it is offered again.
func TestTerminalIsOfferedAgain(t *testing.T) {
	w, x, plan, _ := offered(t, cluster.StepTerminal)
	for _, s := range []remote.Size{{}, {Columns: -1, Rows: 24}, {Columns: 80, Rows: 1 << 20}} {
		if _, err := x.Terminal(t.Context(), plan.ID, "1-restart", s); err == nil {
			t.Errorf("a terminal of %+v", s)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Terminal(gone, plan.ID, "1-restart", size); err == nil {
		t.Error("a terminal for nobody")
	}
	w.asked(cluster.AskTerminal)
	w.mu.Lock()
	w.noTerminal = true
	w.mu.Unlock()
	for {
		_, err := x.Terminal(t.Context(), plan.ID, "1-restart", size)
		if err == nil {
			t.Fatal("a terminal without a link")
		}
		if strings.Contains(err.Error(), "no link") {
			break
		}
	}
	w.until("it is offered again", func(p cluster.PlanState) bool {
		return p.Status == cluster.StatusAsked && strings.Contains(p.Sentence, "never started")
	})
	w.mu.Lock()
	w.noTerminal = false
	w.mu.Unlock()
	term, err := x.Terminal(t.Context(), plan.ID, "1-restart", size)
	if err != nil {
		t.Fatal(err)
	}
	proceed(term)
	if p := w.done(x); p.Status != cluster.StatusDone || len(w.ran) != 2 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
	open := 0
	for _, kind := range w.records {
		open += map[string]int{"intent": 1, "outcome": -1}[kind]
	}
	if open != 0 {
		t.Errorf("%d intents without an outcome: %v", open, w.records)
	}
}

// A look that leaves a guard unknown leaves the terminal to be asked for again.
func TestTerminalIsOfferedAgainWhereAGuardIsUnknown(t *testing.T) {
	w := newWorld(t)
	p := interactive(cluster.StepTerminal)
	p.Guards = append(p.Guards, cluster.Guard{Question: cluster.Question{Fact: "copy-takes-no-writes"}})
	w.extra = []cluster.Procedure{p}
	w.nodes["be2"].down["elasticsearch"] = true
	x := w.executor()
	plan := w.confirmed(x, "interactive", "be2", "")
	w.asked(cluster.AskTerminal)
	busy := true
	w.before = func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if busy {
			w.nodes["be2"].silent, busy = 1, false
		}
	}
	if _, err := x.Terminal(t.Context(), plan.ID, "1-restart", size); err == nil {
		t.Fatal("a terminal although a guard was unknown")
	}
	w.asked(cluster.AskTerminal)
	term, err := x.Terminal(t.Context(), plan.ID, "1-restart", size)
	if err != nil {
		t.Fatal(err)
	}
	proceed(term)
	if p := w.done(x); p.Status != cluster.StatusDone {
		t.Errorf("%s: %s", p.Status, p.Sentence)
	}
}

// A terminal whose command never began is offered again, at once where its
// script has ended, and else when it can begin no more; it begins once at most.
func TestTerminalThatNeverBeganIsOfferedAgain(t *testing.T) {
	for _, exit := range []int{97, 129} {
		w, x, plan, _ := offered(t, cluster.StepTerminal)
		w.mu.Lock()
		w.idle = exit
		w.mu.Unlock()
		before := w.clock.Now()
		take := func() {
			t.Helper()
			term, err := x.Terminal(t.Context(), plan.ID, "1-restart", size)
			if err != nil {
				t.Fatal(err)
			}
			go io.WriteString(term, "proceed\n")
			io.ReadAll(term)
			term.Close()
		}
		take()
		w.until("it is offered again", func(p cluster.PlanState) bool {
			return p.Status == cluster.StatusAsked && strings.Contains(p.Sentence, "never started")
		})
		if waited := w.clock.Now().Sub(before) >= lateGo; waited != (exit >= 128) {
			t.Errorf("exit status %d: offered again after %s", exit, w.clock.Now().Sub(before))
		}
		w.mu.Lock()
		w.idle = 0
		w.mu.Unlock()
		take()
		if p := w.done(x); p.Status != cluster.StatusDone || len(w.ran) != 2 {
			t.Errorf("exit status %d: %s: %s; ran %v", exit, p.Status, p.Sentence, w.ran)
		}
		if j := w.journalled("1-restart"); j.outcome == nil || j.outcome.Status != cluster.StatusRefused {
			t.Errorf("exit status %d: the journal holds %+v of the first", exit, j.outcome)
		}
	}
}

// A cockpit that is left hangs the terminal up; its intent stays open.
func TestTerminalWhenTheCockpitIsLeft(t *testing.T) {
	w, x, plan, _ := offered(t, cluster.StepTerminal)
	term, err := x.Terminal(t.Context(), plan.ID, "1-restart", size)
	if err != nil {
		t.Fatal(err)
	}
	x.Close()
	if _, err := io.ReadAll(term); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	if w.records[len(w.records)-1] == "outcome" {
		t.Error("an outcome was written that nobody knows")
	}
}

// Output never reaches the journal with its secrets, however it is cut.
func TestTranscript(t *testing.T) {
	w := newWorld(t)
	r := newRun(w.executor(), &frozen{plan: cluster.Plan{Steps: []cluster.PlanStep{{ID: "1-a"}}}}, nil, w.clock.Now())
	whole := "one\ndb_superuser_password: 'hush'\n{\"chef\": {\"token\" : \"a\\\"hush\", \"a\": 1}, 'secret': 'it\\'s hush'}\n-----BEGIN RSA PRIVATE KEY-----\nhushhush\n-----END RSA PRIVATE KEY-----\nlast \x1b]0;x\a"
	for cut := range len(whole) {
		w.kept = nil
		s := r.transcript(0, cluster.PlanStep{Node: "be1"}, "1-a")
		s.write([]byte(whole[:cut]), int64(cut))
		s.wholeLines()
		s.write([]byte(whole[cut:]), int64(len(whole)))
		s.flush()
		text := w.journalled("1-a").text
		if strings.Contains(text, "hush") || strings.ContainsAny(text, "\x1b\a") || !strings.Contains(text, "password: ***") || !strings.Contains(text, "last") {
			t.Fatalf("cut at %d: %q", cut, text)
		}
	}
	w.kept = nil
	s := r.transcript(0, cluster.PlanStep{Node: "be1", Command: "chef-backend-ctl gen-server-config x"}, "1-a")
	s.write([]byte(whole), int64(len(whole)))
	s.flush()
	if text := w.journalled("1-a").text; strings.Contains(text, "last") || !strings.Contains(text, "not kept") {
		t.Error(text)
	}
	w.kept = nil
	s = r.transcript(0, cluster.PlanStep{Node: "be1"}, "1-a")
	s.kept = keptOutput - 8
	s.write([]byte("0123456\nmore\n"), 13)
	s.flush()
	if text := w.journalled("1-a").text; text != "0123456(5 bytes more were not kept)" {
		t.Error(text)
	}
}
