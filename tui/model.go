// Package tui is the screen of the cockpit: the situation, the nodes, the
// leadership board, the alarms, the logs, and the way through a recovery. It
// is the only package that knows Bubble Tea, and it sees the cluster through
// watch.Door alone.
//
// There is one model; its parts are plain structs that are told their place
// and asked for rows. Update does memory work only: whatever may take time
// runs as a command and comes back as a message with a number, so that a late
// answer never replaces a newer one. View returns the frame that was built
// when something last changed.
package tui

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
	_ "chef-backend-cockpit/tui/quiet" // before Bubble Tea: see there
)

// contentPeriod is the shortest time between two pictures that no key asked
// for.
const contentPeriod = 250 * time.Millisecond

// model is the one root of the screen.
type model struct {
	ctx  context.Context
	door watch.Door
	// player is the door of a replay; nil for a living cluster.
	player watch.Player
	// inner is the screen of a rehearsal or of the past, shown in place of this
	// one, which goes on hearing the cluster; outer is what such a screen came from.
	inner, outer *model
	// past is the door of a screen that looks back; nil for now.
	past  watch.Traveller
	began time.Time       // of a rehearsal or a look back, by the cluster's clock
	stood map[string]bool // findings of outer that stood then
	clock cluster.Clock   // of the cluster: ages
	human cluster.Clock   // of the operator: keys
	out   *output
	st    *styles
	keys  keyMap
	color string // stamp colour that the styles were made for
	o     Options
	// repaint has the next frame painted whole; nil where nothing is painted.
	repaint func()

	state    *watch.State
	lay      layout
	w, h     int
	focus    pane
	nodes    nodesPane
	board    boardPane
	alarms   alarmsPane
	logs     logPane
	prompt   *prompt
	overlays []overlay
	seen     map[string]bool // findings that stood when the first of them was opened
	flash    flash
	answered uint64 // number of the newest question of a login that was answered
	deaf     arming // after a refusal, until the keyboard was quiet
	deafened bool
	belled   map[string]bool
	title    string // of the window; "" for the one it had

	dirty bool
	frame string
	panic *PanicError
	lost  error // the operator's terminal does not come back; nil: it is there
}

func newModel(ctx context.Context, o Options, out *output) *model {
	m := &model{ctx: ctx, door: o.Door, clock: o.Clock, human: o.Human, out: out, o: o, keys: newKeyMap(),
		belled: map[string]bool{}, dirty: true}
	m.player, _ = o.Door.(watch.Player)
	m.past, _ = o.Door.(watch.Traveller)
	m.restyle("")
	m.logs.follow = true
	m.alarms.human = o.Human
	m.takeState()
	return m
}

func (m *model) restyle(stampColor string) {
	m.color, m.st = stampColor, newStyles(m.o.Theme, stampColor)
}

// Init starts the one circle of pictures.
func (m *model) Init() tea.Cmd { return tea.Batch(m.pump(), m.fetchLogs(), m.fetchOffers()) }

// Update takes one message. A panic ends the program in order, with the
// terminal as it was.
func (m *model) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	defer func() {
		if r := recover(); r != nil {
			next, cmd = m, m.fail(r)
		}
	}()
	switch msg := msg.(type) {
	case innerMsg:
		return m, m.innerUpdate(msg)
	case tea.WindowSizeMsg:
		return m, tea.Batch(m.resize(msg.Width, msg.Height), m.toInner(msg))
	case tea.KeyMsg:
		if m.inner != nil {
			return m, m.toInner(msg)
		}
		return m, m.keyMsg(msg)
	case contentMsg:
		return m, tea.Batch(m.refresh(), m.pump())
	case contentNow:
		return m, m.refresh()
	case logMsg:
		m.dirty = true
		return m, m.takeLogs(msg)
	case backMsg:
		m.dirty = true
		return m, m.takeBack(msg)
	case planMsg:
		return m, m.takePlan(msg)
	case rehearsalMsg:
		return m, m.takeRehearsal(msg)
	case quietMsg:
		return m, m.takeQuiet(msg)
	case confirmedMsg:
		return m, m.takeConfirmed(msg)
	case firstOffersMsg:
		return m, m.takeOffers(msg)
	case summaryMsg:
		m.dirty = true
		m.push(&textView{heading: "Summary, to paste", text: m.withNotices(msg.text)})
	case terminalMsg:
		return m, m.handTerminal(msg)
	case wordMsg:
		m.takeWord(msg)
	case saidMsg:
		m.say(msg.text)
		return m, m.refresh()
	case copiedMsg:
		m.say(msg.text)
	case tea.ResumeMsg:
		m.dirty = true
		return m, tea.Batch(m.refresh(), m.toInner(msg))
	case lostMsg:
		m.lost = fmt.Errorf("the terminal cannot be had back, so the cockpit ends: %w; start it again", msg.err)
		return m, tea.Quit
	case *PanicError:
		m.panic = msg
		return m, tea.Quit
	}
	return m, nil
}

