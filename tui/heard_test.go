package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
)

// Of a node that is not reached stands, with a question mark and who heard it,
// what its services answer to another one; of one that was looked at, nothing.
func TestHearsayStandsBesideTheUnknown(t *testing.T) {
	d := unseen()
	d.state.View.Snapshot.Reports["be1"].Network = map[string]cluster.NetworkClaims{}
	for _, address := range []string{"10.0.4.12", "10.0.4.13"} {
		d.state.View.Snapshot.Reports["be1"].Network[address] = cluster.NetworkClaims{
			LeaderCode: known(503, cluster.SourceLeaderl), EtcdHealth: known(true, cluster.SourceEtcd), Elasticsearch: known("green", cluster.SourceElasticsearch)}
	}
	screen := ansi.Strip(newStage(d, 140, 45).screen())
	for service, want := range map[string]string{"leaderl": "? not leader by be1", "etcd": "? healthy by be1", "elasticsearch": "? green by be1", "postgresql": "?"} {
		found := false
		for line := range strings.Lines(screen) {
			panes := strings.Split(strings.TrimSpace(line), "│")
			if len(panes) != 3 || !strings.HasPrefix(strings.TrimSpace(panes[2]), service+" ") {
				continue
			}
			found = true
			if got := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(panes[2]), service)); got != want {
				t.Errorf("%s of be3: %q, want %q", service, got, want)
			}
			if strings.Contains(panes[1], " by be1") {
				t.Errorf("hearsay beside a look: %q", panes[1])
			}
		}
		if !found {
			t.Errorf("no row of %s\n%s", service, screen)
		}
	}
}
