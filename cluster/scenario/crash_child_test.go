package scenario

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// childEnv holds what a child process of the crash tests is to do: it is a
// whole cockpit without a screen, over real SSH, that kills itself.
const childEnv = "CHEF_BACKEND_CRASH_CHILD"

// childSpec is what the child is told.
type childSpec struct {
	Clock   shared
	Nodes   []cluster.Node
	Targets map[string]remote.Target
	Journal string
	Marks   string
	Row     int      // of crashRows
	Repair  int      // which of its procedures is carried out
	Done    []string // boundaries at which a child has died already
	Only    string   // it dies nowhere else: how the boundary's name begins
	Part    part     // it dies at no boundaries of another one
	Never   bool     // it does not die any more
	Begun   bool     // its plan was confirmed: logs tell nothing that is still needed
	TakesUp bool     // a plan was left: no other is begun beside it
}

// event is one line that the child says.
type event struct {
	What     string // held, ended, hand, dies, error
	Boundary string
	Resumed  bool
	Run      *cluster.PlanState
	Step     cluster.PlanStep
	Text     string
	Moment   *moment // what is known just before an act
}

// shared is a clock that several processes share: speed times as fast as the
// real one since a moment.
type shared struct {
	Real, Base time.Time
	Speed      float64
}

func newShared(speed float64) shared {
	now := time.Now().UTC().Round(0)
	return shared{now, now, speed}
}

func (s shared) Now() time.Time {
	return s.Base.Add(time.Duration(float64(time.Now().UTC().Round(0).Sub(s.Real)) * s.Speed))
}

func (s shared) After(d time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	time.AfterFunc(time.Duration(float64(d)/s.Speed), func() { c <- s.Now() })
	return c
}

// cockpit is the child at work.
type cockpit struct {
	spec  childSpec
	r     *run
	in    *bufio.Scanner
	mu    sync.Mutex // of the output
	typed map[string]string
	seen  *cluster.View // just before the plan is confirmed
}

// child is the whole child process; it gives the exit code.
func child(spec string) int {
	c := &cockpit{in: bufio.NewScanner(os.Stdin), typed: map[string]string{}}
	if err := json.Unmarshal([]byte(spec), &c.spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 64
	}
	if err := c.work(context.Background()); err != nil {
		c.say(event{What: "error", Text: err.Error()})
		return 1
	}
	return 0
}

func (c *cockpit) say(e event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line, err := json.Marshal(e)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(70)
	}
	os.Stdout.Write(append(line, '\n'))
}

// boundary is where the child may be killed: it dies at the first one that no
// child before it died at, without a chance to do anything about it.
func (c *cockpit) boundary(name string) {
	if !c.dies(name) {
		return
	}
	c.say(event{What: "dies", Boundary: name})
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way
}

// around stands around every record that a plan writes.
func (c *cockpit) around(kind string, data any, record func() error) error {
	name := ""
	switch d := data.(type) {
	case cluster.Intent:
		name = d.Step + " intent"
	case cluster.Outcome:
		name = d.Step + " outcome"
		if d.Status == cluster.StatusRefused || d.Status == cluster.StatusStopped {
			name = "" // of an act that did not happen
		}
	default:
		var about struct{ Ended, Plan json.RawMessage }
		raw, err := json.Marshal(data)
		if err == nil {
			err = json.Unmarshal(raw, &about)
		}
		switch {
		case err != nil:
			return err
		case about.Ended != nil:
			name = "end"
		case kind == "confirm" && len(about.Plan) > 0 && about.Plan[0] == '{':
			name = "confirm"
		}
	}
	if name == "" {
		return record()
	}
	if c.dies("before " + name) { // who lives on is not held up: a go that is late is refused
		if err := c.keep(kind, data); err != nil {
			return err
		}
	}
	c.boundary("before " + name)
	err := record()
	if name != "end" { // then nothing is left to be taken up
		c.boundary("after " + name)
	}
	return err
}

// dies answers whether a boundary is where the child dies.
func (c *cockpit) dies(name string) bool {
	return !c.spec.Never && c.spec.Part.has(name) && !slices.Contains(c.spec.Done, name) && strings.HasPrefix(name, c.spec.Only)
}

// work carries out one procedure, or goes on with the one that was left.
func (c *cockpit) work(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	all, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		return err
	}
	hosts := map[string]remote.Host{}
	timings := remote.DefaultTimings()
	timings.Dial = 3 * time.Second // on the real clock, for each node that is off
	for name, target := range c.spec.Targets {
		if hosts[name], err = remote.NewSSH(target, remote.Options{Timings: timings, Config: []string{}}); err != nil {
			return err
		}
		defer hosts[name].Close()
	}
	w, err := watch.New(watch.Options{Cluster: clusterName, Nodes: c.spec.Nodes, Hosts: hosts, Clock: c.spec.Clock, Catalogue: all,
		Logs: !c.spec.Begun, JournalDir: c.spec.Journal, MarksFile: c.spec.Marks, Operator: "ann@bastion", TakeUp: true, AroundRecord: c.around})
	if err != nil {
		return err
	}
	row := crashRows()[c.spec.Row]
	c.r = &run{s: row, bed: afar{c.spec, hosts}, w: w, answered: map[string]bool{}}
	w.Start(ctx)
	defer w.Close()
	for _, n := range row.Fence {
		if err := w.Fence(n, watch.FencePhrase(n)); err != nil {
			return err
		}
	}
	return c.carry(ctx, repairs(row)[c.spec.Repair])
}

