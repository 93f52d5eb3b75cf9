//go:build linux

package standin

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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

// serviceDown stops a service for certain. PostgreSQL gets SIGINT as well:
// SIGTERM would wait for its last client.
func serviceDown(ctx context.Context, name string, patience time.Duration) error {
	if out, code := sv(ctx, "down", name); code != 0 {
		return fmt.Errorf("sv down %s: %s", name, strings.TrimSpace(out))
	}
	if name == "postgresql" {
		sv(ctx, "interrupt", name) // it may be gone already
	}
	return settle(ctx, name, patience, func(s svState) bool { return s.known && !s.up && !s.wantUp })
}

// serviceUp starts a service for certain. An order that reaches runsv in its
// pause between two starts can get lost, so it is given again.
func serviceUp(ctx context.Context, name string, patience time.Duration) error {
	end := time.Now().Add(patience)
	for {
		out, code := sv(ctx, "up", name)
		err := settle(ctx, name, 2*time.Second, func(s svState) bool { return s.up && !s.wantDown })
		if err == nil {
			return nil
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return fmt.Errorf("sv up %s (%d): %s: %w", name, code, strings.TrimSpace(out), err)
		}
	}
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
