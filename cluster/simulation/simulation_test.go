package simulation

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/remote"
)

// A scenario strikes by itself, at its time and not before.
func TestScenarioStrikes(t *testing.T) {
	c := start(t, Options{Speed: 50, Scenario: "node-down", StrikeAfter: 20 * time.Second})
	began := c.clock.Now()
	eventually(t, "a node is switched off", func() bool { return !c.reached("be3") })
	if after := c.clock.Now().Sub(began); after < 10*time.Second {
		t.Errorf("it struck after %s", after)
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
	if _, err := Start(t.Context(), Options{Scenario: "no-such"}); err == nil || !strings.Contains(err.Error(), "follower-wal-gap") {
		t.Errorf("an unknown scenario gives %v", err)
	}
	if err := c.Strike("no-such"); err == nil {
		t.Error("an unknown fault struck")
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
			t.Errorf("the folder is still there: %v", err)
		}
	})
	return c
}

// overSSH is a node as the cockpit reaches it.
func overSSH(t testing.TB, c *Cluster, name string) remote.Host {
	t.Helper()
	h, err := remote.NewSSH(c.Target(name), c.RemoteOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := remote.ConnectFirst(ctx, h); err != nil {
		t.Fatal(err)
	}
	return h
}

// A look must parse on both ways into a node, with something to say about
// every part of it.
func TestLook(t *testing.T) {
	c := start(t, Options{Speed: 10})
	for way, h := range map[string]remote.Host{"over SSH": overSSH(t, c, "be2"), "in process": c.Host("be2")} {
		began := c.clock.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		r, err := h.Run(ctx, remote.Script{Name: "cockpit-look", Text: observe.Probe() + "\nlook slow n1 10.0.4.11 10.0.4.13 +10.0.4.11 +10.0.4.13\nlook fast n2\n"})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		text, fast, _ := strings.Cut(string(r.Stdout), "@@n2 look")
		slow, err := observe.ParseLook("be2", []byte(text), began, c.clock.Now(), h.Link())
		if err != nil {
			t.Fatalf("%s: %v\n%s", way, err, r.Stderr)
		}
		report, err := observe.ParseLook("be2", []byte("@@n2 look"+fast), began, c.clock.Now(), h.Link())
		if err != nil {
			t.Fatalf("%s: %v\n%s", way, err, r.Stderr)
		}
		for _, known := range []struct {
			what      string
			got, want any
		}{
			{"host name", report.Host.HostName.Value, "be2"},
			{"services", len(report.Services), 5},
			{"postgresql", report.Services["postgresql"].State.Value, "run"},
			{"etcd", report.Etcd.Health.Value, true},
			{"/leader", report.Leaderl.LeaderCode.Value, 503},
			{"recovery", report.PostgreSQL.InRecovery.Value, true},
			{"elasticsearch", report.Elasticsearch.Status.Value, "green"},
			{"sentinel", report.Sentinels.Unsynced.Known, true},
			{"cluster-status", len(slow.Ctl.Rows.Value), 3},
			{"peers", slow.Peers["10.0.4.13"].Value.Ports[22], "open"},
			{"leaderl of a stranger", slow.Network["10.0.4.11"].LeaderCode.Value, 200},
			{"leaderl of another", slow.Network["10.0.4.13"].LeaderCode.Value, 503},
			{"etcd of a stranger", slow.Network["10.0.4.13"].EtcdHealth.Value, true},
			{"its name", slow.Network["10.0.4.13"].MemberName.Known, true},
			{"Elasticsearch of a stranger", slow.Network["10.0.4.11"].Elasticsearch.Value, "green"},
			{"nobody else", len(slow.Network), 2},
			{"version", slow.Host.Version.Value, "2.3.16"},
			{"disks", len(slow.Host.Disks.Value) > 0, true},
			{"stderr", len(r.Stderr), 0},
		} {
			if fmt.Sprint(known.got) != fmt.Sprint(known.want) {
				t.Errorf("%s: %s is %v, not %v", way, known.what, known.got, known.want)
			}
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}
