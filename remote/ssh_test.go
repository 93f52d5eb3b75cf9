package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	b := newBed(t)
	h := b.live(t)
	for _, c := range []struct {
		script   Script
		out, err string
		exit     int
	}{
		{Script{Text: `printf '%s|' "$0" "$@"; echo oops >&2; exit 7`, Name: "probe", Args: []string{"a b", `'"\!`, ""}}, "probe|a b|'\"\\!||", "oops\n", 7},
		{Script{Text: `cat; cat`, Stdin: []byte("in\n")}, "in\n", "", 0},
		{Script{Text: `true`, Stdin: bytes.Repeat([]byte("unread"), 1<<20)}, "", "", 0},
		{Script{Text: `echo killed`}, "", "", 137},
	} {
		r, err := h.Run(t.Context(), c.script)
		must(t, err)
		if string(r.Stdout) != c.out || string(r.Stderr) != c.err || r.Exit != c.exit || !r.ExitKnown {
			t.Errorf("%q: got %q, %q, exit %d (%v)", c.script.Text, r.Stdout, r.Stderr, r.Exit, r.ExitKnown)
		}
	}
}

func TestRunKeepsTheLimitOfBothStreamsAndDrainsThem(t *testing.T) {
	h := newBed(t).live(t)
	r, err := h.Run(t.Context(), Script{Limit: 100,
		Text: `i=0; while [ $i -lt 40000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 >&2; i=$((i+1)); done; echo done`})
	must(t, err)
	if string(r.Stdout) != "done\n" || len(r.Stderr) != 100 || r.Dropped != 40000*101-100 {
		t.Errorf("stdout %q, %d bytes of stderr, %d dropped", r.Stdout, len(r.Stderr), r.Dropped)
	}
}

func TestAMissingExitStatusIsUnknown(t *testing.T) {
	h := newBed(t).live(t)
	r, err := h.Run(t.Context(), Script{Text: "exit missing"})
	if r.ExitKnown {
		t.Error("an exit status was made up")
	}
	wantKind(t, err, Protocol, "outcome is unknown")
}

func TestSessionStaysOpen(t *testing.T) {
	h := newBed(t).live(t)
	s, err := h.Start(t.Context(), Script{Text: `while read line; do echo "got $line"; done; i=0; while [ $i -lt 2000 ]; do echo "a line of noise $i" >&2; i=$((i+1)); done; exit 3`})
	must(t, err)
	defer s.Close()
	io.WriteString(s.Stdin(), "one\n")
	answer := make([]byte, 8)
	if _, err := io.ReadFull(s.Stdout(), answer); err != nil || string(answer) != "got one\n" {
		t.Fatalf("%q, %v", answer, err)
	}
	s.Stdin().Close()
	r, err := s.Wait()
	must(t, err)
	if r.Exit != 3 || len(r.Stderr) != keptStderr || !bytes.HasSuffix(r.Stderr, []byte("noise 1999\n")) {
		t.Errorf("exit %d, stderr of %d bytes ends %q", r.Exit, len(r.Stderr), r.Stderr[max(len(r.Stderr)-20, 0):])
	}
}

func TestCloseReleasesReaderAndWaiter(t *testing.T) {
	h := newBed(t).live(t)
	s, err := h.Start(t.Context(), Script{Text: `cat`})
	must(t, err)
	read := make(chan error)
	go func() {
		_, err := s.Stdout().Read(make([]byte, 1))
		read <- err
	}()
	s.Close()
	if err := <-read; err == nil {
		t.Error("a closed session was read")
	}
	if _, err := s.Wait(); err == nil {
		t.Error("the outcome of a session closed here is known")
	}
}

// A session that takes too long is what cost the link, and its error says so.
func TestASessionThatDoesNotOpenIsLate(t *testing.T) {
	b := newBed(t)
	b.options.Timings.Stale, b.options.Timings.Lost = time.Minute, time.Minute
	h := b.live(t)
	b.silent.Store("channel")
	_, err := h.Run(t.Context(), Script{Text: "true"})
	wantKind(t, err, Timeout, "did not open in time")
}

// Every stage at which a host can fall silent ends within the deadline and
// leaves nothing behind.
func TestBlackholeBeforeTheLink(t *testing.T) {
	for stage, want := range map[string]struct {
		kind Kind
		word string
	}{
		"accept":  {Unreachable, "accepts the connection"},
		"banner":  {Unreachable, "accepts the connection"},
		"kex":     {Timeout, "key exchange"},
		"auth":    {Timeout, "login did not end"},
		"channel": {Timeout, "session did not open"},
		"http":    {Unreachable, "no SSH server"},
	} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.silent.Store(stage)
			if stage == "channel" { // what is asked here is the deadline of the session, not the link's
				b.options.Timings.Stale, b.options.Timings.Lost = time.Minute, time.Minute
			}
			began := time.Now()
			h := b.host(t)
			wantKind(t, ConnectFirst(t.Context(), h), want.kind, want.word)
			most := b.options.Timings.Dial + b.options.Timings.Open + 2*time.Second
			if took := time.Since(began); took > most {
				t.Errorf("took %v", took)
			}
			began = time.Now()
			h.Close()
			if took := time.Since(began); took > time.Second+200*time.Millisecond {
				t.Errorf("Close took %v", took)
			}
		})
	}
}

