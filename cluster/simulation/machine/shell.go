package machine

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// shell is one running sh.
type shell struct {
	c *call    // the sh itself: its streams and its folder at the start
	p *process // its process

	mu    sync.RWMutex
	funcs map[string]bool // functions that its texts declare
	jobs  map[int]*job    // by pid
}

// shell runs a text as sh does; args are $0 and the parameters.
func (c *call) shell(text string, args []string) int {
	prog := c.m.texts.program(text)
	if prog.err != nil {
		fmt.Fprintf(c.err, "sh: Syntax error: %v\n", prog.err)
		return 2
	}
	return c.interpret(prog.funcs, args, func(ctx context.Context, r *interp.Runner, _ func(map[string]bool)) error {
		return r.Run(ctx, prog.file)
	})
}

// stdinShell runs what comes on standard input, statement by statement.
func (c *call) stdinShell(args []string) int {
	return c.interpret(nil, args, func(ctx context.Context, r *interp.Runner, declare func(map[string]bool)) error {
		var last error
		parser := syntax.NewParser(syntax.Variant(syntax.LangPOSIX))
		for stmt, err := range parser.StmtsSeq(c.input()) {
			if err != nil {
				if ctx.Err() == nil {
					fmt.Fprintf(c.err, "sh: Syntax error: %v\n", err)
				}
				return interp.ExitStatus(2)
			}
			prog := &program{funcs: map[string]bool{}}
			file := &syntax.File{Stmts: []*syntax.Stmt{stmt}}
			prog.change(file)
			declare(prog.funcs)
			for _, s := range file.Stmts {
				last = r.Run(ctx, s)
			}
			if r.Exited() || ctx.Err() != nil {
				break
			}
		}
		return last
	})
}

// interpret sets up an interpreter that knows this machine and no other.
// args are $0 and the parameters.
func (c *call) interpret(funcs map[string]bool, args []string, run func(context.Context, *interp.Runner, func(map[string]bool)) error) int {
	p := c.p
	if !c.fresh {
		p = c.m.begin(c.p, c.ctx, strings.Join(c.args, " "))
		defer c.m.end(p)
	}
	own := *c
	own.fresh, own.login, own.set = false, false, nil
	sh := &shell{c: &own, p: p, funcs: map[string]bool{}, jobs: map[int]*job{}}
	defer sh.endJobs()
	sh.declare(funcs)
	env := &environ{vars: c.environ(), own: map[string]string{
		varPID: strconv.Itoa(p.pid), varParent: strconv.Itoa(p.parent), varJob: strconv.Itoa(p.pid), varName: args[0],
		"UID": strconv.Itoa(c.uid), "EUID": strconv.Itoa(c.uid), "GID": strconv.Itoa(c.uid),
	}}
	if _, ok := env.vars["HOME"]; !ok {
		env.own["HOME"] = "" // or the interpreter asks this machine for one
	}
	var in io.Reader
	if c.in != nil {
		in = c.in
	}
	r, err := interp.New(
		interp.Env(env), interp.StdIO(in, c.out, c.err),
		func(r *interp.Runner) error {
			r.Dir, r.Params = c.dir, args[1:]
			return interp.Params(c.set...)(r)
		},
		interp.CallHandler(sh.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return sh.exec }),
		interp.OpenHandler(sh.open),
		interp.ReadDirHandler2(sh.readDir),
		interp.StatHandler(sh.stat),
		interp.AccessHandler(sh.access),
	)
	if err != nil {
		return c.fail("%v", err)
	}
	// The interpreter makes its own pipes in TMPDIR, and opens what is named
	// like them past every handler: it must get a folder that cannot be.
	env.own["TMPDIR"] = "/dev/null/none"
	r.Reset()
	delete(env.own, "TMPDIR")

	return sh.status(p, run(p.ctx, r, sh.declare))
}

// status is the exit status of a shell from what its interpreter returned.
func (sh *shell) status(p *process, err error) int {
	if s := p.status(); s != 0 {
		return s
	}
	if err == nil {
		return 0
	}
	if status, ok := err.(interp.ExitStatus); ok {
		return int(status)
	}
	fmt.Fprintf(sh.c.err, "sh: %v\n", err)
	return 2
}

