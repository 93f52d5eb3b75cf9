package remote

import (
	"io"
	"net"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Once a read has failed nothing can be written any more: a channel that is
// asked for after the library has released all that wait must fail, not wait.
func TestNothingIsWrittenAfterTheEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	near, err := net.Dial("tcp", listener.Addr().String())
	must(t, err)
	defer near.Close()
	far, err := listener.Accept()
	must(t, err)
	defer far.Close()
	must(t, far.(*net.TCPConn).CloseWrite()) // it ends its side, and would still take what comes
	h := newHeard(near)
	if _, err := h.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if _, err := h.Write([]byte("open a channel")); err == nil {
		t.Error("a request was written that nobody answers")
	}
}

// slowChannel takes what is written when it is told to.
type slowChannel struct {
	ssh.Channel
	writes, goOn chan struct{}
	mu           sync.Mutex
	did          []string
}

func (c *slowChannel) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did = append(c.did, what)
}

func (c *slowChannel) Write(p []byte) (int, error) {
	c.writes <- struct{}{}
	<-c.goOn
	c.note("written")
	return len(p), nil
}

func (c *slowChannel) CloseWrite() error { c.note("closed"); return nil }

// The library may not be told that the input ends while it writes: a heartbeat
// is under way when the lock is given up. Whoever closes does not wait for it.
func TestInputIsClosedBehindWhatIsBeingWritten(t *testing.T) {
	c := &slowChannel{writes: make(chan struct{}), goOn: make(chan struct{})}
	in, wrote := &stdin{channel: c}, make(chan struct{})
	go func() {
		defer close(wrote)
		io.WriteString(in, "1\n")
	}()
	<-c.writes
	must(t, in.Close())
	if _, err := io.WriteString(in, "2\n"); err == nil {
		t.Error("written after it was closed")
	}
	close(c.goOn)
	<-wrote
	must(t, in.Close())
	if len(c.did) != 2 || c.did[0] != "written" || c.did[1] != "closed" {
		t.Errorf("in order: %q", c.did)
	}
}
