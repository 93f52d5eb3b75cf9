package remote

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
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

func TestFourSessionsAtOnceAndTheFifthWaits(t *testing.T) {
	b := newBed(t)
	h := b.live(t)
	var held []Session
	for range mostChannels {
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
	if most := b.mostUsed.Load(); most > mostChannels {
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

func TestPrivilege(t *testing.T) {
	const works = `[ "$1" = -n ] || exit 9; shift; UID_FOR_TEST=0 exec "$@"`
	for name, c := range map[string]struct {
		uid, sudo, prefix string
		words             []string // of the refusal; none: it works
	}{
		"root":               {uid: "0"},
		"noisy login shell":  {uid: "0", prefix: `printf 'Welcome\033[31m!\ncockpit-uid=7.\nno line feed'; `},
		"sudo works":         {uid: "1000", sudo: works},
		"noisy and sudo":     {uid: "1000", sudo: works, prefix: `echo hello; echo there >&2; `},
		"no sudo":            {uid: "1000", words: []string{"not root", "command not found", "install sudo"}},
		"password":           {uid: "1000", sudo: `echo 'sudo: a password is required' >&2; exit 1`, words: []string{"a password is required", "NOPASSWD: ALL"}},
		"requiretty":         {uid: "1000", sudo: `echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1`, words: []string{"requiretty"}},
		"no shell":           {uid: "0", prefix: `echo 'This account is not available.'; exit 1; `, words: []string{"runs no shell", "not available"}},
		"sudo to a stranger": {uid: "1000", sudo: `shift; exec "$@"`, words: []string{"not root"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.loginAs(c.uid, c.sudo)
			b.prefix = c.prefix
			h := b.host(t)
			err := ConnectFirst(t.Context(), h)
			if c.words != nil {
				wantKind(t, err, NoPrivilege, c.words...)
				if link := h.Link(); link.Phase != Refused || link.Privileged {
					t.Errorf("%+v", link)
				}
				return
			}
			must(t, err)
			r, err := h.Run(t.Context(), Script{Text: `id -u`})
			must(t, err)
			if !h.Link().Privileged || !strings.HasSuffix(string(r.Stdout), "0\n") {
				t.Errorf("%q, %+v", r.Stdout, h.Link())
			}
		})
	}
}

func TestHostKeyMatters(t *testing.T) {
	other, _ := newKey(t, "")
	t.Run("unknown", func(t *testing.T) {
		b := newBed(t)
		must(t, os.WriteFile(b.known, nil, 0o600))
		h := b.host(t)
		wantKind(t, ConnectFirst(t.Context(), h), HostKeyUnknown, "SHA256:", "ssh -p", "ssh-keygen -lf")
		if dials := b.dials.Load(); h.Link().Phase != Refused || dials != 1 {
			t.Errorf("%+v after %d dials", h.Link(), dials)
		}
		// The operator accepts it elsewhere and says: again.
		b.knows(b.hostKey())
		changed := h.Changed()
		h.Retry()
		<-changed
		until(t, h, Live)
	})
	t.Run("changed", func(t *testing.T) {
		b := newBed(t)
		b.knows(other.PublicKey())
		err := ConnectFirst(t.Context(), b.host(t))
		wantKind(t, err, HostKeyChanged, "ssh-keygen -R", fingerprint(other.PublicKey()), fingerprint(b.hostKey()))
	})
	t.Run("revoked", func(t *testing.T) {
		b := newBed(t)
		must(t, os.WriteFile(b.known, []byte(hostLine(b.address(), b.hostKey())+"@revoked * "+string(ssh.MarshalAuthorizedKey(b.hostKey()))), 0o600))
		wantKind(t, ConnectFirst(t.Context(), b.host(t)), HostKeyChanged, "revoked")
	})
	t.Run("authority as host key", func(t *testing.T) {
		b := newBed(t)
		must(t, os.WriteFile(b.known, []byte("@cert-authority * "+string(ssh.MarshalAuthorizedKey(b.hostKey()))), 0o600))
		wantKind(t, ConnectFirst(t.Context(), b.host(t)), HostKeyUnknown)
	})
}

// hostKey is the public key that the server shows.
func (b *bed) hostKey() ssh.PublicKey {
	var shown ssh.PublicKey
	b.begin()
	c, err := net.Dial("tcp", b.address())
	must(b.t, err)
	defer c.Close()
	b.dials.Add(-1)
	ssh.NewClientConn(c, "", &ssh.ClientConfig{HostKeyCallback: func(_ string, _ net.Addr, k ssh.PublicKey) error {
		shown = k
		return errors.New("seen")
	}})
	return shown
}

func TestRefusedLoginIsNotRepeated(t *testing.T) {
	b := newBed(t)
	_, stranger := newKey(t, "")
	b.target.Identity = []string{stranger, filepath.Join(t.TempDir(), "missing")}
	h := b.host(t)
	wantKind(t, ConnectFirst(t.Context(), h), LoginFailed, "login as ops refused", stranger, "authorized_keys")
	changed := h.Changed()
	if _, err := h.Run(t.Context(), Script{Text: "true"}); err == nil {
		t.Error("ran without a login")
	}
	select {
	case <-changed:
		t.Errorf("it goes on by itself: %+v", h.Link())
	case <-time.After(2 * b.options.Timings.BackoffMost): // longer than any pause
	}
	if dials := b.dials.Load(); dials != 1 {
		t.Errorf("%d dials", dials)
	}
	b.target.Identity = []string{filepath.Join(t.TempDir(), "missing")}
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), LoginFailed, "no key to offer")
}

func TestEncryptedKeyIsAskedForOnce(t *testing.T) {
	client, identity := newKey(t, "open sesame")
	hostKey, _ := newKey(t, "")
	b := newBed(t)
	b.server = newServer(t, client.PublicKey(), hostKey)
	b.loginAs("0", "")
	b.knows(hostKey.PublicKey())
	b.target.Address, b.target.Identity = b.address(), []string{identity}
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), LoginFailed, "is encrypted", "ssh-add")

	var asked []string
	b.options.Ask = func(question string, secret bool) (string, error) {
		asked = append(asked, question)
		if !secret {
			t.Error("the passphrase would be shown")
		}
		return map[bool]string{true: "wrong", false: "open sesame"}[len(asked) == 1], nil
	}
	b.live(t)
	b.live(t) // another host with the same key
	if len(asked) != 2 || !strings.Contains(asked[0], identity) || !strings.Contains(asked[1], "Not the right") {
		t.Errorf("asked %q", asked)
	}
}

