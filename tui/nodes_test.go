package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
)

// A follower that receives nothing has no feed; that the leader no longer
// keeps what it needs is only said once that was confirmed.
func TestNoWALIsSaidOnlyWhereItIsGone(t *testing.T) {
	for _, c := range []struct {
		certainty cluster.Certainty
		want      string
	}{{cluster.Confirmed, "! no WAL"}, {cluster.Suspected, "! no feed"}} {
		d := walGap()
		for i := range d.state.Findings {
			d.state.Findings[i].Certainty = c.certainty
		}
		for _, size := range sizes {
			rows := ansi.Strip(newStage(d, size[0], size[1]).screen())
			if !strings.Contains(rows, c.want) {
				t.Errorf("%s at %v: no %q in\n%s", c.certainty, size, c.want, rows)
			}
		}
	}
}

// The age of an old look stands at the end of the row, and moves nothing.
func TestAgeMovesNothing(t *testing.T) {
	d := healthy()
	fresh := strings.Split(ansi.Strip(newStage(d, 80, 24).screen()), "\n")[4]
	r := *d.state.View.Snapshot.Reports["be2"]
	r.Ended = now.Add(-4500 * time.Millisecond)
	d.state.View.Snapshot.Reports["be2"] = &r
	old := strings.Split(ansi.Strip(newStage(d, 80, 24).screen()), "\n")[4]
	if !strings.HasPrefix(old, strings.TrimRight(fresh, " ")) || !strings.HasSuffix(old, "~ 5 s ") {
		t.Errorf("%q\n%q", fresh, old)
	}
}
