package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"
)

// dialer opens the connection to one host, through its jumps.
type dialer struct {
	name  string
	hops  []hop
	debug *slog.Logger // nil: nobody listens
	warn  func(string)
}

// dial opens a connection within whole, the TCP part within connect. What goes
// wrong comes as an *Error that names the step. ctx ends it at once. ask, if it
// is there, may be asked, and while it is the time stands still.
//
// The deadline lies on the network connection itself: the library's own timeout
// ends with the TCP handshake, and a server that falls silent afterwards would
// hang it for ever.
func (d *dialer) dial(ctx context.Context, whole, connect time.Duration, ask Asker) (*connection, *Error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := newPatience(whole)
	c := &connection{host: d.name}
	for i := range d.hops {
		h := &d.hops[i]
		who := &attended{ask: ask, time: p}
		d.note("dialling", "hop", h.alias, "address", h.address(), "user", h.user)
		if err := d.step(ctx, c, h, who, connect); err != nil {
			c.close()
			err.Host = d.name
			if i < len(d.hops)-1 {
				err.Jump = Safe([]byte(h.alias))
				err.Text = "jump host " + err.Jump + ": " + err.Text
			}
			d.note("dial failed", "hop", h.alias, "error", err.Text)
			return nil, err
		}
		d.note("logged in", "hop", h.alias, "host key", c.fingerprint)
	}
	c.outer.SetDeadline(time.Time{})
	c.user = d.hops[len(d.hops)-1].user
	return c, nil
}

// step goes one hop further: a TCP connection, directly or through the hops so
// far, and the handshake over it.
func (d *dialer) step(ctx context.Context, c *connection, h *hop, who *attended, connect time.Duration) *Error {
	keys, err := readHostKeys(h, d.warn)
	if err != nil {
		return &Error{Kind: Protocol, Text: "known_hosts cannot be read: " + Safe([]byte(err.Error())), Remedy: "correct that file or its setting", Err: err}
	}
	var raw net.Conn
	switch {
	case c.client != nil:
		raw, err = c.client.DialContext(ctx, "tcp", h.address())
	case h.proxy != "":
		raw, err = dialProxy(h.proxy)
	default:
		tcp := net.Dialer{Timeout: min(connect, time.Until(who.time.end()))}
		raw, err = tcp.DialContext(ctx, h.network, h.address())
	}
	if err != nil {
		return noConnection(h, who.time, err)
	}
	if c.client == nil {
		c.outer = raw
		who.time.bind(raw)
	}
	// A hop inside a hop has no deadline of its own: cutting the outermost
	// connection is what ends it.
	stop := context.AfterFunc(ctx, func() { c.outer.Close() })
	defer stop()
	c.heard = newHeard(raw)
	if c.client == nil {
		c.first = c.heard
	}
	return d.handshake(ctx, c, h, keys, who)
}

// handshake runs key exchange and login of one hop.
func (d *dialer) handshake(ctx context.Context, c *connection, h *hop, keys *hostKeys, who *attended) *Error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.heard.ended = cancel
	who.ctx = ctx
	l := &login{h: h, host: d.name, from: d.asks(h), who: who, time: who.time, warn: d.warn, note: func(text string) { d.note(text, "hop", h.alias) }}
	defer l.close()
	// The library asks again at every new exchange of keys, long after this: only
	// what it was told first is kept.
	var judged error
	var shown string
	known := false
	config := &ssh.ClientConfig{
		Config:            ssh.Config{KeyExchanges: h.algorithms.exchanges, Ciphers: h.algorithms.ciphers, MACs: h.algorithms.macs},
		User:              h.user,
		AuthCallback:      l.next,
		HostKeyAlgorithms: keys.algorithms(),
		ClientVersion:     "SSH-2.0-chef_backend_cockpit",
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			shown = fingerprint(key)
			judged = keys.check(key)
			known = judged == nil
			return judged
		},
		BannerCallback: func(text string) error {
			d.note("banner", "hop", h.alias, "text", Safe([]byte(text)))
			return nil
		},
	}
	conn, channels, requests, err := ssh.NewClientConn(c.heard, h.address(), config)
	c.fingerprint = shown
	if err == nil {
		c.legacy = union(c.legacy, union(legacyUsed(conn), l.legacy))
		c.client = ssh.NewClient(conn, channels, requests)
		c.chain = append(c.chain, c.client)
		return nil
	}
	var e *Error
	switch {
	case errors.As(judged, &e):
		return e
	case known:
		return loginError(l, err)
	}
	return c.heard.handshakeError(h, who.time, err)
}

// asks is how the operator is told which server asks.
func (d *dialer) asks(h *hop) string {
	server := Safe([]byte(h.user + "@" + h.alias))
	if h == &d.hops[len(d.hops)-1] {
		return "the server " + server + " asks"
	}
	return "the jump host " + server + " asks, on the way to " + d.name
}

