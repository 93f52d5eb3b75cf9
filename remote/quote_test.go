package remote

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// shells are those that a host may have; what is missing here is skipped.
func shells(t testing.TB) []string {
	var found []string
	for _, name := range []string{"dash", "bash", "sh"} {
		if path, err := exec.LookPath(name); err == nil {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		t.Skip("no shell here")
	}
	return found
}

// checkQuoting gives a script and words to a shell as a login shell gets them
// and compares what arrives, byte for byte.
func checkQuoting(t interface {
	Helper()
	Fatalf(string, ...any)
}, shell, name string, words []string) {
	t.Helper()
	line, err := commandLine(Script{Name: name, Text: `printf '%s\0' "$0" "$@"`, Args: words}, false)
	if err != nil {
		t.Fatalf("%v", err)
	}
	out, err := exec.Command(shell, "-c", line).Output()
	if err != nil {
		t.Fatalf("%s: %v", shell, err)
	}
	if want := strings.Join(append([]string{name}, words...), "\x00") + "\x00"; !bytes.Equal(out, []byte(want)) {
		t.Fatalf("%s: got %q, want %q", shell, out, want)
	}
}

// Any bytes but NUL pass through the shells unchanged; hundreds of words go
// through one shell, or the test would only measure the start of processes.
func TestQuotingProperty(t *testing.T) {
	all := shells(t)
	words := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		alphabet := rapid.SampledFrom([]string{"'", `\`, `"`, "$", "`", "!", "\n", "\t", " ", "~", "*", "#", "-", "=", "\x1b", "\xff", "ü", "a", "''", `'\''`})
		raw := rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 20).Draw(t, "raw")
		return strings.Join(rapid.SliceOfN(alphabet, 0, 12).Draw(t, "parts"), "") + string(raw)
	}), 300, 300)
	rapid.Check(t, func(rt *rapid.T) {
		w := words.Draw(rt, "words")
		for _, shell := range all {
			checkQuoting(rt, shell, "name'"+w[0], w)
		}
	})
}

func FuzzQuote(f *testing.F) {
	all := shells(f)
	for _, s := range []string{"", "'", `\'`, "a b", "$(id)", "!!", "\n", "\xff'\xfe", "'''"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			t.Skip()
		}
		for _, shell := range all {
			checkQuoting(t, shell, "probe", []string{s, s + "'"})
		}
	})
}

func TestCommandLine(t *testing.T) {
	line, err := commandLine(Script{Name: "look", Text: "echo 'x'", Args: []string{"a b"}}, true)
	if want := `sudo -n sh -c 'echo '\''x'\''' 'look' 'a b'`; err != nil || line != want {
		t.Errorf("got %q, %v; want %q", line, err, want)
	}
	if _, err := commandLine(Script{Text: "a\x00b"}, false); err == nil {
		t.Error("a NUL byte was accepted")
	}
	if _, err := commandLine(Script{Text: strings.Repeat("'", mostCommand/3)}, false); err == nil {
		t.Error("a text too long for one argument was accepted")
	}
	// What is accepted runs: the login shell gets the line as one argument.
	longest := Script{Text: ": " + strings.Repeat("#", mostCommand-100)}
	line, err = commandLine(longest, false)
	must(t, err)
	for _, shell := range shells(t) {
		if out, err := exec.Command(shell, "-c", line).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %.200s", shell, err, out)
		}
	}
}
