package recovery

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Exit codes of the step script before anything ran.
const (
	exitAnswers = 95 // PostgreSQL answers by now, which it did not when it was looked at
	exitForeign = 96 // of step-attach.sh: the step folder is not this cockpit's to read
	exitRefused = 97
	exitStarted = 98 // the step folder was there: started before
)

// outcome is what is known of a command after it ran.
type outcome struct {
	exit      int
	exitKnown bool
	sentence  string   // why it is not known
	meaning   string   // what its last lines mean, where they are known
	last      [][]byte // its last lines, raw
}

// wantsTerminal answers whether a command ended without doing anything because
// nobody could be asked.
func (o outcome) wantsTerminal() bool {
	return o.exitKnown && o.exit != 0 && slices.ContainsFunc(o.last, func(l []byte) bool {
		return bytes.Contains(l, []byte("requires explicit approval"))
	})
}

// act lets a command run detached at its node and follows it to its end.
func (r *run) act(ctx context.Context, i int, s cluster.PlanStep, general []cluster.Guard, since time.Time) (outcome, ending) {
	folder := s.ID
	if n := r.marked(s.ID).again; n > 0 {
		folder = fmt.Sprintf("%s-again%d", s.ID, n)
	}
	r.step(i, func(st *cluster.StepState) { st.PID, st.Exit, st.ExitKnown = 0, 0, false }) // of the try before
	session, report, end := r.goAhead(ctx, i, s, general, since, manner{folder: folder})
	if !end.well() {
		return outcome{}, end
	}
	defer session.close()
	return r.follow(ctx, i, s, session, report.Host.BootID.Value)
}

// manner is how a command is to run at its node.
type manner struct {
	folder   string      // of the step, on the node
	terminal bool        // nothing starts yet: the folder is made ready for a terminal
	unheard  func() bool // whoever asked for it has gone; nil for nobody in particular
}

// goAhead is the one function through which every command reaches a node. The
// step's session first sends a look; on it, and on looks at the other nodes
// begun since the step's turn came and at most 10 s old, identity and guards
// are judged; the intent is on disk before the go is sent. The session is the
// caller's to close where all is well.
func (r *run) goAhead(ctx context.Context, i int, s cluster.PlanStep, general []cluster.Guard, since time.Time, o manner) (_ *stepSession, _ *cluster.Report, end ending) {
	refused := func(format string, args ...any) (*stepSession, *cluster.Report, ending) {
		return nil, nil, ending{status: cluster.StatusRefused, sentence: fmt.Sprintf(format, args...) + notRun(s)}
	}
	switch {
	case r.x.o.ReadOnly:
		return refused("the cockpit is read-only")
	case brace.MatchString(s.Command):
		return refused("the command has a value that is not known: %s", s.Command)
	case r.x.o.Hosts[s.Node] == nil:
		return refused("there is no way to %s", s.Node)
	}
	session, err := r.open(ctx, s, o)
	if err != nil {
		_, _, end = refused("%s, step %s: %v", s.Node, s.Number, err)
		end.again = true
		return nil, nil, end
	}
	defer func() {
		if !end.well() {
			session.close()
		}
	}()
	report, err := session.look(r.x)
	if err != nil {
		_, _, end = refused("%s, step %s: the look before the act did not come: %v", s.Node, s.Number, err)
		end.again = true
		return nil, nil, end
	}
	if o.unheard != nil && o.unheard() { // before anything is judged on looks that ended early
		_, _, end = refused("nobody waits for the terminal any more")
		end.again = true
		return nil, nil, end
	}
	checked, why := r.judge(s, report, general, since)
	r.step(i, func(st *cluster.StepState) { st.Guards = checked })
	if why != "" {
		_, _, end = refused("%s", why)
		end.unsure = unsure(checked, r.typed)
		return nil, nil, end
	}
	switch {
	case ctx.Err() != nil:
		return refused("the cockpit is being left")
	case r.stopping() && !s.Joined:
		return nil, nil, ending{status: cluster.StatusStopped, sentence: "stopped by the operator before step " + s.Number}
	}
	locked, lost := r.x.lock.held(s.Node, r.alone())
	if lost.says != "" {
		_, _, end = refused("the operators' lock: %s", lost.says)
		end.again, end.unlocked = true, true
		return nil, nil, end
	}
	intent := cluster.Intent{Plan: r.plan.ID, Step: o.folder, Node: s.Node, Command: s.Command, Token: session.token,
		Terminal: o.terminal, Repeatable: s.Repeatable, Guards: checked, Boot: report.Host.BootID.Value}
	if err := r.x.o.Recorder.Record("intent", intent); err != nil {
		return refused("the intent could not be written: %v", err)
	}
	r.mark(s.ID, func(m *mark) { m.intended, m.started, m.folder = true, true, o.folder })
	if err := session.begin(report, locked); err != nil {
		// Whether the line arrived cannot be told from here: the folder tells.
		session.close()
	}
	return session, report, ending{status: cluster.StatusDone}
}

// notRun is what is added to a reason why a step did not run.
func notRun(s cluster.PlanStep) string {
	return fmt.Sprintf("; step %s did not run", s.Number)
}

