package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// runView is a plan as it is carried out: what is done and when, what is at
// work with its output, what comes next, and the result. Hiding it changes
// nothing; the situation line goes on telling.
type runView struct {
	box
	plan  cluster.Plan
	whole bool // every step to its last word, with all of its output that is held
	moved bool // the operator reads elsewhere: the current step is not kept in sight
}

func newRunView(p cluster.Plan) *runView { return &runView{plan: p} }

// state is the newest state of the plan; nil until the door tells of it.
func (v *runView) state(m *model) *cluster.PlanState {
	if m.state != nil && m.state.Run != nil && m.state.Run.Plan.ID == v.plan.ID {
		return m.state.Run
	}
	return m.state.Plan(v.plan.ID) // another one began since
}

// progressOf counts the steps up to the one at work or reached, and all steps.
func progressOf(r *cluster.PlanState) (at, all int) {
	all = len(r.Plan.Steps)
	for i, s := range r.Steps {
		switch s.Status {
		case cluster.StatusNext:
		default:
			at = i + 1
		}
	}
	return min(max(at, 1), max(all, 1)), all
}

// stepOf names the step at work or reached as its row does, and says how far
// that is where its number does not.
func stepOf(r *cluster.PlanState) string {
	at, all := progressOf(r)
	if at > len(r.Steps) || r.Steps[at-1].Step.Number == strconv.Itoa(at) || r.Steps[at-1].Step.Number == "" {
		return fmt.Sprintf("step %d of %d", at, all)
	}
	return fmt.Sprintf("step %s, %d of %d", r.Steps[at-1].Step.Number, at, all)
}

func (v *runView) head(m *model) (string, string) {
	what := strings.Join(strings.Fields(v.plan.Procedure+" "+v.plan.Service+" "+v.plan.Node), " ")
	r := v.state(m)
	if r == nil {
		return what, "begins"
	}
	if r.Running() {
		return what, stepOf(r) + ", " + tookText(m.now().Sub(r.Began))
	}
	return what, fmt.Sprintf("%s, took %s", r.Status, tookText(r.Ended.Sub(r.Began)))
}

func (v *runView) body(m *model, w int) ([]string, int) {
	r := v.state(m)
	if r == nil {
		return []string{"The plan " + v.plan.ID + " is confirmed and begins."}, -1
	}
	var rows []string
	at := -1
	for i, s := range r.Steps {
		if i == len(r.Plan.Steps) {
			rows = append(rows, "", m.st.title.on("The way back"))
		}
		if atWork(s) {
			at = len(rows)
		}
		rows = append(rows, v.step(m, s, w)...)
	}
	if !r.Running() {
		at = len(rows)
		rows = append(rows, v.result(m, r, w)...)
	}
	if v.moved {
		at = -1
	}
	return rows, at
}

// stepRow is the one row of every step; rest is what it has no room for.
func (v *runView) stepRow(m *model, s cluster.StepState, w int) (row, rest string) {
	word, p := stepWord(m, s.Status)
	says := s.Step.Say
	if says == "" {
		says = s.Step.Command
	}
	times := clockText(s.Began)
	if !s.Began.IsZero() {
		end := s.Ended
		if end.IsZero() {
			end = m.now()
		}
		times += fmt.Sprintf("  %9s", tookText(end.Sub(s.Began)))
	}
	l := newLine(w).col(p, word, 11).col(m.st.strong, s.Step.Number, 4).col(m.st.dim, s.Step.Node, 6)
	room := max(w-l.x-width(times)-2, 1)
	if v.whole || atWork(s) { // what is at work is read whole
		first := wrap(says, room)[0]
		says, rest = first, strings.TrimSpace(strings.TrimPrefix(says, first))
	}
	return l.put(p, words(says, room)).gap(1).right(m.st.dim, times).String(), rest
}

// atWork answers whether the step is at work, or its effect is waited for.
func atWork(s cluster.StepState) bool {
	return s.Status == cluster.StatusRunning || s.Status == cluster.StatusWaiting || s.Status == cluster.StatusAsked
}

