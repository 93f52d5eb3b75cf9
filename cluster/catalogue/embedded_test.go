package catalogue

import (
	"testing"

	"chef-backend-cockpit/assets"
)

// The catalogue that is built in must pass its own linter and hold the rows
// that the first flight promises.
func TestEmbedded(t *testing.T) {
	c, err := Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range c.Failures {
		have[f.Name] = true
	}
	for _, want := range []string{"node-down", "operator-cut-off", "failover-under-way", "no-leader", "deposed-leader-blocked",
		"postgresql-down", "etcd-down", "leaderl-down", "elasticsearch-down", "partially-synced", "follower-wal-gap", "two-primaries",
		"partition-partial", "partition-quorum-kept", "partition-quorum-lost", "quorum-lost-one-seen", "login-failed", "host-key-changed"} {
		if !have[want] {
			t.Errorf("failure %s is missing", want)
		}
	}
	if len(c.Signs) < 30 {
		t.Errorf("%d signs, want those of all services", len(c.Signs))
	}
}