func TestBlackholeMidOutput(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	h := b.live(t)
	s, err := h.Start(t.Context(), Script{Text: `echo begun; cat`})
	must(t, err)
	defer s.Close()
	must(t, readAll(s.Stdout(), "begun\n"))
	began := time.Now()
	b.blackhole()
	if stale := until(t, h, Stale); stale.Err == nil || !stale.Privileged {
		t.Errorf("a stale link: %+v", stale)
	}
	// Opening a session now must end by the link's loss at the latest.
	_, err = h.Run(t.Context(), Script{Text: "true"})
	wantKind(t, err, LinkLost)
	if took := time.Since(began); took > b.options.Timings.Lost+2*time.Second {
		t.Errorf("the loss took %v", took)
	}
	r, err := s.Wait()
	wantKind(t, err, LinkLost, "outcome is unknown")
	if r.ExitKnown {
		t.Error("an exit status was made up")
	}
	until(t, h, Live) // the server still takes new connections
	if _, err := h.Run(t.Context(), Script{Text: "true"}); err != nil {
		t.Error(err)
	}
}

// A stale link that is heard again is live again, its sessions whole.
func TestStaleLinkRecovers(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.options.Timings.Lost = 6 * time.Second
	h := b.live(t)
	s, err := h.Start(t.Context(), Script{Text: "cat"})
	must(t, err)
	defer s.Close()
	resume := b.stall()
	until(t, h, Stale)
	resume()
	until(t, h, Live)
	io.WriteString(s.Stdin(), "still here\n")
	must(t, readAll(s.Stdout(), "still here\n"))
	if dials := b.dials.Load(); dials != 1 {
		t.Errorf("%d dials", dials)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	b := newBed(t)
	h := b.live(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r, err := h.Run(ctx, Script{Text: `echo so far; sleep 60`})
	wantKind(t, err, Timeout, "outcome is unknown")
	if r.ExitKnown || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v, %v", r, err)
	}
	if link := h.Link(); link.Phase != Live {
		t.Errorf("the link is %s", link.Phase)
	}
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	h := b.live(t)
	first := h.Link()
	if first.User != "ops" || !strings.HasPrefix(first.Fingerprint, "SHA256:") || first.Err != nil {
		t.Errorf("%+v", first)
	}
	address := b.address()
	b.listener.Close()
	b.cut()
	wantKind(t, until(t, h, Lost).Err, LinkLost)
	if _, err := h.Start(t.Context(), Script{Text: "true"}); err == nil {
		t.Error("started without a link")
	}
	b.listen(address)
	b.accept()
	until(t, h, Live)
	if _, err := h.Run(t.Context(), Script{Text: "true"}); err != nil {
		t.Error(err)
	}
}

func TestFiveSessionsAtOnceAndTheSixthWaits(t *testing.T) {
	b := newBed(t)
	h := b.live(t)
	var held []Session
	for range Channels {
		s, err := h.Start(t.Context(), Script{Text: "cat"})
		must(t, err)
		held = append(held, s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	_, err := h.Run(ctx, Script{Text: "true"})
	cancel()
	wantKind(t, err, Timeout, "no session became free")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := h.Run(t.Context(), Script{Text: "true"}); err != nil {
				t.Error(err)
			}
		})
	}
	for _, s := range held {
		s.Stdin().Close()
	}
	wait.Wait()
	if most := b.mostUsed.Load(); most > Channels {
		t.Errorf("%d sessions at once", most)
	}
}

func TestTooFewSessionsAllowed(t *testing.T) {
	b := newBed(t)
	b.server.sessions = 1
	h := b.live(t)
	s, err := h.Start(t.Context(), Script{Text: "cat"})
	must(t, err)
	defer s.Close()
	_, err = h.Run(t.Context(), Script{Text: "true"})
	wantKind(t, err, Protocol, "MaxSessions")
}

// A banner is foreign text that nobody asked for: only the debug log hears it,
// with the steps of the dial.
func TestBannerGoesToTheDebugLogOnly(t *testing.T) {
	b := newBed(t)
	var log bytes.Buffer
	b.options.Debug = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.options.Warn = func(text string) { t.Errorf("warned: %s", text) }
	h := b.live(t)
	h.Close()
	if !strings.Contains(log.String(), `authorised staff only^[]0;x^G^J`) {
		t.Errorf("the log: %s", log.String())
	}
	for _, step := range []string{`"msg":"dialling","host":"be1"`, `"msg":"logged in","host":"be1"`, `"host key":"SHA256:`} {
		if !strings.Contains(log.String(), step) {
			t.Errorf("the log lacks %s: %s", step, log.String())
		}
	}
}

func TestNobodyListens(t *testing.T) {
	b := newBed(t)
	b.listener.Close()
	began := time.Now()
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), Unreachable, "no connection to 127.0.0.1:", "refused")
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// Many rounds of connecting, vanishing and closing leave no goroutine behind;
// TestMain looks.
func TestRoundsOfLossLeaveNothing(t *testing.T) {
	b := newBed(t)
	var wait sync.WaitGroup
	for range 20 {
		h := b.live(t)
		_, err := h.Start(t.Context(), Script{Text: "while echo noise; do :; done"}) // read by nobody, closed by nobody
		must(t, err)
		wait.Go(func() { h.Run(context.Background(), Script{Text: "cat", Stdin: make([]byte, 4<<20)}) })
		b.blackhole()
		began := time.Now()
		h.Close()
		if took := time.Since(began); took > time.Second {
			t.Fatalf("Close took %v", took)
		}
		b.cut()
	}
	wait.Wait()
}

func readAll(r io.Reader, want string) error {
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil {
		return err
	}
	if string(got) != want {
		return errors.New("got " + string(got))
	}
	return nil
}
