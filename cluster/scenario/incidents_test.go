package scenario

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/watch"
)

// incidentsEnv is how many incidents over SSH are made up; from which number on
// stands behind a colon.
const incidentsEnv = "CHEF_BACKEND_INCIDENTS"

// Whatever fails, whatever is typed and whenever a cockpit is left, over real
// SSH: no command reaches a node that was not typed for, nor one without its
// intent on disk, and none more often than the plans have it. What ran is told
// by the nodes alone. In process it is tried far more often, and held against
// more: TestIncidentsHoldTheInvariants of recovery.
func TestIncidentsOverSSH(t *testing.T) {
	many, first, _ := strings.Cut(os.Getenv(incidentsEnv), ":")
	n, err := strconv.Atoi(many)
	if err != nil {
		t.Skipf("takes minutes: make test-safety-ssh, or %s=200", incidentsEnv)
	}
	from, _ := strconv.Atoi(first)
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	var held, acts atomic.Int64
	slots := make(chan struct{}, cockpitsAtOnce)
	t.Run("made-up", func(t *testing.T) {
		for number := from; number < from+n; number++ {
			t.Run(fmt.Sprint(number), func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				in := newAccident(t, number, c)
				in.happens()
				acts.Add(int64(in.holds()))
				held.Add(1)
			})
		}
	})
	t.Logf("%d incidents over SSH, %d commands reached a node: the invariants hold", held.Load(), acts.Load())
}

// accident is one made-up incident: a cluster over SSH and who sits at it.
type accident struct {
	t     *testing.T
	dice  *rand.Rand
	c     *catalogue.Catalogue
	bed   cuttable
	dir   string
	w     *watch.Watch
	lives int
	tries []Repair
	shown map[string]cluster.Plan
	typed map[string][]string // by plan: what was taken
	armed bool
}

func newAccident(t *testing.T, number int, c *catalogue.Catalogue) *accident {
	in := &accident{t: t, dice: rand.New(rand.NewPCG(uint64(number), 5)), c: c, bed: newCuttable(t, 4*time.Second), dir: simulation.InMemory(t),
		shown: map[string]cluster.Plan{}, typed: map[string][]string{}}
	in.begins()
	return in
}

func (in *accident) roll(n int) int { return in.dice.IntN(n) }

// begins opens a cockpit; one that was left is taken up by it.
func (in *accident) begins() {
	var err error
	in.lives++
	in.w, err = watch.New(watch.Options{Cluster: clusterName, Nodes: in.bed.Nodes(), Hosts: in.bed.Hosts(), Clock: in.bed.Clock(), Catalogue: in.c,
		JournalDir: filepath.Join(in.dir, "incidents"), MarksFile: filepath.Join(in.dir, "marks.json"), Operator: "ann@bastion", TakeUp: true})
	if err != nil {
		in.t.Fatal(err)
	}
	in.w.Start(in.t.Context())
}

func (in *accident) leaves() {
	if err := in.w.Close(); err != nil {
		in.t.Error(err)
	}
}

// waits lets some time of the bed go by.
func (in *accident) waits(most time.Duration) {
	<-in.bed.Clock().After(time.Duration(in.roll(int(most/time.Millisecond))) * time.Millisecond)
}

// happens lets faults, keys and delays come as the dice fall.
func (in *accident) happens() {
	calm := &run{bed: in.bed, w: in.w}
	if _, err := calm.until(in.t.Context(), healthyWithin, healthy, nil); err != nil {
		in.t.Fatal(err)
	}
	in.fault()
	in.waits(30 * time.Second)
	for range 6 + in.roll(6) {
		switch in.roll(12) {
		case 0:
			in.fault()
		case 1:
			in.bed.CutOff(true)
			in.waits(40 * time.Second)
			in.bed.CutOff(false)
		case 2:
			in.leaves()
			in.begins()
		case 3:
			in.w.Stop()
		default:
			in.works()
		}
		in.waits(8 * time.Second)
	}
	in.bed.CutOff(false)
	in.leaves()
}

// fault strikes one that a procedure mends; that procedure is tried from then on.
func (in *accident) fault() {
	rows := slices.DeleteFunc(slices.Clone(Table), func(s Scenario) bool { return s.Procedure == "" || s.Name == "healthy" || len(s.Fence) > 0 })
	s := rows[in.roll(len(rows))]
	in.bed.Strike(s.Name) //nolint:errcheck // not every fault goes beside every other one
	in.tries = append(in.tries, repairs(s)...)
}