// environ is what a shell starts with: exported variables, and its own.
type environ struct {
	vars map[string]string
	own  map[string]string
}

func (e *environ) Get(name string) expand.Variable {
	if v, ok := e.own[name]; ok {
		return expand.Variable{Set: true, Kind: expand.String, Str: v}
	}
	if v, ok := e.vars[name]; ok {
		return expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: v}
	}
	return expand.Variable{}
}

func (e *environ) Each(f func(string, expand.Variable) bool) {
	for name := range e.vars {
		if !f(name, e.Get(name)) {
			return
		}
	}
	for name := range e.own {
		if !f(name, e.Get(name)) {
			return
		}
	}
}

// process is who is at work: the shell, or one of its jobs.
func (sh *shell) process(hc *interp.HandlerContext) *process {
	pid, err := strconv.Atoi(hc.Env.Get(varJob).String())
	if err == nil && pid != sh.p.pid {
		if p := sh.c.m.process(pid); p != nil {
			return p
		}
	}
	return sh.p
}

// from is a call as the handlers of the interpreter see it.
func (sh *shell) from(ctx context.Context) *call {
	hc := interp.HandlerCtx(ctx)
	c := *sh.c
	c.p = sh.process(&hc)
	c.ctx, c.dir, c.out, c.err, c.vars, c.env = c.p.ctx, hc.Dir, hc.Stdout, hc.Stderr, hc.Env, nil
	c.in, _ = hc.Stdin.(*os.File)
	return &c
}

func (sh *shell) exec(ctx context.Context, args []string) error {
	c := sh.from(ctx)
	if base := path.Base(args[0]); base != "setsid" && base != "nohup" {
		c.p.started()
	}
	var status int
	if own, ok := internals[args[0]]; ok {
		status = own(sh, c.with(args))
	} else {
		status = c.run(args)
		c.p.started()
	}
	if status != 0 {
		return interp.ExitStatus(status)
	}
	return nil
}

func (sh *shell) open(ctx context.Context, p string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	if perm == 0o644 {
		perm = 0o666 // what a shell asks for; the umask takes from it
	}
	f, err := sh.from(ctx).open(p, flag, perm)
	if err != nil {
		return nil, &os.PathError{Op: "sh: cannot open", Path: p, Err: fmt.Errorf("%s", reason(err))}
	}
	return f, nil
}

func (sh *shell) readDir(ctx context.Context, p string) ([]fs.DirEntry, error) {
	if isVirtual(p) {
		return nil, &os.PathError{Op: "open", Path: p, Err: syscall.ENOENT}
	}
	return sh.c.m.files.ReadDir(p)
}

func (sh *shell) stat(ctx context.Context, p string, follow bool) (fs.FileInfo, error) {
	hc := interp.HandlerCtx(ctx)
	return sh.c.m.stat(p, follow, sh.process(&hc))
}

// access is root's, but for running what is not executable and writing where
// nobody can; other users may not write where the machine says so.
func (sh *shell) access(ctx context.Context, p string, mode interp.AccessMode) error {
	info, err := sh.stat(ctx, p, true)
	if err != nil {
		return err
	}
	if mode&interp.AccessExec != 0 && !info.IsDir() && info.Mode()&0o111 == 0 {
		return &os.PathError{Op: "access", Path: p, Err: syscall.EACCES}
	}
	if mode&interp.AccessWrite != 0 && !isVirtual(p) {
		return sh.c.refused(p, false)
	}
	return nil
}

func (sh *shell) declares(name string) bool {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.funcs[name]
}

func (sh *shell) declare(funcs map[string]bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for name := range funcs {
		sh.funcs[name] = true
	}
}

// take is the changed text of what eval, trap or "." are about to run.
func (sh *shell) take(text string) (string, error) {
	changed, prog, err := sh.c.m.texts.printed(text)
	sh.declare(prog.funcs)
	return changed, err
}
