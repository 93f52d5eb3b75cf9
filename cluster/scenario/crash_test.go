package scenario

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// safetyEnv asks for the tests that take minutes: make test-safety.
const safetyEnv = "CHEF_BACKEND_SAFETY"

func asked() bool { return os.Getenv(safetyEnv) != "" }

func needsTime(t *testing.T) {
	if !asked() {
		t.Skipf("takes minutes: make test-safety, or %s=1", safetyEnv)
	}
}

// crashRows are rows of the table that carry out every procedure that acts, one
// that restarts a service for each way in which it does.
func crashRows() []Scenario {
	driven := map[string]bool{"observe": true}
	var rows []Scenario
	for _, s := range Table {
		fresh := false
		for _, p := range repairs(s) {
			fresh = fresh || p.Procedure != "" && !driven[p.kind()]
			driven[p.kind()] = true
		}
		if fresh {
			rows = append(rows, s)
		}
	}
	return rows
}

// kind is the procedure, and the way in which it restarts a service.
func (p Repair) kind() string {
	if p.Service == "etcd" || p.Service == "elasticsearch" {
		return p.Procedure + " " + p.Service
	}
	return p.Procedure
}

// crashed is one simulated cluster whose cockpits are killed one after another.
type crashed struct {
	t        *testing.T
	row      int
	s        Scenario
	sim      *simulation.Cluster
	clock    shared
	dir      string
	done     []string       // boundaries of the procedure at work
	base     map[string]int // by node: step commands of the procedures before
	only     string         // boundaries whose names begin so; "" for all
	part     part           // of the boundaries
	graves   *graves        // of all rows
	deaths   int
	hands    map[string]bool
	children int
	cpu      time.Duration // of the children
	moments  []moment
}

// newCrashed strikes a new cluster.
func newCrashed(t *testing.T, row int) *crashed {
	t.Helper()
	c := &crashed{t: t, row: row, s: crashRows()[row], graves: newGraves()}
	c.strike()
	return c
}

// strike begins anew, with a cluster of its own.
func (c *crashed) strike() {
	c.t.Helper()
	c.clock, c.dir, c.hands = newShared(killSpeed), simulation.InMemory(c.t), map[string]bool{}
	if c.sim != nil {
		c.sim.Close()
	}
	var err error
	if c.sim, err = simulation.Start(c.t.Context(), simulation.Options{Clock: c.clock, Seed: 1}); err != nil {
		c.t.Fatal(err)
	}
	sim := c.sim
	c.t.Cleanup(func() { sim.Close() })
	<-c.clock.After(10 * time.Second) // healthy for a while
	if err := c.sim.Strike(c.s.Name); err != nil {
		c.t.Fatal(err)
	}
}

// cockpit lets one child work until it dies or the plan has ended; ended is how
// it did, nil where it died.
func (c *crashed) cockpit(repair int, never bool) (ended *cluster.PlanState) {
	c.t.Helper()
	kind := repairs(c.s)[repair].kind()
	spec := childSpec{Clock: c.clock, Nodes: c.sim.Nodes(), Targets: map[string]remote.Target{}, Journal: filepath.Join(c.dir, "incidents"),
		Marks: filepath.Join(c.dir, "marks.json"), Row: c.row, Repair: repair, Done: append(c.graves.of(kind), c.done...), Only: c.only, Part: c.part, Never: never,
		Begun: slices.Contains(c.done, "after confirm")}
	for _, n := range spec.Nodes {
		spec.Targets[n.Name] = c.sim.Target(n.Name)
	}
	left, _, err := journal.FindUnfinished(spec.Journal, clusterName)
	if err != nil {
		c.t.Fatal(err)
	}
	spec.TakesUp = len(left) > 0
	spec.Begun = spec.Begun || spec.TakesUp
	raw, err := json.Marshal(spec)
	if err != nil {
		c.t.Fatal(err)
	}
	c.children++
	cmd := exec.CommandContext(c.t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(raw))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	died := false
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			c.t.Fatalf("the child says %q", lines.Text())
		}
		switch e.What {
		case "dies":
			c.done, died = append(c.done, e.Boundary), true
			c.graves.dig(kind, e.Boundary)
			c.t.Logf("%s died %s", c.clock.Now().Format(time.TimeOnly), e.Boundary)
		case "held", "ended":
			c.t.Logf("%s plan %s %s, resumed %v: %s", c.clock.Now().Format(time.TimeOnly), e.Run.Plan.ID, e.What, e.Resumed, e.Run.Sentence)
			c.truthful(e)
			if e.What == "ended" {
				ended = e.Run
			}
		case "moment":
			c.moments = append(c.moments, *e.Moment)
		case "hand":
			fmt.Fprintln(in, c.byHand(e.Step))
		default:
			c.t.Errorf("the cockpit: %s", e.Text)
		}
	}
	err = cmd.Wait()
	c.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if died {
		c.deaths++
	} else if err != nil || ended == nil {
		c.t.Fatalf("the cockpit ended by itself: %v, after %q", err, c.done)
	}
	return ended
}

