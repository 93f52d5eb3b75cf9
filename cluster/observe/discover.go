package observe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Found is what one host tells of its cluster.
type Found struct {
	Nodes []cluster.Node // in the order of cluster-status
	Self  int            // which of Nodes the host is, by its own addresses; -1 when it cannot be told

	// HostName, MachineID and Addresses are the host's own; "" and nil where it
	// does not tell them.
	HostName, MachineID string
	Addresses           []string
}

// Discover asks one host for the nodes of its cluster: their names and
// addresses as cluster-status tells them, in its order. Where that fails, etcd's
// members stand in, and a node's name is then its address. It takes a few
// seconds; ctx bounds it. The error names the host and what is missing there; what
// the host tells of itself comes with it.
// ErrNotInstalled is among its causes where the product is not there at all.
func Discover(ctx context.Context, h remote.Host) (Found, error) {
	nonce := rand.Text()
	res, err := h.Run(ctx, remote.Script{Name: "cockpit-discover", Text: loopText, Stdin: []byte("look discover " + nonce + "\n"), Limit: maxAnswer})
	if err != nil {
		return Found{}, err
	}
	f, ok := parseFrame(res.Stdout, nonce)
	if !ok {
		return Found{}, fmt.Errorf("%s: the probe could not run: %s", h.Name(), remark(append(res.Stdout, res.Stderr...), "no output; is the login's shell a POSIX shell?"))
	}
	l := look{frame: f, node: h.Name(), absentReason: "the answer was cut off"}
	var own cluster.Report
	l.identity(&own, remote.Link{})
	found := Found{Self: -1, HostName: own.Host.HostName.Value, MachineID: own.Host.MachineID.Value, Addresses: l.addresses().Value}
	nodes, err := l.nodes()
	if err != nil {
		return found, fmt.Errorf("%s: %w", h.Name(), err)
	}
	found.Nodes, found.Self = nodes, l.self(nodes)
	return found, nil
}

// ErrNotInstalled says that the host is no Chef Backend node.
var ErrNotInstalled = errors.New("no Chef Backend on this host (/opt/chef-backend is missing); name a backend node")

// self finds the node that has one of the host's own addresses.
func (l *look) self(nodes []cluster.Node) int {
	return slices.IndexFunc(nodes, func(n cluster.Node) bool { return slices.Contains(l.addresses().Value, n.Address) })
}

// nodes reads the discovering look.
func (l *look) nodes() ([]cluster.Node, error) {
	var r cluster.Report
	l.identity(&r, remote.Link{})
	l.ctl(&r)
	l.etcdMembers(&r)
	var nodes []cluster.Node
	for _, row := range r.Ctl.Rows.Value {
		if row.IP != "" {
			nodes = append(nodes, cluster.Node{Name: row.Name, Address: row.IP})
		}
	}
	if len(nodes) > 0 {
		return distinct(nodes), nil
	}
	for _, m := range r.Etcd.Members.Value {
		if host := hostOfURL(m.PeerURL); host != "" {
			nodes = append(nodes, cluster.Node{Name: host, Address: host})
		}
	}
	switch {
	case len(nodes) > 0:
		return distinct(nodes), nil
	case cluster.Is(r.Host.Installed, false) == cluster.True:
		return nil, ErrNotInstalled
	}
	return nil, errors.New("the cluster's nodes are not known here: cluster-status: " + r.Ctl.Rows.Reason +
		"; etcd: " + r.Etcd.Members.Reason + "; name all nodes instead")
}

// distinct keeps one node of every address, and gives those whose name another
// one has already their address for a name: all else goes by names.
func distinct(nodes []cluster.Node) []cluster.Node {
	var kept []cluster.Node
	for _, n := range nodes {
		if slices.ContainsFunc(kept, func(k cluster.Node) bool { return k.Address == n.Address }) {
			continue
		}
		if slices.ContainsFunc(kept, func(k cluster.Node) bool { return k.Name == n.Name }) {
			n.Name = n.Address
		}
		kept = append(kept, n)
	}
	return kept
}