// repairs are the procedures of a row, in order.
func repairs(s Scenario) []Repair {
	return append(slices.Clone(s.Before), Repair{s.Procedure, s.Node, s.Service, s.Typed})
}

// carry begins the procedure where none was left, and follows it to its end.
func (c *cockpit) carry(ctx context.Context, p Repair) error {
	resumed := true
	for {
		s := c.r.w.State()
		if s.Run == nil && !c.spec.TakesUp {
			began, err := c.begin(ctx, p)
			if err != nil {
				return err
			}
			resumed = resumed && !began
			continue
		}
		if s.Run != nil {
			if over, err := c.at(s.Run, resumed); over || err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			if s.Run == nil {
				return fmt.Errorf("what was left was not taken up\n%s", situation(s))
			}
			return fmt.Errorf("it never ended%s\n%s", steps(*s.Run), situation(s))
		case <-c.r.w.Changed():
		}
	}
}

// begin plans and confirms, once the procedure is offered; false: not yet, or
// one that was left is taken up meanwhile.
func (c *cockpit) begin(ctx context.Context, p Repair) (bool, error) {
	pause := func(why string) (bool, error) {
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("%s could not be begun: %s", p.Procedure, why)
		case <-c.spec.Clock.After(time.Second):
			return false, nil
		}
	}
	// What the first procedure has mended no finding asks for any more: the next
	// one is taken from the node's own menu.
	if len(c.r.s.Expect) > 0 && c.spec.Repair == 0 {
		if why := c.r.whyNotOffered(p); why != "" {
			return pause(why + "; " + situation(c.r.w.State()))
		}
	}
	plan, err := c.r.w.Plan(ctx, p.Procedure, p.Node, p.Service)
	if err != nil {
		return pause(err.Error())
	}
	if err := c.arm(plan.Tier); err != nil {
		return false, err
	}
	c.seen = c.r.w.View()
	if err := c.r.confirm(plan); err != nil {
		return pause(err.Error())
	}
	for c.r.w.State().Run == nil {
		<-c.r.w.Changed()
	}
	return true, nil
}

// arm arms where the tier asks for it.
func (c *cockpit) arm(t cluster.Tier) error {
	if t < cluster.T3 {
		return nil
	}
	return c.r.armed()
}

// at does what the plan waits for; over: it has ended.
func (c *cockpit) at(p *cluster.PlanState, resumed bool) (over bool, err error) {
	if !p.Running() {
		c.say(event{What: "ended", Run: p, Resumed: resumed})
		return true, nil
	}
	for _, s := range p.Steps {
		if s.PID != 0 && (s.Status == cluster.StatusRunning || s.Status == cluster.StatusWaiting) {
			c.boundary("during " + s.Step.ID)
		}
		if s.Status != cluster.StatusAsked || strings.Contains(s.Sentence, "does not hold now") || c.typed[s.Step.ID] == string(s.Asks)+s.AskedFor+s.Began.String() {
			continue
		}
		c.typed[s.Step.ID] = string(s.Asks) + s.AskedFor + s.Began.String()
		switch s.Asks {
		case cluster.AskPhrase:
			c.say(event{What: "held", Run: p, Resumed: resumed})
			if err := c.arm(p.Plan.Tier); err != nil {
				return false, err
			}
			if _, err := c.r.w.Confirm(p.Plan.ID, s.AskedFor); err != nil {
				return false, fmt.Errorf("step %s: %w", s.Step.ID, err)
			}
		case cluster.AskTick:
			c.boundary("during " + s.Step.ID)
			c.say(event{What: "hand", Step: s.Step})
			if !c.in.Scan() || !strings.HasPrefix(c.in.Text(), "ok") {
				return false, fmt.Errorf("step %s by hand: %s", s.Step.ID, c.in.Text())
			}
			if err := c.r.w.Tick(p.Plan.ID, s.Step.ID); err != nil {
				return false, fmt.Errorf("step %s: %w", s.Step.ID, err)
			}
		default:
			return false, fmt.Errorf("step %s waits for a terminal", s.Step.ID)
		}
	}
	return false, nil
}

// afar is a bed of which only hosts and clock are here.
type afar struct {
	spec  childSpec
	hosts map[string]remote.Host
}

func (b afar) Nodes() []cluster.Node         { return b.spec.Nodes }
func (b afar) Hosts() map[string]remote.Host { return b.hosts }
func (b afar) Clock() cluster.Clock          { return b.spec.Clock }
func (b afar) Strike(string) error           { panic("a child strikes nothing") }
func (b afar) Heal(string) error             { panic("a child heals nothing") }
func (b afar) StepCommands(string) []string  { panic("a child does not know") }
