//go:build linux

package main

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/logs"
	"chef-backend-cockpit/cluster/scenario"
	"chef-backend-cockpit/remote"
)

// drillWrites lets svlogd write lines for some 20 s on the host, whether or not
// the operator is heard there. The first one is written at once.
const drillWrites = `mkdir -p /var/log/drill/etcd && cd /var/log/drill || exit 1
printf 's20000\nn0\n' >etcd/config
mkfifo in go
setsid svlogd -tt etcd <>in >/dev/null 2>&1 &
setsid sh -c 'echo "$0"1 of many; read go <go; i=2
	while [ $i -le 80000 ]; do seq -f "$0%.0f of many" $i $((i + 399)); i=$((i + 400)); sleep 0.1; done' "$1" >in 2>/dev/null </dev/null &
exit 0`

// Real svlogd on a real host, through real sshd, with a stall of the reader of
// 3 s and a cut of the network of 5 s: nothing is lost, doubled or out of order
// over 200 rotations, and nothing stays on the host when the connection ends
// without a word.
func TestNothingIsLostThroughRealSSH(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	const lines = 80001
	b := realLab(t)
	d := dial(t, b)
	target, err := b.Target("be3")
	if err != nil {
		t.Fatal(err)
	}
	h, err := remote.NewSSH(target, b.RemoteOptions())
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.ConnectFirst(d.ctx, h); err != nil {
		t.Fatal(err)
	}
	if r, err := h.Run(d.ctx, remote.Script{Text: drillWrites, Args: []string{scenario.DrillLine}}); err != nil || r.Exit != 0 {
		t.Fatalf("%v, exit %d: %s", err, r.Exit, r.Stderr)
	}
	slow := &scenario.Slow{Host: h}
	l, err := logs.New(logs.Options{Nodes: []cluster.Node{{Name: "be3"}}, Clock: b.Clock(), Folder: "/var/log/drill",
		Host: func(string) remote.Host { return slow }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(d.ctx, 3*time.Minute)
	ended := make(chan struct{})
	go func() { l.Run(ctx); close(ended) }()
	defer func() { slow.Hold(false); cancel(); <-ended }()
	tally, err := scenario.LogDrill{Logs: l, Slow: slow, Clock: b.Clock(), Lines: lines,
		Begun: func() error {
			_, err := h.Run(ctx, remote.Script{Text: "echo go >/var/log/drill/go"})
			return err
		},
		Cut: func(on bool) error {
			if on {
				return b.Strike("cut:operator@be3")
			}
			return b.Heal("cut:operator@be3")
		}}.Run(ctx)
	said := d.run("be3", "ls /var/log/drill/etcd | grep -c @")
	rotated, _ := strconv.Atoi(strings.TrimSpace(said))
	t.Logf("%d lines over %d rotations: %d missing, %d doubled, %d out of order, %d gaps; %v",
		tally.Lines, rotated, tally.Missing, tally.Doubled, tally.Disordered, len(tally.Gaps), err)
	if err != nil || tally.Lines != lines || tally.Missing+tally.Doubled+tally.Disordered+len(tally.Gaps) != 0 || rotated < 200 {
		t.Errorf("%+v over %d rotations, %v", tally, rotated, err)
	}
	reader := func() string { return d.run("be3", "ps -eo args | grep '[c]hef-backend-cockpit-follow' || :") }
	if reader() == "" {
		t.Error("no reader at work was found")
	}
	h.Close() // as the kernel does for a cockpit that was killed
	d.until("nothing is left of the reader", func() bool { return reader() == "" })
}
