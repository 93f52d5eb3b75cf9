package simulation

import (
	"errors"
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

const ownSecrets = "/etc/chef-backend/chef-backend-secrets.json"

// What a step can ask of a person, by its words.
var (
	installing  = regexp.MustCompile(`\binstall\b`)
	mending     = regexp.MustCompile(`\b(mend|restore|repair)\b[^.]*\b(network|connectivity|connection|cable|link)`)
	switching   = regexp.MustCompile(`\b(power|switch|start)\w*\b.{0,40}\b(on|up)\b`)
	switchedOff = regexp.MustCompile(`\b(power|switch)\w*\b.{0,24}\boff\b`)
	restoring   = regexp.MustCompile(`chef-backend-ctl restore\b`)
	saying      = regexp.MustCompile(`\b(tick only if you accept|call support|open a ticket)\b`)
)

// ByHand does what a person does outside the cockpit for a manual step, as
// the step says it: put a new machine with the package in the place of a node,
// copy the shared secrets there, switch it on or off, mend the network. It
// returns when that is done and the machine answers. What only wants a word or
// a call is done at once. A step that says none of it is an error.
func (c *Cluster) ByHand(s cluster.PlanStep) error {
	text := strings.ToLower(s.Say + "\n" + s.ToDo)
	if saying.MatchString(text) {
		return nil
	}
	on, acts := c.meant(s), c.acts(text)
	if mending.MatchString(text) && len(acts) == 0 {
		return c.hand(func(w *model.World) error { w.Mend(); return nil })
	}
	if len(acts) == 0 {
		return fmt.Errorf("simulation: by hand: step %s says nothing that a person can do here: %q", s.ID, s.ToDo)
	}
	if c.node(on) == nil {
		return fmt.Errorf("simulation: by hand: step %s names no node: %q", s.ID, s.ToDo)
	}
	for _, act := range acts {
		if err := act(on, s.ToDo); err != nil {
			return fmt.Errorf("simulation: by hand: step %s on %s: %w", s.ID, on, err)
		}
	}
	return nil
}

// acts are what is to be done at the node, in order.
func (c *Cluster) acts(text string) (all []func(name, toDo string) error) {
	switch {
	case restoring.MatchString(text):
		return append(all, c.restore)
	case installing.MatchString(text):
		all = append(all, c.replace, c.answers)
	case switchedOff.MatchString(text):
		return append(all, func(name, _ string) error {
			return c.hand(func(w *model.World) error { w.PowerOff(name); return nil })
		})
	case switching.MatchString(text):
		all = append(all, func(name, _ string) error {
			return c.hand(func(w *model.World) error { w.PowerOn(name); return nil })
		}, c.answers)
	}
	if strings.Contains(text, "secrets") {
		all = append(all, c.handSecrets)
	}
	return all
}

// meant is the node that a step is about: the one that it runs on, or the
// first whose address or name it holds.
func (c *Cluster) meant(s cluster.PlanStep) string {
	for _, name := range []string{s.Node, s.About} {
		if name != "" {
			return name
		}
	}
	for _, text := range []string{s.ToDo, s.Say} {
		for _, n := range c.nodes {
			if strings.Contains(text, n.address) {
				return n.name
			}
		}
	}
	for _, text := range []string{s.Say, s.ToDo} {
		for _, n := range c.nodes {
			if strings.Contains(text, n.name) {
				return n.name
			}
		}
	}
	return ""
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
func (c *Cluster) replace(name, _ string) error {
	c.hand(func(w *model.World) error { w.PowerOff(name); return nil })
	if err := c.hand(func(w *model.World) error { return w.NewMachine(name) }); err != nil {
		return err
	}
	c.hand(func(w *model.World) error { w.PowerOn(name); return nil })
	return nil
}

// restore makes a cluster of one out of a node, as chef-backend-ctl restore
// does. The backup is taken to hold what the node held.
func (c *Cluster) restore(name, _ string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world.Advance(c.clock.Now())
	return c.world.Restore(name)
}

// answers waits until a node can be reached.
func (c *Cluster) answers(name, _ string) error {
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
			return errors.New("the simulation has ended")
		case <-late:
			return fmt.Errorf("it does not answer after %s", handTime)
		}
	}
}

// handSecrets copies the shared secrets to the path that a step names.
func (c *Cluster) handSecrets(name, toDo string) error {
	to := "/root/chef-backend-secrets.json"
	for _, path := range secretsPath.FindAllString(toDo, -1) {
		if path = strings.TrimRight(path, "."); path != ownSecrets {
			to = path
		}
	}
	c.mu.Lock()
	text := c.world.Secrets()
	c.mu.Unlock()
	files := c.node(name).machine.Files()
	if err := files.Write(to, []byte(text)); err != nil {
		return err
	}
	return files.Chmod(to, 0o600)
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
