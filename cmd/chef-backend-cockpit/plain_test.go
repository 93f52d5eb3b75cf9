package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// conversation is the program in lines, through a terminal or a pipe.
type conversation struct {
	t     *testing.T
	in    io.WriteCloser
	cmd   *exec.Cmd
	state string
	heard chan struct{}
	ended chan struct{}

	mu   sync.Mutex
	said bytes.Buffer
	from int // what was heard before is not heard again
}

// converse starts the program in lines.
func converse(t *testing.T, tty bool, env []string, args ...string) *conversation {
	t.Helper()
	home := t.TempDir()
	c := &conversation{t: t, cmd: exec.Command(os.Args[0], args...), state: home + "/state", heard: make(chan struct{}, 1), ended: make(chan struct{})}
	c.cmd.Env = append([]string{asProgram + "=1", "TERM=xterm-256color", "HOME=" + home, "XDG_STATE_HOME=" + c.state, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home}, env...)
	var out io.Reader
	if tty {
		f, err := pty.StartWithSize(c.cmd, &pty.Winsize{Cols: 40, Rows: 5})
		if err != nil {
			t.Fatal(err)
		}
		c.in, out = f, f
	} else {
		in, err := c.cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c.in, out = in, r
		c.cmd.Stdout, c.cmd.Stderr = w, w
		if err := c.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
	go c.listen(out)
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait()
		c.in.Close()
		<-c.ended
	})
	return c
}

func (c *conversation) listen(r io.Reader) {
	defer close(c.ended)
	buf := make([]byte, 8<<10)
	for {
		n, err := r.Read(buf)
		c.mu.Lock()
		c.said.Write(buf[:n])
		c.mu.Unlock()
		select {
		case c.heard <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// all is everything that was written.
func (c *conversation) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.String()
}

// hears waits for one of the texts after what was heard before, on however many
// lines it stands, and answers which it was.
func (c *conversation) hears(texts ...string) string {
	c.t.Helper()
	end := time.After(patience)
	for {
		c.mu.Lock()
		rest := c.said.String()[c.from:]
		c.mu.Unlock()
		flat := strings.Join(strings.Fields(rest), " ")
		for _, want := range texts {
			if at := strings.Index(flat, want); at >= 0 {
				c.skip(len(strings.Fields(flat[:at+len(want)])))
				return want
			}
		}
		select {
		case <-c.heard:
		case <-c.ended:
			if rest == c.all()[c.from:] {
				c.t.Fatalf("the program ended before %q\n%s", texts, c.all())
			}
		case <-end:
			c.t.Fatalf("not heard: %q\n%s", texts, c.all())
		}
	}
}

// skip goes behind that many words.
func (c *conversation) skip(words int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.said.String()
	for ; words > 0; words-- {
		for c.from < len(text) && strings.ContainsRune(" \r\n", rune(text[c.from])) {
			c.from++
		}
		for c.from < len(text) && !strings.ContainsRune(" \r\n", rune(text[c.from])) {
			c.from++
		}
	}
}

// types writes as it is.
func (c *conversation) types(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, text); err != nil {
		c.t.Fatal(err)
	}
}

// answers types as somebody who has read the question: later than it was put.
func (c *conversation) answers(text string) {
	c.t.Helper()
	<-time.After(700 * time.Millisecond) // nothing can be waited for: it is the time itself that counts
	c.types(text)
}

// order is what a conversation wants carried out on be3, and the phrase for it.
type order struct{ plan, phrase string }

// question is put after confirm, where nothing has to be overridden.
func (o order) question() string { return "Type " + o.phrase + " by hand, then Enter. Anything else" }

// ended is said of its plan in the end.
func (o order) ended(how string) string { return o.plan + " has ended: " + how + "." }

var rebuilding = order{"rebuild-follower be3", "be3"}

// fallen is said where the situation changed before the answer, as it does on a
// machine that is busy with something else: then it is begun anew.
const fallen = "The question no longer stands"

// asks makes the plan and lets its question be put with what is typed, again
// while something is still unknown.
func (c *conversation) asks(o order, typed string) {
	c.t.Helper()
	for {
		c.answers("plan " + o.plan + "\n")
		if c.hears("Nothing has run. Type confirm", "There is no plan") == "There is no plan" {
			continue
		}
		c.answers(typed)
		switch c.hears(o.question(), "This is phrase 1 of", fallen, "The situation changed since") {
		case o.question():
			return
		case "This is phrase 1 of":
			c.answers("\n")
			c.hears("nothing was done on be3", fallen)
		}
	}
}

// refused tries what must not confirm.
func (c *conversation) refused(o order, typed, answer, says string) {
	c.t.Helper()
	for again := true; again; {
		c.asks(o, typed)
		c.answers(answer)
		again = c.hears(says, fallen) == fallen
	}
}

// repairs plans, confirms and follows to the end. A look can be too old for the
// first step; then it is asked for again, as by the scenario table.
func (c *conversation) repairs(o order) {
	c.t.Helper()
	for {
		c.asks(o, "confirm\n")
		c.answers(o.phrase + "\n")
		if c.hears("is confirmed and begins.", fallen) == fallen {
			continue
		}
		c.hears("Step 1 on be3 begins")
		if c.hears(o.ended("done"), "Step 1 on be3 is refused.") == o.ended("done") {
			return
		}
		c.hears(o.ended("refused"))
	}
}

func (c *conversation) exit() int {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		c.t.Fatalf("the program does not end\n%s", c.all())
	}
	err := c.cmd.Wait()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	return 0
}

