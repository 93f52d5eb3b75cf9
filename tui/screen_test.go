package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

var update = flag.Bool("update", false, "write the pictures in testdata anew")

var sizes = [][2]int{{80, 24}, {100, 30}, {120, 40}, {200, 60}}

// pictures are the situations of which a picture is kept, with the keys that
// lead to it.
var pictures = []struct {
	name string
	door func() *fakeDoor
	keys []string
}{
	{"healthy", healthy, nil},
	{"wal-gap", walGap, nil},
	{"no-leader", noLeader, nil},
	{"unseen", unseen, nil},
	{"two-primaries", twoPrimaries, nil},
	{"two-primaries-board", twoPrimaries, []string{"tab", "tab"}},
	{"why", walGap, []string{"w"}},
	{"menu", walGap, []string{"r", "down"}},
	{"plan", walGap, []string{"r", "enter"}},
	{"confirm", walGap, []string{"r", "enter", "c", "b", "e"}},
	{"at-work", rebuilding, nil},
	{"carrying-out", rebuilding, []string{"g"}},
	{"rehearsal", rehearsing, []string{"r", "enter", "h"}},
	{"rehearsal-over", rehearsed, []string{"r", "enter", "h", "end"}},
	{"rehearsal-cluster", rehearsed, []string{"r", "enter", "h", "esc"}},
	{"plan-rehearsed", rehearsed, []string{"r", "enter", "h", "q", "end"}},
	{"deviates", deviating, []string{"g"}},
	{"copies", noLeader, []string{"u"}},
	{"fence", unseen, []string{"F"}},
	{"maintenance", healthy, []string{"2", "M"}},
	{"help", healthy, []string{"?"}},
	{"past", wasHealthy, []string{"H", "<"}},
	{"past-why", wasHealthy, []string{"H", "w"}},
	{"whole-line", walGap, []string{"shift+tab", "up", "up", "enter"}},
}

func TestPictures(t *testing.T) {
	for _, p := range pictures {
		for _, s := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", p.name, s[0], s[1]), func(t *testing.T) {
				got := ansi.Strip(newStage(p.door(), s[0], s[1]).keys(p.keys...).screen()) + "\n"
				golden(t, filepath.Join("testdata", fmt.Sprintf("%s-%dx%d.txt", p.name, s[0], s[1])), got)
			})
		}
	}
}

// golden compares a screen with the one that is kept in a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the picture differs from %s; if that is meant: go test ./tui -update\n%s", file, ansi.Strip(got))
	}
}

// check holds what is true of every picture.
func check(t *testing.T, screen string, w, h int) {
	t.Helper()
	rows := strings.Split(screen, "\n")
	if len(rows) != h {
		t.Fatalf("%dx%d: %d rows", w, h, len(rows))
	}
	for i, r := range rows {
		if n := ansi.StringWidth(r); n > w {
			t.Fatalf("%dx%d: row %d is %d cells wide: %q", w, h, i, n, ansi.Strip(r))
		}
	}
}

func TestEverySize(t *testing.T) {
	for _, p := range pictures {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(p.door(), 120, 40).keys(p.keys...)
			for w := 1; w <= 220; w += 1 {
				for _, h := range []int{1, 2, 5, 23, 24, 25, 29, 30, 33, 34, 38, 47, 48, 60, 1 + w%70} {
					if w > 84 && w%7 != 0 && h != 24 && h != 48 {
						continue // every width at two heights, every seventh at all
					}
					s.send(tea.WindowSizeMsg{Width: w, Height: h})
					check(t, s.screen(), w, h)
				}
			}
		})
	}
}

// Before the first looks there is little to show, and it is shown.
func TestBeforeTheFirstLook(t *testing.T) {
	nodes := []cluster.Node{{Name: "be1"}, {Name: "be2"}, {Name: "be3"}}
	for _, d := range []*fakeDoor{{}, {state: &watch.State{}}, {state: &watch.State{View: &cluster.View{}}},
		{state: &watch.State{View: &cluster.View{Snapshot: &cluster.Snapshot{Nodes: nodes}}}},
		{state: &watch.State{Run: &cluster.PlanState{}, Findings: []cluster.Finding{{}}, Board: cluster.Board{Rows: []cluster.BoardRow{{}}}}}} {
		for _, size := range sizes {
			s := newStage(d, size[0], size[1])
			for _, k := range []string{"w", "esc", "r", "enter", "esc", "n", "enter", "esc", "tab", "w", "esc", "tab", "right", "w", "esc", "tab", "up", "enter", "w", "esc", "g", "esc", "a", "e", "["} {
				s.keys(k)
				check(t, s.screen(), size[0], size[1])
			}
		}
	}
}

