package catalogue

import (
	"testing"

	"chef-backend-cockpit/assets"
)

// The catalogue that is built in must pass its own linter and hold the rows
// of every section of the recovery guide.
func TestEmbedded(t *testing.T) {
	c, err := Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range c.Failures {
		have[f.Name] = true
	}
	for _, want := range []string{
		"node-down", "operator-cut-off", "partition-partial", "login-failed", "host-key-changed", "quorum-lost-one-seen", "two-nodes-down",
		"old-member-returned", "partition-quorum-kept", "partition-quorum-lost",
		"failover-under-way", "no-leader", "deposed-leader-blocked", "deposed-leader-stuck", "two-primaries", "old-leader-unseen", "follows-wrong-node",
		"leadership-flapping", "leader-withheld", "failover-disabled", "no-eligible-follower", "redundancy-lost", "cluster-down",
		"postgresql-down", "postgresql-starting", "elasticsearch-down", "elasticsearch-red", "elasticsearch-degraded", "etcd-down", "etcd-quorum-lost",
		"etcd-slow", "leaderl-down", "leaderl-not-joining", "leaderl-crash-loop", "epmd-down", "supervisor-down", "service-hung",
		"partially-synced", "syncing", "sync-stalled", "follower-wal-gap", "wal-gap-near", "follower-lagging", "timeline-diverged", "system-identifier-differs",
		"disk-full", "disk-low", "filesystem-read-only", "out-of-memory-kill", "clock-skew", "connections-exhausted", "slot-holds-wal",
		"etcd-member-removed", "etcd-cluster-id-mismatch", "etcd-cannot-write", "elasticsearch-read-only", "certificate-expiring",
		"version-mismatch", "wrong-version", "not-three-nodes",
	} {
		if !have[want] {
			t.Errorf("failure %s is missing", want)
		}
	}
	if len(c.Signs) < 60 {
		t.Errorf("%d signs, want those of all services", len(c.Signs))
	}
}

// A copy of files that change meanwhile is none: where a node's copy is to be
// saved, stopping the node is offered before that.
func TestNodeIsStoppedBeforeItsCopyIsSaved(t *testing.T) {
	c, err := Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, f := range c.Failures {
		stopped := false
		for _, o := range f.Offers {
			if o.Procedure == "stop-node" {
				stopped = true
			}
			if o.Procedure == "backup-nodes" {
				if rows++; !stopped {
					t.Errorf("%s offers a copy of a node that runs", f.Name)
				}
			}
		}
	}
	if rows == 0 {
		t.Error("nothing offers a copy")
	}
}
