package remote

import (
	"io"
	"net"
	"testing"
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
