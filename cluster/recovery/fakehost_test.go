package recovery

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

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
	if len(s.Args) == 9 {
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
	f.say("ready")
	line, err := bufio.NewReader(f.in).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "go "+token+" ") {
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
	if how == "before it starts" {
		w.mu.Unlock()
		return
	}
	if w.folders[key] != nil {
		w.mu.Unlock()
		f.say("refused 98 there")
		return
	}
	w.ran = append(w.ran, node+": "+command)
	exit, output := w.carryOut(node, command)
	w.folders[key] = &folder{output: output, exit: fmt.Sprint(exit)}
	if how == "for ever" {
		w.folders[key].exit, w.folders[key].gone = "", true
	}
	w.mu.Unlock()
	f.say("started 4711")
	if w.during != nil {
		w.during()
	}
	if how != "" {
		return
	}
	f.tell(0, output, fmt.Sprint(exit))
}

// tell frames output and exit status.
func (f *fakeSession) tell(offset int, output, exit string) {
	if rest := output[offset:]; rest != "" {
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
	there := w.folders[args[1]+"/"+args[2]]
	w.mu.Unlock()
	switch {
	case f.h.w.foreign:
		f.say("refused 97 the step folder has format 2")
	case there == nil:
		f.say("absent")
	case there.gone:
		f.say("gone %d", len(there.output))
	default:
		var offset int
		fmt.Sscan(args[4], &offset)
		f.tell(offset, there.output, there.exit)
	}
}
