package scenario

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/recovery"
	"chef-backend-cockpit/remote"
)

// moment is all that was known when a plan had been confirmed, or just before
// the intent of one of its steps was written.
type moment struct {
	View   *cluster.View
	Plan   cluster.Plan
	Step   string // its id; "" for the moment of the confirmation
	Node   string // that the step acts on
	Guards []cluster.CheckedGuard
	Left   recovery.Left // the plan as the journal had it
}

// still is a clock that stands at a moment.
type still time.Time

func (s still) Now() time.Time                       { return time.Time(s) }
func (s still) After(time.Duration) <-chan time.Time { return nil }

// paper lets a real executor go on with a plan at a moment that was kept. Its
// nodes are on paper: they tell the looks of that moment, changed from when it
// matters on, and note what they are told to do.
type paper struct {
	m      moment
	steady *cluster.View // all of it known now
	then   *cluster.View // the same, changed
	x      *recovery.Executor

	mu      sync.Mutex
	changed bool
	ran     []string // folders of the steps whose go came
	acted   chan struct{}
	states  chan cluster.PlanState
	records []string
}

// newPaper takes up the plan of a moment; c is what changes.
func newPaper(m moment, steady *cluster.View, c change) *paper {
	p := &paper{m: m, steady: steady, then: steady, acted: make(chan struct{}, 1), states: make(chan cluster.PlanState, 1000)}
	if c.view != nil {
		p.then = c.view(steady)
	}
	hosts := map[string]remote.Host{}
	for _, n := range steady.Snapshot.Nodes {
		hosts[n.Name] = paperHost{p, n.Name}
	}
	p.x = recovery.New(recovery.Options{
		Hosts: hosts, Clock: still(steady.Now), Recorder: p, Operator: "ann@bastion", Cluster: clusterName,
		View: p.view, WithReport: withReport,
		Fresh: func(_ context.Context, node string, _ time.Time, _ bool) (*cluster.Report, error) {
			return p.view().Report(node), nil
		},
		ParseLook: func(node string, _ []byte, _, _ time.Time, _ remote.Link) (*cluster.Report, error) {
			return p.view().Report(node), nil
		},
		Publish: func(s cluster.PlanState) { p.states <- s },
		NewID:   func() string { return "00000000" },
	})
	return p
}

func (p *paper) view() *cluster.View {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed {
		return p.then
	}
	return p.steady
}

// Record is a journal that is always written.
func (p *paper) Record(kind string, _ any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records = append(p.records, kind)
	return nil
}

// change lets the fact change now.
func (p *paper) change() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed = true
}

// startedAgain is how whoever types is told that the machine was started since.
const startedAgain = " was started again since the plan was made"

// tells answers whether the fact had changed before it was said what is asked
// for, as happens on a busy machine: whoever is to type is told of it.
func (p *paper) tells(s cluster.PlanState) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed && p.then != p.steady && slices.ContainsFunc(s.Steps, func(st cluster.StepState) bool {
		return st.Status == cluster.StatusAsked && strings.Contains(st.Sentence, startedAgain)
	})
}

// goOn types all that is asked for, and gives the plan's end; acted: it did not
// end, since its step acts.
func (p *paper) goOn(left recovery.Left) (end cluster.PlanState, acted bool, err error) {
	defer p.x.Close()
	if err := p.x.Arm(clusterName); err != nil {
		return end, false, err
	}
	if _, err := p.x.Resume(left); err != nil {
		return end, false, err
	}
	typed := ""
	late := time.After(30 * time.Second)
	for {
		select {
		case <-late:
			return end, false, fmt.Errorf("it neither acts nor ends; it is %s: %s", end.Status, end.Sentence)
		case <-p.acted:
			return end, true, nil
		case end = <-p.states:
		}
		if !end.Ended.IsZero() || awaits(end) || p.tells(end) {
			return end, false, nil
		}
		for _, st := range end.Steps {
			if st.Status == cluster.StatusAsked && st.Asks == cluster.AskTick {
				return end, true, nil // a person is asked to act
			}
			asked := st.Step.ID + st.AskedFor + st.Sentence
			if st.Status != cluster.StatusAsked || st.Asks != cluster.AskPhrase || asked == typed {
				continue
			}
			typed = asked
			if p.m.Step == "" {
				p.change()
			}
			if _, err := p.x.Confirm(p.m.Plan.ID, st.AskedFor); err != nil {
				return end, false, err
			}
		}
	}
}

// paperHost is a node on paper.
type paperHost struct {
	p    *paper
	node string
}

