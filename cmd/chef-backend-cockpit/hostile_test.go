package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
	"chef-backend-cockpit/tui"
)

// torn is a host whose every stream comes in reads of one byte, and whose looks
// tell a hostile host name.
type torn struct {
	remote.Host
	mu   sync.Mutex
	next int // of the hostile names
}

func (h *torn) Start(ctx context.Context, s remote.Script) (remote.Session, error) {
	session, err := h.Host.Start(ctx, s)
	if err != nil {
		return nil, err
	}
	if s.Name == "cockpit-lock" || s.Name == "cockpit-step" {
		return tornSession{session, oneByte{session.Stdout()}}, nil
	}
	return tornSession{session, &renamed{h: h, r: session.Stdout()}}, nil
}

// name is the next hostile host name.
func (h *torn) name() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	return "name77" + strings.NewReplacer("\n", "", "\x00", "").Replace(hostile[h.next%len(hostile)])
}

func (h *torn) Run(ctx context.Context, s remote.Script) (remote.Result, error) {
	r, err := h.Host.Run(ctx, s)
	r.Stdout = bytes.ReplaceAll(r.Stdout, []byte("\nhostname be1\n"), []byte("\nhostname "+h.name()+"\n"))
	return r, err
}

func (h *torn) Terminal(ctx context.Context, s remote.Script, size remote.Size) (remote.Terminal, error) {
	return h.Host.(remote.TerminalHost).Terminal(ctx, s, size)
}

type tornSession struct {
	remote.Session
	out io.Reader
}

func (s tornSession) Stdout() io.Reader { return s.out }

// oneByte tears every sequence at every byte.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

// renamed replaces the host name in what a look tells.
type renamed struct {
	h    *torn
	r    io.Reader
	rest []byte
}

func (n *renamed) Read(p []byte) (int, error) {
	if len(n.rest) == 0 {
		buf := make([]byte, 64<<10)
		k, err := n.r.Read(buf)
		if n.rest = bytes.ReplaceAll(buf[:k], []byte("\nhostname be1\n"), []byte("\nhostname "+n.h.name()+"\n")); k == 0 {
			return 0, err
		}
	}
	k := copy(p, n.rest[:1])
	n.rest = n.rest[k:]
	return k, nil
}

// everyWay is a text with each sequence in it, on a line of its own.
func everyWay(entrance string) []byte {
	var b bytes.Buffer
	for n, s := range hostile {
		fmt.Fprintf(&b, "%s%d. before%safter\n", entrance, n, s)
	}
	return b.Bytes()
}

// passing is a cluster whose logs, outputs, host names and errors are hostile,
// watched in a terminal.
type passing struct {
	t    *testing.T
	dir  string // of the simulation and the journals
	disk string // of be3
	sim  *simulation.Cluster
	w    *watch.Watch
	raw  bytes.Buffer
	mu   sync.Mutex
	tty  *os.File
}

// hostileProcedure lets a node write hostile bytes, detached and in a terminal.
func hostileProcedure() cluster.Procedure {
	step := func(id string, kind cluster.StepKind) cluster.Step {
		return cluster.Step{ID: id, Kind: kind, Say: "write", On: "node", Command: "cat /hostile-" + id, Deadline: time.Minute,
			Effects: []cluster.Question{{Fact: "step-ended", Args: []string{id}}}, EffectSay: "written"}
	}
	return cluster.Procedure{Name: "write-hostile", Title: "Write on {node}", Target: "node", Tier: cluster.T1, Phrase: "y", Built: true,
		Steps: []cluster.Step{step("1-out", ""), step("2-terminal", cluster.StepTerminal)}}
}

