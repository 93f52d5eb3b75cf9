//go:build linux

package standin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// serviceNames are the services in the product's own order.
var serviceNames = []string{"leaderl", "epmd", "etcd", "postgresql", "elasticsearch"}

func isService(name string) bool {
	for _, s := range serviceNames {
		if s == name {
			return true
		}
	}
	return false
}

// svState is what `sv status` says of one service.
type svState struct {
	up       bool
	pid      int
	seconds  int
	wantUp   bool
	wantDown bool
	known    bool // false: runsv did not answer
	raw      string
}

var svLine = regexp.MustCompile(`^(run|down|finish): [^:]*: (?:\(pid (\d+)\) )?(\d+)s([^;]*)`)

func parseSV(line string) svState {
	s := svState{raw: strings.TrimSpace(line)}
	m := svLine.FindStringSubmatch(s.raw)
	if m == nil {
		return s
	}
	s.known, s.up = true, m[1] == "run"
	s.pid, _ = strconv.Atoi(m[2])
	s.seconds, _ = strconv.Atoi(m[3])
	s.wantUp, s.wantDown = strings.Contains(m[4], "want up"), strings.Contains(m[4], "want down")
	return s
}

// sv runs runit's sv on one service and returns what it said.
func sv(ctx context.Context, args ...string) (string, int) {
	cmd := exec.CommandContext(ctx, "sv", args...)
	cmd.Env = []string{"PATH=/opt/chef-backend/embedded/bin:/usr/local/bin:/usr/bin:/bin", "SVDIR=" + serviceDir}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return string(out), 0
	case errors.As(err, &exit):
		return string(out), exit.ExitCode()
	}
	return "fail: " + err.Error() + "\n", 1
}

func svStatus(ctx context.Context, name string) svState {
	out, _ := sv(ctx, "status", filepath.Join(serviceDir, name))
	return parseSV(out)
}

// settle polls a service every 50 ms until ok, at most for patience.
func settle(ctx context.Context, name string, patience time.Duration, ok func(svState) bool) error {
	end := time.Now().Add(patience)
	for {
		s := svStatus(ctx, name)
		if ok(s) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: %s after %v", name, s.raw, patience)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// order writes one letter to runsv's control pipe. sv itself skips a letter
// that the status seems to make needless, and what it sends into runsv's pause
// of a second between two starts can be overtaken by that start. The pipe keeps
// the order in which letters were written, so the last one counts.
func order(name, letter string) error {
	pipe, err := os.OpenFile(filepath.Join(serviceDir, name, "supervise/control"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err // ENXIO: no runsv reads it
	}
	_, err = pipe.WriteString(letter)
	return errors.Join(err, pipe.Close())
}

// command gives a service an order, and gives it again every half second while
// the service neither is as it should be nor is on its way there.
func command(ctx context.Context, name, letter string, patience time.Duration, reached, underWay func(svState) bool) error {
	end := time.Now().Add(patience)
	var given time.Time
	var refused error
	for {
		s := svStatus(ctx, name)
		if !given.IsZero() && s.known && reached(s) {
			return nil
		}
		if given.IsZero() || time.Since(given) >= 500*time.Millisecond && !underWay(s) {
			if refused = order(name, letter); refused == nil {
				given = time.Now()
			}
		}
		if time.Now().After(end) {
			return errors.Join(fmt.Errorf("%s: %s after %v", name, s.raw, patience), refused)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// serviceDown stops a service for certain. PostgreSQL gets SIGINT as well:
// SIGTERM would wait for its last client.
func serviceDown(ctx context.Context, name string, patience time.Duration) error {
	letters := "d"
	if name == "postgresql" {
		letters = "di"
	}
	return command(ctx, name, letters, patience,
		func(s svState) bool { return !s.up && !s.wantUp },
		func(s svState) bool { return s.up && s.wantDown })
}

// serviceUp starts a service for certain.
func serviceUp(ctx context.Context, name string, patience time.Duration) error {
	return command(ctx, name, "u", patience,
		func(s svState) bool { return s.up && !s.wantDown },
		func(s svState) bool { return !s.up && s.wantUp })
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
