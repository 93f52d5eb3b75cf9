package remote

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
)

// server is an SSH server for tests. It runs what it is asked to with a shell
// of this machine and falls silent where it is told.
type server struct {
	t        *testing.T
	listener net.Listener
	config   *ssh.ServerConfig
	env      []string    // of the commands
	prefix   string      // shell text that a noisy login shell runs first
	sessions int32       // at most so many at once; 0: any number
	noPTY    atomic.Bool // no terminals

	silent    atomic.Value // string: the stage at which it says nothing more
	used      atomic.Int32 // open sessions
	mostUsed  atomic.Int32
	dials     atomic.Int32
	forwarded atomic.Int32
	begun     sync.Once
	done      chan struct{}
	mu        sync.Mutex
	conns     []*gate
	wait      sync.WaitGroup
}

// gate is a connection that can be cut without a word: what is sent vanishes,
// nothing comes in.
type gate struct {
	net.Conn
	shut   atomic.Bool
	slow   sync.RWMutex // locked: what is sent waits
	closed chan struct{}
	once   sync.Once
}

func (g *gate) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if g.shut.Load() {
		<-g.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (g *gate) Write(p []byte) (int, error) {
	if g.shut.Load() {
		return len(p), nil
	}
	g.slow.RLock()
	defer g.slow.RUnlock()
	return g.Conn.Write(p)
}

func (g *gate) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.Conn.Close()
}

// newKey makes a key and its file in OpenSSH's form, encrypted if a passphrase
// is given.
func newKey(t *testing.T, passphrase string) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	must(t, err)
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	must(t, err)
	path := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	return signer, path
}

// newServer listens on a free port and accepts the login "ops" with one key.
func newServer(t *testing.T, client ssh.PublicKey, hostKeys ...ssh.Signer) *server {
	t.Helper()
	s := &server{t: t, done: make(chan struct{}), env: os.Environ()}
	s.silent.Store("")
	s.config = &ssh.ServerConfig{
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if s.isSilent("auth") {
				<-s.done
			}
			if c.User() != "ops" || !sameKey(key, client) {
				return nil, errors.New("not this one")
			}
			return nil, nil
		},
		BannerCallback: func(ssh.ConnMetadata) string { return "authorised staff only\x1b]0;x\a\n" },
	}
	for _, k := range hostKeys {
		s.config.AddHostKey(k)
	}
	s.listen("127.0.0.1:0")
	t.Cleanup(s.stop)
	return s
}

func (s *server) listen(address string) {
	var err error
	s.listener, err = net.Listen("tcp", address)
	must(s.t, err)
}

// begin accepts connections; what a test sets up is set up by then.
func (s *server) begin() { s.begun.Do(s.accept) }

func (s *server) accept() {
	listener := s.listener
	s.wait.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			s.dials.Add(1)
			g := &gate{Conn: c, closed: make(chan struct{})}
			s.mu.Lock()
			s.conns = append(s.conns, g)
			s.mu.Unlock()
			s.wait.Go(func() { s.serve(g) })
		}
	})
}

func (s *server) address() string { return s.listener.Addr().String() }

func (s *server) isSilent(stage string) bool { return s.silent.Load() == stage }

// blackhole makes every present connection vanish.
func (s *server) blackhole() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.conns {
		g.shut.Store(true)
	}
}

// stall holds back what the server sends until the returned function is called.
func (s *server) stall() (resume func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := slices.Clone(s.conns)
	for _, g := range held {
		g.slow.Lock()
	}
	return func() {
		for _, g := range held {
			g.slow.Unlock()
		}
	}
}

// cut closes every present connection, as a rebooting host does.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.conns {
		g.Close()
	}
	s.conns = nil
}

func (s *server) stop() {
	s.listener.Close()
	close(s.done)
	s.cut()
	s.wait.Wait()
}

