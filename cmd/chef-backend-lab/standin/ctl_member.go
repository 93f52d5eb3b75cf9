//go:build linux

package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// nodePorts are the ports by which a node that still runs is found out.
var nodePorts = []string{"2380", "5432", "7331"}

// removeNode is `remove-node NAME`: it takes a stopped node out of etcd. Its
// texts are invented.
func (c *ctl) removeNode() error {
	o, err := parseOptions(c.args, []string{"-y", "--yes"}, nil)
	if err != nil {
		return err
	}
	if len(o.words) != 1 {
		return errors.New("remove-node needs the name of a node")
	}
	state, err := c.store.read(c.ctx)
	if err != nil {
		return errNoState
	}
	target, known := state.find(o.words[0])
	switch {
	case !known:
		return errors.New("no such node: " + o.words[0])
	case target.GUID == c.GUID:
		return errors.New("a node cannot remove itself; run this on another node")
	case state.Leader == target.GUID:
		return errors.New(target.Name + " is the leader")
	}
	for _, port := range nodePorts {
		if opens(target.Address, port) {
			return fmt.Errorf("%s still runs (port %s is open); stop it first", target.Name, port)
		}
	}
	if err := c.proceed("This will remove "+target.Name+" from the cluster.", o.has("-y", "--yes")); err != nil {
		return err
	}
	members, err := c.store.members(c.ctx)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Name == target.GUID {
			if err := c.store.removeMember(c.ctx, m.ID); err != nil {
				return err
			}
		}
	}
	if err := c.store.forget(c.ctx, target.GUID, state); err != nil {
		return err
	}
	c.printf("Removed %s from the cluster.\n", target.Name)
	return nil
}

// cleanse is `cleanse`: it deletes all data and logs of this node, and keeps
// the configuration under /root. The log of calls stays too: it belongs to
// the lab.
func (c *ctl) cleanse() error {
	o, err := parseOptions(c.args, []string{"-y", "--yes", "--with-external", "yes"}, nil)
	if err != nil {
		return err
	}
	warning := "This will delete *all* configuration, log, and variable data associated with Chef Backend."
	if err := c.proceed(warning, o.has("-y", "--yes")); err != nil {
		return err
	}
	for _, name := range serviceNames {
		c.retire(name)
	}
	kept := cleanseCopy(time.Now(), exists)
	if exists(etcDir) {
		if err := moveTree(etcDir, kept); err != nil {
			return err
		}
	}
	for _, f := range []func() error{emptyLogs, dropData, func() error { return os.RemoveAll(filepath.Dir(wordFile)) }} {
		if err := f(); err != nil {
			return err
		}
	}
	c.printf("Your config files have been backed up to %s.\n", kept)
	return nil
}

// retire stops a service, and its logger, for good: runsvdir no longer
// watches it until it is linked again.
func (c *ctl) retire(name string) {
	_ = serviceDown(c.ctx, name, 20*time.Second) // exit sends SIGTERM to what is left
	// The link goes first, or runsvdir would start its runsv again.
	_ = os.Remove(filepath.Join(serviceDir, name))
	sv(c.ctx, "exit", optDir+"/sv/"+name)
}

// enlist has runsvdir watch a service again. It comes up by itself.
func enlist(name string) error {
	err := os.Symlink("../sv/"+name, filepath.Join(serviceDir, name))
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// cleanseCopy names the folder for the configuration; a second one within the
// same minute gets the seconds too.
func cleanseCopy(now time.Time, taken func(string) bool) string {
	path := "/root/chef-backend-cleanse-" + now.UTC().Format("2006-01-02T15:04")
	if taken(path) {
		path += now.UTC().Format(":05")
	}
	return path
}

// emptyLogs deletes the logs. The folders stay with the settings of the lab's
// svlogd, and so does the log of calls.
func emptyLogs() error {
	return filepath.WalkDir(logDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "config" || path == callsFile {
			return err
		}
		return os.Remove(path)
	})
}

// parking is where a disk that was mounted at /var/opt/chef-backend waits for
// the next join: on a lab host that folder is a disk of its own, and after a
// cleanse it must be gone.
const parking = optDir + "/parked-disk"

// dropData deletes the data.
func dropData() error {
	list, err := os.ReadDir(varDir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := os.RemoveAll(filepath.Join(varDir, e.Name())); err != nil {
			return err
		}
	}
	err = os.Remove(varDir)
	if errors.Is(err, syscall.EBUSY) {
		if err := os.MkdirAll(parking, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(varDir, parking, "", syscall.MS_MOVE, ""); err != nil {
			return fmt.Errorf("park the disk at %s: %w", varDir, err)
		}
		return os.RemoveAll(varDir)
	}
	return err
}

// unpark brings that disk back.
func unpark() error {
	if err := os.MkdirAll(varDir, 0o755); err != nil {
		return err
	}
	var here, above syscall.Stat_t
	if syscall.Stat(parking, &here) != nil || syscall.Stat(optDir, &above) != nil || here.Dev == above.Dev {
		return nil
	}
	if err := syscall.Mount(parking, varDir, "", syscall.MS_MOVE, ""); err != nil {
		return fmt.Errorf("bring the disk back to %s: %w", varDir, err)
	}
	return nil
}

// peerState is what a member of the cluster says of it.
func peerState(c *ctl, address string) (*store, *clusterState, error) {
	s := storeAt(address)
	state, err := s.read(c.ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("no cluster answers at %s: %w", address, err)
	}
	return s, state, nil
}

// blockedText is the list of blocked leaders without one of them.
func blockedText(state *clusterState, without string) (string, error) {
	list := []string{}
	for guid := range state.Blocked {
		if guid != without {
			list = append(list, guid)
		}
	}
	raw, err := json.Marshal(list)
	return strings.TrimSpace(string(raw)), err
}
