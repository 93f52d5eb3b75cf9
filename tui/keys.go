package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// keyMap is every key of the cockpit; the help and the row of keys at the
// bottom are made from it. Outside a dialog no single key changes a node: a
// letter can come from a torn escape sequence on a slow link.
type keyMap struct {
	NextPane, PrevPane, Up, Down, Left, Right key.Binding
	PageUp, PageDown, Top, Bottom             key.Binding
	Node                                      key.Binding

	Why, Recover, NodeMenu, Acknowledge, Running, Summary, Look, Reconnect key.Binding
	Since, Copies, Fence, Maintain, Arm, Lock, TakeOver                    key.Binding

	Text, Only, Next, Prev, ByNode, ByService, ByLevel, BySign, Clear key.Binding
	Pause, Follow, NextSign, PrevSign, Unfold, Streams, Stamps        key.Binding
	Rates, Save, Wrap                                                 key.Binding

	Choose, Back, Confirm, Rehearse, Copy, Again, Stop, Output, Answer, Leave key.Binding

	LookBack, Earlier, Later, ChangeBefore, ChangeAfter, SkipBack, SkipOn, Now key.Binding // of the last hour

	Play, PlayOne, NextEvent, PrevEvent, Faster, Slower key.Binding // of a replay

	Help, Quit, Suspend, Redraw key.Binding
}

func bind(shown, says string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, says))
}

func newKeyMap() keyMap {
	k := keyMap{
		NextPane: bind("Tab", "next pane", "tab"),
		PrevPane: bind("Shift-Tab", "pane before", "shift+tab"),
		Up:       bind("up k", "up", "up", "k"),
		Down:     bind("down j", "down", "down", "j"),
		Left:     bind("left", "left, node before", "left"),
		Right:    bind("right", "right, next node", "right"),
		PageUp:   bind("PgUp", "older lines", "pgup", "ctrl+b"),
		PageDown: bind("PgDn", "newer lines", "pgdown", "ctrl+f"),
		Top:      bind("Home", "oldest, first", "home"),
		Bottom:   bind("End", "newest, last", "end"),
		Node:     bind("1 2 3", "go to the node", "1", "2", "3", "4", "5", "6", "7", "8", "9"),

		Why:         bind("w", "why: the evidence", "w"),
		Recover:     bind("r", "recover: what helps", "r"),
		NodeMenu:    bind("n", "what can be done there", "n"),
		Acknowledge: bind("a", "acknowledge", "a"),
		Running:     bind("g", "go to the plan at work", "g"),
		Summary:     bind("c", "summary, to paste", "c"),
		Since:       bind("d", "changed since healthy", "d"),
		Copies:      bind("u", "copies: which holds what", "u"),
		Fence:       bind("F", "say: the node is off", "F"),
		Maintain:    bind("M", "say: in maintenance", "M"),
		Arm:         bind("A", "arm for T3, or end it", "A"),
		Lock:        bind("K", "who holds the lock", "K"),
		TakeOver:    bind("T", "take the lock over", "T"),
		Look:        bind("p", "probe all nodes now", "p"),
		Reconnect:   bind("R", "dial anew, answer logins", "R"),

		Choose:   bind("Enter", "choose", "enter"),
		Back:     bind("Esc", "back", "esc", "q"),
		Confirm:  bind("c", "confirm", "c"),
		Rehearse: bind("h", "rehearse on a simulation", "h"),
		Leave:    bind("q", "leave the rehearsal", "q", "ctrl+c"),
		Copy:     bind("y", "copy", "y"),
		Again:    bind("p", "make the plan again", "p"),
		Stop:     bind("s", "stop before the next step", "s"),
		Answer:   bind("t", "answer what the plan asks", "t"),
		Output:   bind("o", "in full", "o"),

		Help:    bind("?", "help", "?"),
		Quit:    bind("q", "quit", "q", "ctrl+c"),
		Suspend: bind("Ctrl-Z", "suspend", "ctrl+z"),
		Redraw:  bind("Ctrl-L", "draw again", "ctrl+l"),
	}
	k.logKeys()
	k.replayKeys()
	k.pastKeys()
	return k
}

