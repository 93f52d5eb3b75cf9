//go:build linux

package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// powerOn starts a host: network, namespaces, PID 1. It does not wait for what
// runs there.
func (l *Lab) powerOn(ctx context.Context, h *Host) error {
	if alive(h.PID, h.Start) {
		return fmt.Errorf("%s has power already", h.Name)
	}
	if err := h.plugIn(ctx); err != nil {
		return err
	}
	h.Boots++
	return l.spawn(h)
}

// spawn makes the host's PID 1, notes it, and only then lets it begin.
func (l *Lab) spawn(h *Host) error {
	console, err := os.OpenFile(h.dir("console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer console.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	c := exec.Command(program, append(append([]string{}, l.state.Init...), h.Name, newBootID())...)
	c.Stdin, c.Stdout, c.Stderr = r, console, console
	c.Env, c.Dir = insideEnv, "/"
	c.SysProcAttr = &unix.SysProcAttr{
		Setsid:     true,
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWPID,
	}
	err = startIn(netns(h.Name), c)
	r.Close()
	if err != nil {
		return err
	}
	// If this process outlives the host, nobody else takes its exit status.
	go c.Wait()
	h.PID = c.Process.Pid
	if h.Start, _, err = startTime(h.PID); err == nil {
		err = l.save()
	}
	if err == nil {
		_, err = w.Write([]byte("\n"))
	}
	return err
}

// startIn starts a command in a network namespace. The thread that enters it
// is thrown away: it is never unlocked.
func startIn(name string, c *exec.Cmd) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- func() error {
			ns, err := os.Open("/run/netns/" + name)
			if err != nil {
				return err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("enter %s: %w", name, err)
			}
			return c.Start()
		}()
	}()
	return <-done
}

// newBootID is a random UUID, as the kernel's is.
func newBootID() string {
	var b [16]byte
	rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// powerOff is a power cut: the cable first, so that nobody is told by a FIN or
// an RST, then every process at once. What lies on the disks stays.
func (l *Lab) powerOff(ctx context.Context, h *Host) error {
	if !alive(h.PID, h.Start) {
		return fmt.Errorf("%s has no power", h.Name)
	}
	if err := h.unplug(ctx); err != nil {
		return err
	}
	if err := kill(ctx, h); err != nil {
		return err
	}
	if err := h.dropNetwork(ctx); err != nil {
		return err
	}
	h.PID = 0
	return l.save()
}

// kill ends PID 1 of a host; the kernel kills all others with it.
func kill(ctx context.Context, h *Host) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	if err := unix.Kill(h.PID, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("%s: kill %d: %w", h.Name, h.PID, err)
	}
	return until(ctx, h.Name+" without processes", 20*time.Second, nil, func(context.Context) error {
		if alive(h.PID, h.Start) {
			return fmt.Errorf("PID %d lives", h.PID)
		}
		return nil
	})
}
