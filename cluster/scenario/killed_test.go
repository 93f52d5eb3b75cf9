package scenario

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
)

// killSpeed is how much faster than real time cockpits are killed: as many rows
// as are tried at a time need two cores for it.
const killSpeed = min(speed, 5)

// part is which of the boundaries of a row a chain of cockpits dies at: long
// rows are tried on several clusters at once. The zero part is all of them.
type part struct {
	No, Of int
	Steps  []string // ids
}

func (p part) String() string { return fmt.Sprintf("%dof%d", p.No+1, max(p.Of, 1)) }

// has answers whether a boundary is of the part. Those of no step are of the first.
func (p part) has(boundary string) bool {
	words := strings.Fields(boundary)
	if p.Steps == nil {
		return true
	}
	if len(words) < 2 || words[1] == "confirm" || words[1] == "end" {
		return p.No == 0
	}
	return slices.Contains(p.Steps, words[1])
}

// cockpitsAtOnce is how many clusters have a cockpit over SSH at a time: they
// wait far more than they work.
const cockpitsAtOnce = 14

// stepsAPart is how many steps one chain is for.
const stepsAPart = 4

// runs answers whether a step may be carried out in a row: one that a person
// does, or whose command is among those that the row expects.
func runs(s Scenario, step cluster.Step) bool {
	if step.Command == "" {
		return step.Kind == cluster.StepManual
	}
	words := brace.Split(step.Command, -1)
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	command := regexp.MustCompile("^" + strings.Join(words, ".*") + "$")
	for _, expected := range s.Commands {
		if slices.ContainsFunc(expected, command.MatchString) {
			return true
		}
	}
	return false
}

// brace is a value in a step's command.
var brace = regexp.MustCompile(`\{[^}]*\}`)

// partsOf splits a row by the steps of its procedures that are carried out, but
// for commands that a row before it carries out, too: those are of that one. A
// step that is there in two procedures is of two parts.
func partsOf(all *catalogue.Catalogue, s Scenario, taken map[string]bool) []part {
	steps := []string{}
	for _, p := range repairs(s) {
		for _, c := range all.Procedures {
			for _, step := range c.Steps {
				if about := p.kind() + " " + step.ID; c.Name == p.Procedure && runs(s, step) && !taken[about] {
					steps = append(steps, step.ID)
					taken[about] = step.Command != "" // whether a person is asked is seen when it runs
				}
			}
		}
	}
	of := max(1, (len(steps)+stepsAPart-1)/stepsAPart)
	var out []part
	for n := range of {
		out = append(out, part{n, of, steps[n*len(steps)/of : (n+1)*len(steps)/of]})
	}
	return out
}

// graves are the boundaries at which a cockpit has died, by procedure, in all
// rows: what several rows carry out is killed once at each. It is safe for
// concurrent use.
type graves struct {
	mu     sync.Mutex
	by     map[string][]string
	wanted map[string][]string // the boundaries of all steps that were carried out, in any row
}

func newGraves() *graves { return &graves{by: map[string][]string{}, wanted: map[string][]string{}} }

// want notes boundaries that somebody has to die at.
func (g *graves) want(procedure string, boundaries []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wanted[procedure] = append(g.wanted[procedure], boundaries...)
}

