package drill

import (
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// Fastest is what the fastest right path took, carried out by the table itself.
type Fastest struct {
	Known    bool
	Why      string        // it is not known
	Found    time.Duration // from the fault to the findings
	Healthy  time.Duration // from the fault to healthy
	Commands int           // that reached nodes
	Path     []Target      // in order
}

// Ran is a command that reached a node.
type Ran struct{ Node, Command string }

// Debriefing is what is told after an exercise.
type Debriefing struct {
	Seed      int64
	Task      Task
	Score     Score
	Failure   cluster.Failure     // the catalogue's entry of the failure
	Title     string              // of its finding; "" where none came
	Guides    []cluster.Procedure // catalogue entries of Fastest.Path
	Fastest   Fastest
	Ran       []Ran
	Timeline  []string // from the journal
	Incidents []string // ids
}

// Paragraphs are the debriefing in words, each to be wrapped by itself. They
// read well aloud: there are no columns.
func (d Debriefing) Paragraphs() []string {
	if !d.Score.Struck {
		return []string{"", "DRILL, debriefing: it was left before anything happened.", d.again()}
	}
	p := []string{"", "DRILL, debriefing.", d.what()}
	for _, l := range [][2]string{{"Cause", d.Failure.Cause}, {"If it is ignored", d.Failure.Ignored}, {"Time", d.Failure.Time}, {"Do first", d.Failure.First}} {
		if l[1] != "" {
			p = append(p, l[0]+": "+l[1])
		}
	}
	p = append(p, d.guide()...)
	p = append(p, "", "Your times, from the fault on:")
	p = append(p, d.times()...)
	p = append(p, "")
	p = append(p, d.wrong()...)
	p = append(p, "")
	p = append(p, d.commands()...)
	if len(d.Timeline) > 0 {
		p = append(p, "", "What happened, from the journal:")
		p = append(p, d.Timeline...)
	}
	p = append(p, "")
	for _, id := range d.Incidents {
		p = append(p, "The whole incident: chef-backend-cockpit journal report "+id)
	}
	return append(p, d.again())
}

func (d Debriefing) again() string {
	return fmt.Sprintf("The same again: chef-backend-cockpit demo --drill --seed %d", d.Seed)
}

func (d Debriefing) what() string {
	title := d.Title
	if title == "" {
		title = "no finding of it came before the drill was left"
	}
	return fmt.Sprintf("It was %s: %s.", d.Task.Fault, strings.TrimSuffix(title, "."))
}

// guide says what the guide has to say, and the right way.
func (d Debriefing) guide() []string {
	var p []string
	if d.Failure.Section != "" {
		p = append(p, "Guide: "+d.Failure.Section)
	}
	var path []string
	for _, t := range d.Fastest.Path {
		path = append(path, t.String())
	}
	if len(path) > 0 {
		p = append(p, "The right way: "+strings.Join(path, ", then ")+".")
	}
	told := map[string]bool{}
	for _, g := range d.Guides {
		if told[g.Name] {
			continue
		}
		told[g.Name] = true
		text := fmt.Sprintf("%s, %s", g.Name, g.Tier)
		if g.Section != "" {
			text += ", section " + g.Section
		}
		p = append(p, text+": "+named(g.Summary, d.Fastest.Path))
	}
	for _, a := range d.Failure.Advice {
		p = append(p, "Advice: "+a)
	}
	return p
}

// named fills in the node where a procedure's text has a place for it.
func named(text string, path []Target) string {
	for _, t := range path {
		text = strings.NewReplacer("{node}", or(t.Node, "the node"), "{service}", or(t.Service, "the service")).Replace(text)
	}
	return strings.NewReplacer("{leader}", "the leader", "{", "the ", "}", "").Replace(text)
}

// times are the operator's moments beside the fastest ones.
func (d Debriefing) times() []string {
	s, f := d.Score, d.Fastest
	row := func(what string, m Moment, fastest time.Duration) string {
		text := "It never came to this: " + what + "."
		if m.Known {
			text = spanText(m.After) + ": " + what + "."
		}
		if f.Known {
			text += " The fastest right path: " + spanText(fastest) + "."
		}
		return text
	}
	p := []string{
		row("the finding stood", s.Appeared, f.Found),
		row("you opened the evidence or a menu", s.Looked, f.Found),
		row("you opened a right plan", s.Decided, f.Found),
		row("a right plan began", s.Begun, f.Found),
		row("all was well again", s.Healthy, f.Healthy),
	}
	if s.Appeared.Known && s.Looked.Known && s.Decided.Known {
		text := fmt.Sprintf("Detection took you %s after the finding stood, the decision %s more", spanText(s.Looked.After-s.Appeared.After), spanText(max(s.Decided.After-s.Looked.After, 0)))
		if s.Healthy.Known {
			text += fmt.Sprintf(", the repair %s", spanText(max(s.Healthy.After-s.Decided.After, 0)))
		}
		p = append(p, text+".")
	}
	if !f.Known {
		p = append(p, "What the fastest right path takes is not known: "+or(f.Why, "it was not carried out")+".")
	}
	return p
}

// wrong lists the wrong turns.
func (d Debriefing) wrong() []string {
	if len(d.Score.Wrong) == 0 {
		return []string{"Wrong turns: none."}
	}
	p := []string{fmt.Sprintf("Wrong turns: %d.", len(d.Score.Wrong))}
	for _, t := range d.Score.Wrong {
		p = append(p, fmt.Sprintf("After %s you %s.", spanText(t.After), t.Says))
	}
	return p
}

// commands lists what reached nodes.
func (d Debriefing) commands() []string {
	text := fmt.Sprintf("Commands that reached nodes: %d.", len(d.Ran))
	if d.Fastest.Known {
		text += fmt.Sprintf(" The fastest right path: %d.", d.Fastest.Commands)
	}
	p := []string{text}
	for _, r := range d.Ran {
		p = append(p, r.Node+": "+r.Command)
	}
	return p
}

// spanText is a length of time.
func spanText(d time.Duration) string {
	d = d.Round(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
