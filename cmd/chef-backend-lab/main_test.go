//go:build linux

package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/scenario"
	"chef-backend-cockpit/cmd/chef-backend-lab/lab"
	"chef-backend-cockpit/remote"
)

// The test program is the lab's program, too: hosts begin as it.
func TestMain(m *testing.M) {
	if code, ok := part(os.Args); ok {
		os.Exit(code)
	}
	if os.Getenv("CHEF_BACKEND_LAB_RUN") != "" {
		main()
	}
	if inChild() && os.Getpid() == 1 {
		os.Exit(beInit())
	}
	// How many labs stand side by side is for places to say.
	flag.Parse()
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestBadUseIsOneLine(t *testing.T) {
	for _, args := range [][]string{{"frobnicate"}, {"shell"}, {"up", "now"}, {"fault", "a", "b"}} {
		var out, errOut bytes.Buffer
		if code := run(t.Context(), args, &out, &errOut); code != 64 || strings.Count(errOut.String(), "\n") != 1 || out.Len() > 0 {
			t.Errorf("%v: exit %d, %q, %q", args, code, out.String(), errOut.String())
		}
	}
}

// bed is a lab that scenarios can be tried on.
type bed struct {
	*lab.Lab
	hosts map[string]remote.Host
}

var _ scenario.Bed = bed{}

func (b bed) Hosts() map[string]remote.Host { return b.hosts }
func (b bed) Clock() cluster.Clock          { return remote.System{} }

// realLab is a lab for one test, which must be apart.
func realLab(t *testing.T) bed {
	t.Helper()
	if !inChild() {
		t.Fatal("a test with a lab runs apart")
	}
	l, err := lab.Up(t.Context(), lab.Options{Say: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	hosts, err := l.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, h := range hosts {
			h.Close()
		}
	})
	return bed{l, hosts}
}

// A power cut is silent for the others, and the host comes back as another boot
// of the same machine.
func TestPowerAndCables(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	b := realLab(t)
	id := func(name string) []string {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		target, err := b.Target(name)
		if err != nil {
			t.Fatal(err)
		}
		// A host that has just got its power refuses until its sshd runs.
		var h remote.Host
		for {
			if h, err = remote.NewSSH(target, b.RemoteOptions()); err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			if err = remote.ConnectFirst(ctx, h); err == nil {
				break
			}
			if ctx.Err() != nil {
				t.Fatal(err)
			}
		}
		r, err := h.Run(ctx, remote.Script{Text: "hostname; cat /etc/machine-id /proc/sys/kernel/random/boot_id"})
		if err != nil || r.Exit != 0 {
			t.Fatalf("%v %s", err, r.Stderr)
		}
		return strings.Fields(string(r.Stdout))
	}
	before := id("be3")
	if err := b.Strike("power-off@be3"); err != nil {
		t.Fatal(err)
	}
	if err := remote.ConnectFirst(t.Context(), b.hosts["be1"]); err != nil {
		t.Fatal(err)
	}
	r, err := b.hosts["be1"].Run(t.Context(), remote.Script{Text: "curl -s -m 2 telnet://10.0.4.13:22 </dev/null"})
	if err != nil || r.Exit != 28 {
		t.Errorf("a host without power: exit %d of curl (28 is silence), %v", r.Exit, err)
	}
	if err := b.Heal("power-off@be3"); err != nil {
		t.Fatal(err)
	}
	after := id("be3")
	if len(after) != 3 || !slices.Equal(before[:2], after[:2]) || before[2] == after[2] {
		t.Errorf("host name, machine id, boot id: %v before and %v after", before, after)
	}
}
