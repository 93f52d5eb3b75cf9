//go:build linux

// Package lab is test equipment: three hosts on one Linux machine, each with
// its own network, mounts, processes, host name and machine id, under a real
// sshd, runit, etcd and PostgreSQL. What is not public of the product (leaderl,
// chef-backend-ctl, Elasticsearch) is a stand-in, see package standin.
//
// It needs root. Everything that it makes is named cblab-… or lies below Dir,
// so that Clean finds it again whatever happened to the process that made it.
package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Dir is where a lab lives; it exists while a lab is up, or has left something.
const Dir = "/var/tmp/chef-backend-lab"

// Options make a Lab.
type Options struct {
	// Binary is the chef-backend-lab program: PID 1 of a host begins as it, and
	// the stand-ins run from it. "" is the running program.
	Binary string
	// Say hears what happens, a line at a time; nil: nobody.
	Say func(line string)
	// Init are the arguments that make Binary call Init; nil means "host-init".
	Init []string
}

// Lab is three hosts that are up. Its methods are safe for concurrent use; one
// that changes something waits for the one before.
type Lab struct {
	mu    sync.Mutex
	state state
	say   func(string)
	began time.Time
	took  time.Duration
}

// Host is one host of a lab. The zero PID means without power.
type Host struct {
	Name, Address string
	GUID          string // 32 hex digits; the etcd member's name, too
	PID           int    // of the host's PID 1, as this machine counts
	Start         uint64 // its start time in clock ticks, so that a reused PID is not it
	Boots         int
}

// names and addresses are those of the simulation, so that one table of
// scenarios names the same commands on both.
var names = []string{"be1", "be2", "be3"}

const (
	network         = "10.0.4.0/24"
	operatorAddress = "10.0.4.1"
	prefixLength    = "/24"
)

func address(i int) string { return fmt.Sprintf("10.0.4.%d", 11+i) }

// Up builds the lab and waits until it is healthy: three etcd members, one
// PostgreSQL that two follow. On an error, and when ctx is done meanwhile,
// nothing stays behind; the error quotes what there was to look at.
func Up(ctx context.Context, o Options) (*Lab, error) {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	l := &Lab{say: o.Say, began: time.Now()}
	if err := l.found(ctx, o); err != nil {
		return nil, err
	}
	unlock, err := lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := l.build(ctx); err != nil {
		// The caller's context may be why it failed; cleaning up has its own time.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downWithin)
		defer cancel()
		return nil, errors.Join(err, clean(ctx, l.state))
	}
	l.took = time.Since(l.began)
	return l, nil
}

// Took is how long Up took from nothing to three healthy nodes.
func (l *Lab) Took() time.Duration { return l.took }

// found checks what can be checked, then takes Dir: making it is the lock.
func (l *Lab) found(ctx context.Context, o Options) error {
	if o.Binary == "" {
		var err error
		if o.Binary, err = os.Executable(); err != nil {
			return err
		}
	}
	if o.Init == nil {
		o.Init = []string{"host-init"}
	}
	if _, err := os.Lstat(Dir); err == nil {
		return errExists
	}
	if err := preflight(ctx); err != nil {
		return err
	}
	s, err := newState(o.Init)
	if err != nil {
		return err
	}
	l.state = s
	if err := os.Mkdir(Dir, 0o755); err != nil {
		if errors.Is(err, os.ErrExist) {
			return errExists
		}
		return err
	}
	err = errors.Join(os.Chmod(Dir, 0o755), l.save(), os.Mkdir(filepath.Join(Dir, "bin"), 0o755))
	if err == nil {
		err = copyFile(o.Binary, program, 0o755)
	}
	if err != nil {
		os.RemoveAll(Dir)
	}
	return err
}

var errExists = errors.New("a lab is up already, or one has left something in " + Dir + ": chef-backend-lab status tells, down ends it")

// program is the copy of the lab's program that the hosts run.
const program = Dir + "/bin/chef-backend-lab"

// build makes network, disks and hosts, and starts the cluster.
func (l *Lab) build(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	if err := l.makeKeys(); err != nil {
		return err
	}
	if err := l.makeSwitch(ctx); err != nil {
		return err
	}
	for i := range l.state.Hosts {
		h := &l.state.Hosts[i]
		if err := l.makeDisk(h); err != nil {
			return fmt.Errorf("%s: disk: %w", h.Name, err)
		}
		if err := l.makeFiles(h); err != nil {
			return fmt.Errorf("%s: files: %w", h.Name, err)
		}
		if err := l.powerOn(ctx, h); err != nil {
			return fmt.Errorf("%s: power on: %w", h.Name, err)
		}
	}
	l.progress("hosts have power")
	return l.startCluster(ctx)
}

// progress says how far it got and after how long.
func (l *Lab) progress(what string) {
	l.say(fmt.Sprintf("%5.2f s  %s", time.Since(l.began).Seconds(), what))
}

// Open is the lab that is up, made by this process or another.
func Open() (*Lab, error) {
	s, err := loadState()
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("no lab is up: chef-backend-lab up makes one")
	}
	if err != nil {
		return nil, err
	}
	return &Lab{state: s, say: func(string) {}, began: time.Now()}, nil
}

// Down ends the lab: every process, mount, namespace and file of it.
func (l *Lab) Down(ctx context.Context) error { return Clean(ctx) }

// change runs one change of the lab on the newest state, alone.
func (l *Lab) change(f func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	unlock, err := lock()
	if err != nil {
		return err
	}
	defer unlock()
	s, err := loadState()
	if err != nil {
		return err
	}
	l.state = s
	return f()
}

// host is a host by name.
func (l *Lab) host(name string) (*Host, error) {
	for i := range l.state.Hosts {
		if l.state.Hosts[i].Name == name {
			return &l.state.Hosts[i], nil
		}
	}
	return nil, fmt.Errorf("no host %q; there are %v", name, names)
}
