package recovery

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"chef-backend-cockpit/assets"
)

// shells are those of this machine under which the scripts have to run.
func shells() [][]string {
	var out [][]string
	for _, s := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "sh"}, {"sh"}} {
		if _, err := exec.LookPath(s[0]); err == nil {
			out = append(out, s)
		}
	}
	return out[:min(2, len(out))]
}

// scripted runs the step scripts for real, below a folder of its own.
type scripted struct {
	t    *testing.T
	base string
	bin  string // stands before everything else in PATH
	sh   []string
}

func newScripted(t *testing.T, sh []string) *scripted {
	s := &scripted{t: t, base: filepath.Join(t.TempDir(), "state"), bin: t.TempDir(), sh: sh}
	s.tool("chpst", "echo t")
	s.tool("hostname", "echo be3")
	s.lock()
	return s
}

// tool puts an invented command in front.
func (s *scripted) tool(name, body string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// live is a session with a real shell.
type live struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	*frames
}

func (s *scripted) start(text string, args ...string) *live {
	s.t.Helper()
	argv := append(append([]string{}, s.sh[1:]...), append([]string{"-c", text, "cockpit-step"}, args...)...)
	cmd := exec.Command(s.sh[0], argv...)
	cmd.Env = []string{"PATH=" + s.bin + ":" + os.Getenv("PATH"), "LC_ALL=C"}
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	l := &live{t: s.t, cmd: cmd, in: in, frames: newFrames(out, args[3])}
	s.t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	return l
}

const testLook = "look() { printf 'a look, %s %s\\n' \"$1\" \"$2\"; }\n"

func (s *scripted) step(id, host, command string) *live {
	l := s.start(testLook+assets.MustRead("scripts/step-follow.sh")+assets.MustRead("scripts/step.sh"),
		s.base, "7f3a0001", id, "nonce1", "token1", host, "", "", command)
	raw, err := l.ready()
	if err != nil || string(raw) != "a look, fast nonce1\n" {
		s.t.Fatalf("look %q: %v", raw, err)
	}
	return l
}

func (s *scripted) attach(id string, offset int, boot string) *live {
	return s.start(assets.MustRead("scripts/step-follow.sh")+assets.MustRead("scripts/step-attach.sh"),
		s.base, "7f3a0001", id, "nonce2", fmt.Sprint(offset), boot)
}

func (l *live) say(line string) {
	if _, err := io.WriteString(l.in, line+"\n"); err != nil {
		l.t.Fatal(err)
	}
}

// until reads frames up to one of a kind, and gathers the output.
func (l *live) until(kind string) (frame, string) {
	l.t.Helper()
	var out strings.Builder
	for {
		f, err := l.next()
		if err != nil {
			l.t.Fatalf("ended before %s: %v; output %q", kind, err, out.String())
		}
		out.Write(f.data)
		if f.kind == kind || kind == "out" && strings.HasSuffix(out.String(), "\n") {
			return f, out.String()
		}
	}
}

func TestStepRunsDetachedAndExactly(t *testing.T) {
	for _, sh := range shells() {
		t.Run(sh[0], func(t *testing.T) {
			s := newScripted(t, sh)
			command := `printf '%s\n' "a  b" '$HOME' "$0"; X=1 env | grep ^X=; exit 3`
			l := s.step("1-stop", "be3", command)
			l.say("go token1 false unknown recovery lock1")
			f, out := l.until("exit")
			if f.number != 3 || !f.known || out != "a  b\n$HOME\nsh\nX=1\n" {
				t.Errorf("exit %+v, output %q", f, out)
			}
			dir := filepath.Join(s.base, "steps", "7f3a0001", "1-stop")
			for file, want := range map[string]string{"command": command + "\n", "exit": "3\n", "format": "1\n", "token": "token1\n", "output": out} {
				if got, err := os.ReadFile(filepath.Join(dir, file)); string(got) != want {
					t.Errorf("%s holds %q, %v", file, got, err)
				}
			}
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder: %v %v", info.Mode(), err)
			}
			if info, err := os.Stat(filepath.Join(s.base, "aside", "7f3a0001")); err != nil || !info.IsDir() {
				t.Errorf("no folder to move things aside: %v", err)
			}
			again := s.step("1-stop", "", "touch "+s.base+"/twice")
			again.say("go token1 false false recovery lock1")
			if f, _ := again.until("refused"); f.number != exitStarted {
				t.Errorf("a second start: %+v", f)
			}
			if _, err := os.Stat(s.base + "/twice"); err == nil {
				t.Error("the step ran twice")
			}
		})
	}
}

