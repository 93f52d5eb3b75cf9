package simulation

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/remote"
)

// eventually waits until ok, which what happens in the background must bring
// about; it fails after a time that no healthy run needs.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// step starts a step as the cockpit does and returns its session when the
// command is under way.
func step(t *testing.T, h remote.Host, id, command string) (remote.Session, *bufio.Scanner) {
	t.Helper()
	lock(t, h)
	text := observe.Probe() + "\n" + assets.MustRead("scripts/step-follow.sh") + assets.MustRead("scripts/step.sh")
	s, err := h.Start(t.Context(), remote.Script{Name: "cockpit-step", Text: text,
		Args: []string{"/var/opt/chef-backend-cockpit", "plan1", id, "n1", "token", "be3", "", "", command}})
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(s.Stdout())
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "cockpit-step:n1 ready":
			fmt.Fprintln(s.Stdin(), "go token false false recovery lock1")
		case strings.HasPrefix(line, "cockpit-step:n1 started "):
			return s, lines
		case strings.HasPrefix(line, "cockpit-step:n1 refused"):
			t.Fatal(line)
		}
	}
	t.Fatal("the step did not start")
	return nil, nil
}

// lock holds the operators' lock for a step as the cockpit does, until the step
// has it.
func lock(t *testing.T, h remote.Host) {
	t.Helper()
	s, err := h.Start(t.Context(), remote.Script{Name: "cockpit-lock", Text: assets.MustRead("scripts/lock.sh"),
		Args: []string{"/var/opt/chef-backend-cockpit", "plan1", "lock1", "n0", "ann@bastion", ""}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	said := bufio.NewReader(s.Stdout())
	for line := ""; !strings.HasPrefix(line, "cockpit-step:n0 held "); {
		if line, err = said.ReadString('\n'); err != nil || strings.Contains(line, " refused ") {
			t.Fatal(line, err)
		}
	}
	go func() {
		for err == nil {
			if _, err = fmt.Fprintln(s.Stdin(), "1"); err == nil {
				_, err = said.ReadString('\n')
			}
			select {
			case <-t.Context().Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
}

func TestStepRunsToItsEnd(t *testing.T) {
	c := start(t, Options{Speed: 20})
	h := overSSH(t, c, "be3")
	command := "chef-backend-ctl restart elasticsearch"
	s, lines := step(t, h, "s1", command)
	var last string
	for lines.Scan() {
		last = lines.Text()
	}
	if r, err := s.Wait(); err != nil || r.Exit != 0 || !strings.HasPrefix(last, "cockpit-step:n1 exit 0 ") {
		t.Errorf("the step ended with %v %v, %q", r.Exit, err, last)
	}
	if got := c.StepCommands("be3"); len(got) != 1 || got[0] != command {
		t.Errorf("the node was given %q", got)
	}
	if got := c.CtlCalls("be3"); len(got) != 1 || got[0] != command {
		t.Errorf("chef-backend-ctl was called as %q", got)
	}
	if got := c.StepCommands("be1"); len(got) != 0 {
		t.Errorf("another node was given %q", got)
	}
}

// A step belongs to the node: neither the end of its session nor the loss of
// the whole link ends it; only the power does.
func TestStepOutlivesItsSession(t *testing.T) {
	c := start(t, Options{Speed: 20})
	files := c.node("be3").machine.Files()
	dir := "/var/opt/chef-backend-cockpit/steps/plan1/"
	exit := func(id string) string { data, _ := files.Read(dir + id + "/exit"); return string(data) }

	h := overSSH(t, c, "be3")
	s, _ := step(t, h, "s1", "sleep 8; echo through; exit 3")
	s.Close()
	h.Close()
	eventually(t, "the step ends", func() bool { return exit("s1") == "3\n" })
	if out, _ := files.Read(dir + "s1/output"); string(out) != "through\n" {
		t.Errorf("its output is %q", out)
	}

	h = overSSH(t, c, "be3")
	step(t, h, "s2", "sleep 5; echo never")
	if err := c.Strike("node-down"); err != nil {
		t.Fatal(err)
	}
	if c.node("be3").machine.Files().Exists(dir+"s2/exit") || exit("s2") != "" {
		t.Error("a step ended although the power went")
	}
	c.Heal("node-down")
	back(t, c, "be3")
	r, err := c.Host("be3").Run(context.Background(), remote.Script{Text: assets.MustRead("scripts/step-follow.sh") + assets.MustRead("scripts/step-attach.sh"),
		Args: []string{"/var/opt/chef-backend-cockpit", "plan1", "s2", "n1", "0", "another boot"}})
	if err != nil || !strings.HasSuffix(string(r.Stdout), "cockpit-step:n1 rebooted\n") {
		t.Errorf("the step is told as %q, %v", r.Stdout, err)
	}
}

// Processes of a login that were not told to outlive it see the end of their
// input first, and are ended a little later.
func TestSessionProcessesEndWithIt(t *testing.T) {
	c := start(t, Options{Speed: 20})
	h := overSSH(t, c, "be1")
	s, err := h.Start(t.Context(), remote.Script{Text: "sleep 1000 & echo up; cat; echo end >/tmp/end; sleep 1000; echo late >/tmp/late"})
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(s.Stdout()).ReadString('\n'); line != "up\n" {
		t.Fatal(line, err)
	}
	s.Close()
	files := c.node("be1").machine.Files()
	eventually(t, "the script sees the end of its input", func() bool { return files.Exists("/tmp/end") })
	r, err := h.Run(t.Context(), remote.Script{Text: "sleep 10; [ -e /tmp/late ]"})
	if err != nil || r.Exit != 1 {
		t.Errorf("the script went on: %v %v", r.Exit, err)
	}
}
