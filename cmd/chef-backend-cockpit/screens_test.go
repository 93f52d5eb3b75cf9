package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
)

var update = flag.Bool("update", false, "put the pictures of the screen anew into README and manual")

// The pictures of the screen in README and manual are taken from the program
// itself, on the simulated cluster: `make screens` takes them, and this test
// fails when one no longer looks like the screen. Figures, times and what the
// logs say are of the run that was pictured; all else is compared.

// pictured are the texts with pictures.
func pictured(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../assets/manual/*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, f := range append(files, "../../README.md") {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if pictures.Match(b) {
			texts[f] = string(b)
		}
	}
	return texts
}

// album compares pictures with what the texts have, or puts them there.
type album struct {
	t     *testing.T
	s     *terminal
	texts map[string]string
	shown map[string]bool
}

// shows holds that the screen comes to look like the picture of that name once
// all words stand on it.
func (a *album) shows(name string, words ...string) {
	a.t.Helper()
	a.shown[name] = true
	has := func(text string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	}
	if *update {
		a.put(name, a.s.when(strings.Join(words, " + "), has))
		return
	}
	for file, text := range a.texts {
		for _, found := range pictures.FindAllStringSubmatch(text, -1) {
			if found[1] != name {
				continue
			}
			want, last := essence(found[2]), ""
			like := func(text string) bool {
				if has(text) {
					last = essence(text)
				}
				return last == want
			}
			a.s.when(filepath.Base(file)+" shows "+name+", where make screens would take it anew:\n"+want+"\nand not, as above,", like)
		}
	}
}

// put writes a picture into every text that has its pictures.
func (a *album) put(name, screen string) {
	block := ""
	for _, r := range seen(screen) {
		r = aged.ReplaceAllStringFunc(r, func(s string) string {
			where, _, _ := strings.Cut(s, ",")
			return where + strings.Repeat(" ", len(s)-len(where))
		})
		block += strings.TrimRight("    "+r, " ") + "\n"
	}
	for file, text := range a.texts {
		a.texts[file] = pictures.ReplaceAllStringFunc(text, func(old string) string {
			found := pictures.FindStringSubmatch(old)
			if found[1] != name || essence(found[2]) == essence(screen) {
				return old
			}
			return "<!-- screen: " + name + " -->\n\n" + block + "\n"
		})
	}
}

// seen are the rows of a picture: the box that is open, or the whole screen.
func seen(screen string) []string {
	rows := strings.Split(strings.TrimRight(screen, " \n"), "\n")
	edge := func(corner string) func(string) bool {
		return func(r string) bool { return strings.HasPrefix(strings.TrimSpace(r), corner) }
	}
	top, bottom := slices.IndexFunc(rows, edge("┌")), slices.IndexFunc(rows, edge("└"))
	if top >= 0 && bottom > top {
		return rows[top : bottom+1]
	}
	return rows
}

// What differs from run to run.
var (
	// The age of a look is shown when a busy machine is late; a picture has none.
	aged    = regexp.MustCompile(`(be[123]), (now|\d+ (s|min|h)\b)`)
	logRow  = regexp.MustCompile(`^ ?\d\d:\d\d:\d\d(\.\d{4})? be[123] .*$`)
	planID  = regexp.MustCompile(`\b[0-9a-f]{8}\b`)
	amount  = regexp.MustCompile(`\b[0-9A-F]*[0-9][0-9A-F.:/]*Z?( (B|kB|MB|GB|s|min|h)\b)?|\bnow\b`)
	asked   = regexp.MustCompile(`cluster-status on be[123]`) // whichever answered last
	amounts = regexp.MustCompile(`#( #)+`)
	blanks  = regexp.MustCompile(` +`)
	rules   = regexp.MustCompile(`─+`)
)

// essence is a screen without what differs from run to run.
func essence(screen string) string {
	var rows []string
	for _, r := range seen(screen) {
		r = strings.TrimSpace(r)
		if logRow.MatchString(r) {
			r = "a log line"
		}
		r = asked.ReplaceAllString(aged.ReplaceAllString(r, "$1"), "cluster-status on a node")
		r = amount.ReplaceAllString(planID.ReplaceAllString(r, "#"), "#")
		r = rules.ReplaceAllString(blanks.ReplaceAllString(r, " "), "─")
		r = amounts.ReplaceAllString(r, "#")
		if r != "" {
			rows = append(rows, r)
		}
	}
	return strings.Join(rows, "\n")
}

func TestScreensInTheTexts(t *testing.T) {
	t.Parallel()
	s := open(t, 100, 30, "demo", "--scenario", defaultScenario, "--speed", "3")
	a := &album{t: t, s: s, texts: pictured(t), shown: map[string]bool{}}
	a.shows("finding", "follower-wal-gap", "confirmed", "15 of 15 streams alive", "! no WAL", "» ERROR", "q quit")
	s.press("w")
	a.shows("why", "confirmed, since", "wal-segment-removed", " times: ", "Offered", "ready")
	s.home()
	s.resize(80, 24)
	s.press("r")
	a.shows("menu", "Recover", "rebuild-follower be3", "ready")
	s.pressUntil("\r", "the plan", func(text string) bool { return strings.Contains(text, "c confirm") })
	a.shows("plan", "c confirm")
	s.press("c")
	a.shows("confirm", "live: type to confirm")
	s.home()
	s.press("q")
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for file, text := range a.texts {
		for _, found := range pictures.FindAllStringSubmatch(text, -1) {
			if !a.shown[found[1]] {
				t.Errorf("%s: nobody takes the picture %q", file, found[1])
			}
		}
		if *update {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// resize gives the terminal another size.
func (s *terminal) resize(cols, rows int) {
	s.t.Helper()
	s.mu.Lock()
	s.emu.Resize(cols, rows)
	s.size = [2]int{cols, rows}
	s.mu.Unlock()
	if err := pty.Setsize(s.pty, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}); err != nil {
		s.t.Fatal(err)
	}
}
