package recovery

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"chef-backend-cockpit/remote"
)

// isSafe holds that a text is what Safe gives.
func isSafe(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if s != remote.Safe([]byte(s)) || strings.Contains(s, "\n") {
			t.Errorf("not safe: %q", s)
		}
	}
}

// Whatever a session sends: its frames are bounded and safe, and the same
// however the stream is torn.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{
		"noise\nthe look\ncockpit-step:n1 ready\ncockpit-step:n1 started 4711\ncockpit-step:n1 out 0 5\nab\x1b[m\ncockpit-step:n1 exit 0 5\n",
		"cockpit-step:n1 refused 97 the \x1b]0;x\a changed\n", "cockpit-step:n1 alive unknown 7\ncockpit-step:n1 out 7 99999999\n", "cockpit-step:n1 out -1 3\nabc\n",
		"cockpit-step:n1 left 0 bob@laptop\r\ncockpit-step:n1 busy 0 t1 7f3a0001 fd:00:7 1795431180 ann\n", "cockpit-step:n2 exit 0 0\ncockpit-step:n1 exit x\n",
		"cockpit-step:n1 ready", "cockpit-step:n1 out 0 0\n\ncockpit-step:n1 gone 5\ncockpit-step:n1 rebooted\ncockpit-step:n1 absent\n",
	} {
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, look bool) {
		whole, torn := newFrames(bytes.NewReader(raw), "n1"), newFrames(iotest.OneByteReader(bytes.NewReader(raw)), "n1")
		if look {
			a, err := whole.ready()
			b, tornErr := torn.ready()
			if !bytes.Equal(a, b) || (err == nil) != (tornErr == nil) {
				t.Fatalf("torn the look is %q, %v, and whole %q, %v", b, tornErr, a, err)
			}
			if err != nil {
				isSafe(t, err.Error())
				return
			}
		}
		for {
			a, err := whole.next()
			b, tornErr := torn.next()
			if a.kind != b.kind || a.text != b.text || !bytes.Equal(a.data, b.data) || (err == nil) != (tornErr == nil) {
				t.Fatalf("torn it is %+v, %v, and whole %+v, %v", b, tornErr, a, err)
			}
			if err != nil {
				isSafe(t, err.Error())
				return
			}
			isSafe(t, a.kind, a.text, a.word, holderOf(a.text).Who, holderOf(a.text).Plan, stepNamed(a.text))
		}
	})
}

// Whatever a command writes: its last lines, and what the journal is given, are
// safe and bounded, and hold the same however the output is torn.
func FuzzOutput(f *testing.F) {
	for _, s := range []string{"22437412/63963136 kB (35%), 0/1\r63963136/63963136 kB (100%)\n", "a\rb\r\nc", "\x1b[31mred\xe2\x80\n", "9999999999999999999/1 kB (7%)\n", "\r\r\n\n\r"} {
		f.Add([]byte(s), uint16(3))
	}
	f.Fuzz(func(t *testing.T, raw []byte, cut uint16) {
		at := min(int(cut), len(raw))
		var whole, torn tail
		whole.write(raw)
		torn.write(raw[:at])
		torn.write(raw[at:])
		long := slices.ContainsFunc(bytes.Split(raw, []byte{'\n'}), func(l []byte) bool { return len(l) > tailLine })
		if a, b := whole.lines(), torn.lines(); !long && !slices.Equal(a, b) {
			t.Errorf("torn at %d it is %q, whole %q", at, b, a)
		}
		isSafe(t, append(whole.lines(), whole.progress())...)
		var written []string
		tr := &transcript{r: recorded(func(p piece) { written = append(written, p.Lines...) })}
		tr.write(raw[:at], int64(at))
		tr.write(raw[at:], int64(len(raw)))
		tr.flush()
		isSafe(t, written...)
	})
}

// recorded is a run whose pieces of output are heard.
func recorded(hear func(piece)) *run {
	x := &Executor{o: Options{Recorder: hearing(hear)}}
	return &run{x: x}
}

type hearing func(piece)

func (h hearing) Record(_ string, data any) error {
	if p, ok := data.(piece); ok {
		h(p)
	}
	return nil
}
