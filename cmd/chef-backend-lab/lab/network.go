//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// The network: a bridge in a namespace of its own, a cable to each host, and
// one to the operator, who is this machine. All names begin with cblab.
const (
	switchNS     = "cblab-sw"
	operatorLink = "cblab-op" // this machine's end
	bridge       = "br0"
	// Operator is the operator's name where a link is named.
	Operator = "operator"
)

func netns(host string) string { return "cblab-" + host }

// makeSwitch makes the bridge, its packet filter and the operator's cable.
func (l *Lab) makeSwitch(ctx context.Context) error {
	if _, err := command(ctx, "ip", "netns", "add", switchNS); err != nil {
		return err
	}
	err := ip(ctx, "-n "+switchNS, `link set lo up
		link add `+bridge+` type bridge forward_delay 0
		link set `+bridge+` up`)
	if err != nil {
		return err
	}
	// The addresses in the set do not reach each other. ARP passes, so that the
	// rest vanishes silently as it does behind a router, and nobody is told.
	rules := `table bridge lab {
		set cut { type ipv4_addr . ipv4_addr; }
		chain forward { type filter hook forward priority 0; ip saddr . ip daddr @cut drop; }
	}`
	c := exec.CommandContext(ctx, "ip", "netns", "exec", switchNS, "nft", "-f", "-")
	c.Stdin = strings.NewReader(rules)
	if _, err := output(c); err != nil {
		return err
	}
	return ip(ctx, "", `link add `+operatorLink+` type veth peer name op netns `+switchNS+`
		addr add `+operatorAddress+prefixLength+` dev `+operatorLink+`
		link set `+operatorLink+` up
		-n `+switchNS+` link set op master `+bridge+` up`)
}

// plugIn makes a host's network: namespace, cable, address.
func (h *Host) plugIn(ctx context.Context) error {
	ns := netns(h.Name)
	if _, err := command(ctx, "ip", "netns", "add", ns); err != nil {
		return err
	}
	// The hardware address stays the same over boots: nobody's ARP entry is stale.
	last := h.Address[strings.LastIndexByte(h.Address, '.')+1:]
	return ip(ctx, "-n "+ns, `link set lo up
		link add eth0 address 02:00:0a:00:04:`+last+` type veth peer name `+h.Name+` netns `+switchNS+`
		addr add `+h.Address+prefixLength+` dev eth0
		link set eth0 up
		-n `+switchNS+` link set `+h.Name+` master `+bridge+` up`)
}

// unplug takes the cable away: nothing that the host still sends gets out.
func (h *Host) unplug(ctx context.Context) error {
	return ip(ctx, "-n "+switchNS, "link del "+h.Name)
}

// dropNetwork forgets a host's network with every open connection in it.
func (h *Host) dropNetwork(ctx context.Context) error {
	if _, err := os.Stat("/run/netns/" + netns(h.Name)); err != nil {
		return nil
	}
	_, err := command(ctx, "ip", "netns", "del", netns(h.Name))
	return err
}

// ip runs lines of ip commands; a line that names a namespace has its own.
func ip(ctx context.Context, where, lines string) error {
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "-n ") {
			line = where + " " + line
		}
		if _, err := command(ctx, "ip", strings.Fields(line)...); err != nil {
			return err
		}
	}
	return nil
}

// setLink cuts or mends the network between two ends, in both directions.
func (l *Lab) setLink(ctx context.Context, a, b string, cut bool) error {
	from, err := l.end(a)
	if err != nil {
		return err
	}
	to, err := l.end(b)
	if err != nil {
		return err
	}
	if from == to {
		return fmt.Errorf("a link has two ends, not %s and %s", a, b)
	}
	verb := "delete"
	if cut {
		verb = "add"
	}
	elements := fmt.Sprintf("{ %s . %s, %s . %s }", from, to, to, from)
	_, err = command(ctx, "ip", "netns", "exec", switchNS, "nft", verb, "element", "bridge", "lab", "cut", elements)
	return err
}

// end is the address of one end of a link.
func (l *Lab) end(name string) (string, error) {
	if name == Operator || name == "" {
		return operatorAddress, nil
	}
	h, err := l.host(name)
	if err != nil {
		return "", err
	}
	return h.Address, nil
}

// mendAll forgets every cut.
func (l *Lab) mendAll(ctx context.Context) error {
	_, err := command(ctx, "ip", "netns", "exec", switchNS, "nft", "flush", "set", "bridge", "lab", "cut")
	return err
}

// dropAllNetworks removes by name whatever there is of the lab's network.
func dropAllNetworks(ctx context.Context, keepMount bool) error {
	var errs []error
	if _, err := os.Stat("/sys/class/net/" + operatorLink); err == nil {
		_, err := command(ctx, "ip", "link", "del", operatorLink)
		errs = append(errs, err)
	}
	for _, ns := range append([]string{switchNS}, namespaces()...) {
		if _, err := os.Stat("/run/netns/" + ns); err == nil {
			_, err := command(ctx, "ip", "netns", "del", ns)
			errs = append(errs, err)
		}
	}
	// ip makes /run/netns a mount of its own with the first namespace.
	left, err := os.ReadDir("/run/netns")
	if is, _ := mounted("/run/netns"); is && err == nil && len(left) == 0 && !keepMount {
		if err = unix.Unmount("/run/netns", 0); err == nil {
			err = os.Remove("/run/netns")
		}
		errs = append(errs, err)
	}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
}

func namespaces() []string {
	all := []string{deskNS, jumpNS}
	for _, n := range names {
		all = append(all, netns(n))
	}
	return all
}