// byHand does once what a person is asked to do.
func (c *crashed) byHand(s cluster.PlanStep) string {
	if c.hands[s.ID] || len(s.Effects) == 0 {
		return "ok"
	}
	c.hands[s.ID] = true
	if err := c.sim.ByHand(s); err != nil {
		return err.Error()
	}
	return "ok"
}

// truthful compares what a cockpit shows with what reached the nodes: a step
// that ran is never shown as one to come, one that did not is never shown as
// done, and no command reached its node more often than the plan has it.
func (c *crashed) truthful(e event) {
	c.t.Helper()
	type act struct{ node, command string }
	done, open := map[act]int{}, map[act]int{}
	for _, st := range e.Run.Steps {
		if st.Step.Command == "" {
			continue
		}
		a := act{st.Step.Node, st.Step.Command}
		switch st.Status {
		case cluster.StatusDone, cluster.StatusFailed:
			done[a]++
		case cluster.StatusNext, cluster.StatusRefused, cluster.StatusSkipped, cluster.StatusAsked:
			open[a] += 0
		default:
			open[a]++ // unknown or at work
		}
	}
	for a := range done {
		open[a] += 0
	}
	for a, more := range open {
		ran := 0
		for _, command := range c.sim.StepCommands(a.node)[c.base[a.node]:] {
			if command == a.command {
				ran++
			}
		}
		if ran < done[a] || ran > done[a]+more && ran > done[a]+more+c.again(a.node, a.command) {
			c.t.Errorf("after %q: %q reached %s %d times; %s", c.done[max(0, len(c.done)-1):], a.command, a.node, ran, steps(*e.Run))
		}
	}
}

// again is how often the operator chose a repeatable step again, on a machine
// so busy that what it came to could not be seen in time.
func (c *crashed) again(node, command string) (n int) {
	c.t.Helper()
	c.records(func(data any) {
		if in, ok := data.(*cluster.Intent); ok && in.Node == node && in.Command == command && in.Repeatable && strings.Contains(in.Step, "-again") {
			n++
		}
	})
	return n
}