// judge asks identity and guards on the step's own look; why is the first
// thing that does not hold, "" for none.
func (r *run) judge(s cluster.PlanStep, report *cluster.Report, general []cluster.Guard, since time.Time) (checked []cluster.CheckedGuard, why string) {
	was, now := r.identity[s.Node], identityOf(report)
	switch {
	case !was.known():
		return nil, s.Node + " told neither host name nor machine id when the plan was made: it cannot be told from another"
	case was.BootID == "":
		return nil, s.Node + " told no boot id when the plan was made: whether it was started again cannot be told"
	}
	if d := was.differs(s.Node, now); d != "" {
		return nil, d
	}
	v := r.view()
	v = r.x.o.WithReport(v, carried(report, v.Report(s.Node)))
	if age := v.Now.Sub(report.Began); age > lookMax {
		return nil, fmt.Sprintf("the look at %s is %s old", s.Node, age.Round(time.Second))
	}
	if d := stranger(v, s.Node); d != "" {
		return nil, d
	}
	checked = askAll(r.x.current(v, since), &r.plan, s, general)
	return checked, firstMissing(checked, r.typed)
}

// stranger says that who answers as a node is another machine: it tells its own
// addresses, and the node's address in the cluster is none of them. A host can
// be mistyped, and take a member's place while it does not answer. "" where one
// of the two is not known; a name in the address's place tells nothing.
func stranger(v *cluster.View, node string) string {
	n, _ := v.Snapshot.Node(node)
	own := v.Report(node).Host.Addresses
	if !own.Known || !cluster.Elsewhere(n.Address, own.Value) {
		return ""
	}
	return fmt.Sprintf("the machine that answers as %s has not the address %s (it has %s): it is another machine",
		node, n.Address, strings.Join(own.Value, ", "))
}

// current is the view without what is too old to act on: what was asked before
// since, and reports begun more than 10 s ago.
func (x *Executor) current(v *cluster.View, since time.Time) *cluster.View {
	begun := since
	if oldest := v.Now.Add(-lookMax); oldest.After(begun) {
		begun = oldest
	}
	return x.asked(v, since, begun)
}

// asked is the view in which everything is unknown of a node whose report was
// begun before begun, and of the others each claim that was asked before
// since, which those of the slow look can be.
func (x *Executor) asked(v *cluster.View, since, begun time.Time) *cluster.View {
	for _, n := range v.Snapshot.Nodes {
		old := v.Report(n.Name)
		switch {
		case old == nil:
		case old.Began.Before(begun):
			why := "no look at " + n.Name + " since " + old.Began.UTC().Format(time.TimeOnly)
			v = x.o.WithReport(v, silent(n.Name, why, old.Seq, v.Now))
		default:
			v = x.o.WithReport(v, asked(old, since))
		}
	}
	return v
}

// stepSession is the session of one step, in its first phase.
type stepSession struct {
	session remote.Session
	frames  *frames
	token   string
	node    string
	began   time.Time
	release func() bool
	cancel  context.CancelFunc
}

// open starts the step's script. Until begin has sent its line the whole
// session has a deadline on the real clock.
func (r *run) open(ctx context.Context, s cluster.PlanStep, o manner) (*stepSession, error) {
	nonce, token := secret(), secret()
	id := r.identity[s.Node]
	began := r.x.o.Clock.Now()
	args := []string{r.x.o.Base, r.plan.ID, o.folder, nonce, token, id.HostName, id.MachineID, id.BootID, s.Command}
	if o.terminal {
		args = append(args, "terminal")
	}
	ctx, cancel := context.WithTimeout(ctx, networkWait)
	session, err := r.x.o.Hosts[s.Node].Start(ctx, remote.Script{
		Name: "cockpit-step",
		Text: r.x.o.Probe + "\n" + assets.MustRead("scripts/step-follow.sh") + assets.MustRead("scripts/step.sh"),
		Args: args,
	})
	if err != nil {
		cancel()
		return nil, err
	}
	// Closing the session is what ends a read from it.
	release := context.AfterFunc(ctx, func() { session.Close() })
	return &stepSession{session: session, frames: newFrames(session.Stdout(), nonce), token: token, node: s.Node, began: began, release: release, cancel: cancel}, nil
}

// look reads the session's own look at its node.
func (s *stepSession) look(x *Executor) (*cluster.Report, error) {
	raw, err := s.frames.ready()
	if err != nil {
		return nil, err
	}
	return x.o.ParseLook(s.node, raw, s.began, x.o.Clock.Now(), x.o.Hosts[s.node].Link())
}

// begin sends the line on which the script acts. With it travels what the
// guards were judged on and the token of the lock, to be compared once more on
// the node itself.
func (s *stepSession) begin(report *cluster.Report, locked string) error {
	role := "none"
	if c := report.PostgreSQL.InRecovery; c.Known {
		role = map[bool]string{true: "recovery", false: "primary"}[c.Value]
	}
	line := fmt.Sprintf("go %s %s %s %s %s\n", s.token, word(report.Sentinels.NoStart), word(report.Sentinels.Unsynced), role, locked)
	if !s.release() {
		return errors.New("the session took too long")
	}
	_, err := io.WriteString(s.session.Stdin(), line)
	return err
}

// word is a claim as the script writes it.
func word(c cluster.Claim[bool]) string { return cluster.Is(c, true).String() }

// close ends the session; what was started goes on at the node.
func (s *stepSession) close() {
	s.release()
	s.cancel()
	s.session.Close()
}

// secret makes a name that nobody can guess.
func secret() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
