// Package observe looks at the nodes: it sends a probe to each, reads what the
// node's own tools say, and publishes reports of claims. What cannot be read is
// unknown with a reason, and no old value stays in its place. One Observer
// looks at one node, from goroutines of its own.
package observe

import (
	"strings"

	"chef-backend-cockpit/assets"
)

// Probe is the text of the probe: POSIX sh functions and nothing else. It
// defines `look KIND NONCE [PEER…]`, which prints one framed look on stdout
// (KIND fast or slow) and changes nothing on the node.
func Probe() string { return probeText }

var (
	probeText = compact(assets.MustRead("scripts/probe.sh") + assets.MustRead("scripts/probe-slow.sh") + assets.MustRead("scripts/probe-machine.sh") + assets.MustRead("scripts/probe-product.sh"))
	loopText  = probeText + compact(assets.MustRead("scripts/probe-loop.sh"))
)

// compact drops comments and indentation: the node's process list shows the
// whole text of every session, and every look reads that list.
func compact(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimLeft(line, "\t")
		if line == "\n" || strings.HasPrefix(line, "#") {
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}