// works answers what a plan asks for, or begins another one.
func (in *accident) works() {
	if p := in.w.State().Run; p != nil && p.Running() {
		for _, st := range p.Steps {
			switch {
			case st.Status != cluster.StatusAsked:
			case st.Asks == cluster.AskPhrase:
				in.arms()
				in.types(p.Plan.ID, st.AskedFor)
			case st.Asks == cluster.AskTick:
				in.w.Tick(p.Plan.ID, st.Step.ID) //nolint:errcheck // it may have gone on
			}
		}
		return
	}
	try := in.tries[in.roll(len(in.tries))]
	if in.roll(5) == 0 {
		try.Node = in.bed.Nodes()[in.roll(3)].Name
	}
	ctx, cancel := context.WithTimeout(in.t.Context(), planWithin)
	defer cancel()
	plan, err := in.w.Plan(ctx, try.Procedure, try.Node, try.Service)
	if err != nil {
		in.t.Logf("no plan for %s: %v", try.Procedure, err)
		return
	}
	in.shown[plan.ID] = plan
	if plan.Tier >= cluster.T3 {
		in.arms()
	}
	for _, phrase := range plan.Phrases {
		if !in.types(plan.ID, phrase) {
			return
		}
	}
}

// arms types the cluster's name, or not quite.
func (in *accident) arms() {
	if in.roll(12) == 0 {
		in.w.Arm("Bed") //nolint:errcheck // it is refused
	} else if in.w.Arm(clusterName) == nil {
		in.armed = true
	}
}

// types hands over a phrase, or something like it; false: it was not taken.
func (in *accident) types(plan, phrase string) bool {
	if in.roll(12) == 0 {
		phrase = []string{"", "y", phrase + " ", strings.ToUpper(phrase), "be1"}[in.roll(5)]
	}
	if _, err := in.w.Confirm(plan, phrase); err != nil {
		in.t.Logf("%q: %v", phrase, err)
		return false
	}
	in.typed[plan] = append(in.typed[plan], phrase)
	return true
}

// holds compares what reached the nodes with what was shown, typed and written
// down, and counts it.
func (in *accident) holds() (ran int) {
	type act struct{ node, command string }
	reached, leave, intents := map[act]int{}, map[act]int{}, map[act]int{}
	for _, n := range in.bed.Nodes() {
		for _, command := range in.bed.StepCommands(n.Name) {
			reached[act{n.Name, command}]++
			ran++
		}
	}
	for id, p := range in.shown {
		missing := slices.ContainsFunc(p.Phrases, func(want string) bool { return !slices.Contains(in.typed[id], want) })
		if missing || p.Tier >= cluster.T3 && !in.armed {
			continue
		}
		for _, s := range slices.Concat(p.Steps, p.Back) {
			leave[act{s.Node, s.Command}]++
		}
	}
	for _, d := range in.written() {
		intents[act{d.Node, d.Command}]++
		if d.Repeatable && strings.Contains(d.Step, "-again") {
			leave[act{d.Node, d.Command}]++
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(reached), func(a, b act) int { return strings.Compare(a.node+a.command, b.node+b.command) }) {
		if n := reached[a]; n > leave[a] || n > intents[a] {
			in.t.Errorf("%q reached %s %d times; typed for %d times, %d intents", a.command, a.node, n, leave[a], intents[a])
		}
	}
	return ran
}

// written are all intents of commands in the journals, whose chains hold.
func (in *accident) written() (intents []cluster.Intent) {
	all, err := journal.List(filepath.Join(in.dir, "incidents"))
	if err != nil && !os.IsNotExist(err) {
		in.t.Fatal(err)
	}
	for _, one := range all {
		if err := journal.Verify(one.Path); err != nil {
			in.t.Error(err)
		}
		err := journal.Read(one.Path, func(r journal.Record) error {
			data, err := journal.Decode(r)
			if d, ok := data.(*cluster.Intent); ok && d.Command != "" {
				intents = append(intents, *d)
			}
			return err
		})
		if err != nil {
			in.t.Error(err)
		}
	}
	return intents
}
