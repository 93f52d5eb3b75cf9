package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Local is the machine that the program itself runs on, as a Host without SSH:
// scripts run in a shell of their own, as root or through sudo -n, in a session
// of their own and with the environment that sshd would give them. What is
// detached there lives on when the program ends. All methods are safe for
// concurrent use.
type Local struct {
	name    string
	timings Timings
	ctx     context.Context
	cancel  context.CancelFunc
	again   chan struct{} // Retry was called
	stopped chan struct{} // nobody tries to become root any more

	mu   sync.Mutex
	link Link
	sudo bool
}

// NewLocal is this machine under a name of its own. Whether sudo -n makes it root
// is found out in the background and shows in Link; a root of its own is live at
// once. There is no host key: the fingerprint stays empty.
func NewLocal(name string) *Local {
	l := &Local{name: name, timings: DefaultTimings(), again: make(chan struct{}, 1), stopped: make(chan struct{}),
		link: Link{Phase: Connecting, Since: System{}.Now(), User: currentUser()}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	if os.Geteuid() == 0 {
		l.set(Live, false, nil)
		close(l.stopped)
		return l
	}
	go l.keep()
	return l
}

// keep tries sudo, and again at each Retry, until it works or the host is closed.
func (l *Local) keep() {
	defer Guard()
	defer close(l.stopped)
	for {
		err := l.gainRoot()
		if err == nil {
			l.set(Live, true, nil)
			return
		}
		l.set(Refused, false, err)
		select {
		case <-l.again:
			l.set(Connecting, false, nil)
		case <-l.ctx.Done():
			return
		}
	}
}

// gainRoot finds out whether sudo asks for nothing.
func (l *Local) gainRoot() *Error {
	ctx, cancel := context.WithTimeout(l.ctx, l.timings.Open)
	defer cancel()
	r, err := l.run(ctx, Script{Name: "cockpit-login", Text: loginScript, Limit: 64 << 10}, true)
	if err == nil && isRoot(r) {
		return nil
	}
	user := currentUser()
	said := lastWords(r)
	if errors.Is(err, exec.ErrNotFound) {
		r.Exit, said = 127, "there is no sudo"
	}
	return &Error{Host: l.name, Kind: NoPrivilege, Remedy: strings.Replace(sudoRemedy(user, r), "log in as root", "run the cockpit as root", 1),
		Text: fmt.Sprintf("%s is not root on this machine and sudo -n does not make it so: %s", Safe([]byte(user)), said)}
}

func (l *Local) set(phase Phase, sudo bool, err *Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil && phase != Lost {
		return // closed meanwhile
	}
	if l.link.Phase != phase {
		l.link.Phase, l.link.Since = phase, System{}.Now()
	}
	l.link.Err = nil
	if err != nil {
		l.link.Err = err
	}
	l.link.Privileged, l.sudo = phase == Live, sudo
}

// Name is the name that was given.
func (l *Local) Name() string { return l.name }

// Link tells whether scripts can run as root here.
func (l *Local) Link() Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.link
}

// Retry tries sudo again; it never blocks.
func (l *Local) Retry() {
	select {
	case l.again <- struct{}{}:
	default:
	}
}

// Close ends the input of every session, as a link that is closed would.
func (l *Local) Close() error {
	l.cancel()
	l.set(Lost, false, &Error{Host: l.name, Kind: LinkLost, Text: "the host was closed here"})
	wait := time.NewTimer(time.Second)
	defer wait.Stop()
	select {
	case <-l.stopped:
	case <-wait.C:
	}
	return nil
}

// ready is how a script gets its rights, or why there are none.
func (l *Local) ready() (sudo bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.link.Phase == Live:
		return l.sudo, nil
	case l.link.Err != nil:
		return false, l.link.Err
	}
	return false, &Error{Host: l.name, Kind: LinkLost, Text: "not ready yet", Remedy: "wait until sudo has answered"}
}

// Start starts a script whose input and output stay open; see Host. The caller
// closes the session.
func (l *Local) Start(_ context.Context, s Script) (Session, error) {
	sudo, err := l.ready()
	if err != nil {
		return nil, err
	}
	session, err := l.start(s, sudo, &lastBytes{limit: keptStderr})
	if err != nil {
		return nil, l.broken(err)
	}
	return session, nil
}

// Run runs a script to its end or until ctx is done; see Host. One that is given
// up goes on, as it would at the other end of a link.
func (l *Local) Run(ctx context.Context, s Script) (Result, error) {
	sudo, err := l.ready()
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := bounded(ctx, l.timings.Run)
	defer cancel()
	return l.run(ctx, s, sudo)
}

func (l *Local) run(ctx context.Context, script Script, sudo bool) (Result, error) {
	limit := script.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	out, errs := &firstBytes{limit: limit}, &firstBytes{limit: limit}
	s, err := l.start(script, sudo, errs)
	if err != nil {
		return Result{}, l.broken(err)
	}
	defer s.Close()
	go func() {
		defer Guard()
		in := s.Stdin()
		in.Write(script.Stdin) //nolint:errcheck // a script need not read its input
		in.Close()
	}()
	read := make(chan struct{})
	go func() {
		defer Guard()
		defer close(read)
		io.Copy(out, s.Stdout()) //nolint:errcheck // what came is what there is
	}()
	select {
	case <-read:
	case <-ctx.Done():
	}
	select {
	case <-s.ended:
		<-s.drained
	case <-ctx.Done():
		err = lateError(l.name, ctx, "the script did not end in time: its outcome is unknown")
	}
	r := Result{Stdout: out.bytes(), Stderr: errs.bytes(), Dropped: out.dropped() + errs.dropped()}
	if err == nil {
		r.Exit, r.ExitKnown = s.exit, true
	}
	return r, err
}

// broken is the error of a script that could not be started.
func (l *Local) broken(err error) *Error {
	return &Error{Host: l.name, Kind: Protocol, Text: "no shell could be started here: " + Safe([]byte(err.Error())),
		Remedy: "check sh, sudo and the limits of processes and open files", Err: err}
}

// command is a script as a process, not started yet.
func command(s Script, sudo bool) *exec.Cmd {
	name := s.Name
	if name == "" {
		name = "sh"
	}
	argv := append([]string{"sh", "-c", s.Text, name}, s.Args...)
	if sudo {
		argv = append([]string{"sudo", "-n"}, argv...)
	}
	c := exec.Command(argv[0], argv[1:]...)
	c.Dir = "/"
	c.Env = loginEnvironment()
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C is for the screen alone
	return c
}

// loginEnvironment is what a login would have; nothing of the operator's own
// goes into a script.
func loginEnvironment() []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SHELL=/bin/sh"}
	if home, err := os.UserHomeDir(); err == nil {
		env = append(env, "HOME="+home)
	}
	return append(env, "USER="+currentUser(), "LOGNAME="+currentUser())
}
