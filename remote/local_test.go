package remote

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// here is this machine without asking for root: what runs is harmless.
func here(t *testing.T) *Local {
	t.Helper()
	l := &Local{name: "be1", timings: DefaultTimings(), again: make(chan struct{}, 1), stopped: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	close(l.stopped)
	l.set(Live, false, nil)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestLocalRunsAsSSHWould(t *testing.T) {
	l := here(t)
	odd := "a 'b' \"c\" $d `e` \\ \n é"
	for name, c := range map[string]struct {
		script   Script
		out, err string
		exit     int
		dropped  int64
	}{
		"arguments":   {Script{Name: "me", Text: `printf '%s|' "$0" "$@"`, Args: []string{odd, ""}}, "me|" + odd + "||", "", 0, 0},
		"input":       {Script{Text: "cat; echo end", Stdin: []byte("x\x00y\n")}, "x\x00y\nend\n", "", 0, 0},
		"no input":    {Script{Text: "cat; pwd"}, "/\n", "", 0, 0},
		"exit":        {Script{Text: "echo out; echo err >&2; exit 7"}, "out\n", "err\n", 7, 0},
		"signal":      {Script{Text: "kill -9 $$"}, "", "", 137, 0},
		"limit":       {Script{Text: "printf 12345678", Limit: 5}, "12345", "", 0, 3},
		"unread":      {Script{Text: "exec <&-; echo done", Stdin: []byte(strings.Repeat("x", 1<<20))}, "done\n", "", 0, 0},
		"environment": {Script{Text: `echo "$OWN.$SSH_AUTH_SOCK.$(basename "$SHELL")"`}, "..sh\n", "", 0, 0},
		"session":     {Script{Text: `[ "$(ps -o sid= -p $$ | tr -d ' ')" = "$$" ] && echo own`}, "own\n", "", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OWN", "x")
			t.Setenv("SSH_AUTH_SOCK", "/x")
			r, err := l.Run(t.Context(), c.script)
			if err != nil || !r.ExitKnown || r.Exit != c.exit || string(r.Stdout) != c.out || string(r.Stderr) != c.err || r.Dropped != c.dropped {
				t.Errorf("%q %q exit %d %v dropped %d: %v", r.Stdout, r.Stderr, r.Exit, r.ExitKnown, r.Dropped, err)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, err := l.Run(ctx, Script{Text: "echo begun; exec sleep 0.4"})
	var e *Error
	if !errors.As(err, &e) || e.Kind != Timeout || r.ExitKnown {
		t.Errorf("a deadline: %+v %v", r, err)
	}
}

// A session that is closed leaves what was detached alive, and its reader free.
func TestLocalSessionEndsLikeALink(t *testing.T) {
	l := here(t)
	file := filepath.Join(t.TempDir(), "late")
	s, err := l.Start(t.Context(), Script{Text: `setsid sh -c 'echo on; until [ -e "$0.go" ]; do sleep 0.02; done; echo done >"$0"' "$1" </dev/null 2>/dev/null &
echo ready; read -r line; echo "got $line"; cat`, Args: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(s.Stdout())
	seen := ""
	for !strings.Contains(seen, "ready\n") || !strings.Contains(seen, "on\n") {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		seen += line
	}
	if _, err := io.WriteString(s.Stdin(), "go\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := out.ReadString('\n'); line != "got go\n" {
		t.Fatalf("%q %v", line, err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := out.ReadByte()
		read <- err
	}()
	s.Close()
	if err := <-read; err == nil {
		t.Error("a byte came out of a closed session")
	}
	if err := os.WriteFile(file+".go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		if text, err := os.ReadFile(file); err == nil && string(text) == "done\n" {
			break
		}
		if time.Now().After(end) {
			t.Fatal("what was detached did not live on")
		}
		time.Sleep(10 * time.Millisecond)
	}
	s, err = l.Start(t.Context(), Script{Text: "echo some >&2; cat; exit 3"})
	if err != nil {
		t.Fatal(err)
	}
	s.Stdin().Close()
	io.Copy(io.Discard, s.Stdout())
	if r, err := s.Wait(); err != nil || r.Exit != 3 || string(r.Stderr) != "some\n" {
		t.Errorf("%+v %v", r, err)
	}
	s.Close()
	s, err = l.Start(t.Context(), Script{Text: "cat"})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := io.ReadAll(s.Stdout()); err == nil {
		if r, err := s.Wait(); err != nil || r.Exit != 0 {
			t.Errorf("after Close: %+v %v", r, err)
		}
	}
	if _, err := l.Start(t.Context(), Script{Text: "true"}); err == nil {
		t.Error("a closed host starts scripts")
	}
	if link := l.Link(); link.Phase != Lost || link.Privileged {
		t.Errorf("the link of a closed host: %+v", link)
	}
}

func TestLocalTerminal(t *testing.T) {
	l := here(t)
	goOn := filepath.Join(t.TempDir(), "go-on")
	term, err := OpenTerminal(t.Context(), l, Script{Text: `trap 'stty size; exit 5' WINCH; stty size; while :; do sleep 0.02; done`}, Size{100, 30})
	if err != nil {
		t.Fatal(err)
	}
	defer term.Close()
	lines := bufio.NewReader(term)
	if line, err := lines.ReadString('\n'); line != "30 100\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	if err := term.Resize(Size{80, 24}); err != nil {
		t.Fatal(err)
	}
	if line, err := lines.ReadString('\n'); line != "24 80\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Error(err)
	}
	if r, err := term.Wait(); err != nil || r.Exit != 5 {
		t.Errorf("%+v %v", r, err)
	}
	if term, err = OpenTerminal(t.Context(), l, Script{Text: `trap '' HUP; echo on; until [ -e "$1" ]; do sleep 0.02; done`, Args: []string{goOn}}, Size{80, 24}); err != nil {
		t.Fatal(err)
	}
	lines = bufio.NewReader(term)
	if line, err := lines.ReadString('\n'); line != "on\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	read := make(chan struct{})
	go func() {
		io.Copy(io.Discard, lines)
		close(read)
	}()
	term.Close()
	<-read
	waited := make(chan error, 1)
	go func() {
		r, err := term.Wait()
		if r.ExitKnown {
			t.Errorf("hung up: %+v", r)
		}
		waited <- err
	}()
	select {
	case err := <-waited:
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != LinkLost {
			t.Errorf("hung up: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("a script that ignores the hangup is waited for")
	}
	if err := os.WriteFile(goOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	select {
	case <-term.(*localTerminal).ended: // it is gone before the folder is
	case <-time.After(20 * time.Second):
		t.Error("the script does not end")
	}
}

// What stands between this machine's user and root is told with its remedy.
func TestLocalNeedsRootOrSudo(t *testing.T) {
	sh := "#!/bin/sh\n"
	for name, c := range map[string]struct{ sudo, says string }{
		"none":          {"", "there is no sudo; run the cockpit as root, or install sudo"},
		"password":      {sh + "echo 'sudo: a password is required' >&2; exit 1\n", "a password is required; run the cockpit as root, or add to sudoers"},
		"terminal":      {sh + "echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1\n", "!requiretty"},
		"somebody else": {sh + `printf '\ncockpit-uid=12.\n'`, "does not make it so"},
		"root":          {sh + `[ "$1 $2 $3" = "-n sh -c" ] && printf '\ncockpit-uid=0.\n'`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("PATH", dir)
			if c.sudo != "" {
				if err := os.WriteFile(filepath.Join(dir, "sudo"), []byte(c.sudo), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			err := here(t).gainRoot()
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || err.Kind != NoPrivilege || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}
