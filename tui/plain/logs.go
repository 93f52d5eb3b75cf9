package plain

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// logPage is how many lines are said at once; lineMost is how many characters
// of one.
const (
	logPage  = 15
	lineMost = 400
)

// logPlace is where one reads in the logs.
type logPlace struct {
	query       watch.LogQuery
	first, last uint64 // lines that were said; 0 for none
}

// readLogs says the newest lines that match.
func (t *talk) readLogs(words []string) {
	t.logs = logPlace{query: t.filter(words)}
	t.sayLogs(0)
}

// filter reads what lines are wanted: nodes, services, levels, "signs", and
// whatever else is a text.
func (t *talk) filter(words []string) watch.LogQuery {
	var q watch.LogQuery
	var text []string
	for _, w := range words {
		switch {
		case t.node(w):
			q.Nodes = append(q.Nodes, w)
		case slices.Contains(cluster.Services, w):
			q.Services = append(q.Services, w)
		case w == "errors":
			q.MinLevel = cluster.LevelError
		case w == "warnings":
			q.MinLevel = cluster.LevelWarning
		case w == "signs":
			q.Signs = true
		default:
			text = append(text, w)
		}
	}
	q.Text = strings.Join(text, " ")
	return q
}

// next goes on with the lines that are newer.
func (t *talk) next([]string) {
	if t.logs.last == 0 {
		t.readLogs(nil)
		return
	}
	end, n := t.logs.last, 0
	for ; n < logPage; n++ {
		seq, ok := t.door.FindLog(t.logs.query, end, +1)
		if !ok {
			break
		}
		end = seq
	}
	if n == 0 {
		t.say("No newer line as yet.")
		return
	}
	t.sayLogs(end)
}

// older goes back.
func (t *talk) older([]string) {
	if t.logs.first == 0 {
		t.readLogs(nil)
		return
	}
	end, ok := t.door.FindLog(t.logs.query, t.logs.first, -1)
	if !ok {
		t.say("No older line is held.")
		return
	}
	t.sayLogs(end)
}

// sayLogs says the lines that end at one.
func (t *talk) sayLogs(end uint64) {
	p, err := t.door.Logs(t.logs.query, end, logPage)
	switch {
	case err != nil:
		t.say("%s", sentence(capital(err.Error())))
		return
	case len(p.Lines) == 0:
		t.say("No line of %d that are held matches.", p.Held)
		return
	}
	lines := p.Lines
	if end != 0 && t.logs.last != 0 && end > t.logs.last { // only what was not said yet
		lines = slices.DeleteFunc(slices.Clone(lines), func(l cluster.Line) bool { return l.Seq <= t.logs.last })
	}
	for _, l := range lines {
		t.say("%s", lineWords(l))
	}
	t.logs.first, t.logs.last = p.Lines[0].Seq, p.Lines[len(p.Lines)-1].Seq
	if p.Newer > 0 {
		t.say("%s newer. Type next for them, older for older ones.", plural(int(p.Newer), "line is", "lines are"))
		return
	}
	t.say("These are the newest lines. Type next for what comes, older for older ones.")
}

// levels in words; what is as usual is not said.
var levels = map[cluster.Level]string{cluster.LevelWarning: ", warning", cluster.LevelError: ", error"}

// lineWords is a line of a log with all that a mark would say.
func lineWords(l cluster.Line) string {
	at := "no time"
	if !l.Stamp.IsZero() {
		at = clockText(l.Stamp)
	}
	head := fmt.Sprintf("%s %s %s%s", at, l.Node, l.Service, levels[l.Level])
	switch l.Kind {
	case cluster.LineGap:
		return head + ": lines are missing here: " + l.Text
	case cluster.LineBegin:
		return head + ": the log begins here"
	}
	if l.Sign != "" {
		head += ", recognised as " + l.Sign
	}
	return head + ": " + or(shortened(strings.TrimSpace(l.Text)), "an empty line")
}

// shortened is a text as far as one wants to hear it.
func shortened(s string) string {
	n := utf8.RuneCountInString(s)
	if n <= lineMost {
		return s
	}
	return fmt.Sprintf("%s (and %d more characters)", string([]rune(s)[:lineMost]), n-lineMost)
}

// signEar is whether recognised lines are said as they come.
type signEar struct {
	on   bool
	last uint64 // newest line that was looked at
}

// signsMost is how many recognised lines are looked through at once.
const signsMost = 200

// hearOfSigns says the newest recognised lines, and begins or ends with saying
// them as they come.
func (t *talk) hearOfSigns(words []string) {
	switch {
	case len(words) > 0 && words[0] == "off":
		t.signs.on = false
		t.say("Recognised lines are no longer said by themselves.")
	case len(words) > 0 && words[0] == "on":
		t.signs = signEar{on: true}
		if p, err := t.door.Logs(watch.LogQuery{Signs: true}, 0, 1); err == nil && len(p.Lines) > 0 {
			t.signs.last = p.Lines[0].Seq
		}
		t.say("Recognised lines are said as they come, each sort once in a while. Type signs off to end that.")
	default:
		t.readLogs([]string{"signs"})
	}
}

// hearSigns says recognised lines that are new, those of one kind together.
func (t *talk) hearSigns() {
	if !t.signs.on {
		return
	}
	p, err := t.door.Logs(watch.LogQuery{Signs: true}, 0, signsMost)
	if err != nil {
		return // no text is searched for, so there is no expression to be wrong
	}
	type kind struct{ sign, node, service string }
	count, newest := map[kind]int{}, map[kind]cluster.Line{}
	var order []kind
	for _, l := range p.Lines {
		if l.Seq <= t.signs.last {
			continue
		}
		k := kind{l.Sign, l.Node, l.Service}
		if count[k] == 0 {
			order = append(order, k)
		}
		count[k]++
		newest[k] = l
	}
	for _, k := range order {
		l := newest[k]
		t.signs.last = max(t.signs.last, l.Seq)
		times := ""
		if count[k] > 1 {
			times = fmt.Sprintf(" %d times, the newest", count[k])
		}
		t.say("%s Recognised%s: %s in the log of %s on %s: %s", clockText(l.Stamp), times, k.sign, k.service, k.node, shortened(l.Text))
		if s, ok := t.door.SignMeaning(k.sign); ok {
			t.sub("It means: %s", sentence(s.Meaning))
		}
	}
}