// missing are those at which nobody did.
func (g *graves) missing() (out []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for procedure, boundaries := range g.wanted {
		for _, b := range boundaries {
			if says := procedure + ": no cockpit died " + b; !slices.Contains(g.by[procedure], b) && !slices.Contains(out, says) {
				out = append(out, says)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (g *graves) dig(procedure, boundary string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.by[procedure] = append(g.by[procedure], boundary)
}

func (g *graves) of(procedure string) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.by[procedure])
}

// turns lets some go at a time, in the order of their numbers: the longest first,
// so that none of them is at work alone at the end.
type turns struct {
	mu   sync.Mutex
	left *sync.Cond
	next int
	free int
}

func newTurns(atOnce int) *turns {
	q := &turns{free: atOnce}
	q.left = sync.NewCond(&q.mu)
	return q
}

// take waits for the turn of number n; give ends it.
func (q *turns) take(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.next != n || q.free == 0 {
		q.left.Wait()
	}
	q.next++
	q.free--
	q.left.Broadcast()
}

func (q *turns) give() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	q.left.Broadcast()
}

// chain is one row, or a part of one.
type chain struct {
	row  int
	part part
}

// slow are the procedures whose rows take longest, by the clock: they come first.
var slow = []string{"restore-node", "quorum-loss-recovery", "replace-node", "rebuild-follower", "resync-follower"}

// chains are the rows in parts, the slow ones first.
func chains(all *catalogue.Catalogue) (out []chain) {
	taken := map[string]bool{}
	for i, s := range crashRows() {
		for _, part := range partsOf(all, s, taken) {
			out = append(out, chain{i, part})
		}
	}
	place := func(c chain) int {
		if i := slices.Index(slow, crashRows()[c.row].Procedure); i >= 0 {
			return i
		}
		return len(slow)
	}
	slices.SortStableFunc(out, func(a, b chain) int { return cmp.Compare(place(a), place(b)) })
	return out
}

// A cockpit that is killed while its step is at work leaves the step running;
// the next one follows it, waits for the operator, and ends the plan.
func TestKilledWhileAStepIsAtWork(t *testing.T) {
	t.Parallel()
	row := slices.IndexFunc(crashRows(), func(s Scenario) bool { return s.Procedure == "rebuild-follower" })
	c := newCrashed(t, row)
	for _, c.only = range []string{"before 3-basebackup intent", "during 3-basebackup"} {
		if p := c.cockpit(0, false); p != nil {
			t.Fatalf("the plan ended %s before anybody died%s", p.Status, steps(*p))
		}
		c.done = append(c.done, "after confirm") // which it was
	}
	if p := c.cockpit(0, true); p.Status != cluster.StatusDone {
		t.Fatalf("%s: %s%s", p.Status, p.Sentence, steps(*p))
	}
	c.result()
	x := newMatrix()
	for _, m := range c.moments {
		x.tryGuards(t, m)
	}
	t.Logf("%s; of all procedures: make test-safety", x)
}

// Whoever kills the cockpit at any boundary of the journal, of any procedure:
// the next one finds every step as it is or says that it is unknown, waits for
// the operator, and no command reaches its node twice.
func TestKilledAtEveryBoundary(t *testing.T) {
	needsTime(t)
	all, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	var deaths, children atomic.Int64
	guards := newMatrix()
	graves, driven, queue := newGraves(), map[string]bool{}, newTurns(cockpitsAtOnce)
	t.Run("rows", func(t *testing.T) {
		for n, ch := range chains(all) {
			s := crashRows()[ch.row]
			for _, p := range repairs(s) {
				driven[p.Procedure] = true
			}
			t.Run(fmt.Sprintf("%d-%s-%s-%s", ch.row, s.Procedure, s.Row(), ch.part), func(t *testing.T) {
				t.Parallel()
				queue.take(n)
				defer queue.give()
				c := newCrashed(t, ch.row)
				c.part, c.graves = ch.part, graves
				defer func() {
					deaths.Add(int64(c.deaths))
					children.Add(int64(c.children))
					t.Logf("%d cockpits, %d killed, %s of CPU, %s by the clock of the bed", c.children, c.deaths, c.cpu.Round(time.Second), c.clock.Now().Sub(c.clock.Base).Round(time.Second))
				}()
				c.chain()
				for _, m := range c.moments {
					guards.tryGuards(t, m)
				}
			})
		}
	})
	t.Logf("%d cockpits, %d of them killed", children.Load(), deaths.Load())
	for _, says := range graves.missing() {
		t.Error(says)
	}
	guards.complete(t)
	for _, p := range all.Procedures {
		if acts := slices.ContainsFunc(p.Steps, func(s cluster.Step) bool { return s.Command != "" }); acts && p.Built && !driven[p.Name] && p.Name != "force-leader" { // it runs in a terminal alone, where nobody types
			t.Errorf("%s acts, and no row carries it out", p.Name)
		}
	}
}
