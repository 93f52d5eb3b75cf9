package simulation

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/remote"
)

// quick are timings that make a loss visible soon.
func quick(o remote.Options) remote.Options {
	o.Timings.Dial, o.Timings.Keepalive, o.Timings.Stale, o.Timings.Lost = 400*time.Millisecond, 50*time.Millisecond, 200*time.Millisecond, 400*time.Millisecond
	o.Timings.BackoffFirst, o.Timings.BackoffMost = 50*time.Millisecond, 100*time.Millisecond
	return o
}

// A cut swallows what is sent: a new connection gets no banner, one that
// stands hears nothing, nobody is refused. Mended, all goes on.
func TestCutIsABlackHole(t *testing.T) {
	c := start(t, Options{Speed: 20})
	h, err := remote.NewSSH(c.Target("be3"), quick(c.RemoteOptions()))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	eventually(t, "the link is up", func() bool { return h.Link().Phase == remote.Live })
	var cut string
	for _, n := range c.Nodes() {
		if n.Name == "be3" {
			cut = n.Dial
		}
	}
	if err := c.Strike("operator-cut-off"); err != nil {
		t.Fatal(err)
	}
	if c.reached("be3") {
		t.Fatal("the fault cuts another node than the test looks at")
	}
	conn, err := net.Dial("tcp", cut)
	if err != nil {
		t.Fatalf("a cut must not refuse: %v", err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !isTimeout(err) {
		t.Errorf("a cut answers: %d bytes, %v", n, err)
	}
	eventually(t, "the loss is noticed", func() bool { return h.Link().Phase == remote.Lost })
	var re *remote.Error
	eventually(t, "the node counts as unreachable", func() bool {
		return errors.As(h.Link().Err, &re) && re.Kind == remote.Unreachable
	})
	if err := c.Heal("operator-cut-off"); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.HasPrefix(line, "SSH-2.0-") {
		t.Errorf("the connection that waited got %q, %v", line, err)
	}
	eventually(t, "the link is back", func() bool { return h.Link().Phase == remote.Live })
}

// reached says whether a node's gate is open.
func (c *Cluster) reached(name string) bool {
	open, _, _, _ := c.node(name).gate.state()
	return open
}

func back(t *testing.T, c *Cluster, name string) {
	t.Helper()
	eventually(t, name+" is back", func() bool { return c.reached(name) })
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// The host without a network hangs and fails in the same ways.
func TestInProcessHostIsCutOff(t *testing.T) {
	c := start(t, Options{Speed: 20})
	h := c.Host("be3")
	defer h.Close()
	s, err := h.Start(t.Context(), remote.Script{Text: "while read -r l; do echo \"<$l>\"; done"})
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(s.Stdout())
	s.Stdin().Write([]byte("a\n"))
	if line, err := out.ReadString('\n'); line != "<a>\n" {
		t.Fatal(line, err)
	}
	c.Strike("operator-cut-off")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if r, err := h.Run(ctx, remote.Script{Text: "echo through"}); err == nil || r.ExitKnown || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a script ran through a cut: %v %v", r, err)
	}
	if r, err := s.Wait(); err == nil || r.ExitKnown {
		t.Errorf("the session ended well in a cut: %v", r)
	}
	eventually(t, "the link counts as lost", func() bool { return h.Link().Phase == remote.Lost })
	if _, err := h.Start(t.Context(), remote.Script{Text: "true"}); err == nil {
		t.Error("a session was opened over a lost link")
	}
	c.Heal("operator-cut-off")
	if r, err := h.Run(t.Context(), remote.Script{Text: "cat; exit 4", Stdin: []byte("in")}); err != nil || r.Exit != 4 || string(r.Stdout) != "in" {
		t.Errorf("after the cut: %+v %v", r, err)
	}
}

// A host that was switched off comes back as a new boot with the same disk,
// and resets what stood before.
func TestPowerCycle(t *testing.T) {
	c := start(t, Options{Speed: 50})
	h := c.Host("be3")
	defer h.Close()
	ask := func() string {
		r, err := h.Run(t.Context(), remote.Script{Text: "cat /proc/sys/kernel/random/boot_id /tmp/kept; [ -e /proc/uptime ]"})
		if err != nil {
			t.Fatal(err)
		}
		return string(r.Stdout)
	}
	if err := c.node("be3").machine.Files().Write("/tmp/kept", []byte("kept\n")); err != nil {
		t.Fatal(err)
	}
	before := ask()
	conn, err := net.Dial("tcp", c.node("be3").server.address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	c.Strike("node-down")
	c.Heal("node-down")
	back(t, c, "be3")
	after := ask()
	if before == after || !strings.HasSuffix(after, "\nkept\n") {
		t.Errorf("before %q, after %q", before, after)
	}
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("a connection from before the power cycle still stands: %v", err)
	}
}

// OpenSSH's own client must be able to log in, too.
func TestOpenSSHClient(t *testing.T) {
	client, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("this machine has no ssh")
	}
	c := start(t, Options{})
	target := c.Target("be1")
	host, port, _ := net.SplitHostPort(c.Nodes()[0].Dial)
	args := []string{"-T", "-F", "none", "-i", target.Identity[0], "-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile=" + target.KnownHosts[0],
		"-o", "StrictHostKeyChecking=yes", "-p", port}
	run := func(user, text, input string) (string, error) {
		cmd := exec.CommandContext(t.Context(), client, append(append([]string{}, args...), user+"@"+host, text)...)
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("root", "id -u; hostname; cat; exit 5", "input\n")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 5 || out != "0\nbe1\ninput\n" {
		t.Errorf("root got %q, %v", out, err)
	}
	if out, err := run("somebody", "id -u; sudo -n id -u; sh -c 'echo $HOME'", ""); err != nil || out != "1000\n0\n/home/somebody\n" {
		t.Errorf("somebody got %q, %v", out, err)
	}
	if out, err := run("root", "", "echo from stdin; exit 0\n"); err != nil || out != "from stdin\n" {
		t.Errorf("a login shell got %q, %v", out, err)
	}
}

// A node that refuses the login, or shows another key, is there all the same:
// both ways into it must say so, end what stands, and let in again when mended.
func TestLoginIsRefused(t *testing.T) {
	for fault, kind := range map[string]remote.Kind{"login-failed": remote.LoginFailed, "host-key-changed": remote.HostKeyChanged} {
		c := start(t, Options{Speed: 20})
		far, err := remote.NewSSH(c.Target("be3"), quick(c.RemoteOptions()))
		if err != nil {
			t.Fatal(err)
		}
		defer far.Close()
		near := c.Host("be3")
		defer near.Close()
		for _, h := range []remote.Host{far, near} {
			eventually(t, "the link is up", func() bool { return h.Link().Phase == remote.Live })
		}
		session, err := near.Start(t.Context(), remote.Script{Text: "read -r line"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Strike(fault); err != nil {
			t.Fatal(err)
		}
		for _, h := range []remote.Host{far, near} {
			var re *remote.Error
			eventually(t, fault+" is told", func() bool {
				return h.Link().Phase == remote.Refused && errors.As(h.Link().Err, &re) && re.Kind == kind
			})
			if _, err := h.Run(t.Context(), remote.Script{Text: "true"}); err == nil {
				t.Errorf("%s: a script ran", fault)
			}
		}
		if r, err := session.Wait(); err == nil {
			t.Errorf("%s: the session that stood ended with %d", fault, r.Exit)
		}
		if err := c.Heal(fault); err != nil {
			t.Fatal(err)
		}
		far.(interface{ Retry() }).Retry()
		for _, h := range []remote.Host{far, near} {
			eventually(t, "the link is back", func() bool { return h.Link().Phase == remote.Live })
		}
	}
}
