//go:build linux

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// What a step can ask of a person, by its words.
var (
	saying     = regexp.MustCompile(`\b(tick only if you accept|call support|open a ticket)\b`)
	restoring  = regexp.MustCompile(`chef-backend-ctl restore\b`)
	installing = regexp.MustCompile(`\binstall\b`)
	offing     = regexp.MustCompile(`\b(power|switch)\w*\b.{0,24}\boff\b`)
	oning      = regexp.MustCompile(`\b(power|switch|start)\w*\b.{0,40}\b(on|up)\b`)
	mending    = regexp.MustCompile(`\b(mend|restore|repair)\b[^.]*\b(network|connectivity|connection|cable|link)`)
	secretsTo  = regexp.MustCompile(`/root/[\w./-]*secrets[\w-]*\.json`)
)

// ByHand does what a person does outside the cockpit for a manual step, as its
// words say: a new machine with the package in the place of a node, the shared
// secrets copied there, power on or off, the network mended. It returns when
// that is done and the machine answers. What only wants a word is done at once;
// a step that says none of it is an error.
func (l *Lab) ByHand(step cluster.PlanStep) error {
	ctx, cancel := context.WithTimeout(context.Background(), faultWithin)
	defer cancel()
	text := strings.ToLower(step.Say + "\n" + step.ToDo)
	if saying.MatchString(text) {
		return nil
	}
	err := l.change(func() error {
		h, named := l.meant(step)
		switch {
		case restoring.MatchString(text) && named:
			// What restore ends in: this node alone is a new cluster. The backup is taken to hold what it holds.
			return h.ctl(ctx, "create-cluster --quorum-loss-recovery --accept-license --yes")
		case installing.MatchString(text) && named:
			if err := l.newMachine(ctx, h); err != nil {
				return err
			}
		case offing.MatchString(text) && named:
			return powerOffOnce(ctx, l, h)
		case oning.MatchString(text) && named:
			return powerOnAct(ctx, l, h, "")
		case mending.MatchString(text):
			return l.mendAll(ctx)
		default:
			return fmt.Errorf("it says nothing that a person can do here: %q", step.ToDo)
		}
		if to := secretsTo.FindString(step.ToDo); to != "" {
			return l.copySecrets(ctx, h, to)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("step %s by hand: %w", step.ID, err)
	}
	return nil
}

// meant is the host that a step is about: the one that it runs on or names, else
// the first whose address or name its words hold.
func (l *Lab) meant(step cluster.PlanStep) (*Host, bool) {
	for _, name := range []string{step.Node, step.About} {
		if h, err := l.host(name); err == nil {
			return h, true
		}
	}
	for _, holds := range []func(h *Host) bool{
		func(h *Host) bool { return strings.Contains(step.ToDo, h.Address) },
		func(h *Host) bool { return strings.Contains(step.Say, h.Name) },
		func(h *Host) bool { return strings.Contains(step.ToDo, h.Name) },
	} {
		for i := range l.state.Hosts {
			if holds(&l.state.Hosts[i]) {
				return &l.state.Hosts[i], true
			}
		}
	}
	return nil, false
}

func powerOffOnce(ctx context.Context, l *Lab, h *Host) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	return l.powerOff(ctx, h)
}

// newMachine puts a host with empty disks in the place of one: the package is
// installed there, nothing is configured and nothing runs but sshd, with the
// old host key: whoever replaces a machine sees to that.
func (l *Lab) newMachine(ctx context.Context, h *Host) error {
	if err := powerOffOnce(ctx, l, h); err != nil {
		return err
	}
	key, err := os.ReadFile(h.file(hostKey))
	if err != nil {
		return err
	}
	known, err := os.ReadFile(knownHostsFile)
	if err != nil {
		return err
	}
	for _, disk := range []string{"disk/upper", "disk/work", "disk/home", "data", "log"} {
		if err := empty(h.dir(disk)); err != nil {
			return err
		}
	}
	if err := l.makeFiles(h); err != nil {
		return err
	}
	if err := writeAll(map[string]string{h.file(hostKey): string(key), knownHostsFile: string(known)}); err != nil {
		return err
	}
	remove := []string{h.file("/etc/chef-backend"), h.file(serviceDir)}
	for _, service := range serviceNames {
		remove = append(remove, h.file(optDir+"/sv/"+service+"/down")) // it waits for the founding of the first cluster
	}
	for _, path := range remove {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	if err := empty(h.dir("data")); err != nil {
		return err
	}
	if err := os.MkdirAll(h.file(serviceDir), 0o755); err != nil {
		return err
	}
	if err := l.powerOn(ctx, h); err != nil {
		return err
	}
	return l.parkDisk(ctx, h)
}

// parkDisk waits for the new machine, and takes its data disk to where the
// stand-in of join-cluster looks for it: an installed package makes no folder.
func (l *Lab) parkDisk(ctx context.Context, h *Host) error {
	if err := until(ctx, "sshd of "+h.Name, 10*time.Second, []string{h.dir("console.log")}, h.sshAnswers); err != nil {
		return err
	}
	const parking = optDir + "/parked-disk"
	_, err := sh(ctx, h, "mkdir -p "+parking+" && mount --move "+varDir+" "+parking+" && rmdir "+varDir)
	return err
}

// empty removes what lies in a folder, and leaves the folder.
func empty(folder string) error {
	list, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// copySecrets brings the shared secrets of a configured host that has power.
func (l *Lab) copySecrets(ctx context.Context, h *Host, to string) error {
	for i := range l.state.Hosts {
		o := &l.state.Hosts[i]
		if o == h || !alive(o.PID, o.Start) {
			continue
		}
		text, err := sh(ctx, o, "cat /etc/chef-backend/chef-backend-secrets.json")
		if err != nil {
			continue
		}
		_, err = sh(ctx, h, "umask 077; cat >"+to+" <<'END'\n"+text+"\nEND")
		return err
	}
	return fmt.Errorf("no host with power has secrets for %s", h.Name)
}