// noConnection is the error of a TCP connection that was not made.
func noConnection(h *hop, p *patience, err error) *Error {
	e := &Error{Kind: Unreachable, Err: err, Remedy: "check that the host is up and that its sshd and the firewall let you in"}
	var dns *net.DNSError
	var open *ssh.OpenChannelError
	switch {
	case errors.As(err, &dns):
		e.Text = "the name " + Safe([]byte(h.host)) + " cannot be resolved"
		e.Remedy = "correct the name or set HostName in ~/.ssh/config"
	case errors.As(err, &open):
		e.Text = "no connection from the jump host to " + Safe([]byte(h.address())) + ": " + Safe([]byte(open.Message))
		e.Remedy = "check that the jump host allows forwarding and reaches the host"
	case h.proxy != "":
		e.Text = "the ProxyCommand cannot be started: " + innermost(err)
		e.Remedy = "correct ProxyCommand in ~/.ssh/config"
	case timedOut(err), p.over():
		e.Text = "no answer from " + Safe([]byte(h.address()))
	default:
		e.Text = "no connection to " + Safe([]byte(h.address())) + ": " + innermost(err)
	}
	return e
}

// loginError is the error of a handshake that ended after the host key.
func loginError(l *login, err error) *Error {
	text := err.Error()
	switch {
	case l.hung:
		return &Error{Kind: Timeout, Text: "the ssh agent of this machine does not answer", Remedy: "start it anew or set IdentityAgent none", Err: err}
	case l.unanswered == nil && l.wanted == "" && (timedOut(err) || l.time.over()):
		return &Error{Kind: Timeout, Text: "the login did not end in time", Remedy: "check the host's load, its name service and its PAM", Err: err}
	case l.wanted != "", l.unanswered != nil, l.needs != "", strings.Contains(text, "unable to authenticate"), strings.Contains(text, "disconnect"), strings.Contains(text, "authentication"), strings.Contains(text, "signature algorithm"):
		return l.refused(err)
	}
	return &Error{Kind: Protocol, Text: "the connection ended during the login: " + innermost(err), Remedy: "look at sshd's log on the host", Err: err}
}

// innermost is the cause at the bottom of err, safe and short.
func innermost(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return cut(Safe([]byte(err.Error())), 200)
		}
		err = next
	}
}

// cut keeps at most that many bytes of a text, and no rune in part.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

func (d *dialer) note(text string, args ...any) {
	if d.debug != nil {
		d.debug.Debug(text, append([]any{"host", d.name}, args...)...)
	}
}

// heard is a network connection that remembers when bytes last came in: any of
// them is a sign of life. Of the first bytes it keeps some for the text of an
// error.
type heard struct {
	net.Conn
	made  time.Time
	last  atomic.Int64 // since made
	count atomic.Int64 // bytes so far
	start [256]byte
	ended func() // told when reading has ended, while the login goes on
	gathering
}

func newHeard(c net.Conn) *heard { return &heard{Conn: c, made: time.Now()} }

func (h *heard) Read(p []byte) (int, error) {
	h.before()
	n, err := h.Conn.Read(p)
	h.after(n, time.Now())
	if n > 0 {
		if had := h.count.Load(); had < int64(len(h.start)) {
			copy(h.start[had:], p[:n])
		}
		h.count.Add(int64(n))
		h.last.Store(int64(time.Since(h.made)))
	}
	if err != nil {
		// The library releases who waits for an answer once, when reading has
		// ended. A channel that is asked for just after that would wait for ever
		// if its request could still be written, as it can be after the peer's end
		// of file: so nothing can be written any more before anybody hears of it.
		h.Conn.Close()
		if h.ended != nil {
			h.ended()
		}
	}
	return n, err
}

// silence is how long nothing has come in.
func (h *heard) silence() time.Duration {
	return time.Since(h.made) - time.Duration(h.last.Load())
}

// handshakeError is the error of a handshake that ended before the host key.
func (h *heard) handshakeError(at *hop, p *patience, err error) *Error {
	said := string(h.start[:min(h.count.Load(), int64(len(h.start)))])
	late := timedOut(err) || p.over()
	address := Safe([]byte(at.address()))
	isSSH := strings.Contains("\n"+said, "\nSSH-")
	switch {
	case late && !strings.Contains(said, "\n"): // half a banner is none
		return &Error{Kind: Unreachable, Text: address + " accepts the connection but is no SSH server that answers", Remedy: "check sshd and the load of the host", Err: err}
	case said == "" && at.proxy != "":
		return &Error{Kind: Unreachable, Text: "the ProxyCommand gives no connection to " + address, Remedy: "try it in a shell: " + Safe([]byte(at.proxy)), Err: err}
	case said == "":
		return &Error{Kind: Unreachable, Text: address + " closes the connection at once", Remedy: "check sshd's MaxStartups, its penalties and access rules", Err: err}
	case !isSSH:
		line, _, _ := strings.Cut(said, "\n")
		return &Error{Kind: Unreachable, Text: fmt.Sprintf("%s is no SSH server; it says %q", address, cut(Safe([]byte(strings.TrimSpace(line))), 80)),
			Remedy: "check address and port", Err: err}
	case late:
		return &Error{Kind: Timeout, Text: "the key exchange with " + address + " did not end in time", Remedy: "check the load of the host and the path's MTU", Err: err}
	}
	if e := noCommon(at, err); e != nil {
		return e
	}
	return &Error{Kind: Protocol, Text: "the key exchange failed: " + innermost(err), Remedy: "look at sshd's log on the host", Err: err}
}