func (h paperHost) Name() string      { return h.node }
func (h paperHost) Close() error      { return nil }
func (h paperHost) Link() remote.Link { return remote.Link{Phase: remote.Live} }
func (h paperHost) Run(context.Context, remote.Script) (remote.Result, error) {
	return remote.Result{}, fmt.Errorf("nothing but a step may run on %s", h.node)
}

func (h paperHost) Start(_ context.Context, s remote.Script) (remote.Session, error) {
	in, stdin := io.Pipe()
	stdout, out := io.Pipe()
	say := func(text string) { fmt.Fprintf(out, "cockpit-step:%s %s\n", s.Args[3], text) }
	go func() {
		defer out.Close()
		switch {
		case s.Name == "cockpit-lock":
			say("held key")
			for lines := bufio.NewScanner(in); lines.Scan(); {
				say("beat " + lines.Text())
			}
		case len(s.Args) < 9:
			say("absent")
		default:
			h.step(s.Args, bufio.NewReader(in), say)
		}
	}()
	return paperSession{stdin, stdout}, nil
}

// step is the step's script: it looks, waits for the go, and notes it.
func (h paperHost) step(args []string, in *bufio.Reader, say func(string)) {
	folder := args[2]
	own := folder == h.p.m.Step || h.p.m.Step == ""
	if own && h.p.m.Step != "" {
		h.p.change()
	}
	say("ready")
	line, err := in.ReadString('\n')
	if own && err == nil && strings.HasPrefix(line, "go ") {
		h.p.mu.Lock()
		h.p.ran = append(h.p.ran, h.node+" "+folder)
		h.p.mu.Unlock()
		h.p.acted <- struct{}{}
		return
	}
	say("refused 97 invented: a node on paper")
}

type paperSession struct {
	stdin  *io.PipeWriter
	stdout *io.PipeReader
}

func (s paperSession) Stdin() io.WriteCloser        { return s.stdin }
func (s paperSession) Stdout() io.Reader            { return s.stdout }
func (s paperSession) Wait() (remote.Result, error) { return remote.Result{}, nil }
func (s paperSession) Close() error {
	s.stdin.Close()
	return s.stdout.Close()
}

// steadied is a view in which everything known was told just now, as the looks
// before a step are.
func steadied(v *cluster.View) *cluster.View {
	c, s := *v, *v.Snapshot
	s.Reports = map[string]*cluster.Report{}
	for name, old := range v.Snapshot.Reports {
		r := *old
		r.Began, r.Ended = v.Now, v.Now
		root := reflect.ValueOf(&r).Elem()
		for _, path := range claimPaths(root, nil) {
			editAt(root, path.steps, func(claim reflect.Value) {
				if !claim.FieldByName("At").Interface().(time.Time).IsZero() {
					claim.FieldByName("At").Set(reflect.ValueOf(v.Now))
				}
			})
		}
		s.Reports[name] = &r
	}
	c.Snapshot = &s
	return &c
}

// stepChanges let a step of the plan that has ended have come to something else.
func stepChanges(v *cluster.View, planID string) (out []change) {
	for n, p := range v.Plans {
		if p.Plan.ID != planID {
			continue
		}
		for i, st := range p.Steps {
			if st.Status != cluster.StatusDone || st.Step.Command == "" {
				continue
			}
			for _, to := range []struct {
				text  string
				exit  int
				known bool
			}{{"exit status 1", 1, true}, {"exit status unknown", 0, false}} {
				out = append(out, change{where: "outcome of " + st.Step.ID, to: to.text, view: func(v *cluster.View) *cluster.View {
					c := *v
					c.Plans = append([]cluster.PlanState(nil), v.Plans...)
					c.Plans[n].Steps = append([]cluster.StepState(nil), p.Steps...)
					c.Plans[n].Steps[i].Exit, c.Plans[n].Steps[i].ExitKnown = to.exit, to.known
					return &c
				}, left: func(l *recovery.Left) { l.Records = rewritten(l.Records, st.Step.ID, to.exit, to.known) }})
			}
		}
	}
	return out
}

// rewritten lets a step's outcome in the journal be another one.
func rewritten(records []recovery.LeftRecord, step string, exit int, known bool) []recovery.LeftRecord {
	out := append([]recovery.LeftRecord(nil), records...)
	for i, r := range out {
		var o cluster.Outcome
		if r.Kind != "outcome" || json.Unmarshal(r.Data, &o) != nil || !strings.HasPrefix(o.Step, step) {
			continue
		}
		o.Exit, o.ExitKnown = exit, known
		out[i].Data, _ = json.Marshal(o)
	}
	return out
}
