// Package machine is one simulated host below Chef Backend: a folder as its
// file system, processes, and a POSIX shell with a closed set of commands. It
// runs nothing and reads nothing of the machine it is simulated on: every path
// is resolved inside the folder, every command is a function of this package
// or of the cluster's model, and what is neither answers 127.
package machine

import (
	"context"
	"io"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"chef-backend-cockpit/cluster"
)

// Command is a running command of the model.
type Command interface {
	// Poll takes what was written since the last call, and says whether the
	// command has ended.
	Poll() (out, errOut []byte, exit int, done bool)
	Kill()
}

// Asker is a Command that may ask something at its terminal.
type Asker interface {
	Asking() bool
	Answer(line string)
	HangUp() // the end of the input
}

// Options make a Machine. All functions must be safe for concurrent use.
type Options struct {
	Name    string // host name
	Address string // its address in the cluster
	Dir     string // an existing, empty folder: the root of its file system
	Clock   cluster.Clock
	Now     func() time.Time // the machine's own clock
	// Exec begins a command of the model, on a terminal or not; false: there is
	// none of that name. PWD in env is its folder.
	Exec func(argv []string, env map[string]string, tty bool) (Command, bool)
	// Weight is how many bytes a file or folder claims to have, Busy which
	// files in it are being written. nil: none.
	Weight func(path string) int64
	Busy   func(path string) []string
	// Commands are the paths at which the model's commands are found.
	Commands []string
	// Stepped is closed when the model has moved on.
	Stepped func() <-chan struct{}
	// Virtual is the content of a file that only a kernel makes.
	Virtual func(path string) ([]byte, bool)
	// Refuse is why a user may not write to a path, or nil: its file system
	// is full (asked where something is made or grows) or can only be read, or
	// it belongs to somebody else. nil lets everything be written.
	Refuse func(user, path string, grows bool) error
	NewPID func() int
	// Show and Hide keep a process in the list that ps prints.
	Show func(pid int, args string)
	Hide func(pid int)
	// Step hears the text of every detached command, when it begins.
	Step func(text string)
}

// Machine is a host that has power, or not. It is safe for concurrent use.
type Machine struct {
	o     Options
	files *Files
	texts *texts

	mu      sync.Mutex
	power   context.Context // ends when the power goes
	cut     context.CancelFunc
	procs   map[int]*process
	locks   map[string]*fileLock // of flock, by path
	temps   int                  // names given out by mktemp
	running sync.WaitGroup       // detached jobs and sessions
}

// New makes a machine with power and lays out its file system.
func New(o Options) (*Machine, error) {
	files, err := OpenFiles(o.Dir)
	if err != nil {
		return nil, err
	}
	m := &Machine{o: o, files: files, texts: newTexts(), procs: map[int]*process{}, locks: map[string]*fileLock{}}
	m.power, m.cut = context.WithCancel(context.Background())
	if err := m.layout(); err != nil {
		files.Close()
		return nil, err
	}
	return m, nil
}

// Files is the machine's file system.
func (m *Machine) Files() *Files { return m.files }

// PowerOff ends every process, detached ones too.
func (m *Machine) PowerOff() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cut()
}

// PowerOn lets processes begin again after PowerOff.
func (m *Machine) PowerOn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.power.Err() != nil {
		m.power, m.cut = context.WithCancel(context.Background())
	}
}

// Close takes the power away for good, waits for every process and gives the
// file system back. The folder stays.
func (m *Machine) Close() error {
	m.PowerOff()
	m.running.Wait()
	return m.files.Close()
}

// Session is one login that runs one command.
type Session struct {
	User string // root, or anybody else, who may use sudo
	// Text is what the login shell runs; Argv is run without a shell instead.
	Text  string
	Argv  []string
	Stdin *os.File // nil: closed
	// TTY says that Stdin is a terminal; Signals are its keys and its end.
	TTY     bool
	Signals <-chan syscall.Signal
	Stdout  io.Writer
	Stderr  io.Writer
}