// logKeys are the keys of the logs. They work in every pane.
func (k *keyMap) logKeys() {
	k.Text = bind("/", "find text", "/")
	k.Only = bind("o", "only matches, or all", "o")
	k.Next = bind("]", "next match", "]")
	k.Prev = bind("[", "match before", "[")
	k.ByNode = bind("b", "by node", "b")
	k.ByService = bind("v", "by service", "v")
	k.ByLevel = bind("l", "by level", "l")
	k.BySign = bind("m", "only recognised lines", "m")
	k.Clear = bind("x", "show everything", "x")
	k.Pause = bind("Space", "pause, resume", " ")
	k.Follow = bind("f", "follow the newest", "f")
	k.NextSign = bind("e", "next sign or error", "e")
	k.PrevSign = bind("E", "sign or error before", "E")
	k.Unfold = bind("Enter", "whole line, in LOGS", "enter")
	k.Stamps = bind("z", "times: UTC, local, ago", "z")
	k.Wrap = bind("W", "wrap long lines, or not", "W")
	k.Rates = bind("G", "errors, minute by minute", "G")
	k.Save = bind("S", "save what is seen", "S")
	k.Streams = bind("s", "streams: quiet or lost", "s")
}

// keyGroup is one part of the help.
type keyGroup struct {
	title string
	keys  []key.Binding
}

// groups are all bindings, sorted for the help.
func (k keyMap) groups() []keyGroup {
	return []keyGroup{
		{"The screen", []key.Binding{k.NextPane, k.PrevPane, k.Up, k.Down, k.Left, k.Right, k.Node, k.Help, k.Redraw, k.Suspend, k.Quit}},
		{"What is wrong", []key.Binding{k.Why, k.Recover, k.NodeMenu, k.Acknowledge, k.Since, k.LookBack, k.Copies, k.Maintain, k.Fence, k.Arm, k.Lock, k.Running, k.Look, k.Reconnect, k.Summary}},
		{"Logs", []key.Binding{k.Text, k.Only, k.Next, k.Prev, k.ByNode, k.ByService, k.ByLevel, k.BySign, k.Clear,
			k.Pause, k.Follow, k.NextSign, k.PrevSign, k.PageUp, k.PageDown, k.Top, k.Bottom, k.Unfold, renamed(k.Copy, "copy what is seen"), k.Save, k.Wrap, k.Stamps, k.Rates, k.Streams}},
		{"In a list or a plan", []key.Binding{k.Choose, k.Confirm, k.Rehearse, k.Copy, k.Again, k.Answer, k.Stop, renamed(k.Output, "steps and output in full"), k.TakeOver, k.Back}},
		{"In a rehearsal", []key.Binding{k.Leave}},
		{"In a replay", k.replay()},
		{"In the past", k.past()},
	}
}

// is answers whether a key is one of a binding's.
func is(k tea.KeyMsg, b key.Binding) bool { return key.Matches(k, b) }

// renamed is a binding that says something else at this place.
func renamed(b key.Binding, says string) key.Binding {
	b.SetHelp(b.Help().Key, says)
	return b
}

// split turns letters that arrived in one read into single keys; Bubble Tea
// v1 delivers them as one message. A paste stays whole, so that it can be
// told from typing.
func split(k tea.KeyMsg) []tea.KeyMsg {
	if k.Type != tea.KeyRunes || k.Paste || len(k.Runes) < 2 {
		return []tea.KeyMsg{k}
	}
	single := make([]tea.KeyMsg, 0, len(k.Runes))
	for _, r := range k.Runes {
		one := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: k.Alt}
		if r == ' ' {
			one.Type = tea.KeySpace
		}
		single = append(single, one)
	}
	return single
}

// letters are the letters of a key that writes; none for any other key.
func letters(k tea.KeyMsg) []rune {
	if (k.Type == tea.KeyRunes || k.Type == tea.KeySpace) && !k.Alt {
		return k.Runes
	}
	return nil
}
