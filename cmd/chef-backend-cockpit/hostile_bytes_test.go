package main

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// hostile are bytes that do something to a terminal, or to who reads it. None
// of them is ever written by the cockpit itself.
var hostile = []string{
	// CSI: colours, the cursor, deleting, modes, scrolling, reports
	"\x1b[31;77m", "\x1b[38;2;77;0;77m", "\x1b[13;77H", "\x1b[77A", "\x1b[77D", "\x1b[3J", "\x1b[2;77r", "\x1b[77S", "\x1b[?1047h", "\x1b[?1000;77h",
	"\x1b[?2026;77l", "\x1b[6n", "\x1b[77c", "\x1b[21t", "\x1b[8;77;77t", "\x1b[4h\x1b[77@", "\x1b[!p", "\x1b[77;0 q", "\x1b[>4;77m", "\x1b[77b",
	// paste brackets: what follows would count as typed or pasted
	"\x1b[200~be3\x1b[201~", "\x1b[201~y",
	// OSC: title, working folder, hyperlinks, clipboard, colours, notification
	"\x1b]0;title77\a", "\x1b]2;title77\x1b\\", "\x1b]7;file://h/77\a", "\x1b]8;;http://77.invalid\x1b\\link\x1b]8;;\x1b\\", "\x1b]52;c;Nzc3Nw==\a",
	"\x1b]52;p;Nzc3Nw==\x1b\\", "\x1b]4;77;rgb:7/7/7\a", "\x1b]9;77\a", "\x1b]777;notify;7;7\a", "\x1b]1337;File=inline=1:Nzc=\a", "\x1b]0;never ended 77",
	// DCS with sixel and a request, APC, PM, SOS
	"\x1bPq#7;2;77;0;0#7!77~\x1b\\", "\x1bP$qm77\x1b\\", "\x1bP+q5454377\x1b\\", "\x1b_Gf=100,77;AAAA\x1b\\", "\x1b^private77\x1b\\", "\x1bXstring77\x1b\\",
	// other escapes: reset, index, charsets, keypad, save and restore
	"\x1bc77", "\x1bM77", "\x1bD77", "\x1b(077", "\x1b#877", "\x1b=77", "\x1b777\x1b877", "\x1b\x1b[77A",
	// C1, in UTF-8 and raw
	"\u009b31;77m", "\u009d0;t77\u009c", "\u0090q77\u009c", "\u009f77\u009c", "\x9b31;77m", "\x9d0;t77\x9c", "\x90q77\x9c", "\x8d77", "\u008577",
	// single controls: bell, backspace, return, feeds, tab, shift, NUL, DEL, XOFF
	"\a77", "77\b\b", "77\roverwritten", "77\v", "77\f", "77\tx", "\x0e77\x0f", "77\x0077", "\x7f77", "\x1377", "77\x1a77", "be3\b\b\bbe1",
	// what reorders, hides or joins: bidi, zero width, tags, joiners, separators
	"\u202e77drowssap", "\u2066\u202d77\u2069", "\u200f77", "77\u200b77", "77\u200d77", "\ufeff77", "77\u00ad77", "\u206177", "\U000e0041\U000e007f77",
	"77\u202877", "77\u202977", "e\u0301\u0301\u0301\u030177", "77\ufe0f", "\U0001f1e9\U0001f1ea77", "\u115f77", "\ufff977\ufffa",
	// torn and false UTF-8
	"77\xe2\x80", "\xc0\x9b77", "\xed\xa0\x8077", "\xf4\x90\x80\x8077", "\xf0\x9f77", "\xfe\xff77",
	// long ones
	"\x1b[" + strings.Repeat("7;", 300) + "m", "\x1b]0;" + strings.Repeat("long77", 3000) + "\a", strings.Repeat("\b", 400) + "77",
}

// ours are the sequences that the screen is made of; numbers do not matter.
var ours = regexp.MustCompile(`\x1b\[[0-9;]*[mHJKABCD]|\x1b\[\?[0-9]+[hl]|\x1b\]52;c;[A-Za-z0-9+/=]*\x07`)

// harmless holds that a text holds no control byte but line ends, and nothing
// that a terminal or a reader obeys without seeing it.
func harmless(text string) error {
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '\n':
		case r == utf8.RuneError && size == 1:
			return fmt.Errorf("byte %#x, in %q", text[i], around(text, i))
		case r < ' ' || r >= 0x7f && r <= 0x9f, r >= 0x1f1e6 && r <= 0x1f1ff, !unicode.IsPrint(r), unicode.Is(unicode.M, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			return fmt.Errorf("%U, in %q", r, around(text, i))
		}
	}
	return nil
}

func around(text string, i int) string { return text[max(0, i-30):min(len(text), i+30)] }

// introduces answers whether a byte can begin a control sequence.
func introduces(b byte) bool { return b == 0x1b || b == 0x90 || b == 0x9b || b == 0x9d }

// harmlessScreen is harmless for what went to a terminal: the screen's own
// sequences are taken out first, and none of theirs stands in it.
func harmlessScreen(raw string) error {
	for n, s := range hostile {
		if slices.ContainsFunc([]byte(s), introduces) && len(s) > 3 && strings.Contains(raw, s) {
			return fmt.Errorf("sequence %d came through: %q", n, s)
		}
	}
	return harmless(strings.ReplaceAll(ours.ReplaceAllString(raw, ""), "\r", ""))
}

// clips are the texts that went into the clipboard.
func clips(t *testing.T, raw string) (out []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`\x1b\]52;c;([A-Za-z0-9+/=]*)\x07`).FindAllStringSubmatch(raw, -1) {
		text, err := base64.StdEncoding.DecodeString(m[1])
		if err != nil {
			t.Error(err)
		}
		out = append(out, string(text))
	}
	return out
}

// The check itself tells: each of the sequences, in what goes to a terminal, is
// seen.
func TestHostileBytesAreSeen(t *testing.T) {
	if len(hostile) < 60 {
		t.Errorf("only %d", len(hostile))
	}
	seen := map[string]bool{}
	for n, s := range hostile {
		if harmlessScreen("\x1b[2;1H\x1b[1mthe screen\x1b[m"+s+"\r\n") == nil && s != "77\roverwritten" {
			t.Errorf("%d, %q, would go unseen", n, s)
		}
		if seen[s] {
			t.Errorf("%q stands there twice", s)
		}
		seen[s] = true
	}
}
