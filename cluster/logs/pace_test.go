package logs

import (
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// The log that is furthest behind is read in larger pieces while answers come
// quickly, the others are not; a slow answer makes the pieces small again.
func TestFarBehindIsReadInLargerPieces(t *testing.T) {
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Clock: newManual(), Folder: "/l"})
	if err != nil {
		t.Fatal(err)
	}
	f := l.followers[0]
	for i, size := range []int64{1000, 1 << 20, 100 << 20, 0, 0} {
		g := f.logs[i]
		g.started, g.chain = true, []file{{name: g.folder + "/current", id: uint64(i + 1), size: size, sure: size}}
	}
	counts := func() (blocks []string) {
		text, _, _ := strings.Cut(f.request(), ";stat")
		for _, read := range strings.Split(text, ";read ")[1:] {
			w := strings.Fields(read)
			blocks = append(blocks, w[len(w)-1])
		}
		return blocks
	}
	for _, step := range []struct {
		want string
		took time.Duration
	}{{"64 64 64", 10 * time.Millisecond}, {"64 64 128", 10 * time.Millisecond}, {"64 64 256", 10 * time.Millisecond}, {"64 64 256", time.Second}, {"64 64 64", time.Millisecond}, {"64 64 128", 0}} {
		if got := strings.Join(counts(), " "); got != step.want {
			t.Errorf("%s, not %s", got, step.want)
		}
		f.pace.answered(step.took)
	}
	f.logs[2].offset = 100<<20 - 10
	if got := strings.Join(counts(), " "); got != "64 256 64" {
		t.Errorf("the other one: %s", got)
	}
}
