package model

import (
	"fmt"
	"math/rand"
	"path"
	"sort"
	"time"
)

// World is the three nodes and what lies between them. It is not safe for
// concurrent use: the caller holds one lock around every call.
type World struct {
	troubles
	o     Options
	now   time.Time
	start time.Time
	rnd   *rand.Rand
	nodes []*node
	cuts  map[link]bool
	heals map[string]func()

	store  *store // what the newest cluster's etcd holds for leaderl
	rings  []*ring
	none   *ring // of nodes that are in no cluster
	system uint64
	plans  []planned
	taken  uint32 // highest timeline given out so far

	database int64         // bytes of the database, its WAL apart
	load     float64       // bytes of WAL per second that clients cause
	slowness time.Duration // extra time that promotions take
	err      error

	explicit map[string]bool // commands that --yes does not satisfy
	archived bool            // cleanse keeps the configuration as an archive
}

// planned is something that happens at a time, as part of a fault.
type planned struct {
	at time.Time
	do func()
}

// New makes a healthy cluster that has been up for some days: the first node
// leads, the others stream from it.
func New(o Options) *World {
	if len(o.Names) == 0 {
		o.Names = []string{"be1", "be2", "be3"}
	}
	if len(o.Addresses) == 0 {
		o.Addresses = []string{"10.0.4.11", "10.0.4.12", "10.0.4.13"}
	}
	w := &World{o: o, now: o.Start.UTC(), start: o.Start.UTC(), rnd: rand.New(rand.NewSource(o.Seed)), cuts: map[link]bool{}, heals: map[string]func(){}}
	w.barriers = map[barrier]bool{}
	w.found()
	return w
}

// Now is the time of the world: the last whole step.
func (w *World) Now() time.Time { return w.now }

// Advance lets time pass up to the last whole step at or before to.
func (w *World) Advance(to time.Time) {
	for !w.now.Add(Step).After(to) {
		w.now = w.now.Add(Step)
		w.step()
	}
}

// step moves everything by one step, in an order that never changes.
func (w *World) step() {
	w.runPlans()
	for _, n := range w.nodes {
		n.stepPower()
	}
	for _, n := range w.nodes {
		n.stepServices()
		n.stepDisk()
	}
	w.stepEtcd()
	w.stepClocks()
	for _, n := range w.nodes {
		n.stepSentinels()
		n.stepLeaderl()
	}
	w.stepPostgres()
	w.stepElastic()
	for _, n := range w.nodes {
		n.stepProcesses()
		n.gossip()
	}
}

// in lets something happen after d. The order of equal times is the order of
// the calls.
func (w *World) in(d time.Duration, do func()) {
	w.plans = append(w.plans, planned{w.now.Add(d), do})
	sort.SliceStable(w.plans, func(i, j int) bool { return w.plans[i].at.Before(w.plans[j].at) })
}

func (w *World) runPlans() {
	for len(w.plans) > 0 && !w.plans[0].at.After(w.now) {
		next := w.plans[0]
		w.plans = w.plans[1:]
		next.do()
	}
}

