//go:build linux

package standin

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"time"
)

const epmdPort = 4369

// runEpmd is `standin epmd`: it listens, and answers the names request as the
// Erlang port mapper does, with leaderl as its only name.
func runEpmd(ctx context.Context, _ *host) error {
	port, err := net.Listen("tcp", "0.0.0.0:4369")
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		_ = port.Close()
	}()
	for {
		c, err := port.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go answerEpmd(c)
	}
}

// answerEpmd reads one request: two bytes of length, then its kind. Only the
// names request, 'n', gets an answer.
func answerEpmd(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	head := make([]byte, 3)
	if _, err := io.ReadFull(c, head); err != nil || head[2] != 'n' {
		return
	}
	answer := binary.BigEndian.AppendUint32(nil, epmdPort)
	_, _ = c.Write(append(answer, "name leaderl at port 7331\n"...))
}
