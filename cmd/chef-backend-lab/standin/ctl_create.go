//go:build linux

package standin

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// createCluster is `create-cluster`. Only --quorum-loss-recovery is carried
// out: founding a cluster is the lab's own work.
func (c *ctl) createCluster() error {
	o, err := parseOptions(c.args, []string{"--quorum-loss-recovery", "-y", "--yes", "--accept-license", "--quiet", "-q", "--verbose"},
		[]string{"--elasticsearch-wait-time", "--etcd-wait-time"})
	if err != nil {
		return err
	}
	if !o.has("--quorum-loss-recovery") {
		return errors.New("this node is configured already")
	}
	if err := c.license(o.has("--accept-license")); err != nil {
		return err
	}
	if err := touch(licenseFile); err != nil {
		return err
	}
	if bar := barred(); bar != "" {
		return errors.New(bar + " exists: the copy of this node may not lead")
	}
	warning := "This resets the cluster to this node alone. Its copy of the data becomes the only one.\nThe other nodes must be down for good."
	if err := c.proceed(warning, o.has("-y", "--yes")); err != nil {
		return err
	}
	for _, step := range []struct {
		say string
		do  func() error
	}{
		{"Stopping leaderl", func() error { return serviceDown(c.ctx, "leaderl", 20*time.Second) }},
		{"Resetting etcd to a cluster of one node", c.resetEtcd},
		{"Forgetting the other nodes", c.forgetOthers},
		{"Starting leaderl", func() error { return serviceUp(c.ctx, "leaderl", 20*time.Second) }},
		{"Waiting for this node to lead", c.force},
	} {
		c.printf("%s...\n", step.say)
		if err := step.do(); err != nil {
			return err
		}
	}
	c.printf("This node is a cluster of its own now.\n")
	return nil
}

// resetEtcd starts etcd once with --force-new-cluster: it keeps the data and
// drops every other member.
func (c *ctl) resetEtcd() error {
	// Without a quorum etcd does not go when it is asked; the product sends
	// SIGKILL to what is stuck, too.
	if err := serviceDown(c.ctx, "etcd", 7*time.Second); err != nil {
		c.printf("found stuck pids still running in process group of etcd, sending SIGKILL\n")
		sv(c.ctx, "kill", "etcd")
		if err := serviceDown(c.ctx, "etcd", 7*time.Second); err != nil {
			return err
		}
	}
	if err := os.WriteFile(etcdArgsFile, []byte("--force-new-cluster\n"), 0o644); err != nil {
		return err
	}
	defer func() { _ = os.Remove(etcdArgsFile) }() // a second start with it would do it again
	if err := serviceUp(c.ctx, "etcd", 20*time.Second); err != nil {
		return err
	}
	return c.watch(60*time.Second, "etcd is not healthy", func() bool {
		all := c.members()
		return c.store.healthy(c.ctx) && len(all) == 1 && all[0].Name == c.GUID
	})
}

// forgetOthers removes what the old cluster kept of the others, and whatever
// it had not come to the end of.
func (c *ctl) forgetOthers() error {
	state, err := c.store.read(c.ctx)
	if err != nil {
		return errNoState
	}
	for guid := range state.Nodes {
		if guid == c.GUID {
			continue
		}
		if err := c.store.forget(c.ctx, guid, state); err != nil {
			return fmt.Errorf("forget %s: %w", state.Nodes[guid].Name, err)
		}
	}
	for _, key := range []string{keyLeader, keyRequest, keyStatus + c.GUID} {
		if err := c.store.drop(c.ctx, key, nil); err != nil {
			return err
		}
	}
	return c.store.register(c.ctx, c.peer)
}
