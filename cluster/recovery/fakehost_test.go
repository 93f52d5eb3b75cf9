package recovery

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync/atomic"

	"chef-backend-cockpit/remote"
)

// fakeHost speaks the protocol of the step scripts.
type fakeHost struct {
	w    *world
	node string
}

func (h *fakeHost) Name() string { return h.node }
func (h *fakeHost) Close() error { return nil }
func (h *fakeHost) Link() remote.Link {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if h.w.nodes[h.node].unreachable {
		return remote.Link{Phase: remote.Lost}
	}
	return remote.Link{Phase: remote.Live}
}
func (h *fakeHost) Run(context.Context, remote.Script) (remote.Result, error) {
	return remote.Result{}, errors.New("not used")
}

func (h *fakeHost) Start(_ context.Context, s remote.Script) (remote.Session, error) {
	if h.Link().Phase != remote.Live {
		return nil, &remote.Error{Host: h.node, Kind: remote.LinkLost, Text: "no link"}
	}
	in, stdin := io.Pipe()
	stdout, out := io.Pipe()
	f := &fakeSession{h: h, stdin: stdin, stdout: stdout, in: in, out: out, prefix: "cockpit-step:" + s.Args[3] + " "}
	if len(s.Args) >= 9 {
		go f.step(s.Args)
	} else {
		go f.attach(s.Args)
	}
	return f, nil
}

type fakeSession struct {
	h      *fakeHost
	stdin  *io.PipeWriter
	stdout *io.PipeReader
	in     *io.PipeReader
	out    *io.PipeWriter
	prefix string
}

func (f *fakeSession) Stdin() io.WriteCloser        { return f.stdin }
func (f *fakeSession) Stdout() io.Reader            { return f.stdout }
func (f *fakeSession) Wait() (remote.Result, error) { return remote.Result{}, nil }
func (f *fakeSession) Close() error {
	f.stdin.Close()
	return f.stdout.Close()
}

func (f *fakeSession) say(format string, args ...any) {
	fmt.Fprintf(f.out, f.prefix+format+"\n", args...)
}

// step is step.sh in Go, with sessions that break where the test says so.
func (f *fakeSession) step(args []string) {
	defer f.out.Close()
	w, node, key, token, command := f.h.w, f.h.node, args[1]+"/"+args[2], args[4], args[8]
	if w.before != nil {
		w.before()
	}
	fmt.Fprintln(f.out, "noise of a login shell, and the look")
	looked := w.clock.Now()
	f.say("ready")
	line, err := bufio.NewReader(f.in).ReadString('\n')
	if late := w.clock.Now().Sub(looked) > lookMax; late || err != nil || !strings.HasPrefix(line, "go "+token+" ") {
		f.say("refused 97 no go")
		return
	}
	how := ""
	w.mu.Lock()
	for part, h := range w.cut {
		if strings.Contains(command, part) {
			how = h
		}
	}
	if w.turns > 0 {
		w.turns--
		w.mu.Unlock()
		f.say("refused 95 PostgreSQL did not answer the look and answers by now: recovery")
		return
	}
	if how == "before it starts" {
		w.mu.Unlock()
		return
	}
	if w.folders[key] != nil {
		w.mu.Unlock()
		f.say("refused 98 there")
		return
	}
	if len(args) == 10 {
		w.folders[key] = &folder{ready: true, token: token, run: command}
		w.mu.Unlock()
		f.say("prepared")
		return
	}
	w.ran = append(w.ran, node+": "+command)
	exit, output := 1, "This command requires explicit approval to continue and must be run interactively.\n"
	if w.approval == "" || !strings.Contains(command, w.approval) {
		exit, output = w.carryOut(node, command)
	}
	w.seq++
	a := act{node: node, command: command, plan: args[1], folder: args[2], began: w.clock.Now(), life: w.life, seq: w.seq, told: maps.Clone(w.told)}
	a.until = a.began.Add(w.lasting)
	w.acts = append(w.acts, a)
	w.folders[key] = &folder{output: output, exit: fmt.Sprint(exit), token: token, boot: w.nodes[node].boot, until: a.until}
	if how == "for ever" {
		w.folders[key].exit, w.folders[key].gone = "", true
	}
	w.mu.Unlock()
	f.say("started 4711")
	if w.during != nil {
		w.during()
	}
	if how != "" || w.lasting > 0 {
		return
	}
	f.tell(0, output, fmt.Sprint(exit))
}

// tell frames output and exit status.
func (f *fakeSession) tell(offset int, output, exit string) {
	if rest := output[min(offset, len(output)):]; rest != "" {
		f.say("out %d %d", offset, len(rest))
		fmt.Fprintf(f.out, "%s\n", rest)
	}
	f.say("alive yes %d", len(output))
	f.say("exit %s %d", exit, len(output))
}