// step is a step's row, and below it what belongs to one that is at work or
// did not end well.
func (v *runView) step(m *model, s cluster.StepState, w int) []string {
	row, rest := v.stepRow(m, s, w)
	rows := []string{row}
	sub := func(p paint, text string) {
		for _, t := range wrap(text, w-21) {
			rows = append(rows, newLine(w).gap(21).put(p, t).String())
		}
	}
	tone := m.st.dim
	if atWork(s) {
		tone = m.st.strong
	}
	if rest != "" {
		sub(tone, rest)
	}
	if (v.whole || atWork(s)) && s.Step.Command != "" && s.Step.Say != "" {
		sub(tone, s.Step.Command) // it is read along as it is done
	}
	if s.Status == cluster.StatusNext {
		return rows
	}
	if s.Sentence != "" {
		sp := m.st.plain
		if s.Status == cluster.StatusDone || s.Status == cluster.StatusSkipped {
			sp = m.st.dim
		}
		sub(sp, s.Sentence)
	}
	if s.Compared != "" && s.Compared != s.Sentence {
		cp := m.st.dim
		if strings.HasPrefix(s.Compared, "not") {
			cp = m.st.amber
		}
		sub(cp, s.Compared)
	}
	if s.Status == cluster.StatusAsked {
		if s.Asks == cluster.AskTick {
			sub(m.st.strong, s.Step.ToDo)
		}
		sub(m.st.amber, askedText(&s))
	}
	if s.Progress != "" && s.Status == cluster.StatusRunning {
		sub(m.st.strong, s.Progress)
	}
	if atWork(s) && s.PID > 0 && s.Sentence == "" {
		sub(m.st.dim, fmt.Sprintf("detached on %s, pid %d; goes on if this link breaks", s.Step.Node, s.PID))
	}
	if exit := fmt.Sprintf("exit status %d", s.Exit); s.ExitKnown && s.Exit != 0 && !strings.Contains(s.Sentence, exit) {
		sub(m.st.plain, exit)
	}
	for _, g := range s.Guards {
		if s.Status == cluster.StatusRefused && g.Answer.Truth != cluster.True {
			rows = append(rows, m.guardRows([]cluster.CheckedGuard{g}, w)...)
		}
	}
	return append(rows, v.output(m, s, w)...)
}

// output is the end of what the step wrote, or all that is held of it.
func (v *runView) output(m *model, s cluster.StepState, w int) []string {
	keep := 0
	switch {
	case v.whole:
		keep = len(s.Output)
	case atWork(s):
		keep = 4
	case s.Status == cluster.StatusFailed || s.Status == cluster.StatusUnknown:
		keep = 6
	}
	var rows []string
	for _, o := range s.Output[max(len(s.Output)-keep, 0):] {
		rows = append(rows, newLine(w).gap(21).put(m.st.dim, "| ").put(m.st.plain, head(o, w)).String())
	}
	return rows
}

// stepWord is a status as it stands before its step.
func stepWord(m *model, s cluster.Status) (string, paint) {
	switch s {
	case cluster.StatusRunning:
		return "now", m.st.strong
	case cluster.StatusWaiting:
		return "watching", m.st.strong
	case cluster.StatusAsked:
		return "asks you", m.st.strong
	case cluster.StatusFailed, cluster.StatusRefused:
		return "! " + string(s), m.st.red
	case cluster.StatusUnknown:
		return "? " + string(s), m.st.amber
	case cluster.StatusDone:
		return "done", m.st.plain
	}
	return string(s), m.st.dim
}

// result is how the plan ended, what was left behind, and what to do next.
func (v *runView) result(m *model, r *cluster.PlanState, w int) []string {
	word, p := stepWord(m, r.Status)
	rows := []string{""}
	for i, s := range wrap(r.Sentence, w-11) {
		l := newLine(w)
		if i == 0 {
			l.put(p, word)
		}
		rows = append(rows, l.to(11).put(p, s).String())
	}
	if r.Sentence == "" {
		rows = append(rows, textLine(w, p, word))
	}
	for _, e := range r.OpenEnds {
		for _, s := range wrap("! left open: "+e, w-11) {
			rows = append(rows, newLine(w).gap(11).put(m.st.amber, s).String())
		}
	}
	return rows
}

