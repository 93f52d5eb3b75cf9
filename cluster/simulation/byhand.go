package simulation

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation/model"
)

// handTime bounds how long a machine may take to come up under somebody's
// hands, by the simulation's clock.
const handTime = 2 * time.Minute

// secretsPath is a file that a step wants the shared secrets in. The one that
// the product keeps is where they come from.
var secretsPath = regexp.MustCompile(`/[\w./-]*secrets[\w.-]*`)

// switchedOff is a step after which the machine has no power.
var switchedOff = regexp.MustCompile(`\b(power|switch)\w*\b.{0,24}\boff\b`)

const ownSecrets = "/etc/chef-backend/chef-backend-secrets.json"

// ByHand does what a person does outside the cockpit for a manual step, as
// the step says it: put a new machine with the package in the place of a node,
// copy the shared secrets there, switch it on or off, mend the network. It
// returns when that is done and the machine answers. A step that says none of
// it is an error.
func (c *Cluster) ByHand(s cluster.PlanStep) error {
	text := strings.ToLower(s.Say + "\n" + s.ToDo)
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	done := false
	on, installs := s.Node, says("install")
	if installs || says("power", "switch", "boot") {
		if c.node(on) == nil {
			return fmt.Errorf("simulation: by hand: step %s names no node: %q", s.ID, on)
		}
	}
	if says("network", "connectivity", "cable", "partition") {
		c.hand(func(w *model.World) error { w.Mend(); return nil })
		done = true
	}
	switch {
	case installs:
		if err := c.replace(on); err != nil {
			return err
		}
		done = true
	case switchedOff.MatchString(text):
		c.hand(func(w *model.World) error { w.PowerOff(on); return nil })
		return nil
	case says("power", "switch", "boot"):
		c.hand(func(w *model.World) error { w.PowerOn(on); return nil })
		done = true
	}
	if done && on != "" {
		if err := c.answers(on); err != nil {
			return err
		}
	}
	if says("secrets") {
		done = true
		if err := c.handSecrets(on, s.ToDo); err != nil {
			return err
		}
	}
	if !done {
		return fmt.Errorf("simulation: by hand: step %s says nothing that a person can do here: %q", s.ID, s.ToDo)
	}
	return nil
}

// hand does something to the world from outside.
func (c *Cluster) hand(do func(*model.World) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world.Advance(c.clock.Now())
	err := do(c.world)
	c.settle()
	return err
}

// replace takes the power from a node for good and puts a new machine there.
// Its host key is the old one's: whoever replaces a machine sees to that.
func (c *Cluster) replace(name string) error {
	c.hand(func(w *model.World) error { w.PowerOff(name); return nil })
	if err := c.hand(func(w *model.World) error { return w.NewMachine(name) }); err != nil {
		return fmt.Errorf("simulation: by hand: %w", err)
	}
	c.hand(func(w *model.World) error { w.PowerOn(name); return nil })
	return nil
}

// answers waits until a node can be reached.
func (c *Cluster) answers(name string) error {
	late := c.clock.After(handTime)
	for {
		stepped := c.stepped()
		c.mu.Lock()
		reached := c.world.Reachable(name)
		c.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-stepped:
		case <-c.done:
			return fmt.Errorf("simulation: by hand: %s: the simulation has ended", name)
		case <-late:
			return fmt.Errorf("simulation: by hand: %s does not answer after %s", name, handTime)
		}
	}
}

// handSecrets copies the shared secrets to the path that a step names.
func (c *Cluster) handSecrets(name, toDo string) error {
	n := c.node(name)
	if n == nil {
		return fmt.Errorf("simulation: by hand: no such node: %q", name)
	}
	to := "/root/chef-backend-secrets.json"
	for _, path := range secretsPath.FindAllString(toDo, -1) {
		if path = strings.TrimRight(path, "."); path != ownSecrets {
			to = path
		}
	}
	c.mu.Lock()
	text := c.world.Secrets()
	c.mu.Unlock()
	if err := n.machine.Files().Write(to, []byte(text)); err != nil {
		return fmt.Errorf("simulation: by hand: %s: %w", name, err)
	}
	return n.machine.Files().Chmod(to, 0o600)
}

// RequireApproval makes a command of chef-backend-ctl refuse --yes: it wants
// the word typed at a terminal.
func (c *Cluster) RequireApproval(command string, on bool) {
	c.hand(func(w *model.World) error { w.RequireApproval(command, on); return nil })
}

// KeepAsArchive lets cleanse keep the configuration as an archive instead of
// a folder.
func (c *Cluster) KeepAsArchive(on bool) {
	c.hand(func(w *model.World) error { w.KeepAsArchive(on); return nil })
}