func TestStepRefusesInTheShell(t *testing.T) {
	s := newScripted(t, shells()[0])
	for name, c := range map[string]struct{ host, line, before, want string }{
		"input ends":      {"", "", "", "the input ended"},
		"wrong token":     {"", "go other false false recovery lock1", "", "no go for this step"},
		"no look's facts": {"", "go token1", "", "no go for this step"},
		"another host":    {"be2", "go token1 false false recovery lock1", "", "host name is no longer be2"},
		"sentinel went":   {"", "go token1 true false recovery lock1", "", "sentinel no-start-pgsql changed"},
		"sentinel came":   {"", "go token1 false true recovery lock1", "", "sentinel unsynced changed"},
		"role changed":    {"", "go token1 false false primary lock1", "", "primary then, recovery now"},
		"answers by now":  {"", "go token1 false false none lock1", "", "answers by now: recovery"},
		"too late":        {"", "go token1 false false recovery lock1", "echo $(($(/bin/date -u +%s) + 11))", "the go came 1"},
		"hangs meanwhile": {"", "go token1 false false recovery lock1", "echo >>" + s.base + "-asked; echo $(($(/bin/date -u +%s) + 21 * ($(wc -l <" + s.base + "-asked) - 1)))", "comparing was done 2"},
		"no setsid":       {"", "go token1 false false recovery lock1", "setsid", "setsid is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			l := s.step("1-stop", c.host, "touch "+s.base+"-ran")
			switch {
			case c.before == "setsid":
				s.tool("setsid", "exit 127")
				defer os.Remove(filepath.Join(s.bin, "setsid"))
			case c.before != "":
				s.tool("date", c.before)
				defer os.Remove(filepath.Join(s.bin, "date"))
			}
			if c.line != "" {
				l.say(c.line)
			}
			l.in.Close()
			f, _ := l.until("refused")
			code := exitRefused
			if strings.HasPrefix(c.want, "answers") {
				code = exitAnswers
			}
			if f.number != int64(code) || !strings.Contains(f.text, c.want) {
				t.Errorf("got %+v, want %q", f, c.want)
			}
			if l.cmd.Wait(); l.cmd.ProcessState.ExitCode() != code {
				t.Errorf("exit %d", l.cmd.ProcessState.ExitCode())
			}
		})
	}
	for _, left := range []string{s.base + "-ran", s.base + "/steps"} {
		if _, err := os.Stat(left); err == nil {
			t.Errorf("%s is there: something was done", left)
		}
	}
}

func TestStepOutlivesItsSession(t *testing.T) {
	for _, sh := range shells() {
		t.Run(sh[0], func(t *testing.T) {
			s := newScripted(t, sh)
			flag := filepath.Join(s.bin, "go-on")
			l := s.step("3-basebackup", "", "echo one; while [ ! -e "+flag+" ]; do sleep 0.05; done; printf 'two\\000\\n'; exit 4")
			l.say("go token1 false false recovery lock1")
			if _, out := l.until("out"); out != "one\n" {
				t.Fatalf("output %q", out)
			}
			l.cmd.Process.Kill() // the link, the laptop, the cockpit
			l.cmd.Wait()
			a := s.attach("3-basebackup", 4, "")
			if f, _ := a.until("started"); f.number <= 1 {
				t.Errorf("pid %+v", f)
			}
			os.WriteFile(flag, nil, 0o600)
			if f, out := a.until("exit"); f.number != 4 || out != "two\x00\n" {
				t.Errorf("exit %+v, output %q", f, out)
			}
		})
	}
}

func TestAttachTellsWhatCannotBeKnown(t *testing.T) {
	s := newScripted(t, shells()[0])
	s.attach("3-basebackup", 0, "").until("absent")
	// What was not yet on the disk when the node fell is gone with its folder.
	s.attach("3-basebackup", 0, "another boot").until("rebooted")
	l := s.step("3-basebackup", "", "echo one; sleep 60")
	l.say("go token1 false false recovery lock1")
	f, _ := l.until("started")
	s.attach("3-basebackup", 0, "another boot").until("rebooted")
	if f.number <= 1 {
		t.Fatalf("pid %+v", f)
	}
	group, err := syscall.Getpgid(int(f.number)) // its session is its own process group
	if err != nil || group <= 1 {
		t.Fatal(group, err)
	}
	syscall.Kill(-group, syscall.SIGKILL)
	l.until("gone")
	s.attach("3-basebackup", 0, "").until("gone")
	os.WriteFile(filepath.Join(s.base, "steps", "7f3a0001", "3-basebackup", "format"), []byte("2\n"), 0o600)
	if f, _ := s.attach("3-basebackup", 0, "").until("refused"); !strings.Contains(f.text, "format 2") {
		t.Errorf("another format: %+v", f)
	}
}

// The simulation reads the scripts with an interpreter written in Go.
func TestStepRunsUnderTheInterpreter(t *testing.T) {
	s := newScripted(t, nil)
	text := testLook + assets.MustRead("scripts/step-follow.sh") + assets.MustRead("scripts/step.sh")
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "step")
	if err != nil {
		t.Fatal(err)
	}
	in, stdin := io.Pipe()
	stdout, out := io.Pipe()
	t.Setenv("PATH", s.bin+":"+os.Getenv("PATH"))
	runner, err := interp.New(interp.StdIO(in, out, io.Discard),
		interp.Params("--", s.base, "7f3a0001", "1-stop", "nonce1", "token1", "be3", "", "", "echo done; exit 5"),
		interp.CallHandler(func(_ context.Context, args []string) ([]string, error) {
			if args[0] == "umask" { // not among the interpreter's own
				return []string{"true"}, nil
			}
			return args, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runner.Run(ctx, file)
		out.Close()
	}()
	l := &live{t: t, in: stdin, frames: newFrames(stdout, "nonce1")}
	if _, err := l.ready(); err != nil {
		t.Fatal(err)
	}
	l.say("go token1 false false recovery lock1")
	if f, output := l.until("exit"); f.number != 5 || output != "done\n" {
		t.Errorf("exit %+v, output %q", f, output)
	}
	stdin.Close()
	<-ended
}
