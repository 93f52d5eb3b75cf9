package recovery

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
)

var write = flag.Bool("write", false, "write testdata/commands.txt anew, to be read with care afterwards")

// goldenNodes are the nodes that procedures are bound to: a follower, unless
// the leader is what they are about.
var goldenNodes = map[string]string{"promote-node": "be2", "orderly-failover": "be2", "promote-previous-leader": "be1", "stop-stale-primary": "be1"}

// Every command that the product's procedures can ever send, byte for byte as
// an operator reads it, with where it runs, when, and what has to be typed.
// What changes here changes what happens to somebody's cluster.
func TestCommandsOfEveryProcedure(t *testing.T) {
	w := newWorld(t)
	x := w.executor()
	var b strings.Builder
	for _, p := range x.o.Procedures {
		if !p.Built {
			t.Errorf("%s is not built", p.Name)
		}
		node, service := goldenNodes[p.Name], ""
		switch {
		case p.Target == "cluster":
			node = ""
		case node == "":
			node = "be3"
		}
		if p.Target == "service" {
			service = "etcd"
		}
		plan, err := x.Bind(w.view(), p.Name, node, service)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		fmt.Fprintf(&b, "%s %s: %s of %s, type %q\n", p.Name, node, plan.Tier, p.Tier, plan.Phrases)
		writeSteps(&b, "", plan.Steps)
		writeSteps(&b, "back ", plan.Back)
	}
	const path = "testdata/commands.txt"
	if *write {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(string(golden), "\n")
	for i, line := range strings.Split(b.String(), "\n") {
		if i >= len(want) || line != want[i] {
			t.Fatalf("line %d differs; run with -write and read what changed:\n%s", i+1, line)
		}
	}
	if len(want) != strings.Count(b.String(), "\n")+1 {
		t.Errorf("%s holds more than there is", path)
	}
}

func writeSteps(b *strings.Builder, prefix string, steps []cluster.PlanStep) {
	for _, s := range steps {
		what := s.Command
		switch {
		case s.Kind == cluster.StepManual:
			what = "(by hand)"
		case what == "":
			what = "(looks)"
		case s.Kind == cluster.StepTerminal:
			what += "   (in a terminal)"
		}
		fmt.Fprintf(b, "  %s%s %s$ %s\n", prefix, s.ID, s.Node, what)
		if s.When != nil {
			fmt.Fprintf(b, "      when %s\n", s.When.String())
		}
		if s.Phrase != "" {
			fmt.Fprintf(b, "      type %q\n", s.Phrase)
		}
		if s.Repeatable && s.Command != "" {
			fmt.Fprintf(b, "      may run again\n")
		}
	}
}