// node finds a node by name; nil if there is none.
func (w *World) node(name string) *node {
	for _, n := range w.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// byAddress finds a node by its cluster address; nil if there is none.
func (w *World) byAddress(address string) *node {
	for _, n := range w.nodes {
		if n.address == address {
			return n
		}
	}
	return nil
}

// Powered says whether a node has power. A booting one has.
func (w *World) Powered(name string) bool {
	n := w.node(name)
	return n != nil && n.powered
}

// Reachable says whether the operator reaches the SSH server of a node.
func (w *World) Reachable(name string) bool {
	n := w.node(name)
	return n != nil && w.linked(nil, n) && n.booted()
}

// Connect is what a TCP connection gets: Open, Refused or Timeout. from is a
// node's name, or "" for the operator.
func (w *World) Connect(from, toAddress string, port int) string {
	src := w.node(from)
	if from != "" && (src == nil || !src.booted()) {
		return Timeout
	}
	dst := w.byAddress(toAddress)
	if toAddress == "127.0.0.1" || toAddress == "localhost" {
		dst = src
	}
	if dst == nil || !w.linked(src, dst) || !dst.booted() || src != nil && src != dst && !w.passes(src, dst, port) {
		return Timeout
	}
	if dst.listens(port) {
		return Open
	}
	return Refused
}

// Exec begins a command on a node, without a terminal. false: the node has no
// such command, which a shell answers with 127. argv[0] may be an absolute
// path. PWD in the environment is its folder.
func (w *World) Exec(name string, argv []string, env map[string]string) (*Process, bool) {
	return w.ExecOn(name, argv, env, false)
}

// ExecOn is Exec, on a terminal or not.
func (w *World) ExecOn(name string, argv []string, env map[string]string, tty bool) (*Process, bool) {
	n := w.node(name)
	if n == nil || !n.booted() || len(argv) == 0 {
		return nil, false
	}
	base := path.Base(argv[0])
	begin, ok := commands[base]
	if !ok || (path.IsAbs(argv[0]) && !installed(argv[0])) {
		return nil, false
	}
	p := &Process{w: w, n: n, pid: n.nextPID(), argv: append([]string{base}, argv[1:]...), env: env, boot: n.boots, began: w.now, marker: w.now, tty: tty}
	begin(p)
	p.step()
	if !p.done {
		n.processes = append(n.processes, p)
	}
	return p, true
}

// CtlCalls are all changing calls of chef-backend-ctl on a node so far, in
// order, with the environment that matters in front.
func (w *World) CtlCalls(name string) []string {
	n := w.node(name)
	if n == nil {
		return nil
	}
	return append([]string(nil), n.calls...)
}

// Virtual is the content of a file that only the kernel makes: /proc/uptime,
// /proc/loadavg, /proc/mounts, /proc/sys/kernel/random/boot_id.
func (w *World) Virtual(name, file string) ([]byte, bool) {
	n := w.node(name)
	if n == nil || !n.booted() {
		return nil, false
	}
	return n.virtual(file)
}

// Clock is what the clock of a node says.
func (w *World) Clock(name string) time.Time {
	if n := w.node(name); n != nil {
		return n.clock()
	}
	return w.now
}

// NewPID gives out a process id of a node for a process that the host side
// runs.
func (w *World) NewPID(name string) int {
	if n := w.node(name); n != nil {
		return n.nextPID()
	}
	return 0
}

// Spawn shows a process of the host side in the node's process list.
func (w *World) Spawn(name, args string, pid int) {
	if n := w.node(name); n != nil {
		n.guests[pid] = args
	}
}

// Exit takes a process of the host side out of the list.
func (w *World) Exit(name string, pid int) {
	if n := w.node(name); n != nil {
		delete(n.guests, pid)
	}
}

// Binaries are the paths of the commands that a node has. Their content does
// not matter; a shell wants to find an executable file there.
func Binaries() []string {
	var all []string
	for _, dir := range []string{embedded, optBin, usrBin} {
		for _, name := range binaries[dir] {
			all = append(all, dir+"/"+name)
		}
	}
	return all
}

// Strike lets a fault strike now. The names are those of Scenarios.
func (w *World) Strike(name string) error {
	strike, ok := faults[name]
	if !ok {
		return fmt.Errorf("unknown fault %q", name)
	}
	if heal := strike(w); heal != nil {
		w.heals[name] = heal
	}
	return nil
}

// Heal takes back what a fault did to the surroundings: cut links, power,
// slow lines. What it broke in a service stays for the operator. A fault that
// has not struck heals to nothing.
func (w *World) Heal(name string) error {
	if _, ok := faults[name]; !ok {
		return fmt.Errorf("unknown fault %q", name)
	}
	if heal := w.heals[name]; heal != nil {
		delete(w.heals, name)
		heal()
	}
	return nil
}
