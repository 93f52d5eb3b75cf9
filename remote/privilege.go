package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// loginScript tells who runs it. The answer is marked and on a line of its
// own, because a login shell may print what it likes around it.
const (
	loginScript = `printf '\ncockpit-uid=%s.\n' "$(id -u)"`
	loginMark   = "cockpit-uid="
)

// gainRoot finds out how this login becomes root: it is root, or sudo asks for
// nothing. Each of its calls ends within most.
func (c *connection) gainRoot(ctx context.Context, most time.Duration) *Error {
	r, err := c.tryLogin(ctx, most)
	switch {
	case err != nil:
		return err
	case isRoot(r):
		return nil
	case !strings.Contains(string(r.Stdout), "\n"+loginMark):
		return &Error{Host: c.host, Kind: NoShell, Text: "the login of " + Safe([]byte(c.user)) + " runs no shell commands: " + lastWords(r),
			Remedy: "give it a login shell and no ForceCommand"}
	}
	c.sudo = true
	r, err = c.tryLogin(ctx, most)
	if err != nil || isRoot(r) {
		return err
	}
	return &Error{Host: c.host, Kind: NoPrivilege, Remedy: sudoRemedy(c.user, r),
		Text: fmt.Sprintf("%s is not root and sudo -n does not make it so: %s", Safe([]byte(c.user)), lastWords(r))}
}

func (c *connection) tryLogin(ctx context.Context, most time.Duration) (Result, *Error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	script := Script{Name: "cockpit-login", Text: loginScript, Limit: 64 << 10}
	r, err := c.run(ctx, script, most)
	var e *Error
	if errors.As(err, &e) {
		return r, e
	}
	return r, nil
}

func isRoot(r Result) bool { return strings.Contains(string(r.Stdout), "\n"+loginMark+"0.\n") }

// sudoRemedy is what makes sudo work, by what it said.
func sudoRemedy(user string, r Result) string {
	user = Safe([]byte(user))
	switch {
	case r.Exit == 127:
		return "log in as root, or install sudo on the host"
	case strings.Contains(string(r.Stderr), "tty"):
		return "log in as root, or add to sudoers: Defaults:" + user + " !requiretty"
	}
	return "log in as root, or add to sudoers: " + user + " ALL=(root) NOPASSWD: ALL"
}

// lastWords is the last line that a command wrote, errors last, safe and short.
func lastWords(r Result) string {
	lines := append(SafeLines(r.Stdout), SafeLines(r.Stderr)...)
	for i := len(lines) - 1; i >= 0; i-- {
		if line := strings.TrimSpace(lines[i]); line != "" && !strings.HasPrefix(line, loginMark) {
			return cut(line, 200)
		}
	}
	return fmt.Sprintf("exit %d", r.Exit)
}
