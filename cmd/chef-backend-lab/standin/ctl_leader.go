//go:build linux

package standin

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Times of the commands that move the leader. The documents name the five
// minutes of a promotion; the others are chosen here.
const (
	settleTime = 5 * time.Second // a new leader is watched this long
	watchEvery = 500 * time.Millisecond
)

// promote is `promote NODE|ADDRESS`. Its texts are invented, as are those of
// all commands in this file.
func (c *ctl) promote() error {
	if len(c.args) == 0 {
		return errors.New("promote needs the name of a node")
	}
	state, err := c.store.read(c.ctx)
	if err != nil {
		return errNoState
	}
	target, known := state.find(c.args[0])
	if why := mayPromote(state, target, known, c.args[0]); why != "" {
		return errors.New(why)
	}
	if err := c.store.ask(c.ctx, request{Target: target.GUID}); err != nil {
		return err
	}
	c.printf("Promoting %s to leader...\n", target.Name)
	if err := c.becomes(target); err != nil {
		return err
	}
	c.printf("%s is now the leader.\n", target.Name)
	return nil
}

// becomes waits until a node leads, and stays so for a while. It gives up
// when the request has expired and the node is not being promoted.
func (c *ctl) becomes(target peer) error {
	var since time.Time
	end := time.Now().Add(requestLife + promoteDeadline)
	for time.Now().Before(end) {
		if err := pause(c.ctx, watchEvery); err != nil {
			return errors.New("interrupted; what was asked stands")
		}
		state, err := c.store.read(c.ctx)
		if err != nil {
			continue // unknown for a moment
		}
		leads := state.Leader == target.GUID && state.Posts[target.GUID].Role == leading
		switch {
		case !leads && !since.IsZero():
			return fmt.Errorf("%s did not stay leader", target.Name)
		case leads && since.IsZero():
			since = time.Now()
		case leads && time.Since(since) >= settleTime:
			return nil
		case !leads && state.Request == nil && state.Posts[target.GUID].Role != promoting:
			return fmt.Errorf("timed out waiting for %s to become leader", target.Name)
		}
	}
	return fmt.Errorf("timed out waiting for %s to become leader", target.Name)
}

// demote is `demote`, on the leader: it ends when another node leads.
func (c *ctl) demote() error {
	state, err := c.store.read(c.ctx)
	switch {
	case err != nil:
		return errNoState
	case state.Leader != c.GUID:
		return errors.New("this node is not the leader")
	case !state.mayMove(c.GUID):
		return errors.New("failover is disabled")
	}
	if err := c.store.ask(c.ctx, request{}); err != nil {
		return err
	}
	c.printf("Demoting %s...\n", c.Name)
	for end := time.Now().Add(2 * requestLife); time.Now().Before(end); {
		if err := pause(c.ctx, watchEvery); err != nil {
			return errors.New("interrupted; what was asked stands")
		}
		state, err := c.store.read(c.ctx)
		if err != nil {
			continue
		}
		if leader, ok := state.leading(); ok && leader.GUID != c.GUID {
			c.printf("%s is now the leader.\n", leader.Name)
			return nil
		}
	}
	return errors.New("timed out waiting for a new leader")
}

// forceLeader is `force-leader`: only where nobody leads, after a look at the
// cluster, and never without a word at a terminal. The stand-in overrides
// eligibility and switches with it, but not the sentinels.
func (c *ctl) forceLeader() error {
	state, err := c.store.read(c.ctx)
	if err != nil {
		return errNoState
	}
	c.printf("%s\n", clusterTable(state))
	if state.Leader != "" {
		return errors.New("the cluster has a leader")
	}
	if bar := barred(); bar != "" {
		return errors.New(bar + " exists")
	}
	if err := c.explicit("This makes " + c.Name + " the leader whatever its copy holds. It must not be used in a network partition."); err != nil {
		return err
	}
	return c.force()
}

// force makes this node the leader, whatever the switches say.
func (c *ctl) force() error {
	if err := c.store.ask(c.ctx, request{Target: c.GUID, Force: true}); err != nil {
		return err
	}
	c.printf("Promoting %s to leader...\n", c.Name)
	if err := c.becomes(c.peer); err != nil {
		return err
	}
	c.printf("%s is now the leader.\n", c.Name)
	return nil
}

// barred names the sentinel that is there, or "".
func barred() string {
	for _, f := range []string{noStartFile, unsyncedFile} {
		if exists(f) {
			return f
		}
	}
	return ""
}

var failoverStates = map[string]string{"on": "on", "true": "on", "enabled": "on", "off": "off", "false": "off", "disabled": "off"}

// setClusterFailover and setNodeFailover are set-…-failover STATE.
func (c *ctl) setClusterFailover() error { return c.setFailover(keyFailover, "the cluster") }

func (c *ctl) setNodeFailover() error { return c.setFailover(keyNodeFailover+c.GUID, c.Name) }

func (c *ctl) setFailover(key, what string) error {
	state, ok := failoverStates[strings.Join(c.args, " ")]
	if !ok {
		return errors.New("STATE must be on, off, true, false, enabled or disabled")
	}
	if err := c.store.put(c.ctx, key, state, 0, nil); err != nil {
		return errNoState
	}
	word := map[string]string{"on": "enabled", "off": "disabled"}[state]
	c.printf("Failover %s for %s.\n", word, what)
	return nil
}
