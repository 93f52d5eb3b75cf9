package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chef-backend-cockpit/cluster/simulation/machine"
	"chef-backend-cockpit/cluster/simulation/model"

	"chef-backend-cockpit/remote"
)

// drive lets the time of the world follow the clock.
func (c *Cluster) drive(ctx context.Context) {
	defer remote.Guard()
	defer close(c.done)
	for {
		c.advance()
		select {
		case <-c.clock.After(model.Step):
		case <-ctx.Done():
			return
		}
	}
}

// advance brings the world up to the clock and its hosts up to the world.
func (c *Cluster) advance() {
	now := c.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.due) > 0 && !c.due[0].at.After(now) {
		c.world.Advance(c.due[0].at)
		if err := c.world.Strike(c.due[0].name); err != nil && c.fault == nil {
			c.fault = err
		}
		c.due = c.due[1:]
	}
	c.world.Advance(now)
	c.settle()
}

// settle does to the hosts what became of them in the world, and lets those
// go on who wait for the world. The caller holds the lock.
func (c *Cluster) settle() {
	now := c.clock.Now()
	for _, n := range c.nodes {
		powered := c.world.Powered(n.name)
		switch {
		case !powered:
			n.machine.PowerOff()
			n.logs.lose()
		case n.gate.isOff():
			n.machine.PowerOn()
		}
		n.gate.set(powered, c.world.Reachable(n.name), now)
		if n.login != nil && n.login.set(c.world.Locked(n.name), c.world.Rekeyed(n.name)) {
			n.gate.renew()
		}
	}
	close(c.tick)
	c.tick = make(chan struct{})
}

// stepped is closed when the world has moved on.
func (c *Cluster) stepped() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tick
}

// nodeTime is what a node's own clock says: it is finer than the world's
// steps, since a look measures the offset by it.
func (c *Cluster) nodeTime(name string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock.Now().Add(c.world.Clock(name).Sub(c.world.Now()))
}

// Strike lets a fault strike now. Names are those of the scenarios and the
// model's further ones; an unknown one is an error.
func (c *Cluster) Strike(fault string) error { return c.change(c.world.Strike, fault) }

// Heal takes back what a fault did to the surroundings: power, cut links. What
// it broke in a service stays for the operator.
func (c *Cluster) Heal(fault string) error { return c.change(c.world.Heal, fault) }

func (c *Cluster) change(f func(string) error, fault string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world.Advance(c.clock.Now())
	if err := f(fault); err != nil {
		return fmt.Errorf("simulation: %w", err)
	}
	c.settle()
	return nil
}

// Err is what went wrong in the simulation itself, or nil.
func (c *Cluster) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	errs := []error{c.fault, c.world.Err()}
	for _, n := range c.nodes {
		errs = append(errs, n.logs.err)
	}
	return errors.Join(errs...)
}

// command is a process of the model behind the world's lock.
type command struct {
	c *Cluster
	p *model.Process
}

func (c *Cluster) exec(node string, argv []string, env map[string]string, tty bool) (machine.Command, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.world.ExecOn(node, argv, env, tty)
	if !ok {
		return nil, false
	}
	return command{c, p}, true
}

func (k command) Poll() (out, errOut []byte, exit int, done bool) {
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	exit, done = k.p.Done()
	return k.p.Output(), k.p.ErrOutput(), exit, done
}

func (k command) Asking() bool       { k.c.mu.Lock(); defer k.c.mu.Unlock(); return k.p.Asking() }
func (k command) Answer(line string) { k.c.mu.Lock(); defer k.c.mu.Unlock(); k.p.Answer(line) }
func (k command) HangUp()            { k.c.mu.Lock(); defer k.c.mu.Unlock(); k.p.HangUp() }

func (k command) Kill() {
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	k.p.Kill()
}
