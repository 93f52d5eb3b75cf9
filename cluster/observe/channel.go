package observe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"chef-backend-cockpit/remote"
)

// maxAnswer is how many bytes of one look are read, in bytes. The probe bounds
// its sections below that; more means that something else talks on the channel.
const maxAnswer = 4 << 20

var (
	errTooLong = errors.New("the answer is too long")
	errEnded   = errors.New("the probe's shell ended")
)

// channel is a long-lived session on a node that answers looks. After any
// failure it is closed and the next look opens a new one, so what a late answer
// leaves behind is never read as another's. Only one goroutine asks.
type channel struct {
	host    remote.Host
	name    string // what a process list on the node shows
	session remote.Session
	data    chan []byte
	stop    chan struct{}
	readers sync.WaitGroup
}

// ask sends one look and returns its raw answer, which may have noise before
// it. With an error it returns what came until then. ctx is its deadline.
func (c *channel) ask(ctx context.Context, kind, nonce, peers string) ([]byte, error) {
	old := c.session != nil
	raw, err := c.tryAsk(ctx, kind, nonce, peers)
	if err != nil {
		c.close()
	}
	if old && len(raw) == 0 && errors.Is(err, errEnded) {
		// The session ended between two looks, as with a link that came back.
		if raw, err = c.tryAsk(ctx, kind, nonce, peers); err != nil {
			c.close()
		}
	}
	return raw, err
}

func (c *channel) tryAsk(ctx context.Context, kind, nonce, peers string) ([]byte, error) {
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	// Writing waits when the node does not read, so it has a goroutine that
	// close sets free.
	wrote := make(chan error, 1)
	in := c.session.Stdin()
	c.readers.Go(func() {
		defer remote.Guard()
		_, err := io.WriteString(in, "look "+kind+" "+nonce+peers+"\n")
		wrote <- err
	})
	last := []byte("\n@@" + nonce + " done\n")
	var raw []byte
	for {
		select {
		case <-ctx.Done():
			return raw, ctx.Err()
		case err := <-wrote:
			if err != nil {
				return raw, fmt.Errorf("%w: %w", errEnded, err)
			}
			wrote = nil
		case chunk, ok := <-c.data:
			if !ok {
				return raw, errEnded
			}
			from := max(0, len(raw)-len(last))
			if raw = append(raw, chunk...); bytes.Contains(raw[from:], last) {
				return raw, nil
			}
			if len(raw) > maxAnswer {
				return raw, errTooLong
			}
		}
	}
}

// open starts the session if there is none.
func (c *channel) open(ctx context.Context) error {
	if c.session != nil {
		return nil
	}
	s, err := c.host.Start(ctx, remote.Script{Name: c.name, Text: loopText})
	if err != nil {
		return err
	}
	c.session, c.data, c.stop = s, make(chan []byte, 4), make(chan struct{})
	data, stop := c.data, c.stop
	c.readers.Go(func() {
		defer remote.Guard()
		read(s.Stdout(), data, stop)
	})
	return nil
}

// read passes on what the node says until the session ends. Nobody listening,
// it waits: a node that floods the channel is held back by the window.
func read(from io.Reader, to chan<- []byte, stop <-chan struct{}) {
	defer close(to)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			select {
			case to <- bytes.Clone(buf[:n]):
			case <-stop:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// close ends the session and waits for what read and wrote on it.
func (c *channel) close() {
	if c.session == nil {
		return
	}
	close(c.stop)
	c.session.Close()
	c.readers.Wait()
	c.session = nil
}
