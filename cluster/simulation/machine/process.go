package machine

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Exit statuses of what a signal ended, as a shell tells them.
const (
	killed = 128 + int(syscall.SIGKILL)
	termed = 128 + int(syscall.SIGTERM)
)

// process is a shell, a background job of one, or a login. Other commands are
// part of the process that runs them: nothing on a node needs their pid.
type process struct {
	m           *Machine
	pid, parent int
	session     int // pid of the session's first process: what setsid makes
	name        string
	born        time.Time
	ctx         context.Context // ends when it is killed
	kill        context.CancelFunc
	step        *step // the detached command it belongs to, if any
	begun       chan struct{}
	ended       chan struct{}
	once, last  sync.Once

	mu     sync.Mutex
	umask  uint32
	signal syscall.Signal // what killed it
	due    []string       // signals for which a trap is still to run
	traps  map[string]string
}

// step is one detached command: it is told once, by its innermost text that a
// wrapper does not hide.
type step struct {
	once sync.Once
	pid  int
}

// tell records the text of a detached command and shows it to ps.
func (s *step) tell(m *Machine, text string) {
	s.once.Do(func() {
		m.o.Step(text)
		m.o.Show(s.pid, "sh -c "+strings.ReplaceAll(text, "\n", " "))
	})
}

// begin makes a process. Its life is bounded by ctx.
func (m *Machine) begin(parent *process, ctx context.Context, name string) *process {
	p := &process{m: m, pid: m.o.NewPID(), name: name, born: m.o.Now(), umask: 0o022,
		begun: make(chan struct{}), ended: make(chan struct{}), traps: map[string]string{}}
	p.session = p.pid
	p.ctx, p.kill = context.WithCancel(ctx)
	if parent != nil {
		p.parent, p.session, p.umask, p.step = parent.pid, parent.session, parent.mask(), parent.step
	}
	m.mu.Lock()
	m.procs[p.pid] = p
	m.mu.Unlock()
	return p
}

// end forgets a process.
func (m *Machine) end(p *process) {
	p.last.Do(func() {
		p.kill()
		close(p.ended)
		m.mu.Lock()
		delete(m.procs, p.pid)
		m.mu.Unlock()
	})
}

func (m *Machine) process(pid int) *process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.procs[pid]
}

// group is every process of a session.
func (m *Machine) group(session int) (all []*process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.procs {
		if p.session == session {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *process) int { return a.pid - b.pid })
	return all
}

// started tells a shell that waits for its job to be under way.
func (p *process) started() { p.once.Do(func() { close(p.begun) }) }

func (p *process) mask() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.umask
}

// deliver is what a signal does to the process.
func (p *process) deliver(s syscall.Signal) {
	name := signalName(s)
	p.mu.Lock()
	text, trapped := p.traps[name]
	switch {
	case s == 0 || s == syscall.SIGCONT || s == syscall.SIGCHLD || s == syscall.SIGSTOP:
	case trapped && s != syscall.SIGKILL:
		if text != "" {
			p.due = append(p.due, name)
		}
	default:
		p.signal = s
		p.mu.Unlock()
		p.kill()
		return
	}
	p.mu.Unlock()
}

// minds says whether the process has a trap for a signal.
func (p *process) minds(s syscall.Signal) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, trapped := p.traps[signalName(s)]
	return trapped
}

// status is the exit status of a killed process; 0 while it may go on.
func (p *process) status() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.signal != 0:
		return 128 + int(p.signal)
	case p.ctx.Err() != nil:
		return termed
	}
	return 0
}

// trap takes the text of a trap that is due.
func (p *process) trap() (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.due) == 0 {
		return "", false
	}
	name := p.due[0]
	p.due = p.due[1:]
	return p.traps[name], true
}

// stat is the line of /proc/PID/stat; only the fields that somebody reads are
// true: pid, name, parent, session and the start time.
func (p *process) stat() []byte {
	return fmt.Appendf(nil, "%d (%s) S %d %d %d 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 %s 2617344 256\n",
		p.pid, path.Base(strings.Fields(p.name + " sh")[0]), p.parent, p.session, p.session, clockTicks(p.born))
}

var signals = []struct {
	name   string
	signal syscall.Signal
}{
	{"HUP", syscall.SIGHUP}, {"INT", syscall.SIGINT}, {"QUIT", syscall.SIGQUIT}, {"KILL", syscall.SIGKILL},
	{"USR1", syscall.SIGUSR1}, {"USR2", syscall.SIGUSR2}, {"PIPE", syscall.SIGPIPE}, {"ALRM", syscall.SIGALRM},
	{"TERM", syscall.SIGTERM}, {"CHLD", syscall.SIGCHLD}, {"CONT", syscall.SIGCONT}, {"STOP", syscall.SIGSTOP},
}

func signalName(s syscall.Signal) string {
	for _, k := range signals {
		if k.signal == s {
			return k.name
		}
	}
	return ""
}

// signalOf reads a signal as kill and trap take it: TERM, SIGTERM or 15.
func signalOf(word string) (syscall.Signal, bool) {
	if word == "0" {
		return 0, true
	}
	word = strings.TrimPrefix(strings.ToUpper(word), "SIG")
	for _, k := range signals {
		if k.name == word || fmt.Sprint(int(k.signal)) == word {
			return k.signal, true
		}
	}
	return 0, false
}