// serveAgent is an agent on a socket; a hanging one accepts and says nothing.
func serveAgent(t *testing.T, keys agent.Agent) {
	dir, err := os.MkdirTemp("", "agent") // a socket's path must be short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	must(t, err)
	t.Setenv("SSH_AUTH_SOCK", l.Addr().String())
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer c.Close()
				if keys == nil {
					io.Copy(io.Discard, c)
					return
				}
				agent.ServeAgent(keys, c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wait.Wait()
	})
}

func TestAgent(t *testing.T) {
	b := newBed(t)
	text, err := os.ReadFile(b.target.Identity[0])
	must(t, err)
	private, err := ssh.ParseRawPrivateKey(text)
	must(t, err)
	public := b.target.Identity[0] + ".pub"
	signer, err := ssh.NewSignerFromKey(private)
	must(t, err)
	must(t, os.WriteFile(public, ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o600))
	keys := agent.NewKeyring()
	for range 5 { // strangers before ours: a server gives up after six
		_, other, err := ed25519.GenerateKey(nil)
		must(t, err)
		must(t, keys.Add(agent.AddedKey{PrivateKey: &other}))
	}
	must(t, keys.Add(agent.AddedKey{PrivateKey: private}))
	serveAgent(t, keys)
	b.options.Agent = true
	b.config.MaxAuthTries = 2 // the first key that is offered must be ours
	b.target.Identity = []string{public}
	b.live(t)

	_, stranger := newKey(t, "")
	b.target.Identity = []string{stranger} // named keys only: the agent's are not offered
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), LoginFailed, "none of 1 keys accepted")
}

func TestAHangingAgentEndsWithTheDial(t *testing.T) {
	b := newBed(t)
	serveAgent(t, nil)
	b.options.Agent = true
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), Timeout, "agent of this machine does not answer")
}

// A banner is foreign text that nobody asked for: only the debug log hears it.
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

func TestJumps(t *testing.T) {
	last, first, second := newBed(t), newBed(t), newBed(t)
	config := filepath.Join(t.TempDir(), "config")
	block := func(alias string, b *bed, more string) string {
		host, port, _ := net.SplitHostPort(b.address())
		return "Host " + alias + "\n  HostName " + host + "\n  Port " + port + "\n  User ops\n  IdentityFile " + b.target.Identity[0] +
			"\n  UserKnownHostsFile " + b.known + "\n" + more
	}
	must(t, os.WriteFile(config, []byte(block("be1", last, "  ProxyJump two\n")+block("two", second, "  ProxyJump one\n")+block("one", first, "")), 0o600))
	b := &bed{server: last.server, target: Target{Name: "be1"}, options: last.options}
	b.options.Config = []string{config}
	first.begin()
	second.begin()
	h := b.live(t)
	if r, err := h.Run(t.Context(), Script{Text: "echo there"}); err != nil || string(r.Stdout) != "there\n" {
		t.Errorf("%q, %v", r.Stdout, err)
	}
	if first.forwarded.Load() != 1 || second.forwarded.Load() != 1 {
		t.Error("not through both jumps")
	}
	first.blackhole() // the way, not the host
	until(t, h, Lost)
	h.Close()

	must(t, os.WriteFile(second.known, nil, 0o600))
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), HostKeyUnknown, "jump host two")
	last.silent.Store("kex")
	second.knows(second.hostKey())
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), Timeout, "key exchange")
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
