package simulation

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/remote"
)

// dialled is a plain SSH connection to a node.
func dialled(t *testing.T, c *Cluster, name string) *ssh.Client {
	t.Helper()
	pem, err := os.ReadFile(c.keys.identity)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	client, err := ssh.Dial("tcp", c.node(name).server.address(), &ssh.ClientConfig{User: "root",
		Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// talk runs a command on a pty, types keys when the prompt has come, and
// returns all that was on the screen.
func talk(t *testing.T, client *ssh.Client, command, prompt, keys string) (screen string, exit int) {
	t.Helper()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, _ := s.StdinPipe()
	out, _ := s.StdoutPipe()
	if err := s.RequestPty("xterm", 24, 80, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(command); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		one, err := lines.ReadByte()
		if err != nil {
			break
		}
		if screen += string(one); prompt != "" && strings.HasSuffix(screen, prompt) {
			in.Write([]byte(keys))
			prompt = ""
		}
	}
	var failed *ssh.ExitError
	if err := s.Wait(); errors.As(err, &failed) {
		return screen, failed.ExitStatus()
	} else if err != nil {
		t.Fatal(err)
	}
	return screen, 0
}

// A command that wants its word asks a terminal, and only a terminal.
func TestTerminalIsAsked(t *testing.T) {
	c := start(t, Options{Speed: 60})
	client := dialled(t, c, "be3")
	const prompt, cleanse = "anything else to cancel.\r\n", "chef-backend-ctl cleanse --yes"
	c.RequireApproval("cleanse", true)
	if screen, exit := talk(t, client, cleanse, prompt, "nxo\x7f\x7f\x7fno\r"); exit != 4 || !strings.HasSuffix(screen, "no\r\nCanceling operation\r\n") {
		t.Errorf("refused: %d %q", exit, screen)
	}
	if screen, exit := talk(t, client, cleanse, prompt, "\x04"); exit != 4 {
		t.Errorf("the end of the input: %d %q", exit, screen)
	}
	if screen, exit := talk(t, client, "echo on; sleep 100000; echo off", "on\r\n", "\x03"); exit == 0 || strings.Contains(screen, "off") {
		t.Errorf("interrupted: %d %q", exit, screen)
	}
	h := c.Host("be3")
	defer h.Close()
	r, err := h.Run(t.Context(), script("chef-backend-ctl cleanse --yes <<EOF\nproceed\nEOF"))
	if err != nil || r.Exit != 1 || !strings.Contains(string(r.Stderr), "This command requires explicit approval to continue and must be run interactively.") {
		t.Errorf("without a terminal: %v %s, %v", r.Exit, r.Stderr, err)
	}
	screen, exit := talk(t, client, "chef-backend-ctl stop >/dev/null; "+cleanse, prompt, "proceed\r")
	if exit != 0 || !strings.Contains(screen, "\r\nYour config files have been backed up to /root/chef-backend-cleanse-") {
		t.Errorf("approved: %d %q", exit, screen)
	}
}

// A step that was handed to a terminal: what was typed there reaches its
// command, its status lies in the folder, and its text is told as a step's.
func TestStepInATerminal(t *testing.T) {
	c := start(t, Options{Speed: 20})
	c.RequireApproval("cleanse", true)
	h := c.Host("be3")
	defer h.Close()
	const command = "chef-backend-ctl cleanse --yes"
	for i, keys := range []string{"\x03", "no\r", "proceed\r"} {
		step := fmt.Sprintf("s%d", i)
		said(t, c, "be3", "d=/var/opt/chef-backend-cockpit/steps/p1/"+step+`; l=/var/opt/chef-backend-cockpit/lock; mkdir -p $d $l; echo "lock1 p1 - 0 ann@bastion" >$l/holder; echo lock1 >$d/lock; echo tok >$d/token; echo '`+command+`' >$d/command; date -u +%s >$d/ready`)
		terminal, err := remote.OpenTerminal(t.Context(), h, remote.Script{Name: "cockpit-terminal", Text: assets.MustRead("scripts/step-terminal.sh"),
			Args: []string{"/var/opt/chef-backend-cockpit", "p1", step, "tok"}}, remote.Size{Columns: 80, Rows: 24})
		if err != nil {
			t.Fatal(err)
		}
		out, screen := bufio.NewReader(terminal), ""
		for !strings.HasSuffix(screen, "cancel.\r\n") {
			one, err := out.ReadByte()
			if err != nil {
				t.Fatalf("%d: %q: %v", i, screen, err)
			}
			screen += string(one)
		}
		if _, err := terminal.Write([]byte(keys)); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(out)
		r, _ := terminal.Wait()
		want := []int{130, 4, 0}[i]
		status, _ := c.node("be3").machine.Files().Read("/var/opt/chef-backend-cockpit/steps/p1/" + step + "/exit")
		if err != nil || r.Exit != want || string(status) != fmt.Sprintf("%d\n", want) {
			t.Errorf("%q: exit %d, noted %q, %q, %v", keys, r.Exit, status, rest, err)
		}
		terminal.Close()
	}
	if got := c.StepCommands("be3"); len(got) != 3 || got[2] != command {
		t.Errorf("the node was given %q", got)
	}
	if files := c.node("be3").machine.Files(); files.Exists("/var/opt/chef-backend") || !files.Exists("/var/opt/chef-backend-cockpit") {
		t.Error("the wrong folder was cleansed")
	}
}
