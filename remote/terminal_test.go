package remote

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
)

// ptySize is a pty request or a window change, as far as tests look at it.
func ptySize(r *ssh.Request) *pty.Winsize {
	var m struct{ Columns, Rows, Width, Height uint32 }
	payload := r.Payload
	if r.Type == "pty-req" {
		var p struct {
			Term string
			Rest []byte `ssh:"rest"`
		}
		if ssh.Unmarshal(payload, &p) != nil || p.Term == "" {
			return nil
		}
		payload = p.Rest[:min(16, len(p.Rest))]
	}
	if ssh.Unmarshal(payload, &m) != nil {
		return nil
	}
	return &pty.Winsize{Rows: uint16(m.Rows), Cols: uint16(m.Columns)}
}

// runOnPTY gives a command a pseudo-terminal, as sshd does: closing the channel
// hangs it up.
func (s *server) runOnPTY(channel ssh.Channel, requests <-chan *ssh.Request, command string, size *pty.Winsize) {
	shell := exec.Command("sh", "-c", command)
	shell.Env = append([]string{"TERM=xterm"}, s.env...)
	tty, err := pty.StartWithSize(shell, size)
	if err != nil {
		return
	}
	s.wait.Go(func() {
		for r := range requests {
			if r.Type == "window-change" {
				pty.Setsize(tty, ptySize(r))
			}
		}
		tty.Close()
	})
	s.wait.Go(func() { io.Copy(tty, channel) })
	ended := make(chan struct{})
	s.wait.Go(func() {
		select {
		case <-s.done:
			syscall.Kill(-shell.Process.Pid, syscall.SIGKILL)
		case <-ended:
		}
	})
	io.Copy(channel, tty) // ends with EIO when nobody holds the terminal any more
	shell.Wait()
	close(ended)
	channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(shell.ProcessState.ExitCode())}))
}

func TestTerminal(t *testing.T) {
	h := newBed(t).live(t)
	term, err := OpenTerminal(t.Context(), h, Script{Name: "x", Args: []string{"a b"}, Text: `test -t 0 && test -t 1 || exit 9
echo "$1 $(stty size)"; trap 'echo "now $(stty size)"' WINCH; printf '\033[1m> '; while ! read -r a; do :; done; echo "got $a" >&2; exit 3`}, Size{Columns: 101, Rows: 31})
	must(t, err)
	defer term.Close()
	lines := bufio.NewReader(term)
	if line, err := lines.ReadString('\n'); line != "a b 31 101\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	if line, err := lines.ReadString(' '); line != "\x1b[1m> " {
		t.Fatalf("%q %v", line, err)
	}
	must(t, term.Resize(Size{Columns: 90, Rows: 20}))
	if err := term.Resize(Size{}); err == nil {
		t.Error("a terminal of no size")
	}
	_, err = io.WriteString(term, "proceed\n")
	must(t, err)
	rest, err := io.ReadAll(lines)
	must(t, err)
	if !strings.Contains(string(rest), "got proceed\r\n") {
		t.Errorf("%q", rest)
	}
	if r, err := term.Wait(); err != nil || r.Exit != 3 || !r.ExitKnown {
		t.Errorf("%+v %v", r, err)
	}
}

func TestTerminalThatDoesNotEndWell(t *testing.T) {
	b := newBed(t)
	h := b.live(t)
	for _, size := range []Size{{}, {Columns: 80}, {Columns: 80, Rows: -1}, {Columns: mostCells + 1, Rows: 24}} {
		_, err := OpenTerminal(t.Context(), h, Script{Text: "true"}, size)
		wantKind(t, err, Protocol, "no size of a terminal")
	}
	term, err := OpenTerminal(t.Context(), h, Script{Text: "echo up; sleep 60"}, Size{Columns: 80, Rows: 24})
	must(t, err)
	if line, err := bufio.NewReader(term).ReadString('\n'); line != "up\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	b.server.cut()
	io.Copy(io.Discard, term)
	r, err := term.Wait()
	if r.ExitKnown {
		t.Errorf("an exit status was made up: %+v", r)
	}
	wantKind(t, err, LinkLost, "outcome is unknown")
	term.Close()

	b.server.noPTY.Store(true)
	h = b.live(t)
	_, err = OpenTerminal(t.Context(), h, Script{Text: "true"}, Size{Columns: 80, Rows: 24})
	wantKind(t, err, Protocol, "refuses to hand over a terminal")
	if _, err := OpenTerminal(t.Context(), plain{h}, Script{Text: "true"}, Size{Columns: 80, Rows: 24}); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Error("a terminal on a host that has none")
	}
}

// plain is a Host and nothing more.
type plain struct{ Host }
