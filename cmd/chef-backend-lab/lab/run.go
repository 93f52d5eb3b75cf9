//go:build linux

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Times that bound what the lab does. They are many times what was measured: a
// machine that builds and tests beside it is several times slower.
const (
	upWithin   = 3 * time.Minute
	downWithin = 30 * time.Second
	lockWithin = 2 * time.Second
	pollEvery  = 50 * time.Millisecond
)

// command runs a program of this machine; its error holds what it printed.
func command(ctx context.Context, name string, args ...string) ([]byte, error) {
	return output(exec.CommandContext(ctx, name, args...))
}

func output(c *exec.Cmd) ([]byte, error) {
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	c.WaitDelay = time.Second
	if err := c.Run(); err != nil {
		said := strings.TrimSpace(errOut.String() + "\n" + out.String())
		return out.Bytes(), fmt.Errorf("%s: %w: %s", strings.Join(c.Args, " "), err, said)
	}
	return out.Bytes(), nil
}

// insideEnv is the environment of what the lab runs in a host.
var insideEnv = []string{
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/chef-backend/bin:" + embedded,
	"HOME=/root", "LANG=C.UTF-8", "SVDIR=" + serviceDir,
}

// inside prepares a command in a host, past its network: through namespaces.
func inside(ctx context.Context, h *Host, args ...string) (*exec.Cmd, error) {
	if !alive(h.PID, h.Start) {
		return nil, fmt.Errorf("%s has no power", h.Name)
	}
	c := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(h.PID), "-a", "--"}, args...)...)
	c.Env = insideEnv
	return c, nil
}

// sh runs a shell text in a host and returns what it printed, trimmed.
func sh(ctx context.Context, h *Host, text string) (string, error) {
	c, err := inside(ctx, h, "/bin/sh", "-c", "cd /\n"+text)
	if err != nil {
		return "", err
	}
	out, err := output(c)
	if err != nil {
		return "", fmt.Errorf("%s: %w", h.Name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Shell is an interactive shell, or a command, in a host.
func (l *Lab) Shell(ctx context.Context, name string, args ...string) error {
	h, err := l.host(name)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"/bin/bash", "-l"}
	}
	c, err := inside(ctx, h, args...)
	if err != nil {
		return err
	}
	c.Env = append(c.Env, "TERM="+os.Getenv("TERM"))
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	return c.Run()
}

// until waits for something to become true. The error says what did not, how
// it stood at the end, and what the logs named say at their ends.
func until(ctx context.Context, what string, within time.Duration, logs []string, ok func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	began := time.Now()
	for {
		err := ok(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s: %w%s", what, time.Since(began).Round(100*time.Millisecond), err, tails(logs))
		case <-time.After(pollEvery):
		}
	}
}

// Tails quotes the newest lines of every service's log on every host, for
// somebody who has to find out what went wrong.
func (l *Lab) Tails() string {
	var logs []string
	for i := range l.state.Hosts {
		for _, s := range serviceNames {
			if s != "epmd" {
				logs = append(logs, l.state.Hosts[i].log(s, "current"))
			}
		}
	}
	return tails(logs)
}

// tails quotes the ends of log files.
func tails(paths []string) string {
	var b strings.Builder
	for _, p := range paths {
		text, err := tail(p)
		if err != nil {
			text = err.Error()
		}
		fmt.Fprintf(&b, "\n  the end of %s:\n    %s", p, strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    "))
	}
	return b.String()
}

func tail(path string) (string, error) {
	const most = 3000
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err != nil {
		return "", err
	} else if _, err = f.Seek(max(0, size-most), io.SeekStart); err != nil {
		return "", err
	}
	b, err := io.ReadAll(f)
	if _, rest, cut := bytes.Cut(b, []byte("\n")); cut && len(b) == most {
		b = rest
	}
	return string(b), err
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