// Run runs a session to its end and returns its exit status. When ctx ends or
// the power goes, its processes die with it, detached ones excepted.
func (m *Machine) Run(ctx context.Context, s Session) int {
	power, ok := m.enter()
	if !ok {
		return killed
	}
	defer m.running.Done()
	ctx, end := context.WithCancel(ctx)
	defer end()
	stop := context.AfterFunc(power, end)
	defer stop()

	p := m.begin(nil, ctx, "sshd: "+s.User)
	defer m.end(p)
	c := &call{m: m, p: p, ctx: p.ctx, dir: "/root", in: s.Stdin, out: s.Stdout, err: s.Stderr, env: m.login(s.User)}
	if s.User != "root" {
		c.uid, c.dir = 1000, "/home/"+s.User
		m.files.Mkdir(c.dir) // a folder that cannot be made shows in the first cd
	}
	if s.TTY {
		c.tty = s.Stdin
		go m.foreground(ctx, p.session, p.pid, s.Signals)
	}
	c.login = s.Argv == nil
	args := s.Argv
	if args == nil {
		args = []string{"/bin/sh", "-c", s.Text}
	}
	return c.run(args)
}

// foreground passes signals of a terminal on. What runs in the foreground
// gets them, and whoever traps them.
func (m *Machine) foreground(ctx context.Context, session, login int, signals <-chan syscall.Signal) {
	for {
		select {
		case s := <-signals:
			all := m.group(session)
			for _, p := range all {
				if p.pid != login && (p.minds(s) || !parentOf(p, all)) {
					p.deliver(s)
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

func parentOf(p *process, all []*process) bool {
	for _, o := range all {
		if o.parent == p.pid {
			return true
		}
	}
	return false
}

// enter counts somebody in who must leave before Close returns.
func (m *Machine) enter() (context.Context, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.power.Err() != nil {
		return nil, false
	}
	m.running.Add(1)
	return m.power, true
}

// login is the environment that sshd gives: the machine's own, never that of
// the process that simulates it.
func (m *Machine) login(user string) map[string]string {
	home := "/root"
	if user != "root" {
		home = "/home/" + user
	}
	return map[string]string{
		"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "USER": user,
		"LOGNAME": user, "SHELL": "/bin/sh",
	}
}

func (m *Machine) weight(p string) int64 {
	if m.o.Weight == nil {
		return 0
	}
	return m.o.Weight(p)
}

func (m *Machine) busy(p string) []string {
	if m.o.Busy == nil {
		return nil
	}
	return m.o.Busy(p)
}

// stub is the content of every command's file. Only that it is there and may
// be executed matters: taking the file away takes the command away.
const stub = "#!simulated\n"

func (m *Machine) layout() error {
	for _, dir := range []string{"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/etc", "/root", "/home", "/tmp", "/var/tmp", "/run",
		"/opt/chef-backend/embedded/bin", "/opt/chef-backend/bin"} {
		if err := m.files.Mkdir(dir); err != nil {
			return err
		}
	}
	for link, to := range map[string]string{"/bin": "usr/bin", "/sbin": "usr/sbin"} {
		if err := m.files.Symlink(to, link); err != nil {
			return err
		}
	}
	for name := range commands {
		dir := "/usr/bin/"
		switch name {
		case "chpst":
			dir = "/opt/chef-backend/embedded/bin/"
		case "sshd":
			dir = "/usr/sbin/"
		}
		if err := m.files.install(dir + name); err != nil {
			return err
		}
	}
	for _, path := range m.o.Commands {
		if err := m.files.install(path); err != nil {
			return err
		}
	}
	return m.files.Write("/etc/hostname", []byte(m.o.Name+"\n"))
}

// clockTicks is a moment as /proc tells it, in hundredths of a second.
func clockTicks(t time.Time) string { return strconv.FormatInt(t.UnixMilli()/10%1e10, 10) }
