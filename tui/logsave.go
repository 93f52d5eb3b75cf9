package tui

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// linesSeen are the lines on the screen, or the one that is shown whole.
func (m *model) linesSeen() []cluster.Line {
	p := &m.logs
	if i := p.index(); i >= 0 && p.unfold {
		return p.page.Lines[i : i+1]
	}
	return p.page.Lines[max(len(p.page.Lines)-p.rows, 0):]
}

// linesText is lines for somebody else to read.
func linesText(lines []cluster.Line) string {
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(copiedLine(l) + "\n")
	}
	return text.String()
}

// saveLines writes what is seen into a new file that only the operator can
// read, and says where it is.
func (m *model) saveLines() tea.Cmd {
	lines := m.linesSeen()
	if len(lines) == 0 {
		m.say("no lines here")
		return nil
	}
	if m.o.SaveDir == "" {
		m.say("not saved: there is no folder to save lines in")
		return nil
	}
	text, name := linesText(lines), "chef-backend-cockpit-logs-"+m.now().UTC().Format("20060102T150405Z")
	return m.command(func() tea.Msg {
		path, err := saveNew(m.o.SaveDir, name, text)
		if err != nil {
			return copiedMsg{"not saved: " + err.Error()}
		}
		return copiedMsg{plural(len(lines), "line", "lines") + " saved to " + fromHere(path)}
	})
}

// fromHere is a path as it is seen from the current folder, where that is
// shorter.
func fromHere(path string) string {
	here, err := filepath.Abs(".")
	if err != nil {
		return path
	}
	if rest, ok := strings.CutPrefix(path, here+string(filepath.Separator)); ok {
		return "." + string(filepath.Separator) + rest
	}
	return path
}

// saveNew writes a file that was not there before; the path it gives is whole.
func saveNew(dir, name, text string) (path string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	var f *os.File
	for n := 1; n == 1 || n < 100 && errors.Is(err, os.ErrExist); n++ {
		path = filepath.Join(dir, name+".txt")
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("%s-%d.txt", name, n))
		}
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	return path, errors.Join(err, f.Close())
}
