package scenario

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// wiping is an invented procedure with a command that wants its word typed at a
// terminal, and one behind it.
const wiping = `procedures:
  - name: wipe
    section: Invented
    title: Wipe {node}
    summary: s
    target: node
    tier: T2
    phrase: "{node}"
    guards: [another-node-leads]
    steps:
      - {id: 1-stop, say: stop all, on: node, command: chef-backend-ctl stop, effects: [not service-runs leaderl], deadline: 3m}
      - {id: 2-wipe, say: wipe it, on: node, command: chef-backend-ctl cleanse --yes, effects: [step-exited-0 2-wipe], deadline: 5m}
      - {id: 3-list, say: look what was saved, on: node, command: ls -d /root/chef-backend-cleanse*, effects: [step-exited-0 3-list], deadline: 1m}
    lost: everything there
    lasts: a minute
    way-back: none
    built: true
`

// overSSH is a cockpit on a simulated cluster, by SSH, in front of whose third
// node the procedure waits for a terminal.
type overSSH struct {
	t       *testing.T
	sim     *simulation.Cluster
	w       *watch.Watch
	journal string
	clock   cluster.Clock
	plan    cluster.Plan
}

func newOverSSH(t *testing.T) *overSSH {
	o := &overSSH{t: t, journal: simulation.InMemory(t)}
	clock := remote.NewScaled(speed)
	o.clock = clock
	var err error
	if o.sim, err = simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.sim.Close() })
	o.sim.RequireApproval("cleanse", true)
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	dir := simulation.InMemory(t)
	if err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(wiping), 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := catalogue.Load(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	c.Procedures = append(c.Procedures, own.Procedures...)
	hosts := map[string]remote.Host{}
	for _, n := range o.sim.Nodes() {
		h, err := remote.NewSSH(o.sim.Target(n.Name), o.sim.RemoteOptions())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		hosts[n.Name] = h
		if err := remote.ConnectFirst(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	if o.w, err = watch.New(watch.Options{Cluster: "bed", Nodes: o.sim.Nodes(), Hosts: hosts, Clock: clock, Catalogue: c, JournalDir: o.journal, Operator: "ann@bastion"}); err != nil {
		t.Fatal(err)
	}
	o.w.Start(t.Context())
	t.Cleanup(func() { o.w.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for o.w.State().View.Elected().Truth != cluster.True { // two looks have to agree
		select {
		case <-o.w.Changed():
		case <-ctx.Done():
			t.Fatal(o.w.State().View.Elected().Answer.Sentence)
		}
	}
	if o.plan, err = o.w.Plan(ctx, "wipe", "be3", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.w.Confirm(o.plan.ID, "be3"); err != nil {
		t.Fatal(err)
	}
	p := o.until("the terminal is offered", func(p cluster.PlanState) bool { return p.Status == cluster.StatusAsked })
	if st := p.Steps[1]; st.Asks != cluster.AskTerminal || st.AskedFor != "the command requires explicit approval" {
		t.Fatalf("%+v", st)
	}
	return o
}

// until waits for a state of the plan.
func (o *overSSH) until(what string, ok func(cluster.PlanState) bool) cluster.PlanState {
	o.t.Helper()
	late := time.After(2 * time.Minute)
	for {
		run := o.w.State().Run
		if run != nil && ok(*run) {
			return *run
		}
		if run != nil && !run.Ended.IsZero() {
			o.t.Fatalf("%s: the plan ended: %s: %s", what, run.Status, run.Sentence)
		}
		select {
		case <-o.w.Changed():
		case <-late:
			o.t.Fatalf("%s: it never came about: %+v", what, run)
		}
	}
}

func ended(p cluster.PlanState) bool { return !p.Ended.IsZero() }

// take takes the terminal and reads up to its question.
func (o *overSSH) take() watch.Terminal {
	o.t.Helper()
	term, err := o.w.Terminal(o.t.Context(), o.plan.ID, "2-wipe", watch.Size{Columns: 80, Rows: 24})
	if err != nil {
		o.t.Fatal(err)
	}
	var got []byte
	for one := make([]byte, 1); !strings.HasSuffix(string(got), "anything else to cancel.\r\n"); got = append(got, one[0]) {
		if _, err := term.Read(one); err != nil {
			o.t.Fatalf("%q: %v", got, err)
		}
	}
	return term
}

// written is the whole journal.
func (o *overSSH) written() string {
	var all strings.Builder
	filepath.WalkDir(o.journal, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "journal.jsonl" {
			text, _ := os.ReadFile(path)
			all.Write(text)
		}
		return nil
	})
	return all.String()
}

// wiped is whether the command did what it does.
func (o *overSSH) wiped() bool {
	o.t.Helper()
	h := o.sim.Host("be3")
	defer h.Close()
	r, err := h.Run(o.t.Context(), remote.Script{Text: "ls -d /var/opt/chef-backend/postgresql"})
	if err != nil {
		o.t.Fatal(err)
	}
	return r.Exit != 0
}

// A command that requires explicit approval is handed over by itself, over the
// same connection; the operator's word reaches it, and the procedure goes on.
func TestTerminalOverSSH(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Run("all", terminalsOverSSH) // returns when those beside each other have
}

func terminalsOverSSH(t *testing.T) {
	t.Run("proceed", func(t *testing.T) {
		t.Parallel()
		o := newOverSSH(t)
		if _, err := o.w.Terminal(t.Context(), o.plan.ID, "2-wipe", watch.Size{}); err == nil {
			t.Error("a terminal of no size")
		}
		term := o.take()
		if err := term.Resize(watch.Size{Columns: 120, Rows: 40}); err != nil {
			t.Error(err)
		}
		if _, err := io.WriteString(term, "proceed\r"); err != nil {
			t.Error(err)
		}
		rest, err := io.ReadAll(term)
		if err != nil || !strings.Contains(string(rest), "proceed\r\n") {
			t.Errorf("%q %v", rest, err)
		}
		term.Close()
		p := o.until("the plan ends", ended)
		if p.Status != cluster.StatusDone || !o.wiped() || p.Steps[2].Status != cluster.StatusDone {
			t.Errorf("%s: %s; %+v", p.Status, p.Sentence, p.Steps[2])
		}
		for _, part := range []string{`"2-wipe-terminal1"`, "anything else to cancel.", `"By":"ann@bastion"`} {
			if !strings.Contains(o.written(), part) {
				t.Errorf("the journal lacks %s", part)
			}
		}
	})
	t.Run("link cut in the middle", func(t *testing.T) {
		t.Parallel()
		o := newOverSSH(t)
		term := o.take()
		if err := o.sim.Strike("operator-cut-off"); err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, term)
		term.Close()
		o.until("the loss is said", func(p cluster.PlanState) bool { return strings.Contains(p.Steps[1].Sentence, "is looked up") })
		if err := o.sim.Heal("operator-cut-off"); err != nil {
			t.Fatal(err)
		}
		p := o.until("the plan ends", ended)
		if p.Status != cluster.StatusUnknown || p.Steps[2].Status != cluster.StatusNext || o.wiped() {
			t.Errorf("%s: %s; wiped %v", p.Status, p.Sentence, o.wiped())
		}
	})
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		o := newOverSSH(t)
		o.w.Stop()
		p := o.until("the plan ends", ended)
		if p.Status != cluster.StatusStopped || o.wiped() {
			t.Errorf("%s: %s; wiped %v", p.Status, p.Sentence, o.wiped())
		}
	})
}
