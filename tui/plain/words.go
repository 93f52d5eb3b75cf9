package plain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// command is a word that the operator can type.
type command struct {
	word, args, says string
	do               func(t *talk, words []string)
}

// commands are all words, in the order in which help says them.
func commands() []command {
	return []command{
		{"help", "", "these commands", (*talk).help},
		{"status", "", "the situation", func(t *talk, _ []string) { t.status() }},
		{"findings", "", "what stands, the gravest first", func(t *talk, _ []string) { t.findings(false) }},
		{"why", "N", "the evidence of a finding, by its number; without one, of the one that stands alone", (*talk).why},
		{"menu", "N or NODE", "what can be done for a finding, or on a node", (*talk).menu},
		{"plan", "N, or PROCEDURE NODE SERVICE", "make a plan and say it; plan again makes it anew", (*talk).makePlan},
		{"rehearse", "", "carry the plan out on a simulation first; rehearse stop leaves that", (*talk).rehearse},
		{"confirm", "", "be asked for the plan's phrase", (*talk).confirm},
		{"answer", "", "be asked for what a plan at work waits for, or have the terminal that it wants", (*talk).answerPlan},
		{"tick", "", "say that what a plan wants done by hand is done", (*talk).answerPlan},
		{"stop", "", "stop the plan at work before its next step", (*talk).stop},
		{"output", "", "what the steps wrote", (*talk).output},
		{"ack", "N", "acknowledge a finding, by its number", (*talk).acknowledge},
		{"logs", "FILTER", "the newest log lines; a filter is nodes, services, errors, warnings, signs, or a text", (*talk).readLogs},
		{"next", "", "the log lines after those", (*talk).next},
		{"older", "", "the log lines before those", (*talk).older},
		{"signs", "on or off", "recognised log lines; on says them as they come", (*talk).hearOfSigns},
		{"copies", "", "the copies of the database, and what choosing one would lose", (*talk).copies},
		{"look", "", "look again at all nodes at once", func(t *talk, _ []string) { t.door.LookNow(); t.say("Looking at all nodes.") }},
		{"login", "", "dial nodes without a link anew, and answer what their logins ask", (*talk).dial},
		{"mark", "NODE off, on, maintenance 2h or done", "say that a node is off, or in planned work", (*talk).mark},
		{"arm", "", "let T3 be confirmed for ten minutes; asks for the cluster's name", (*talk).arm},
		{"disarm", "", "end that", (*talk).disarm},
		{"lock", "", "who holds the operators' lock; lock take takes it over", (*talk).lock},
		{"summary", "", "a plain summary, to paste", func(t *talk, _ []string) { t.summary() }},
		{"quit", "", "leave; a step at work goes on by itself", (*talk).leave},
	}
}

// command carries out what was typed.
func (t *talk) command(words []string) {
	word := strings.ToLower(words[0])
	if word == "recover" { // as the key is called on the screen
		word = "menu"
	}
	for _, c := range commands() {
		if c.word == word {
			c.do(t, words[1:])
			return
		}
	}
	t.say("%s is no command. Type help for the list.", shortened(words[0]))
}

func (t *talk) help([]string) {
	t.say("Commands, one on a line, with Enter:")
	for _, c := range commands() {
		t.sub("%s: %s.", strings.TrimSpace(c.word+" "+c.args), c.says)
	}
	t.say("Nothing reaches a node before a plan was confirmed. Its phrase is typed by hand after the question: what comes before it, several lines at once, an empty line and anything else are no.")
	t.say("The full screen has more: older log lines from the nodes, saving lines.")
}

// status says the situation as it is now.
func (t *talk) status() {
	t.situation()
	if r := t.running(); r != nil {
		t.say("At work: %s, %s.", offerName(r.Plan.Procedure, r.Plan.Node, r.Plan.Service), strings.TrimSuffix(r.Sentence, "."))
	}
	for _, row := range t.state.Board.Rows {
		var parts []string
		for i, c := range row.Cells {
			if i < len(t.state.Board.Columns) {
				parts = append(parts, t.state.Board.Columns[i]+" "+cellWords(c))
			}
		}
		t.say("What each layer says of %s: %s.", row.Node, strings.Join(parts, "; "))
	}
}

// cellWords is a cell of the board without its signs.
func cellWords(c cluster.Cell) string {
	switch text := strings.TrimSpace(strings.Trim(c.Text, "?!~-")); {
	case text != "":
		return text
	case c.Mark == cluster.MarkUnknown:
		return "unknown"
	}
	return "none"
}

// copies says each copy, and what choosing one would lose of every other.
func (t *talk) copies([]string) {
	table := t.state.View.CopyTable()
	t.say("%s", sentence(table.Sentence))
	for _, r := range table.Rows {
		t.say("%s: %s", r.Node, sentence(r.Sentence))
	}
	for _, c := range table.Pairs {
		word := map[cluster.Truth]string{cluster.True: "loses nothing", cluster.False: "loses something", cluster.Unknown: "loses an unknown amount"}[c.Contained]
		t.say("Choosing %s %s of %s: %s", c.Chosen, word, c.Other, sentence(c.Sentence))
	}
	for _, b := range table.Branches {
		t.say("%s and %s are two branches: each holds WAL that the other does not. Neither is further.", b[0], b[1])
	}
}