func newPassing(t *testing.T) *passing {
	p := &passing{t: t, dir: simulation.InMemory(t)}
	clock := remote.NewScaled(4)
	var err error
	if p.sim, err = simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1, Dir: p.dir}); err != nil {
		t.Fatal(err)
	}
	all, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	all.Procedures = append(all.Procedures, hostileProcedure())
	hosts := map[string]remote.Host{}
	for _, n := range p.sim.Nodes() {
		hosts[n.Name] = &torn{Host: p.sim.Host(n.Name)}
	}
	hosts["be2"] = shouting(t, strings.Join(hostile[:20], "")) // its errors are hostile
	p.w, err = watch.New(watch.Options{Cluster: "hostile", Nodes: p.sim.Nodes(), Hosts: hosts, Clock: clock, Catalogue: all, Logs: true,
		JournalDir: filepath.Join(p.dir, "incidents"), Operator: "ann\x1b[77A@bastion"})
	if err != nil {
		t.Fatal(err)
	}
	disks, err := filepath.Glob(filepath.Join(p.dir, "*", "var", "log"))
	if err != nil || len(disks) != 3 {
		t.Fatal(disks, err)
	}
	p.disk = strings.TrimSuffix(disks[2], "/var/log")
	for _, id := range []string{"1-out", "2-terminal"} {
		if err := os.WriteFile(filepath.Join(p.disk, "hostile-"+id), everyWay(id[2:]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.w.Start(t.Context())
	t.Cleanup(func() {
		p.w.Close()
		for _, h := range hosts {
			h.Close()
		}
		p.sim.Close()
	})
	return p
}

// show opens the screen in a terminal that is tall enough for all lines.
func (p *passing) show(door watch.Door, clock cluster.Clock) (leave func()) {
	master, tty, err := pty.Open()
	if err != nil {
		p.t.Fatal(err)
	}
	p.tty = master
	if err := pty.Setsize(master, &pty.Winsize{Cols: 160, Rows: uint16(3*len(hostile) + 100)}); err != nil {
		p.t.Fatal(err)
	}
	read, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(read)
		buf := make([]byte, 64<<10)
		for {
			n, err := master.Read(buf)
			p.mu.Lock()
			p.raw.Write(buf[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithCancel(p.t.Context())
	go func() {
		ended <- tui.Run(ctx, tui.Options{Door: door, Clock: clock, Human: remote.System{}, In: tty, Out: tty})
	}()
	return func() {
		cancel()
		<-ended
		tty.Close()
		master.Close()
		<-read
	}
}

// until waits until something came to the terminal, typing keys meanwhile.
func (p *passing) until(what string, ok func(raw string) bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		p.mu.Lock()
		raw := p.raw.String()
		p.mu.Unlock()
		switch {
		case ok(raw):
			return
		case time.Now().After(end):
			p.t.Fatalf("not seen in the terminal: %s; of the log not %v", what, missing(raw, "log"))
		}
	}
}

// missing are the sequences of an entrance that were not shown in any way.
func missing(raw, entrance string) (not []int) {
	for i, s := range hostile {
		want := fmt.Sprintf("%s%d. before", entrance, i)
		if strings.Contains(s, "\r") {
			want = "overwrittenafter" // of a line that overwrites itself what stands last is kept
		}
		if !strings.Contains(raw, want) {
			not = append(not, i)
		}
	}
	return not
}

// carryOut lets the node write, and follows the plan to its end.
func (p *passing) carryOut() {
	t := p.t
	plan, err := p.w.Plan(t.Context(), "write-hostile", "be3", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.w.Confirm(plan.ID, "y"); err != nil {
		t.Fatal(err)
	}
	taken := false
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		run := p.w.State().Run
		switch {
		case run == nil || run.Plan.ID != plan.ID:
		case !run.Ended.IsZero():
			if run.Status != cluster.StatusDone {
				t.Fatalf("%s: %s", run.Status, run.Sentence)
			}
			return
		case run.Status == cluster.StatusAsked && !taken:
			taken = true
			term, err := p.w.Terminal(t.Context(), plan.ID, "2-terminal", watch.Size{Columns: 80, Rows: 24})
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := io.ReadAll(oneByte{term}) // a terminal may end with an error
			if !bytes.Contains(raw, []byte("terminal0. before\x1b[")) {
				t.Errorf("a terminal that is handed over is raw by nature; it gave %.200q", raw)
			}
			term.Wait() //nolint:errcheck // the plan tells
			term.Close()
		}
	}
	t.Fatalf("the plan did not end: %+v", p.w.State().Run)
}

// Whatever a node sends, in logs, outputs, terminals, names and errors, torn
// anywhere: nothing but text, and the screen's own sequences, reaches the
// terminal, and nothing but text the report and the clipboard. The same holds
// for a journal that is read back.
func TestHostileBytesStayOutside(t *testing.T) {
	if os.Getenv("CHEF_BACKEND_SAFETY") == "" {
		t.Skip("takes half a minute: make test-safety, or CHEF_BACKEND_SAFETY=1")
	}
	p := newPassing(t)
	leave := p.show(p.w, remote.System{})
	p.until("the cluster", func(raw string) bool { return strings.Contains(raw, "hostile") && strings.Contains(raw, "be3") })
	p.until("a live log", func(string) bool {
		for _, s := range p.w.Streams() {
			if s.Node == "be3" && s.Service == "epmd" && s.Alive {
				return true
			}
		}
		return false
	})
	f, err := os.OpenFile(filepath.Join(p.disk, "var/log/chef-backend/epmd/current"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(everyWay("log")); err != nil {
		t.Fatal(err)
	}
	f.Close()
	p.until("the log's lines", func(raw string) bool { return len(missing(raw, "log")) == 0 })
	p.carryOut()
	p.tty.Write([]byte("g")) // to the plan
	p.until("the output", func(raw string) bool { return len(missing(raw, "terminal")) < len(hostile) })
	p.tty.Write([]byte("o"))
	p.until("the whole output", func(raw string) bool { return len(missing(raw, "terminal")) < len(hostile)/2 })
	for _, k := range []string{"\x1b", "\x1b", "\x1b", "c", "y"} {
		time.Sleep(120 * time.Millisecond) // an escape alone is told from a sequence by time
		p.tty.Write([]byte(k))
	}
	p.until("a copy", func(raw string) bool { return strings.Contains(raw, "\x1b]52;") })
	leave()
	if err := p.w.Close(); err != nil {
		t.Error(err)
	}
	raw := p.raw.String()
	if err := harmlessScreen(raw); err != nil {
		t.Errorf("to the terminal: %v", err)
	}
	for _, text := range clips(t, raw) {
		if err := harmless(text); err != nil {
			t.Errorf("to the clipboard: %v", err)
		}
	}
	reports := p.readBack()
	t.Logf("%d sequences: in a log, an output and a terminal, in host names and errors, each torn at every byte; %d KiB to the terminal, %d copies, %d bytes of reports without a control byte",
		len(hostile), len(raw)>>10, len(clips(t, raw)), reports)
}
