package tui

import tea "github.com/charmbracelet/bubbletea"

// field is one line of typed text. Its cursor stands at the end.
type field struct {
	runes []rune
	most  int // greatest number of letters; 0 for 200
}

// text is what has been typed.
func (f *field) text() string { return string(f.runes) }

// set replaces the text.
func (f *field) set(s string) { f.runes = []rune(s) }

// key takes letters and the keys that delete; it answers whether it took it.
func (f *field) key(k tea.KeyMsg) bool {
	switch k.Type {
	case tea.KeyBackspace:
		if len(f.runes) > 0 {
			f.runes = f.runes[:len(f.runes)-1]
		}
		return true
	case tea.KeyCtrlU:
		f.runes = nil
		return true
	case tea.KeyCtrlW:
		i := len(f.runes)
		for i > 0 && f.runes[i-1] == ' ' {
			i--
		}
		for i > 0 && f.runes[i-1] != ' ' {
			i--
		}
		f.runes = f.runes[:i]
		return true
	}
	typed := letters(k)
	if len(typed) == 0 {
		return false
	}
	most := f.most
	if most == 0 {
		most = 200
	}
	for _, r := range typed {
		if len(f.runes) < most && r >= ' ' && r != 0x7f {
			f.runes = append(f.runes, r)
		}
	}
	return true
}
