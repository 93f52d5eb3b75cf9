package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// textView is a box with text that can be scrolled.
type textView struct {
	box
	heading string
	text    string                         // to be wrapped, and copied with y
	make    func(m *model, w int) []string // rows, where there is no plain text
}

func (v *textView) head(*model) (string, string) { return v.heading, "" }

func (v *textView) body(m *model, w int) ([]string, int) {
	if v.make != nil {
		return v.make(m, w), -1
	}
	return wrap(v.text, w), -1
}

func (v *textView) bindings(m *model) []key.Binding {
	all := []key.Binding{renamed(m.keys.Back, "back"), bind("up/down", "scroll")}
	if v.text != "" {
		all = append([]key.Binding{renamed(m.keys.Copy, "copy")}, all...)
	}
	return all
}

func (v *textView) key(m *model, k tea.KeyMsg) tea.Cmd {
	if is(k, m.keys.Copy) && v.text != "" {
		return m.copyText(v.text, "copied to the terminal's clipboard, where it allows that")
	}
	v.scroll.key(m, k)
	return nil
}