// View returns the frame, built anew only when something has changed.
func (m *model) View() string {
	if m.inner != nil {
		return m.inner.View()
	}
	if m.dirty {
		m.dirty = false
		m.build()
	}
	return m.frame
}

// build makes the frame; a panic becomes a frame that says so, and the next
// message ends the program.
func (m *model) build() {
	defer func() {
		if r := recover(); r != nil {
			m.fail(r)
			m.frame = ""
		}
	}()
	m.frame = strings.Join(m.draw(), "\n")
}

func (m *model) fail(r any) tea.Cmd {
	if m.panic == nil {
		m.panic = &PanicError{Value: r, Stack: debug.Stack()}
	}
	return tea.Quit
}

// resize lays everything out for a new size.
func (m *model) resize(w, h int) tea.Cmd {
	m.w, m.h = max(w, 0), max(h, 0)
	m.place()
	m.dirty = true
	cmds := []tea.Cmd{m.fetchLogs()}
	if d, ok := m.dialog(); ok {
		cmds = append(cmds, d.opened(m)) // it is read anew before it is live again
	}
	return tea.Batch(cmds...)
}

func (m *model) place() {
	m.lay = newLayout(m.w, m.h, len(m.nodeList()))
	m.logs.setRows(m.lay.logs.h - 1)
}

// refresh takes the newest state of the door.
func (m *model) refresh() tea.Cmd {
	m.dirty = true
	if m.panic != nil {
		return tea.Quit
	}
	m.flash.fade(m.human.Now())
	if m.takeState() {
		for _, o := range m.overlays {
			o.refresh(m)
		}
	}
	return tea.Batch(m.fetchLogs(), m.fetchOffers(), m.bell(), m.showQuestion())
}

// takeState answers whether the state is another one than before.
func (m *model) takeState() bool {
	s := m.door.State()
	if s == nil || (m.state != nil && s.Seq == m.state.Seq && s == m.state) {
		return false
	}
	if m.state != nil && s.Seq < m.state.Seq {
		return false // a late answer
	}
	before := len(m.nodeList())
	m.state = s
	if s.StampColor != m.color {
		m.restyle(s.StampColor)
	}
	if len(m.nodeList()) != before {
		m.place()
	}
	m.nodes.clamp(len(m.nodeList()))
	m.alarms.take(s.Findings, m.top() != nil)
	return true
}

// view is the newest view of the cluster; nil before the first one.
func (m *model) view() *cluster.View {
	if m.state == nil {
		return nil
	}
	return m.state.View
}

// nodeList are the nodes in their fixed order.
func (m *model) nodeList() []cluster.Node {
	if v := m.view(); v != nil && v.Snapshot != nil {
		return v.Snapshot.Nodes
	}
	return nil
}

// now is the time by which ages are told.
func (m *model) now() time.Time { return m.clock.Now() }

// running is the plan at work; nil when there is none.
func (m *model) running() *cluster.PlanState {
	if m.state != nil && m.state.Run != nil && m.state.Run.Running() {
		return m.state.Run
	}
	return nil
}

// acting is whether a plan is at work that runs commands; one that only watches
// gives way to it.
func (m *model) acting() bool {
	r := m.running()
	return r != nil && r.Plan.Acts()
}

// troubled answers whether the screen may be restless: something is wrong or
// at work.
func (m *model) troubled() bool {
	if m.running() != nil {
		return true
	}
	for _, f := range m.alarms.shown {
		if f.Priority <= cluster.P2 {
			return true
		}
	}
	return false
}
