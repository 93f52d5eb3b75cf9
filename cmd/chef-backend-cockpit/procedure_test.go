package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// wayBack are the lines of promote-previous-leader that run by themselves, or
// under a condition, and what tells when.
var wayBack = []string{
	"only while: leads-not\n",
	"at once after the step before: no stop between them\n",
	"The way back, carried out if step 1 or a later one does not end well:\n",
	"chef-backend-ctl stop postgresql\n",
	"/no-start-pgsql /var/opt/chef-backend/leaderl/data/\n",
	"only while: not no-start-pgsql\n",
}

// inOrder holds that a text has all pieces, one after another.
func inOrder(t *testing.T, text string, pieces []string) {
	t.Helper()
	at := 0
	for _, piece := range pieces {
		i := strings.Index(text[at:], piece)
		if i < 0 {
			t.Fatalf("%q is missing, or out of order, in\n%s", piece, text)
		}
		at += i
	}
}

// The catalogue's entry hides nothing that may run, or that a person is asked for.
func TestProcedureShowsTheWayBackAndWhatAStepAsksFor(t *testing.T) {
	home(t, "")
	for name, wants := range map[string][]string{
		"promote-previous-leader": wayBack,
		"quorum-loss-recovery":    {"by hand: Install the same version", "\n               A host that was in the cluster before", "asks before it begins for: {other1}\n"},
	} {
		code, out, errOut := call(t, "procedure", "show", name)
		if code != 0 {
			t.Fatalf("%s: exit code %d, %s", name, code, errOut)
		}
		inOrder(t, out, wants)
	}
}

// So does the dry run, byte for byte.
func TestDryRunShowsTheWayBackAndWhatAStepAsksFor(t *testing.T) {
	sim := simulatedAt(t, remote.NewScaled(4))
	e, out := onNode(t, sim, "be1", func(to remote.Target) remote.Host {
		for _, n := range sim.Nodes() {
			if to.Address == n.Address {
				return sim.Host(n.Name)
			}
		}
		return lockedOut{to.Address}
	})
	f, err := e.connectTo(t.Context(), config{}, []string{"10.0.4.11"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	c, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.watch(watchOptions{catalogue: c, readOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	w.Start(t.Context())
	defer w.Close()
	within, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.LookAll(within); err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"promote-previous-leader": wayBack,
		"quorum-loss-recovery":    {"by hand: Install the same version", "with the address 10.0.4.1", "asks before it begins for: be2\n", "asks before it begins for: be3\n"},
	} {
		i := slices.IndexFunc(c.Procedures, func(p cluster.Procedure) bool { return p.Name == name })
		if i < 0 {
			t.Fatalf("there is no %s", name)
		}
		plan, err := bind(w, c.Procedures[i], "be1", "")
		if err != nil {
			t.Fatal(err)
		}
		out.Reset()
		e.printPlan(plan)
		inOrder(t, out.String(), wants)
		for _, s := range plan.Back {
			if !strings.Contains(out.String(), s.Command+"\n") || strings.Contains(s.Command, "{") {
				t.Errorf("%q of the way back is missing, or not bound, in\n%s", s.Command, out)
			}
		}
	}
}
