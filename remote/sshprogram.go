package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// sshProgram is OpenSSH's own client, asked what its configuration says.
type sshProgram struct {
	path   string
	config []string // the one file to read in place of ssh's own; nil: ssh's own
}

// sshAnswersWithin is how long ssh -G may take: a Match exec may run a program.
const sshAnswersWithin = 5 * time.Second

// settings asks ssh -G. It connects to nothing; a Match exec of the user's own
// configuration runs, as it does whenever the user types ssh. The child has no
// terminal, so that it can neither ask nor write over a screen.
func (p *sshProgram) settings(at place) (settings, error) {
	args := []string{"-G", "-T"}
	for _, path := range p.config {
		args = append(args, "-F", path)
	}
	if at.user != "" {
		args = append(args, "-l", at.user)
	}
	if at.port != "" {
		args = append(args, "-p", at.port)
	}
	ctx, cancel := context.WithTimeout(context.Background(), sshAnswersWithin)
	defer cancel()
	c := exec.CommandContext(ctx, p.path, append(args, "--", at.host)...)
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("ssh -G %s did not answer within %s: look for a Match exec that hangs", Safe([]byte(at.host)), sshAnswersWithin)
	case err != nil:
		return nil, errors.New(cut(lastLine(said.Bytes(), err.Error()), 300))
	}
	return parseSettings(out), nil
}

// lastLine is the last line of text that says something.
func lastLine(text []byte, otherwise string) string {
	lines := SafeLines(text)
	for i := len(lines) - 1; i >= 0; i-- {
		if s := strings.TrimSpace(lines[i]); s != "" && !strings.Contains(s, "terminating, ") {
			return s
		}
	}
	return Safe([]byte(otherwise))
}

// parseSettings reads the lines of ssh -G: a keyword and its value.
func parseSettings(text []byte) settings {
	s := settings{}
	for line := range strings.Lines(string(text)) {
		keyword, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if keyword = strings.ToLower(keyword); ok && value != "" {
			s[keyword] = append(s[keyword], value)
		}
	}
	return s
}