func (v *runView) foot(m *model, w int) []string {
	r := v.state(m)
	switch {
	case r == nil || !r.Running() || m.past != nil || m.player != nil:
		return nil
	case r.Stopping:
		return []string{textLine(w, m.st.amber, "Stops before the next step; the step at work is not interrupted.")}
	}
	if r.Asked() != nil {
		return []string{textLine(w, m.st.amber, "The plan waits for you: t answers, s stops it here.")}
	}
	return []string{textLine(w, m.st.dim, "s stops before the next step; the step at work is never interrupted.")}
}

func (v *runView) bindings(m *model) []key.Binding {
	out := m.keys.Output
	if v.whole {
		out = renamed(out, "in short")
	}
	if r := v.state(m); r != nil && !r.Running() {
		return []key.Binding{renamed(m.keys.Back, "close"), out, bind("up/down", "read")}
	}
	if m.past != nil || m.player != nil {
		return []key.Binding{out, renamed(m.keys.Back, "close"), bind("up/down", "read")}
	}
	if v.state(m).Asked() != nil {
		return []key.Binding{renamed(m.keys.Answer, "answer"), m.keys.Stop, out, renamed(m.keys.Back, "hide (it waits)")}
	}
	return []key.Binding{m.keys.Stop, out, renamed(m.keys.Back, "hide (it goes on)"), bind("up/down", "read")}
}

func (v *runView) key(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.Stop):
		if m.onlyShown() {
			return nil
		}
		if r := v.state(m); r == nil || r.Running() {
			m.say("asked to stop before the next step")
			return m.command(func() tea.Msg { m.door.Stop(); return contentNow{} })
		}
		return nil
	case is(k, m.keys.Answer):
		return m.answerAsked(v.state(m))
	case is(k, m.keys.Output):
		v.whole, v.moved = !v.whole, false
		return nil
	case k.Type == tea.KeyEnter:
		if r := v.state(m); r != nil && !r.Running() {
			m.pop()
		}
		return nil
	}
	if v.scroll.key(m, k) {
		v.moved = !is(k, m.keys.Bottom)
	}
	return nil
}

// quitDialog asks before the cockpit is left with a step at work.
type quitDialog struct {
	box
	arming
	run     cluster.PlanState
	waiting bool
}

func newQuitDialog(m *model, r cluster.PlanState) *quitDialog {
	return &quitDialog{run: r, arming: arming{human: m.human}}
}

func (d *quitDialog) opened(m *model) tea.Cmd {
	d.kill()
	return d.rest(m, quietTime)
}

func (d *quitDialog) rest(m *model, t time.Duration) tea.Cmd {
	if d.waiting {
		return nil
	}
	d.waiting = true
	return m.waitQuiet(d, t)
}

func (d *quitDialog) quiet(m *model) tea.Cmd {
	d.waiting = false
	if again := d.due(); again > 0 {
		return d.rest(m, again)
	}
	return nil
}

func (d *quitDialog) key(m *model, k tea.KeyMsg) tea.Cmd { return d.typed(m, k) }

func (d *quitDialog) typed(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case k.Type == tea.KeyEsc || k.Type == tea.KeyCtrlC:
		m.pop()
		return nil
	case !d.live:
		d.touch()
		return d.rest(m, quietTime)
	case k.Type == tea.KeyRunes && string(k.Runes) == "y" && !k.Paste:
		return tea.Quit
	case k.Type == tea.KeyRunes:
		m.deafen()
	}
	m.pop()
	return nil
}

func (d *quitDialog) head(*model) (string, string) {
	if d.live {
		return "Leave the cockpit", "live"
	}
	return "Leave the cockpit", "dead until the keyboard is quiet"
}

func (d *quitDialog) body(m *model, w int) ([]string, int) {
	if r := m.running(); r != nil && r.Plan.ID == d.run.Plan.ID {
		d.run = *r // the step that is at work now
	}
	says := fmt.Sprintf("%s %s is at %s. The step goes on by itself on its node; no further step begins without the cockpit.",
		d.run.Plan.Procedure, d.run.Plan.Node, stepOf(&d.run))
	return append(wrap(says, w), "", newLine(w).put(m.st.plain, "Press ").put(m.st.strong, " y ").put(m.st.plain, " to leave; any other key stays.").String()), -1
}

func (d *quitDialog) bindings(*model) []key.Binding {
	return []key.Binding{bind("y", "leave"), bind("Esc", "stay, as everything else")}
}
