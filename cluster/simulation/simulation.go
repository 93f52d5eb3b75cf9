// Package simulation is a three-node Chef Backend cluster in one process, for
// the demo, for rehearsals and for tests. Every node has an SSH server on
// 127.0.0.1 with a host key of its own, a temporary folder as its file system,
// and a shell that knows a closed set of commands. Nothing of the machine that
// it runs on is executed, read or changed outside that folder. What the
// cluster does is the business of package model; here are the hosts around it.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation/machine"
	"chef-backend-cockpit/cluster/simulation/model"
	"chef-backend-cockpit/remote"
)

// Options make a Cluster. The zero value is a healthy cluster in real time.
type Options struct {
	// Clock is shared with the cockpit, so that a faster one scales both; nil
	// is a clock of Speed.
	Clock cluster.Clock
	Speed float64 // 0 means 1
	Seed  int64
	// Scenario is the story that strikes by itself; "" is none.
	Scenario string
	// StrikeAfter is when its first fault strikes, by the clock; 0 is the
	// scenario's own time, less than 0 at once.
	StrikeAfter time.Duration
	// Dir is an existing folder for the nodes' files, which stay there; "" is
	// a temporary one that Close removes.
	Dir string
	// Like brings the simulation into the state that a view tells of another
	// cluster, whose nodes' names and addresses it takes; nil is a healthy one.
	// A state that cannot be represented is an error of Start.
	Like *cluster.View
}

// Cluster is a running simulation. It is safe for concurrent use.
type Cluster struct {
	clock cluster.Clock
	dir   string
	temp  bool
	nodes []*node
	keys  keys
	stop  context.CancelFunc
	done  chan struct{} // closed when the clock driver has ended
	close sync.Once
	err   error // of Close

	assumed []string // what Like did not tell

	mu    sync.Mutex // around world and all below
	world *model.World
	tick  chan struct{}
	due   []strike
	fault error // of a strike that went wrong
}

// strike is a fault that is still to come.
type strike struct {
	at   time.Time
	name string
}

// node is one host.
type node struct {
	name, address string
	machine       *machine.Machine
	logs          *loggers
	gate          *gate
	server        *server
	login         *login

	mu    sync.Mutex
	steps []string
}

var (
	ownNames     = []string{"be1", "be2", "be3"}
	ownAddresses = []string{"10.0.4.11", "10.0.4.12", "10.0.4.13"}
)

// Scenarios are all stories, in the order in which to show them.
func Scenarios() []model.Scenario { return model.Scenarios() }

// Start makes a healthy cluster and lets its time run until Close, or until
// ctx is done; Close is needed then, too.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{clock: o.Clock, dir: o.Dir, done: make(chan struct{}), tick: make(chan struct{})}
	if c.clock == nil {
		c.clock = remote.NewScaled(max(o.Speed, 0))
	}
	if err := c.build(o); err != nil {
		close(c.done)
		return nil, errors.Join(fmt.Errorf("simulation: %w", err), c.Close())
	}
	ctx, c.stop = context.WithCancel(ctx)
	go c.drive(ctx)
	return c, nil
}

func (c *Cluster) build(o Options) error {
	start := c.clock.Now()
	faults, err := story(o.Scenario)
	if err != nil {
		return err
	}
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "chef-backend-cockpit-"); err != nil {
			return err
		}
		c.temp = true
	}
	if c.keys, err = newKeys(c.dir); err != nil {
		return err
	}
	names, addresses := called(o.Like)
	for i, name := range names {
		n, err := c.newNode(name, addresses[i], fmt.Sprintf("node%d", i+1))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.nodes = append(c.nodes, n)
	}
	if err := c.begin(o, start, names, addresses); err != nil {
		return err
	}
	hosts := map[string]ssh.PublicKey{}
	for _, n := range c.nodes {
		if n.login, err = newLogin(c.keys.client); err != nil {
			return err
		}
		if n.server, err = c.listen(n); err != nil {
			return err
		}
		hosts[n.server.address()] = n.login.key().PublicKey()
	}
	c.plan(faults, o.StrikeAfter)
	return c.keys.writeHosts(hosts)
}

