package simulation

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"chef-backend-cockpit/cluster/simulation/machine"

	"chef-backend-cockpit/remote"
)

// sessionGrace is what the processes of a closed channel get to end by
// themselves, having seen the end of their input.
const sessionGrace = 2 * time.Second

// session is one channel of a connection: at most one command.
type session struct {
	server  *server
	channel ssh.Channel
	user    string
	started bool
	pty     bool
	running sync.WaitGroup
}

func newSession(s *server, channel ssh.Channel, user string) *session {
	return &session{server: s, channel: channel, user: user}
}

// serve answers requests until the channel is closed, then waits for what it
// started.
func (s *session) serve(ctx context.Context, requests <-chan *ssh.Request) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	for r := range requests {
		ok := s.request(r)
		if r.WantReply {
			r.Reply(ok, nil)
		}
		if ok && !s.started && (r.Type == "exec" || r.Type == "shell") {
			s.started = true
			text := requested(r)
			s.running.Go(func() {
				defer remote.Guard()
				s.run(ctx, text)
			})
		}
	}
	ended := make(chan struct{})
	go func() {
		defer remote.Guard()
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return
	case <-s.server.c.clock.After(sessionGrace):
	case <-ctx.Done():
	}
	end()
	<-ended
}

// request says whether a request is granted. The environment is refused, as
// by a server that accepts no variables; signals are taken and do nothing, as
// where the login is root's.
func (s *session) request(r *ssh.Request) bool {
	switch r.Type {
	case "exec", "shell":
		return !s.started
	case "pty-req":
		s.pty = !s.started
		return s.pty
	case "window-change", "signal":
		return true
	}
	return false
}

// requested is what the login shell is to run; a shell without a command reads
// its input.
func requested(r *ssh.Request) string {
	var exec struct{ Command string }
	if r.Type == "exec" && ssh.Unmarshal(r.Payload, &exec) == nil {
		return exec.Command
	}
	return "exec /bin/sh -s"
}

// run runs the command and closes the channel behind it.
func (s *session) run(ctx context.Context, text string) {
	defer s.channel.Close()
	in, feed, err := os.Pipe()
	if err != nil {
		s.exit(255)
		return
	}
	defer in.Close()
	login := machine.Session{User: s.user, Text: text, Stdin: in, Stdout: &shared{w: s.channel}, Stderr: &shared{w: s.channel.Stderr()}}
	var input io.Writer = feed
	hangUp := func() {}
	if s.pty {
		t := newTerminal(&shared{w: s.channel}, feed)
		login.TTY, login.Signals, login.Stdout, login.Stderr, input = true, t.signals, t, t, keyboard{t}
		hangUp = func() { t.signal(syscall.SIGHUP) }
	}
	s.running.Go(func() {
		defer remote.Guard()
		if _, err := io.Copy(input, s.channel); !errors.Is(err, errEnd) {
			hangUp()
		}
		feed.Close()
		io.Copy(io.Discard, s.channel) // nobody reads on, but the window must not fill
	})
	s.exit(s.server.n.machine.Run(ctx, login))
}

func (s *session) exit(status int) {
	s.channel.CloseWrite()
	s.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
}

// shared lets several processes write to one stream without mixing a write.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}
