//go:build linux

package lab

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Nodes are the hosts as the cockpit has to know them.
func (l *Lab) Nodes() []cluster.Node {
	l.mu.Lock()
	defer l.mu.Unlock()
	var nodes []cluster.Node
	for _, h := range l.state.Hosts {
		nodes = append(nodes, cluster.Node{Name: h.Name, Address: h.Address, Dial: h.Address})
	}
	return nodes
}

// Target is how the operator reaches a host: root, the lab's key, the lab's
// known hosts.
func (l *Lab) Target(name string) (remote.Target, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, err := l.host(name)
	if err != nil {
		return remote.Target{}, err
	}
	return remote.Target{
		Name: h.Name, Address: h.Address, User: "root", Port: 22,
		Identity: []string{identityFile}, KnownHosts: []string{knownHostsFile}, Jump: "none",
	}, nil
}

// RemoteOptions go with Target: nothing of the operator's own is read.
func (l *Lab) RemoteOptions() remote.Options { return remote.Options{Config: []string{}} }

// stepsDir is where the cockpit keeps its steps on a host.
const stepsDir = "/var/opt/chef-backend-cockpit/steps"

// StepCommands are the commands of the cockpit's steps that were started on a
// host, in order: what lies in the step folders there. It is valid while the
// host is without power, too.
func (l *Lab) StepCommands(name string) []string {
	h, err := l.host(name)
	if err != nil {
		return nil
	}
	type step struct {
		at   time.Time
		text string
	}
	var steps []step
	files, _ := filepath.Glob(h.file(stepsDir) + "/*/*/command")
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		steps = append(steps, step{info.ModTime(), strings.TrimSuffix(string(text), "\n")})
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	var commands []string
	for _, s := range steps {
		commands = append(commands, s.text)
	}
	return commands
}

// CtlCalls are the lines in which the stand-in of chef-backend-ctl noted its
// calls on a host, oldest first.
func (l *Lab) CtlCalls(name string) ([]string, error) {
	h, err := l.host(name)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(h.file(logDir + "/ctl-calls.log"))
	if os.IsNotExist(err) || err == nil && len(text) == 0 {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), err
}

// Connect makes the links to all hosts, by name; the caller closes them.
func (l *Lab) Connect() (map[string]remote.Host, error) {
	hosts := map[string]remote.Host{}
	for _, n := range l.Nodes() {
		t, err := l.Target(n.Name)
		if err == nil {
			hosts[n.Name], err = remote.NewSSH(t, l.RemoteOptions())
		}
		if err != nil {
			delete(hosts, n.Name)
			for _, h := range hosts {
				h.Close()
			}
			return nil, err
		}
	}
	return hosts, nil
}
