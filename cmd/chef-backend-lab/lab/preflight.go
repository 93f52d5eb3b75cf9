//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// needs are the programs that a lab needs, and the Debian packages that hold them.
var needs = []struct{ program, pkg string }{
	{"ip", "iproute2"}, {"nft", "nftables"}, {"nsenter", "util-linux"},
	{"/usr/sbin/sshd", "openssh-server"},
	{"runsvdir", "runit"}, {"svlogd", "runit"}, {"chpst", "runit"},
	{"etcd", "etcd-server"}, {"etcdctl", "etcd-client"},
	{postgresBin + "/postgres", "postgresql-15"}, {postgresBin + "/psql", "postgresql-client-15"},
	{"curl", "curl"}, {"ps", "procps"},
}

// Missing names the Debian packages that this machine lacks for a lab.
func Missing() []string {
	var missing []string
	for _, n := range needs {
		if _, err := exec.LookPath(n.program); err != nil && !slices.Contains(missing, n.pkg) {
			missing = append(missing, n.pkg)
		}
	}
	return missing
}

// Possible says in one line why no lab can be made here; nil when one can.
func Possible(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("the lab needs root: namespaces, mounts, a bridge")
	}
	if missing := Missing(); len(missing) > 0 {
		return fmt.Errorf("missing Debian packages: apt-get install --no-install-recommends %s", strings.Join(missing, " "))
	}
	if _, err := command(ctx, "unshare", "--net", "--mount", "--pid", "--fork", "true"); err != nil {
		return fmt.Errorf("this machine refuses namespaces: %w", err)
	}
	return nil
}

// preflight refuses what could not work or would be in somebody's way.
func preflight(ctx context.Context) error {
	if err := Possible(ctx); err != nil {
		return err
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	ours := netip.MustParsePrefix(network)
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Overlaps(ours) {
			return fmt.Errorf("this machine has the address %s already, and the lab's network is %s; if a lab left it, chef-backend-lab down removes it", p, ours)
		}
	}
	// A route through some gateway (a VPN) would be shadowed by the lab's.
	out, err := command(ctx, "ip", "-4", "route", "show", "root", network)
	if err != nil {
		return err
	}
	if said := strings.TrimSpace(string(out)); said != "" {
		return fmt.Errorf("this machine has a route to the lab's network %s already: %s", network, said)
	}
	return nil
}
