package simulation

import (
	"context"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"chef-backend-cockpit/remote"
)

// handshakeTime bounds how long a connection may take to log in, as sshd's
// LoginGraceTime does; without it the dials of a long cut would pile up.
const handshakeTime = 2 * time.Minute

// leaving is how long a session that has ended may take to give its place back:
// a real server has done so before it reads what the client sends next.
const leaving = 100 * time.Millisecond

// server is the SSH server of one node.
type server struct {
	c        *Cluster
	n        *node
	listener net.Listener
	ctx      context.Context // ends with the server
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// listen starts a server on a free port of the loopback interface.
func (c *Cluster) listen(n *node) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{c: c, n: n, listener: listener, conns: map[net.Conn]bool{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.running.Go(s.accept)
	return s, nil
}

func (s *server) address() string { return s.listener.Addr().String() }

// accept takes every connection, as the kernel of a host would; whether the
// host answers is the gate's business.
func (s *server) accept() {
	defer remote.Guard()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // the listener is closed: nothing else ends it
		}
		gated := s.n.gate.admit(conn)
		s.mu.Lock()
		closed := s.ctx.Err() != nil
		if !closed {
			s.conns[gated] = true
			s.running.Go(func() {
				defer remote.Guard()
				s.serve(gated)
			})
		}
		s.mu.Unlock()
		if closed {
			gated.Close()
		}
	}
}

// close ends all connections and waits for everything that they started.
func (s *server) close() {
	s.listener.Close()
	s.mu.Lock()
	s.stop()
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

func (s *server) serve(conn *gatedConn) {
	defer func() {
		conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	greeted := make(chan struct{})
	s.running.Go(func() {
		defer remote.Guard()
		select {
		case <-greeted:
		case <-s.c.clock.After(handshakeTime):
			conn.Close()
		case <-s.ctx.Done():
		}
	})
	// A host that is cut off sends no banner.
	if err := s.n.gate.pass(conn.life, conn.done); err != nil {
		close(greeted)
		return
	}
	login, channels, requests, err := ssh.NewServerConn(conn, s.n.login.config())
	close(greeted)
	if err != nil {
		return // the client knows why; a host would note it in its own log
	}
	defer login.Close()
	s.running.Go(func() {
		defer remote.Guard()
		for r := range requests {
			if r.WantReply {
				r.Reply(false, nil) // keepalive@openssh.com too: the answer is the sign of life
			}
		}
	})
	var sessions sync.WaitGroup
	defer sessions.Wait()
	free := make(chan struct{}, s.n.machine.MaxSessions())
	for opening := range channels {
		if opening.ChannelType() != "session" {
			opening.Reject(ssh.Prohibited, "only sessions")
			continue
		}
		select {
		case free <- struct{}{}:
		case <-s.c.clock.After(leaving):
			opening.Reject(ssh.ConnectionFailed, "open failed")
			continue
		}
		channel, requests, err := opening.Accept()
		if err != nil {
			<-free
			continue
		}
		sessions.Go(func() {
			defer remote.Guard()
			newSession(s, channel, login.User()).serve(s.ctx, requests)
			<-free
		})
	}
}