// TestLinesFromFaultToHealthy repairs a follower by lines, after everything that
// must not confirm was tried.
func TestLinesFromFaultToHealthy(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name string
		tty  bool
		args []string
		env  []string
	}{
		{"terminal", true, nil, []string{"TERM=dumb"}},
		{"pipe", false, []string{"--plain"}, nil},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			c := converse(t, way.tty, way.env, append([]string{"demo", "--scenario", "follower-wal-gap", "--speed", "3"}, way.args...)...)
			c.hears("stamped SIMULATION")
			c.hears("Leadership: be1, all layers agree.")
			c.hears("P2, confirmed")
			c.types("why\n")
			c.hears("Speaks for it: be3 does not stream from be1")
			c.types("menu\n")
			c.hears("rebuild-follower be3, T2")
			c.refused(rebuilding, "confirm\n", "be2\n", `"be2" is not "be3"; no: nothing was done on be3.`)
			c.refused(rebuilding, "confirm\nbe3\n", "\n", "nothing was done on be3.") // typed ahead of the question
			c.refused(rebuilding, "confirm\n", "be3\nbe3\nquit\n", "as from a paste; no: nothing was done on be3.")
			c.answers("status\n") // it was not left by what was pasted
			c.hears("Situation at")
			if !strings.Contains(c.all(), "Ignored, because it was typed before") {
				t.Error("what was typed ahead was not thrown away")
			}
			c.repairs(rebuilding)
			for _, command := range rebuild {
				if !strings.Contains(strings.Join(strings.Fields(c.all()), " "), command) {
					t.Errorf("the plan lacks %q", command)
				}
			}
			c.answers("quit\n")
			if code := c.exit(); code != 0 {
				t.Errorf("exit code %d\n%s", code, c.all())
			}
			// A step that its node refused had its intent written, and was asked for again.
			if got := slices.Compact(intentsBelow(t, c.state)); !slices.Equal(got, rebuild) {
				t.Errorf("intents in the journal: %q, want %q", got, rebuild)
			}
			for _, r := range c.all() {
				if r < ' ' && r != '\n' && r != '\r' || r == 0x7f {
					t.Fatalf("wrote %q", r)
				}
			}
		})
	}
}

// TestLinesEndWithTheirInput covers an input that ends, and an output that
// nobody takes.
func TestLinesEndWithTheirInput(t *testing.T) {
	t.Parallel()
	c := converse(t, false, nil, "demo", "--plain", "--scenario", "healthy", "--speed", "5")
	c.types("status\n")
	c.in.Close()
	c.hears("What each layer says of be1")
	c.hears("The input ended")
	if code := c.exit(); code != 0 {
		t.Errorf("exit code %d\n%s", code, c.all())
	}
}

// TestTypedLines covers what a pipe can hold: ends of all sorts, a line that is
// too long, a last one without an end, and what stands behind a line.
func TestTypedLines(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ready := func() bool { return inputReady(int(r.Fd())) }
	lines := typed(t.Context(), r, ready)
	if _, err := io.WriteString(w, "alone\r\n"); err != nil {
		t.Fatal(err)
	}
	if l := <-lines; l.Text != "alone" || l.More || l.At.IsZero() {
		t.Errorf("got %+v", l)
	}
	if ready() {
		t.Error("input is said to stand ready where none does")
	}
	if _, err := io.WriteString(w, "be3\nbe3\n"+strings.Repeat("x", 3*longestLine)+"\n\x1b[2Jend"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	for _, want := range []string{"be3", "be3", "a line that is too long"} {
		if l := <-lines; l.Text != want || !l.More {
			t.Errorf("got %+v, want %q with more behind it", l, want)
		}
	}
	if l, more := <-lines; !more || strings.ContainsRune(l.Text, '\x1b') || !strings.HasSuffix(l.Text, "end") {
		t.Errorf("got %+v", l)
	}
	if l, more := <-lines; more {
		t.Errorf("got %+v behind the end", l)
	}
}