func TestBellRingsOncePerGraveFinding(t *testing.T) {
	var heard strings.Builder
	s := newStage(healthy(), 100, 30)
	s.m.out = &output{w: &heard}
	for range 3 {
		s.change(func(n *watch.State) { n.Findings = noLeader().state.Findings })
	}
	if heard.String() != "\a" {
		t.Errorf("heard %q", heard.String())
	}
}

func TestTooSmallIsSaid(t *testing.T) {
	s := newStage(healthy(), 79, 24)
	if !strings.Contains(s.screen(), "needs 80x24, has 79x24") {
		t.Error(s.screen())
	}
	s.send(tea.WindowSizeMsg{})
	s.screen()
}

// Nothing may change its place because of what is shown.
func TestNothingJumps(t *testing.T) {
	for _, size := range sizes {
		heads := func(d *fakeDoor) (at [4]int) {
			for y, row := range strings.Split(ansi.Strip(newStage(d, size[0], size[1]).screen()), "\n") {
				for i, h := range []string{"LEADERSHIP", "ALARMS", "LOGS", "Tab pane"} {
					if strings.Contains(row, h) {
						at[i] = y
					}
				}
			}
			return at
		}
		calm := heads(healthy())
		for _, d := range []*fakeDoor{walGap(), noLeader(), unseen(), twoPrimaries(), rebuilding()} {
			if got := heads(d); got != calm {
				t.Errorf("%v: panes at %v, when healthy at %v", size, got, calm)
			}
		}
	}
}

// A service that is started over and over is not up, whatever runit calls it.
func TestRestartingServiceIsNotUp(t *testing.T) {
	for _, c := range []struct {
		pids []int
		ago  time.Duration
		want bool
	}{{[]int{7, 8, 9}, 20 * time.Second, true}, {[]int{7, 0, 8, 0, 9}, 20 * time.Second, true}, {[]int{7, 7, 8, 8}, 20 * time.Second, false},
		{[]int{7, 0, 8}, 20 * time.Second, false}, {[]int{7, 8, 9}, 2 * time.Minute, false}, {[]int{9, 9, 9}, 20 * time.Second, false}} {
		d := healthy()
		var all []cluster.Sample
		for _, pid := range c.pids {
			all = append(all, cluster.Sample{At: now.Add(-c.ago), PIDs: map[string]int{"etcd": pid}})
		}
		d.state.View.Past.Samples["be2"] = all
		row, pane := ansi.Strip(newStage(d, 80, 24).screen()), newStage(d, 120, 40).screen()
		if got := strings.Contains(row, "! etcd restarting") && strings.Contains(pane, "! restarting"); got != c.want {
			t.Errorf("%v: %v\n%s\n%s", c.pids, got, row, pane)
		}
	}
}

// Colour only repeats what words and marks say.
func TestColourSaysNothingMore(t *testing.T) {
	for _, p := range pictures {
		coloured := newStage(p.door(), 120, 40).keys(p.keys...).screen()
		plain := newStageWith(p.door(), 120, 40, Options{Theme: "none"}).keys(p.keys...).screen()
		if ansi.Strip(coloured) != ansi.Strip(plain) {
			t.Errorf("%s: the words differ without colour", p.name)
		}
		for _, colour := range []string{"\x1b[3", "\x1b[9", ";3", ";9"} {
			if strings.Contains(plain, colour) {
				t.Errorf("%s: colour in the theme without: %q", p.name, colour)
			}
		}
	}
	healthyScreen := newStage(healthy(), 120, 40).screen()
	for _, loud := range []string{newStyles("", "").amber.open, newStyles("", "").red.open} {
		if strings.Contains(strings.Join(strings.Split(healthyScreen, "\n")[1:], "\n"), loud) {
			t.Error("a healthy screen uses a colour that means: act")
		}
	}
}

func TestQuietScreenStaysStill(t *testing.T) {
	d := healthy()
	s := newStage(d, 120, 40)
	first := s.screen()
	s.m.clock.(*handClock).now = now.Add(7 * 1e9)
	for n := range d.state.View.Snapshot.Reports {
		r := *d.state.View.Snapshot.Reports[n]
		r.Ended = now.Add(6 * 1e9)
		d.state.View.Snapshot.Reports[n] = &r
	}
	s.change(func(*watch.State) {})
	if s.screen() != first {
		t.Error("seven quiet seconds changed the picture")
	}
	if !strings.Contains(first, "02:44Z") {
		t.Error("a quiet clock has no seconds")
	}
	if loud := newStage(walGap(), 120, 40).screen(); !strings.Contains(loud, "02:44:51Z") {
		t.Error("the clock has no seconds although something is wrong")
	}
}

