package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"chef-backend-cockpit/remote"
)

// Whatever a server says instead of letting anybody in, in a banner or as its
// last word: the link's error and the debug log are text.
func TestHostileServersAreQuoted(t *testing.T) {
	for n, s := range hostile {
		h := shouting(t, "error "+s)
		if err := linkError(t, h); harmless(err.Error()) != nil || !strings.Contains(err.Error(), "error ") {
			t.Errorf("%d, the error: %v: %q", n, harmless(err.Error()), err)
		}
		h.Close()
		log := &heard{}
		h = barring(t, "banner "+s, log)
		if err := linkError(t, h); harmless(err.Error()) != nil {
			t.Errorf("%d, after a banner: %v", n, harmless(err.Error()))
		}
		h.Close()
		if text := log.text(); harmless(text) != nil || !strings.Contains(text, "banner ") {
			t.Errorf("%d, the debug log: %v", n, harmless(text))
		}
	}
	t.Logf("%d sequences as a server's last word and as its banner", len(hostile))
}

// linkError waits for the error of a link.
func linkError(t *testing.T, h remote.Host) error {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if err := h.Link().Err; err != nil {
			return err
		}
	}
	t.Fatal("no dial failed")
	return nil
}

// barring is a host whose server says something and lets nobody in.
func barring(t *testing.T, banner string, log *heard) remote.Host {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{
		PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, errors.New("nobody") },
		BannerCallback:   func(ssh.ConnMetadata) string { return banner },
	}
	config.AddHostKey(key)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	serve(l, func(c net.Conn) {
		ssh.NewServerConn(c, config) //nolint:errcheck // nobody gets in
		c.Close()
	})
	at := netip.MustParseAddrPort(l.Addr().String())
	known := filepath.Join(t.TempDir(), "known")
	line := "[127.0.0.1]:" + strings.TrimPrefix(at.String(), "127.0.0.1:") + " " + string(ssh.MarshalAuthorizedKey(key.PublicKey()))
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return dialled(t, l.Addr().String(), known, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
}

// serve hands every connection over until the listener is closed.
func serve(l net.Listener, talk func(net.Conn)) {
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go talk(c)
		}
	}()
}

// shouting is a host whose server ends every dial with a hostile word, byte by
// byte.
func shouting(t *testing.T, words string) remote.Host {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	serve(l, func(c net.Conn) { disconnect(c, words) })
	return dialled(t, l.Addr().String(), os.DevNull, nil)
}

// disconnect is a server's last word before any key is exchanged (RFC 4253,
// section 11.1).
func disconnect(c net.Conn, words string) {
	defer c.Close()
	body := []byte{1, 0, 0, 0, 2}
	body = append(binary.BigEndian.AppendUint32(body, uint32(len(words))), words...)
	body = binary.BigEndian.AppendUint32(body, 0)
	padding := 8 - (len(body)+5)%8 + 8
	packet := binary.BigEndian.AppendUint32(nil, uint32(len(body)+padding+1))
	packet = append(append(append(packet, byte(padding)), body...), make([]byte, padding)...)
	for _, b := range append([]byte("SSH-2.0-x\r\n"), packet...) {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
	}
	io.Copy(io.Discard, c) //nolint:errcheck // until the client has gone: what is not read would reset the connection
}

// dialled is a host at an address.
func dialled(t *testing.T, address, known string, debug *slog.Logger) remote.Host {
	t.Helper()
	at := netip.MustParseAddrPort(address)
	h, err := remote.NewSSH(remote.Target{Name: "be2", Address: at.Addr().String(), Port: int(at.Port()), User: "root", KnownHosts: []string{known}},
		remote.Options{Timings: remote.DefaultTimings(), Config: []string{}, Debug: debug})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// heard is where a debug log is written.
type heard struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *heard) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *heard) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
