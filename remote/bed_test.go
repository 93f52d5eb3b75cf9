package remote

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// bed is a server and what reaches it.
type bed struct {
	*server
	target  Target
	options Options
	known   string // the known_hosts file

	clientKey ssh.PublicKey
}

// newBed is a server that the client knows and may log in to as root.
func newBed(t *testing.T) *bed {
	t.Helper()
	client, identity := newKey(t, "")
	hostKey, _ := newKey(t, "")
	b := &bed{server: newServer(t, client.PublicKey(), hostKey), clientKey: client.PublicKey()}
	b.known = filepath.Join(t.TempDir(), "known_hosts")
	b.knows(hostKey.PublicKey())
	host, port, _ := net.SplitHostPort(b.address())
	b.target = Target{Name: "be1", Address: host + ":" + port, User: "ops", Identity: []string{identity}, KnownHosts: []string{b.known}}
	b.options = Options{Config: []string{}, Timings: shortTimings()}
	b.loginAs("0", "")
	return b
}

// knows writes known_hosts with this key for the server.
func (b *bed) knows(key ssh.PublicKey) {
	must(b.t, os.WriteFile(b.known, []byte(hostLine(b.address(), key)), 0o600))
}

func hostLine(address string, key ssh.PublicKey) string {
	host, port, _ := net.SplitHostPort(address)
	return "[" + host + "]:" + port + " " + string(ssh.MarshalAuthorizedKey(key))
}

// loginAs makes the login have a uid, and sudo do what its text says; without a
// text there is no sudo.
func (b *bed) loginAs(uid, sudo string) {
	dir := b.t.TempDir()
	write := func(name, text string) {
		must(b.t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	write("id", "echo ${UID_FOR_TEST:-"+uid+"}")
	if sudo == "" {
		sudo = "echo sudo: command not found >&2; exit 127"
	}
	write("sudo", sudo)
	b.env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "PATH=") })
	b.env = append(b.env, "PATH="+dir+":"+os.Getenv("PATH"))
}

// shortTimings keep tests short and leave room for a busy machine.
func shortTimings() Timings {
	return Timings{
		Dial: 1500 * time.Millisecond, Connect: 300 * time.Millisecond, Quick: 2 * time.Second,
		Keepalive: 100 * time.Millisecond, Stale: 400 * time.Millisecond, Lost: 900 * time.Millisecond,
		Open: 1500 * time.Millisecond, Run: 10 * time.Second,
		BackoffFirst: 50 * time.Millisecond, BackoffMost: 300 * time.Millisecond, DialWindow: 2 * time.Second,
	}
}

// host starts connecting.
func (b *bed) host(t *testing.T) *SSH {
	t.Helper()
	b.begin()
	h, err := NewSSH(b.target, b.options)
	must(t, err)
	t.Cleanup(func() { h.Close() })
	return h.(*SSH)
}

// live is a host with a live link.
func (b *bed) live(t *testing.T) *SSH {
	t.Helper()
	h := b.host(t)
	must(t, ConnectFirst(t.Context(), h))
	return h
}

// until waits for a phase, or fails after some seconds.
func until(t *testing.T, h *SSH, phase Phase) Link {
	t.Helper()
	late := time.After(8 * time.Second)
	for {
		changed := h.Changed()
		if link := h.Link(); link.Phase == phase {
			return link
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("the link is %+v, not %s", h.Link(), phase)
		}
	}
}

// wantKind checks that err is an *Error of a kind whose texts hold the words.
func wantKind(t *testing.T, err error, kind Kind, words ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("got %v (%T), want kind %s", err, err, kind)
	}
	for _, w := range words {
		if !strings.Contains(e.Error(), w) {
			t.Errorf("%q does not say %q", e.Error(), w)
		}
	}
	if e.Host != "be1" || e.Remedy == "" || strings.ContainsAny(e.Error(), "\x1b\n") {
		t.Errorf("not a whole, safe error: %#v", e)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
