package simulation

import (
	"errors"
	"net"
	"sync"
	"time"
)

// errGone is what a connection to a host gets that was switched off meanwhile:
// the host that came back knows nothing of it.
var errGone = errors.New("connection reset by peer")

// gate is the way between the operator and a node. While it is shut nothing
// passes and nobody is told: packets vanish. It is safe for concurrent use.
type gate struct {
	mu      sync.Mutex
	open    bool
	off     bool          // the node has no power
	life    int           // counts the node's power cycles
	since   time.Time     // when it was last opened or shut
	changed chan struct{} // closed at the next change
	over    bool          // the simulation has ended
	conns   map[*gatedConn]bool
}

func newGate() *gate {
	return &gate{open: true, changed: make(chan struct{}), conns: map[*gatedConn]bool{}}
}

// set opens or shuts the gate. Connections from before a power cycle are reset
// as soon as the node is back.
func (g *gate) set(powered, reachable bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	if !powered && !g.off {
		g.life++
	}
	if g.open != reachable || g.since.IsZero() {
		g.since = now
	}
	if g.open != reachable || g.off == powered {
		g.open, g.off = reachable, !powered
		close(g.changed)
		g.changed = make(chan struct{})
	}
	if !g.open {
		return
	}
	for c := range g.conns {
		if c.life != g.life {
			c.reset()
		}
	}
}

// renew ends every connection at once, as a new start of the SSH server does.
func (g *gate) renew() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	g.life++
	close(g.changed)
	g.changed = make(chan struct{})
	for c := range g.conns {
		if g.open {
			c.reset()
		}
	}
}

func (g *gate) isOff() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.off
}

// state is whether the gate is open, since when, and what tells of a change.
func (g *gate) state() (open bool, since time.Time, life int, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open && !g.over, g.since, g.life, g.changed
}

// end shuts the gate for good; whoever waits is sent away.
func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.over = true
		close(g.changed)
	}
}

func (g *gate) ended() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over
}

// pass waits until something of the given life may pass, or until done.
func (g *gate) pass(life int, done <-chan struct{}) error {
	for {
		g.mu.Lock()
		open, now, over, changed := g.open, g.life, g.over, g.changed
		g.mu.Unlock()
		switch {
		case over || open && now != life:
			return errGone
		case open:
			return nil
		}
		select {
		case <-changed:
		case <-done:
			return net.ErrClosed
		}
	}
}

// gatedConn is a TCP connection that passes the gate.
type gatedConn struct {
	net.Conn
	gate *gate
	life int
	done chan struct{}
	once sync.Once
}

// admit lets a new connection stand before the gate.
func (g *gate) admit(conn net.Conn) *gatedConn {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &gatedConn{Conn: conn, gate: g, life: g.life, done: make(chan struct{})}
	g.conns[c] = true
	return c
}

func (c *gatedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if gone := c.gate.pass(c.life, c.done); gone != nil {
		return 0, gone
	}
	return n, err
}

func (c *gatedConn) Write(b []byte) (int, error) {
	if gone := c.gate.pass(c.life, c.done); gone != nil {
		return 0, gone
	}
	return c.Conn.Write(b)
}

// Close ends the connection for both sides.
func (c *gatedConn) Close() error {
	c.gate.mu.Lock()
	delete(c.gate.conns, c)
	c.gate.mu.Unlock()
	return c.shut()
}

func (c *gatedConn) shut() (err error) {
	c.once.Do(func() {
		close(c.done)
		err = c.Conn.Close()
	})
	return err
}

// reset is the RST of a host that does not know the connection. The gate's
// lock is held.
func (c *gatedConn) reset() {
	delete(c.gate.conns, c)
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.shut()
}
