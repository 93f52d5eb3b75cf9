package recovery

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"chef-backend-cockpit/assets"
)

// onPTY runs step-terminal.sh on a real pseudo-terminal. What comes is for the
// caller to read; hangUp closes the operator's side.
type onPTY struct {
	t   *testing.T
	cmd *exec.Cmd
	tty *os.File
}

func (s *scripted) terminal(id, token string) *onPTY {
	s.t.Helper()
	argv := append(append([]string{}, s.sh[1:]...), "-c", assets.MustRead("scripts/step-terminal.sh"), "cockpit-terminal", s.base, "7f3a0001", id, token)
	cmd := exec.Command(s.sh[0], argv...)
	cmd.Env = []string{"PATH=" + s.bin + ":" + os.Getenv("PATH"), "LC_ALL=C"}
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		s.t.Fatal(err)
	}
	o := &onPTY{s.t, cmd, tty}
	s.t.Cleanup(func() { tty.Close(); cmd.Process.Kill(); cmd.Wait() })
	return o
}

// until reads up to a text.
func (o *onPTY) until(text string) string {
	o.t.Helper()
	var got []byte
	for one := make([]byte, 1); !strings.HasSuffix(string(got), text); {
		n, err := o.tty.Read(one)
		if err != nil {
			o.t.Fatalf("ended before %q: %q", text, got)
		}
		got = append(got, one[:n]...)
	}
	return string(got)
}

// end reads the rest and gives the exit status.
func (o *onPTY) end() (string, int) {
	got, _ := io.ReadAll(o.tty) // EIO is the end of a terminal
	o.cmd.Wait()
	return string(got), o.cmd.ProcessState.ExitCode()
}

// ready goes through phase one for a terminal.
func (s *scripted) ready(id, command string) {
	s.t.Helper()
	l := s.start(testLook+assets.MustRead("scripts/step-follow.sh")+assets.MustRead("scripts/step.sh"),
		s.base, "7f3a0001", id, "nonce1", "token1", "", "", "", command, "terminal")
	if _, err := l.ready(); err != nil {
		s.t.Fatal(err)
	}
	l.say("go token1 false false recovery lock1")
	l.until("prepared")
	l.cmd.Wait()
}

// The command runs in the foreground of the terminal, reads what is typed, has
// the terminal's size, and its status lies in the folder. It begins once.
func TestTerminalStep(t *testing.T) {
	for _, sh := range shells() {
		t.Run(sh[0], func(t *testing.T) {
			s := newScripted(t, sh)
			s.attach("2-join", 0, "").until("absent")
			s.ready("2-join", `test -t 0 && stty size; printf 'proceed? '; read -r a; echo "you said $a"; exit 5`)
			if _, err := os.Stat(filepath.Join(s.base, "steps", "7f3a0001", "2-join", "pid")); err == nil {
				t.Error("something ran before there was a terminal")
			}
			s.attach("2-join", 0, "").until("absent") // nobody took it: it never began
			for _, wrong := range []*onPTY{s.terminal("2-join", "token2"), s.terminal("3-other", "token1")} {
				if out, exit := wrong.end(); exit != exitRefused || !strings.Contains(out, "nothing was made ready") {
					t.Errorf("exit %d: %q", exit, out)
				}
			}
			o := s.terminal("2-join", "token1")
			if got := o.until("proceed? "); !strings.Contains(got, "30 100") {
				t.Errorf("the size is %q", got)
			}
			s.attach("2-join", 0, "").until("started")
			io.WriteString(o.tty, "yes\n")
			if out, exit := o.end(); exit != 5 || !strings.Contains(out, "you said yes") {
				t.Errorf("exit %d: %q", exit, out)
			}
			if f, _ := s.attach("2-join", 400, "").until("exit"); f.number != 5 {
				t.Errorf("%+v", f)
			}
			if out, exit := s.terminal("2-join", "token1").end(); exit != exitStarted || !strings.Contains(out, "begun before") {
				t.Errorf("a second time: exit %d: %q", exit, out)
			}
		})
	}
}

// A terminal that is hung up leaves no status: nobody knows what came of the
// command. One that does not mind is seen as long as it goes on.
func TestTerminalStepIsHungUp(t *testing.T) {
	// Under nohup a hang-up is ignored, by all children, too, until it is heard.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	defer signal.Stop(heard)
	for _, sh := range shells() {
		t.Run(sh[0], func(t *testing.T) {
			s := newScripted(t, sh)
			s.ready("2-join", `echo up; read -r a; sleep 20`)
			o := s.terminal("2-join", "token1")
			o.until("up\r\n")
			o.tty.Close()
			o.cmd.Wait()
			s.attach("2-join", 0, "").until("gone")

			flag := filepath.Join(s.base, "flag")
			s.ready("3-join", `trap '' HUP; echo up; while [ ! -e `+flag+` ]; do sleep 0.05; done; exit 6`)
			o = s.terminal("3-join", "token1")
			o.until("up\r\n")
			o.tty.Close()
			o.cmd.Wait()
			a := s.attach("3-join", 0, "")
			a.until("started")
			os.WriteFile(flag, nil, 0o600)
			a.until("gone")
			s.ready("4-late", "touch "+s.base+"-ran")
			os.WriteFile(filepath.Join(s.base, "steps", "7f3a0001", "4-late", "ready"), []byte("1000\n"), 0o600)
			if out, exit := s.terminal("4-late", "token1").end(); exit != exitRefused || !strings.Contains(out, "after the last look") {
				t.Errorf("exit %d: %q", exit, out)
			}
			if _, err := os.Stat(s.base + "-ran"); err == nil {
				t.Error("it ran long after its look")
			}
		})
	}
}
