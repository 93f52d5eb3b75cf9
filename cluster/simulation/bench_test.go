package simulation

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/remote"
)

// BenchmarkLook is one fast look over a long-lived channel, as the cockpit
// asks for one every two seconds on each node.
func BenchmarkLook(b *testing.B) {
	c := start(b, Options{})
	h := overSSH(b, c, "be1")
	s, err := h.Start(b.Context(), remote.Script{Name: "cockpit-look", Text: observe.Probe() + assets.MustRead("scripts/probe-loop.sh")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	out := bufio.NewReader(s.Stdout())
	for i := range b.N {
		nonce := fmt.Sprintf("n%d", i)
		fmt.Fprintf(s.Stdin(), "look fast %s\n", nonce)
		for line := ""; !strings.HasPrefix(line, "@@"+nonce+" done"); {
			if line, err = out.ReadString('\n'); err == io.EOF {
				b.Fatal("the channel has ended")
			}
		}
	}
}
