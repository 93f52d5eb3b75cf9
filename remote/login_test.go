package remote

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
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
				kind := NoPrivilege
				if c.prefix != "" {
					kind = NoShell
				}
				wantKind(t, err, kind, c.words...)
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
	b.options.Ask = func(_ context.Context, q Question) ([]string, error) {
		asked = append(asked, strings.Join(q.Text, "")+q.Prompts[0].Text)
		if !q.Prompts[0].Secret || !strings.HasPrefix(q.From, "this cockpit") {
			t.Errorf("asked %+v", q)
		}
		return []string{map[bool]string{true: "wrong", false: "open sesame"}[len(asked) == 1]}, nil
	}
	b.live(t)
	b.live(t) // another host with the same key
	if len(asked) != 2 || !strings.Contains(asked[0], identity) || !strings.Contains(asked[1], "Not the right") {
		t.Errorf("asked %q", asked)
	}
}

// serveAgent is an agent on a socket; a hanging one accepts and says nothing.
func serveAgent(t *testing.T, keys agent.Agent) (socket string) {
	dir, err := os.MkdirTemp("", "agent") // a socket's path must be short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	must(t, err)
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
	return l.Addr().String()
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
	t.Setenv("SSH_AUTH_SOCK", serveAgent(t, keys))
	b.options.Agent = true
	b.config.MaxAuthTries = 2 // the first key that is offered must be ours
	b.target.Identity = []string{public}
	b.live(t)

	_, stranger := newKey(t, "")
	b.target.Identity = []string{stranger} // named keys only: the agent's are not offered
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), LoginFailed, "none of 1 key accepted")
}

func TestAHangingAgentEndsWithTheDial(t *testing.T) {
	b := newBed(t)
	t.Setenv("SSH_AUTH_SOCK", serveAgent(t, nil))
	b.options.Agent = true
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), Timeout, "agent of this machine does not answer")
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
