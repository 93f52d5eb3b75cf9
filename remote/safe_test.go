package remote

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// corpus holds what a host may send to a terminal, and what becomes of it.
var corpus = []struct{ in, want string }{
	{"", ""},
	{"plain text, 100 %", "plain text, 100 %"},
	{"Grüße, naïve, Ελλάδα, привет", "Grüße, naïve, Ελλάδα, привет"},
	{"日本語 한국어", "日本語 한국어"},
	{"box ─│┌ block █▒ arrow → tick ✓", "box ─│┌ block █▒ arrow → tick ✓"},
	{"🔥", "🔥"},
	{"\tx", "        x"},
	{"ab\tx", "ab      x"},
	{"12345678\tx", "12345678        x"},
	{"ä\tx", "ä       x"},
	{"\x00", "^@"},
	{"a\nb", "a^Jb"},
	{"a\r\nb", "a^M^Jb"},
	{"progress 1%\rprogress 2%", "progress 1%^Mprogress 2%"},
	{"rm\b\bls", "rm^H^Hls"},
	{"ding\a", "ding^G"},
	{"\v\f", "^K^L"},
	{"\x0e\x0f", "^N^O"},
	{"\x11\x13", "^Q^S"},
	{"\x18\x1a\x1c", "^X^Z^\\"},
	{"\x7f", "^?"},
	{"\x1b", "^["},
	{"\x1b[31mred\x1b[0m", "^[[31mred^[[0m"},
	{"\x1b[2J\x1b[H", "^[[2J^[[H"},
	{"\x1b[?1049h", "^[[?1049h"},
	{"\x1b[6n", "^[[6n"},
	{"\x1b[c\x1b[>c", "^[[c^[[>c"},
	{"\x1b[21t", "^[[21t"},
	{"\x1b[8m hidden", "^[[8m hidden"},
	{"\x1b[5;1H", "^[[5;1H"},
	{"\x1b[1A\x1b[K", "^[[1A^[[K"},
	{"\x1b[?2004l", "^[[?2004l"},
	{"\x1b[?1003h", "^[[?1003h"},
	{"\x1b[20~", "^[[20~"},
	{"\x1b]0;title\a", "^[]0;title^G"},
	{"\x1b]2;title\x1b\\", "^[]2;title^[\\"},
	{"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "^[]8;;http://evil^[\\link^[]8;;^[\\"},
	{"\x1b]52;c;cm0gLXJm\a", "^[]52;c;cm0gLXJm^G"},
	{"\x1b]4;1;?\a", "^[]4;1;?^G"},
	{"\x1b]11;?\x1b\\", "^[]11;?^[\\"},
	{"\x1b]1337;File=:AAAA\a", "^[]1337;File=:AAAA^G"},
	{"\x1bP$qm\x1b\\", "^[P$qm^[\\"},
	{"\x1bPq#0;2;0;0;0\x1b\\", "^[Pq#0;2;0;0;0^[\\"},
	{"\x1b_Gf=24;AAAA\x1b\\", "^[_Gf=24;AAAA^[\\"},
	{"\x1b^private\x1b\\", "^[^private^[\\"},
	{"\x1bXstring\x1b\\", "^[Xstring^[\\"},
	{"\x1bc", "^[c"},
	{"\x1b#8", "^[#8"},
	{"\x1b(0lqqk\x1b(B", "^[(0lqqk^[(B"},
	{"\x1b%G", "^[%G"},
	{"\x1bZ", "^[Z"},
	{"\x1bk tmux \x1b\\", "^[k tmux ^[\\"},
	{"\x9b31m", "<9B>31m"},
	{"\x9d0;t\x9c", "<9D>0;t<9C>"},
	{"\x90q\x9c", "<90>q<9C>"},
	{"\u009b31m", "<U+009B>31m"},
	{"\u009d52;c;eA==\u009c", "<U+009D>52;c;eA==<U+009C>"},
	{"\u0085next", "<U+0085>next"},
	{"\u202Egnp.exe", "<U+202E>gnp.exe"},
	{"\u202a\u202b\u202c\u202d", "<U+202A><U+202B><U+202C><U+202D>"},
	{"\u2066a\u2067b\u2068c\u2069", "<U+2066>a<U+2067>b<U+2068>c<U+2069>"},
	{"\u200e\u200f\u061c", "<U+200E><U+200F><U+061C>"},
	{"be\u200b1", "be<U+200B>1"},
	{"\u200c\u200d\u2060\ufeff", "<U+200C><U+200D><U+2060><U+FEFF>"},
	{"\u2028\u2029", "<U+2028><U+2029>"},
	{"a\u00adb", "a<U+00AD>b"},
	{"a\u00a0b\u3000c", "a<U+00A0>b<U+3000>c"},
	{"e\u0301", "e<U+0301>"},
	{"\u20dd\ufe0f", "<U+20DD><U+FE0F>"},
	{"\u115f\u3164\uffa0", "<U+115F><U+3164><U+FFA0>"},
	{"\u1160\u11a8", "<U+1160><U+11A8>"},
	{"\ufff9a\ufffbb", "<U+FFF9>a<U+FFFB>b"},
	{"\U000e0041\U000e007f", "<U+E0041><U+E007F>"},
	{"\ue000\U0010ffff", "<U+E000><U+10FFFF>"},
	{"\ufdd0\ufffe", "<U+FDD0><U+FFFE>"},
	{"\U0001f1e9\U0001f1ea", "<U+1F1E9><U+1F1EA>"},
	{"\U0001f468\u200d\U0001f469", "\U0001f468<U+200D>\U0001f469"},
	{"\u0378", "<U+0378>"},
	{"\ufffd", "\ufffd"},
	{"\xff\xfe", "<FF><FE>"},
	{"\xc0\xaf", "<C0><AF>"},
	{"\xc3", "<C3>"},
	{"\xe2\x80", "<E2><80>"},
	{"\xed\xa0\x80", "<ED><A0><80>"},
	{"\xf4\x90\x80\x80", "<F4><90><80><80>"},
	{"\xf0\x9f\x94\x1b[31m", "<F0><9F><94>^[[31m"},
	{"\xc2\x1b]0;", "<C2>^[]0;"},
}

func TestSafeCorpus(t *testing.T) {
	if len(corpus) < 60 {
		t.Fatalf("%d sequences", len(corpus))
	}
	for _, c := range corpus {
		if got := Safe([]byte(c.in)); got != c.want {
			t.Errorf("Safe(%q) = %q, want %q", c.in, got, c.want)
		}
		// The same among clean text, where the fast path gives up later.
		padded := "12345678" + strings.ReplaceAll(c.in, "\t", "")
		checkSafe(t, []byte(padded))
	}
}

// checkSafe holds what must be true of any input.
func checkSafe(t *testing.T, in []byte) {
	t.Helper()
	out := Safe(in)
	if !utf8.ValidString(out) {
		t.Errorf("Safe(%q) = %q is no UTF-8", in, out)
	}
	for _, r := range out {
		if r < ' ' || r == 0x7f || r >= utf8.RuneSelf && !showable(r) {
			t.Errorf("Safe(%q) = %q holds %U", in, out, r)
		}
	}
	if again := Safe([]byte(out)); again != out {
		t.Errorf("Safe twice: %q, then %q", out, again)
	}
	if wrote := string(AppendSafe([]byte("x"), in)); wrote != "x"+out {
		t.Errorf("AppendSafe gives %q, Safe %q", wrote, out)
	}
	if isClean := out == string(in) && utf8.RuneCount(in) == len(in); clean(in) != isClean {
		t.Errorf("clean(%q) = %v", in, clean(in))
	}
}

// Every byte in every place of a word: the fast path works on eight at a time.
func TestCleanSeesEveryByte(t *testing.T) {
	for at := range 19 {
		for b := range 256 {
			line := bytes.Repeat([]byte{'~'}, 19)
			line[at] = byte(b)
			if got, want := clean(line), b >= ' ' && b <= '~'; got != want {
				t.Fatalf("byte %#x at %d: clean says %v", b, at, got)
			}
		}
	}
}

func TestSafeLines(t *testing.T) {
	for in, want := range map[string][]string{
		"":               nil,
		"a":              {"a"},
		"a\n":            {"a"},
		"a\r\nb\n\nc":    {"a", "b", "", "c"},
		"\n":             {""},
		"a\rb\n\x1b\n":   {"a^Mb", "^["},
		"x\r":            {"x^M"},
		"\xe2\x80\n\xa8": {"<E2><80>", "<A8>"},
	} {
		if got := SafeLines([]byte(in)); strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("SafeLines(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSafeDoesNotAllocateOnCleanASCII(t *testing.T) {
	line := []byte("2026-11-03_10:00:00.00000 [info] a line as services write it, 150 bytes or so")
	dst := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { dst = AppendSafe(dst[:0], line) }); n != 0 {
		t.Errorf("AppendSafe allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = Safe(line) }); n > 1 {
		t.Errorf("Safe allocates %v times, more than its string", n)
	}
}

func FuzzSafe(f *testing.F) {
	for _, c := range corpus {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		checkSafe(t, in)
		for _, line := range SafeLines(in) {
			if strings.Contains(line, "\n") {
				t.Errorf("a line holds a line feed: %q", line)
			}
		}
	})
}

func BenchmarkSafe(b *testing.B) {
	line := bytes.Repeat([]byte("2026-11-03_10:00:00.00000 [info] clean. "), 4)
	dst := make([]byte, 0, 256)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendSafe(dst[:0], line)
	}
}
