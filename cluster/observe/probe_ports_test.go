package observe

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
)

const noBash = `echo "bash: line 2: /dev/tcp/10.0.4.13/22: No such file or directory" >&2`

// A curl that cannot try a port has not found it silent.
func TestCurlWithoutTelnetSeesNothing(t *testing.T) {
	n := newFakeNode(t)
	n.tool("bash", noBash)
	n.tool("curl", `echo 'curl: (1) Protocol "telnet" not supported or disabled in libcurl' >&2; exit 1`)
	want(t, n.report("dash", "look slow n1 10.0.4.13"), map[string]string{"peer.10.0.4.13": "?could tell"})
}

// Where bash knows no /dev/tcp, or there is none, curl tries the ports.
func TestPortsWithoutBash(t *testing.T) {
	for _, bash := range []string{noBash, "exit 127"} {
		n := newFakeNode(t)
		n.tool("bash", bash)
		want(t, n.report("dash", "look slow n1 10.0.4.11 10.0.4.13"), map[string]string{
			"peer.10.0.4.11": "{map[22:open 2379:refused 2380:refused 5432:refused 7331:refused 9300:refused]}",
			"peer.10.0.4.13": "{map[22:timeout 2379:timeout 2380:timeout 5432:timeout 7331:timeout 9300:timeout]}",
		})
	}
}

// A bash that ends without a word about a port has not found it silent.
func TestBashThatDiesSeesNothing(t *testing.T) {
	n := newFakeNode(t)
	n.tool("bash", "kill -TERM $$")
	want(t, n.report("dash", "look slow n1 10.0.4.13"), map[string]string{"peer.10.0.4.13": "?could tell"})
}

// What is not answered in time is silence, and what was answered stays.
func TestSilentPorts(t *testing.T) {
	n := newFakeNode(t)
	n.tool("bash", `echo "open 10.0.4.13 22."; exec sleep 60`)
	want(t, n.report("dash", "look slow n1 10.0.4.13"), map[string]string{
		"peer.10.0.4.13": "{map[22:open 2379:timeout 2380:timeout 5432:timeout 7331:timeout 9300:timeout]}"})
}

// The real bash, on this machine's loopback: a port where somebody listens, and
// one where nobody does.
func TestPortsByBash(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash here")
	}
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listens, closed := open.Addr().(*net.TCPAddr).Port, free.Addr().(*net.TCPAddr).Port
	free.Close()
	script := fmt.Sprintf("PROBE_TIMEOUT=yes LC_ALL=C; export LC_ALL; probe_ports='%d %d'; probe_by_bash 127.0.0.1", listens, closed)
	for _, shell := range []string{"dash", "bash"} {
		out, err := exec.Command(shell, "-c", Probe()+script).CombinedOutput()
		if want := fmt.Sprintf("127.0.0.1 %d open\n127.0.0.1 %d refused\n", listens, closed); err != nil || string(out) != want {
			t.Errorf("%s: %v: %q, want %q", shell, err, out, strings.TrimSpace(want))
		}
	}
}