// summary says the text to paste, line by line as it is.
func (t *talk) summary() {
	t.say("Summary, to paste:")
	t.say("%s", strings.TrimRight(t.door.Summary(), "\n"))
	t.say("End of the summary.")
}

// mark takes the operator's word about a node.
func (t *talk) mark(words []string) {
	if len(words) < 2 || !t.node(words[0]) {
		t.say("Say mark, a node, and what: off, on, maintenance with a length like 30m or 2h, or done. Nodes are %s.", t.nodeNames())
		return
	}
	node := words[0]
	switch {
	case words[1] == "off" && !t.state.View.FenceStands(node):
		t.say("You know, not from here, that %s is powered off or that its port is closed, and that it will not start with its old disk. From here a dead node and a partitioned one look alike; two old members that come back elect a leader of their own.", node)
		want := watch.FencePhrase(node)
		t.ask(question{put: "Type " + want + " by hand, then Enter. Anything else is no.", want: want, no: node + " is not marked",
			yes: func() { t.report(t.door.Fence(node, want), node+" is marked as off, on your word.") }})
	case words[1] == "off":
		t.say("%s is marked as off already.", node)
	case words[1] == "on":
		want := node + " is on"
		t.ask(question{put: "Type " + want + " by hand, then Enter. Anything else is no.", want: want, no: "the mark of " + node + " stays",
			yes: func() { t.report(t.door.Unfence(node), node+" counts again as a node that may be alive.") }})
	case words[1] == "done":
		t.report(t.door.Maintain(node, 0), node+" is no longer in maintenance.")
	case words[1] == "maintenance":
		lasts, err := time.ParseDuration(strings.Join(words[2:], ""))
		if err != nil || lasts <= 0 {
			t.say("Say for how long, as 30m or 2h; up to 24h.")
			return
		}
		t.report(t.door.Maintain(node, lasts), fmt.Sprintf("%s is in maintenance for %s.", node, spanText(lasts)))
	default:
		t.say("%s is no mark. Say off, on, maintenance with a length, or done.", words[1])
	}
}

// arm asks for the cluster's name.
func (t *talk) arm([]string) {
	switch name := t.state.Cluster; {
	case t.state.Mode == watch.ReadOnly:
		t.say("The cockpit is read-only: start it without --read-only to arm it.")
	case t.state.Mode == watch.Armed:
		t.say("The cockpit is armed until %s. Type disarm to end it.", clockText(t.state.ArmedUntil))
	case name == "":
		t.say("The cluster has no name to be typed: give it one in the configuration, or with --cluster.")
	default:
		t.say("For ten minutes plans of T3 can be confirmed: those that change who leads or who is a member, or take a safety away. Each still wants its own phrase.")
		t.ask(question{put: "Type the cluster's name, " + name + ", by hand, then Enter. Anything else is no.", want: name, no: "the cockpit is not armed",
			yes: func() { t.report(t.door.Arm(name), "Armed for ten minutes.") }})
	}
}

func (t *talk) disarm([]string) {
	if t.state.Mode != watch.Armed {
		t.say("The cockpit is not armed.")
		return
	}
	t.door.Disarm()
	t.say("No longer armed: T3 is refused. A plan at work goes on.")
}

// takeOverWithin bounds the taking over of the lock.
const takeOverWithin = time.Minute

// lock says who holds the operators' lock, or takes it over.
func (t *talk) lock(words []string) {
	l := t.state.Lock
	others := l.Held == cluster.True && !l.Ours
	switch {
	case l.Held == cluster.Unknown:
		t.say("Whether somebody holds the operators' lock is unknown: a node that answers does not tell. It is tried when a plan begins.")
	case l.Held == cluster.False:
		t.say("Nobody holds the operators' lock. It is taken when a plan is confirmed, and given up at its end.")
	case l.Ours:
		t.say("This cockpit holds the operators' lock on %s.", joined(l.On))
	default:
		t.say("%s It is free 6 seconds after that cockpit is gone, and no sooner than its step ends.", othersLockWords(l))
	}
	switch {
	case len(words) == 0 || words[0] != "take":
		if others {
			t.say("Type lock take to take it over; ask %s first, if you can.", l.Holder.Who)
		}
	case !others:
		t.say("There is nothing to take over.")
	case t.state.Mode == watch.ReadOnly:
		t.say("The cockpit is read-only: it never takes the lock.")
	default:
		want := watch.TakeOverPhrase(l.Holder.Who)
		t.ask(question{put: "Type " + want + " by hand, then Enter. It takes up to a minute. Anything else is no.", want: want, no: "the lock stays with " + l.Holder.Who,
			yes: func() {
				ctx, cancel := context.WithTimeout(t.ctx, takeOverWithin)
				defer cancel()
				t.report(t.door.TakeOver(ctx, want), "The operators' lock is yours for the next plan, or for five minutes.")
			}})
	}
}

// leave ends the conversation; while a plan runs commands it asks first.
func (t *talk) leave([]string) {
	r := t.acting()
	if r == nil {
		t.quit = true
		return
	}
	t.say("%s", goesOnText(*r))
	t.ask(question{put: "Type y, then Enter, to leave. Anything else stays.", want: "y", no: "the cockpit stays open", yes: func() { t.quit = true }})
}
