package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Channels is how many sessions one connection carries; more wait their turn. A
// cockpit at work needs five of a host: both looks, the logs, the operators' lock
// and a step. sshd allows ten, a strict one five.
const Channels = 5

// connection is one live SSH connection to a host, jumps included. It ends
// when its outermost network connection is closed, which also releases every
// call that the library has blocked: its own calls have no deadlines.
type connection struct {
	host        string
	user        string
	outer       net.Conn
	first       *heard        // of the first hop
	heard       *heard        // of the last hop
	client      *ssh.Client   // of the last hop
	chain       []*ssh.Client // of all hops, for closing
	fingerprint string
	legacy      []string // see Link.Legacy
	sudo        bool
	slots       chan struct{}
	dead        chan struct{}   // closed when the connection has ended
	gone        <-chan struct{} // closed when the host is closed
}

// start begins to use a dialled connection, until host is done.
func (c *connection) start(host context.Context) {
	c.gone = host.Done()
	c.slots = make(chan struct{}, Channels)
	c.dead = make(chan struct{})
	if c.first != nil {
		c.first.begin()
	}
	stop := context.AfterFunc(host, c.close)
	go func() {
		defer Guard()
		c.client.Wait()
		stop()
		c.close()
		close(c.dead)
	}()
}

// close ends the connection at once; it may be called again.
func (c *connection) close() {
	if c.outer != nil {
		c.outer.Close()
	}
	for i := len(c.chain) - 1; i >= 0; i-- {
		c.chain[i].Close()
	}
}

// keepAlive asks for a sign of life, until the connection ends, when nothing has
// come in for a while. Any answer is one, a refusal too, and so is anything else
// that comes in.
func (c *connection) keepAlive(after time.Duration) {
	defer Guard()
	timer := time.NewTimer(after)
	defer timer.Stop()
	for {
		select {
		case <-c.dead:
			return
		case <-timer.C:
		}
		wait := after - c.heard.silence()
		if wait <= 0 {
			if _, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
				return
			}
			wait = after
		}
		timer.Reset(wait)
	}
}

// errNoTerminal is what a host says that hands over no terminal.
var errNoTerminal = errors.New("the host refuses to hand over a terminal")

// open starts a script in a session of its own; before are requests that come
// first. It waits for a free slot, the channel and the start until ctx is done.
// When the host takes longer than most for it although it has been asked, the
// connection is given up: that is the only way to release such a call, and the
// link comes back by itself.
func (c *connection) open(ctx context.Context, script Script, most time.Duration, stderr keeper, before ...func(ssh.Channel) error) (*session, error) {
	command, err := commandLine(script, c.sudo)
	if err != nil {
		return nil, &Error{Host: c.host, Kind: Protocol, Text: err.Error(), Err: err}
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, c.late(ctx, "no session became free")
	case <-c.dead:
		return nil, c.lost()
	}
	type opened struct {
		s    *session
		err  error
		late bool // it took too long and was given up
	}
	result := make(chan opened, 1)
	giveUp := time.AfterFunc(most, func() { c.outer.Close() })
	go func() {
		defer Guard()
		s, err := c.openNow(command, stderr, before)
		late := !giveUp.Stop()
		if err != nil {
			<-c.slots
		}
		result <- opened{s, err, late}
	}()
	select {
	case r := <-result:
		switch {
		case r.err != nil && r.late: // the link is lost because of that, not the other way round
			return nil, c.late(ctx, "the session did not open in time")
		case r.err != nil:
			return nil, c.openError(r.err)
		}
		return r.s, nil
	case <-ctx.Done():
		go func() {
			defer Guard()
			if r := <-result; r.s != nil {
				r.s.Close()
			}
		}()
		return nil, c.late(ctx, "the session did not open in time")
	}
}

// openNow opens a channel and starts the command; it blocks as long as the
// host likes. The slot is the caller's until it succeeds.
func (c *connection) openNow(command string, stderr keeper, before []func(ssh.Channel) error) (*session, error) {
	channel, requests, err := c.client.OpenChannel("session", nil)
	if err != nil {
		return nil, err
	}
	s := newSession(c, channel, stderr)
	go s.watch(requests)
	for _, request := range before {
		if err := request(channel); err != nil {
			channel.Close()
			return nil, err
		}
	}
	ok, err := channel.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{command}))
	if err == nil && !ok {
		err = errors.New("the host refuses to run commands")
	}
	if err != nil {
		channel.Close()
		return nil, err
	}
	s.begin()
	return s, nil
}

func (c *connection) openError(err error) *Error {
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) {
		return &Error{Host: c.host, Kind: Protocol, Text: "the host opens no further session: " + cut(Safe([]byte(refused.Message)), 200),
			Remedy: fmt.Sprintf("allow at least %d in sshd_config: MaxSessions", Channels), Err: err}
	}
	select {
	case <-c.dead:
		return c.lost()
	default:
	}
	if errors.Is(err, errNoTerminal) {
		return &Error{Host: c.host, Kind: Protocol, Text: err.Error(), Remedy: "check PermitTTY in sshd_config and the key's options in authorized_keys", Err: err}
	}
	if strings.Contains(err.Error(), "refuses") {
		return &Error{Host: c.host, Kind: Protocol, Text: err.Error(), Remedy: "check ForceCommand and the key's options in authorized_keys", Err: err}
	}
	return &Error{Host: c.host, Kind: LinkLost, Text: "the link ended while a session was opened", Remedy: "wait until it is back", Err: err}
}

func (c *connection) lost() *Error {
	return &Error{Host: c.host, Kind: LinkLost, Text: "the link was lost", Remedy: "wait until it is back"}
}

// late is the error of a call whose context ended.
func (c *connection) late(ctx context.Context, text string) *Error {
	return lateError(c.host, ctx, text)
}

func lateError(host string, ctx context.Context, text string) *Error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Host: host, Kind: Timeout, Text: text + " before it was cancelled", Err: ctx.Err()}
	}
	return &Error{Host: host, Kind: Timeout, Text: text, Remedy: "check the load of the host and the link", Err: ctx.Err()}
}