// Whatever comes in, nothing but text goes out.
func TestForeignTextCarriesNoControls(t *testing.T) {
	evil := "a\x1b[31mb\x1b]52;c;eA==\x07c\u202ed\u200be\x9bf\x00g\r\nh\ti\xffj宽"
	d := walGap()
	f := d.state.Findings[0]
	f.Title, f.Evidence[0].Sentence = evil, evil
	d.state.Findings[0] = f
	d.failures["follower-wal-gap"] = cluster.Failure{Cause: evil, Advice: []string{evil}}
	d.state.Cluster, d.state.Notices = evil, []watch.Notice{{Text: evil}}
	d.state.Board.Rows[0].Cells[1].Text, d.state.Board.Contradictions = evil, []string{evil}
	d.state.View.Snapshot.Reports["be1"].PostgreSQL.Receiver = known(evil, cluster.SourcePostgreSQL)
	d.plan.Steps[0].Command, d.plan.Where = evil, evil
	d.offered["follower-wal-gap@be3"][0].Note = evil
	addLine(d, cluster.Line{Node: evil, Service: evil, Text: evil})
	run := *rebuilding().state.Run
	run.Steps[2].Output, run.Sentence = []string{evil}, evil
	d.state.Run = &run
	allowed := newStyles("", "red")
	for _, keys := range [][]string{nil, {"w"}, {"r"}, {"r", "enter"}, {"r", "enter", "c"}, {"g"}, {"tab", "w"}, {"c"}, {"/", "宽", "enter", "o"}} {
		screen := newStage(d, 120, 40).keys(keys...).screen()
		for _, p := range []paint{allowed.dim, allowed.title, allowed.focus, allowed.strong, allowed.leader, allowed.amber, allowed.red,
			allowed.chosen, allowed.stamp, allowed.match, allowed.amber.reversed(), allowed.red.reversed(), allowed.plain.reversed()} {
			screen = strings.ReplaceAll(screen, p.open, "")
			screen = strings.ReplaceAll(screen, p.close, "")
		}
		for _, r := range screen {
			if r != '\n' && (r < ' ' || (r >= 0x7f && r <= 0x9f) || r == 0x202e || r == 0x200b || r == 0xfffd) {
				t.Fatalf("%v: character %U came through", keys, r)
			}
		}
		check(t, screen, 120, 40)
	}
}

// A deadline is never told as shorter than it is.
func TestDeadlinesInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Minute: "60 s", 5 * time.Minute: "5 min", 330 * time.Second: "5 min 30 s", 6 * time.Hour: "6 h"} {
		if got := limitText(d); got != want {
			t.Errorf("%s is %q, not %q", d, got, want)
		}
	}
}

// Changes are forgotten after a while: no more is said than is remembered.
func TestNoChangeIsNotSaidOfMoreThanIsRemembered(t *testing.T) {
	s := newStage(healthy(), 120, 40)
	v := s.m.view()
	v.Past.Elections, v.Past.Since, v.Now = nil, now.Add(-10*time.Minute), now
	if got := s.m.lastChange(); !strings.HasSuffix(got, "while watched") {
		t.Error(got)
	}
	v.Past.Since = now.Add(-20 * time.Minute)
	if got := s.m.lastChange(); !strings.HasSuffix(got, "for 15 min") {
		t.Error(got)
	}
}

// An exit status is told once.
func TestExitStatusIsToldOnce(t *testing.T) {
	m := newStage(healthy(), 120, 40).m
	for _, says := range []string{"shown; exit status 1", "the effect is there"} {
		step := cluster.StepState{Step: cluster.PlanStep{ID: "2-status", Number: "2", Say: "show it"}, Status: cluster.StatusDone, ExitKnown: true, Exit: 1, Sentence: says}
		if got := strings.Join((&runView{}).step(m, step, 76), "\n"); strings.Count(got, "exit status 1") != 1 {
			t.Errorf("%q:\n%s", says, got)
		}
	}
}

// A comparison says once what it says.
func TestLossIsToldOnce(t *testing.T) {
	c := cluster.CopyComparison{Chosen: "be1", Other: "be2", Known: true, Contained: cluster.True, Sentence: "choosing be1 loses nothing of be2"}
	if got := lossWords(c); strings.Count(got, "nothing of be2") != 1 {
		t.Error(got)
	}
}

// Where evidence was seen is told whole, however narrow the column is.
func TestWhereEvidenceWasSeenFits(t *testing.T) {
	e := cluster.Evidence{Source: cluster.SourcePostgreSQL, Node: "be2, be3"}
	for columns, want := range map[int]string{30: "postgresql on be2, be3, 5 s", 18: "postgresql be2 be3", 10: "be2 be3"} {
		if got := seenText(e, "5 s", columns); got != want {
			t.Errorf("in %d columns %q, not %q", columns, got, want)
		}
	}
	if got := seenText(cluster.Evidence{Source: cluster.SourceEtcd}, "", 18); got != "etcd" {
		t.Error(got)
	}
}