// records hands over all that the journals hold, as it is decoded.
func (c *crashed) records(take func(data any)) {
	c.t.Helper()
	all, err := journal.List(filepath.Join(c.dir, "incidents"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, in := range all {
		err := journal.Read(in.Path, func(r journal.Record) error {
			data, err := journal.Decode(r)
			take(data)
			return err
		})
		if err != nil {
			c.t.Error(err)
		}
	}
}

// tries is how many clusters a row may need: a cluster does not always wait for
// its operator. Somebody is elected while the cockpit is away, and then the next
// step is refused, as it must be; on a new one the rest is tried.
const tries = 6

// chain kills a cockpit at every boundary of every procedure of the row, one
// after another on the same cluster, until all are through.
func (c *crashed) chain() {
	c.t.Helper()
	done := make([][]string, len(repairs(c.s)))
	for n := 1; !c.through(done); n++ {
		if n == tries {
			c.t.Fatalf("not through after %d clusters", n)
		}
		c.strike()
	}
	c.result()
}

// through carries out the procedures of the row; false: one was ended by a
// refusal.
func (c *crashed) through(done [][]string) bool {
	c.t.Helper()
	for n, p := range repairs(c.s) {
		c.done, c.base = done[n], map[string]int{}
		for _, node := range c.sim.Nodes() {
			c.base[node.Name] = len(c.sim.StepCommands(node.Name))
		}
		var ended *cluster.PlanState
		for ended == nil {
			ended = c.cockpit(n, false)
			done[n] = c.done
		}
		switch ended.Status {
		case cluster.StatusDone:
			c.covered(p, ended)
		case cluster.StatusRefused, cluster.StatusUnknown:
			c.t.Logf("%s ended %s, to be tried anew: %s", p.Procedure, ended.Status, ended.Sentence)
			return false
		default:
			c.t.Fatalf("%s ended %s: %s%s", p.Procedure, ended.Status, ended.Sentence, steps(*ended))
		}
	}
	return true
}

// covered holds that a cockpit died at each boundary of each step that acted and
// is of this part; those of the others are held when all rows are through.
func (c *crashed) covered(p Repair, ended *cluster.PlanState) {
	c.t.Helper()
	want := []string{"before confirm", "after confirm", "before end"}
	for _, st := range ended.Steps {
		if st.Status == cluster.StatusDone && (st.Step.Command != "" || st.Step.Kind == cluster.StepManual) {
			for _, what := range []string{"before %s intent", "after %s intent", "during %s", "before %s outcome", "after %s outcome"} {
				want = append(want, fmt.Sprintf(what, st.Step.ID))
			}
		}
	}
	c.graves.want(p.kind(), want)
	for _, b := range want {
		if c.part.has(b) && !slices.Contains(c.graves.of(p.kind()), b) {
			c.t.Errorf("%s: no cockpit died %s", p.Procedure, b)
		}
	}
}

// result compares all that reached the nodes with the row, and reads the
// journals.
func (c *crashed) result() {
	c.t.Helper()
	plans, troubles, err := journal.FindUnfinished(filepath.Join(c.dir, "incidents"), clusterName)
	if err != nil || len(troubles) > 0 || len(plans) > 0 {
		c.t.Errorf("unfinished plans %v, %v, %v", plans, troubles, err)
	}
	all, err := journal.List(filepath.Join(c.dir, "incidents"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, in := range all {
		if len(in.OpenIntents) > 0 || in.Damage != "" {
			c.t.Errorf("incident %s: open %v, %s", in.ID, in.OpenIntents, in.Damage)
		}
		if err := journal.Verify(in.Path); err != nil {
			c.t.Error(err)
		}
	}
	var ids []string
	c.records(func(data any) {
		if p, ok := data.(*journal.ConfirmData); ok && p.Plan.ID != "" {
			ids = append(ids, p.Plan.ID)
		}
	})
	for _, n := range c.sim.Nodes() {
		var got []string
		for _, command := range c.sim.StepCommands(n.Name) {
			if k := len(got); k > 0 && command == got[k-1] && c.again(n.Name, command) > 0 {
				continue
			}
			got = append(got, command)
		}
		for i := range got {
			for _, id := range ids {
				got[i] = strings.ReplaceAll(got[i], id, "PLAN")
			}
		}
		want := slices.Clone(c.s.Commands[n.Name])
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], electedAddress, "10.0.4.13") // on the simulation it is always be3
		}
		if !c.s.rightly(got, want) {
			c.t.Errorf("step commands on %s:\n  got  %q\n  want %q", n.Name, got, want)
		}
	}
}