// attach is step-attach.sh in Go.
func (f *fakeSession) attach(args []string) {
	defer f.out.Close()
	w := f.h.w
	w.mu.Lock()
	there, boot := w.folders[args[1]+"/"+args[2]], w.nodes[f.h.node].boot
	w.mu.Unlock()
	if w.answers != nil {
		w.answers(args)
	}
	switch {
	case f.h.w.foreign:
		f.say("refused 96 the step folder has format 2")
	case there == nil || there.ready:
		f.say("absent")
	case len(args) > 6 && there.token != "" && there.token != args[6]:
		f.say("refused 96 the step folder was made by somebody else")
	case there.boot != "" && there.boot != boot && there.exit == "":
		f.say("rebooted")
	case f.h.w.clock.Now().Before(there.until):
		f.say("started 4711")
		f.say("alive yes 0")
	case there.gone:
		f.say("started 4711")
		f.say("gone %d", len(there.output))
	default:
		var offset int
		fmt.Sscan(args[4], &offset)
		f.tell(offset, there.output, there.exit)
	}
}

// Terminal is step-terminal.sh in Go: a command that asks before it acts.
func (h *fakeHost) Terminal(_ context.Context, s remote.Script, size remote.Size) (remote.Terminal, error) {
	w := h.w
	w.mu.Lock()
	defer w.mu.Unlock()
	there := w.folders[s.Args[1]+"/"+s.Args[2]]
	if h.w.noTerminal {
		return nil, &remote.Error{Host: h.node, Kind: remote.LinkLost, Text: "no link"}
	}
	if there == nil || !there.ready || there.token != s.Args[3] {
		return nil, errors.New("nothing was made ready")
	}
	if w.idle != 0 {
		f := &fakeTerminal{h: h, ended: make(chan struct{}), result: remote.Result{Exit: w.idle, ExitKnown: true}}
		_, f.stdin = io.Pipe()
		f.stdout, f.out = io.Pipe()
		go func() {
			fmt.Fprint(f.out, "the cockpit's step was refused: the terminal came 12 s after the last look\r\n")
			f.out.Close()
			close(f.ended)
		}()
		return f, nil
	}
	there.ready = false
	w.ran = append(w.ran, fmt.Sprintf("%s (%d×%d): %s", h.node, size.Columns, size.Rows, there.run))
	f := &fakeTerminal{h: h, folder: there, ended: make(chan struct{})}
	f.typed, f.stdin = io.Pipe()
	f.stdout, f.out = io.Pipe()
	go f.talk()
	return f, nil
}

type fakeTerminal struct {
	h      *fakeHost
	folder *folder
	typed  *io.PipeReader
	stdin  *io.PipeWriter
	stdout *io.PipeReader
	out    *io.PipeWriter
	ended  chan struct{}
	sizes  []remote.Size
	cut    atomic.Bool // closed before it had ended
	result remote.Result
	err    error
}

func (f *fakeTerminal) Read(b []byte) (int, error)  { return f.stdout.Read(b) }
func (f *fakeTerminal) Write(b []byte) (int, error) { return f.stdin.Write(b) }
func (f *fakeTerminal) Resize(s remote.Size) error  { f.sizes = append(f.sizes, s); return nil }
func (f *fakeTerminal) Wait() (remote.Result, error) {
	<-f.ended
	if f.cut.Load() {
		return remote.Result{}, errors.New("closed here before the script ended")
	}
	return f.result, f.err
}
func (f *fakeTerminal) Close() error {
	select {
	case <-f.ended:
	default:
		f.cut.Store(true)
	}
	f.stdin.CloseWithError(io.EOF)
	return f.stdout.Close()
}

// talk asks, and acts on "proceed". A reader that goes hangs it up.
func (f *fakeTerminal) talk() {
	w := f.h.w
	defer close(f.ended)
	defer func() {
		f.out.Close()
		if w.reap != nil {
			w.reap()
		}
	}()
	lost := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		f.folder.gone, f.err = true, errors.New("the link was lost before the script ended")
	}
	fmt.Fprint(f.out, "\x1b[33mAre you sure?\x1b[0m Type 'proceed'\r\npassword=invented\r\n> ")
	line, err := bufio.NewReader(f.typed).ReadString('\n')
	if err != nil {
		lost()
		return
	}
	exit, output := 4, "Canceling operation\r\n"
	if line == "proceed\n" {
		w.mu.Lock()
		exit, output = w.carryOut(f.h.node, f.folder.run)
		w.mu.Unlock()
	}
	fmt.Fprint(f.out, output)
	w.mu.Lock()
	defer w.mu.Unlock()
	f.folder.exit, f.result = fmt.Sprint(exit), remote.Result{Exit: exit, ExitKnown: true}
}