// begin makes the world, in the state that is asked for.
func (c *Cluster) begin(o Options, start time.Time, names, addresses []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world = model.New(model.Options{Seed: o.Seed, Start: start, Names: names, Addresses: addresses,
		Files: func(name string) model.Files { return c.node(name).machine.Files() },
		Log: func(name, service, line string, at time.Time) {
			if n := c.node(name); n != nil {
				n.logs.write(service, line, at)
			}
		}})
	if o.Like != nil {
		var err error
		if c.assumed, err = c.world.Bring(o.Like); err != nil {
			return err
		}
	}
	return c.world.Err()
}

// called are the names and addresses of the nodes.
func called(like *cluster.View) (names, addresses []string) {
	if like == nil || like.Snapshot == nil || len(like.Snapshot.Nodes) == 0 {
		return ownNames, ownAddresses
	}
	for _, n := range like.Snapshot.Nodes {
		names, addresses = append(names, n.Name), append(addresses, n.Address)
	}
	return names, addresses
}

// Assumed says in sentences what Options.Like did not tell and was assumed.
func (c *Cluster) Assumed() []string { return c.assumed }

// story is what happens in a scenario; nothing in "".
func story(name string) ([]model.TimedFault, error) {
	if name == "" {
		return nil, nil
	}
	var known []string
	for _, s := range model.Scenarios() {
		if s.Name == name {
			return s.Faults, nil
		}
		known = append(known, s.Name)
	}
	return nil, fmt.Errorf("unknown scenario %q; known are %s", name, strings.Join(known, ", "))
}

// plan notes when faults strike, counted from now: making the nodes took time.
func (c *Cluster) plan(faults []model.TimedFault, first time.Duration) {
	now := c.clock.Now()
	for _, f := range faults {
		after := f.After
		if first != 0 {
			after += first - faults[0].After
		}
		c.due = append(c.due, strike{now.Add(after), f.Fault})
	}
}

func (c *Cluster) newNode(name, address, folder string) (*node, error) {
	n := &node{name: name, address: address, gate: newGate()}
	dir := filepath.Join(c.dir, folder)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	var err error
	n.machine, err = machine.New(machine.Options{
		Name: name, Address: address, Dir: dir, Clock: c.clock,
		Commands: model.Binaries(),
		Now:      func() time.Time { return c.nodeTime(name) },
		Exec: func(argv []string, env map[string]string, tty bool) (machine.Command, bool) {
			return c.exec(name, argv, env, tty)
		},
		Weight:  func(path string) int64 { c.mu.Lock(); defer c.mu.Unlock(); return c.world.Weight(name, path) },
		Busy:    func(path string) []string { c.mu.Lock(); defer c.mu.Unlock(); return c.world.Busy(name, path) },
		Stepped: c.stepped,
		Virtual: func(path string) ([]byte, bool) {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.world.Virtual(name, path)
		},
		Refuse: func(user, path string, grows bool) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.world.Refuse(name, user, path, grows)
		},
		NewPID: func() int { c.mu.Lock(); defer c.mu.Unlock(); return c.world.NewPID(name) },
		Show:   func(pid int, args string) { c.mu.Lock(); defer c.mu.Unlock(); c.world.Spawn(name, args, pid) },
		Hide:   func(pid int) { c.mu.Lock(); defer c.mu.Unlock(); c.world.Exit(name, pid) },
		Step:   n.step,
	})
	if err != nil {
		return nil, err
	}
	n.logs = newLoggers(n.machine.Files())
	for _, service := range cluster.Services {
		n.logs.start(service, c.clock.Now())
	}
	return n, n.logs.err
}

func (n *node) step(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.steps = append(n.steps, text)
}

func (c *Cluster) node(name string) *node {
	for _, n := range c.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// Close ends everything that the simulation started, waits for it, and removes
// a temporary folder. It may be called more than once.
func (c *Cluster) Close() error {
	c.close.Do(func() {
		if c.stop != nil {
			c.stop()
		}
		<-c.done
		for _, n := range c.nodes {
			n.gate.end()
			if n.server != nil {
				n.server.close()
			}
		}
		for _, n := range c.nodes {
			n.logs.close()
			c.err = errors.Join(c.err, n.machine.Close())
		}
		if c.temp {
			c.err = errors.Join(c.err, os.RemoveAll(c.dir))
		}
	})
	return c.err
}