func (s *server) serve(g *gate) {
	defer g.Close()
	switch s.silent.Load() {
	case "accept":
		<-s.done
		return
	case "banner":
		io.WriteString(g, "SSH-2.0-half")
		<-s.done
		return
	case "kex":
		io.WriteString(g, "SSH-2.0-whole\r\n")
		<-s.done
		return
	case "http":
		io.WriteString(g, "HTTP/1.0 400 Bad \x1b[31mRequest\r\n\r\n")
		return
	}
	conn, channels, requests, err := ssh.NewServerConn(g, s.config)
	if err != nil {
		return
	}
	defer conn.Close()
	s.wait.Go(func() { ssh.DiscardRequests(requests) })
	for c := range channels {
		if s.isSilent("channel") {
			continue
		}
		s.wait.Go(func() { s.channel(c) })
	}
}

func (s *server) channel(c ssh.NewChannel) {
	if c.ChannelType() == "direct-tcpip" {
		s.forward(c)
		return
	}
	n := s.used.Add(1)
	if most := atomic.LoadInt32(&s.sessions); most > 0 && n > most {
		s.used.Add(-1)
		c.Reject(ssh.ConnectionFailed, "open failed")
		return
	}
	for old := s.mostUsed.Load(); n > old && !s.mostUsed.CompareAndSwap(old, n); old = s.mostUsed.Load() {
	}
	channel, requests, err := c.Accept()
	if err != nil {
		s.used.Add(-1)
		return
	}
	defer func() {
		s.used.Add(-1) // before the client hears of the end and opens the next
		channel.Close()
	}()
	var size *pty.Winsize
	for r := range requests {
		var m struct{ Command string }
		if r.Type == "pty-req" && !s.noPTY.Load() {
			size = ptySize(r)
			r.Reply(size != nil, nil)
			continue
		}
		if r.Type != "exec" || ssh.Unmarshal(r.Payload, &m) != nil {
			r.Reply(false, nil)
			continue
		}
		r.Reply(true, nil)
		if size != nil {
			s.runOnPTY(channel, requests, m.Command, size)
			return
		}
		s.run(channel, m.Command)
		return
	}
}

// run gives a command to a login shell. "exit missing" and "killed" stand for
// ends that a shell cannot show.
func (s *server) run(channel ssh.Channel, command string) {
	switch {
	case strings.Contains(command, "exit missing"):
		return
	case strings.Contains(command, "killed"):
		channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Signal  string
			Dumped  bool
			Message string
			Lang    string
		}{"KILL", false, "", ""}))
		return
	}
	shell := exec.Command("sh", "-c", s.prefix+command)
	shell.Env, shell.Stdout, shell.Stderr = s.env, channel, channel.Stderr()
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := shell.StdinPipe()
	if err != nil || shell.Start() != nil {
		return
	}
	s.wait.Go(func() {
		io.Copy(in, channel)
		in.Close()
	})
	ended := make(chan struct{})
	s.wait.Go(func() {
		select {
		case <-s.done: // a test's end leaves no process behind
			syscall.Kill(-shell.Process.Pid, syscall.SIGKILL)
		case <-ended:
		}
	})
	shell.Wait()
	close(ended)
	status := struct{ Status uint32 }{uint32(shell.ProcessState.ExitCode())}
	channel.SendRequest("exit-status", false, ssh.Marshal(status))
}

func (s *server) forward(c ssh.NewChannel) {
	var m struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}
	if ssh.Unmarshal(c.ExtraData(), &m) != nil {
		c.Reject(ssh.Prohibited, "garbled")
		return
	}
	to, err := net.DialTimeout("tcp", net.JoinHostPort(m.Host, fmt.Sprint(m.Port)), time.Second)
	if err != nil {
		c.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	defer to.Close()
	channel, requests, err := c.Accept()
	if err != nil {
		return
	}
	s.forwarded.Add(1)
	s.wait.Go(func() { ssh.DiscardRequests(requests) })
	s.wait.Go(func() {
		io.Copy(channel, to)
		channel.Close()
	})
	io.Copy(to, channel)
}
