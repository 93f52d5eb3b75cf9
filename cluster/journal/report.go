package journal

import (
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Report writes an incident as Markdown: timeline, findings with their
// evidence, what was carried out with outcomes and durations, and what is still
// open. What comes from the file is made safe again: others can write there.
func Report(path string) (string, error) {
	r := &report{acts: map[string]*act{}, first: map[string]FindingData{}, stands: map[string]bool{}, plans: map[string]*planned{}}
	chain := Verify(path)
	if err := Read(path, r.take); err != nil {
		return "", err
	}
	return r.markdown(chain), nil
}

// report gathers an incident.
type report struct {
	opening  Opening
	opened   time.Time
	last     time.Time
	closed   bool
	timeline []string
	found    []string // IDs in order of coming
	first    map[string]FindingData
	stands   map[string]bool // findings that did not go, by ID
	order    []string
	acts     map[string]*act
	planned  []string // plans that were confirmed here or go on here, by id
	plans    map[string]*planned
	unread   int
}

// act is one intent with what became of it.
type act struct {
	intent  cluster.Intent
	began   time.Time
	ended   time.Time
	outcome *cluster.Outcome
	output  []string
	lines   int
}

// planned is one plan with what it left behind.
type planned struct {
	title string
	ended bool
	left  []string
}

// plan is a plan of this incident.
func (r *report) plan(id string) *planned {
	if r.plans[id] == nil {
		r.plans[id] = &planned{}
		r.planned = append(r.planned, id)
	}
	return r.plans[id]
}

// shownOutput is how many of a step's last lines the report holds.
const shownOutput = 20

// take reads one record.
func (r *report) take(rec Record) error {
	if r.opened.IsZero() {
		r.opened = rec.At
	}
	r.last = rec.At
	data, err := Decode(rec)
	if err != nil {
		r.unread++
		return nil
	}
	switch d := data.(type) {
	case *NoteData:
		r.note(rec, d)
	case *FindingData:
		r.finding(rec, d)
	case *ConfirmData:
		r.confirm(rec, d)
	case *cluster.Intent:
		key := d.Plan + "/" + d.Step
		r.order = append(r.order, key)
		r.acts[key] = &act{intent: *d, began: rec.At}
		r.tell(rec, fmt.Sprintf("%s: begins %s", d.Node, code(or(d.Command, d.ToDo))))
	case *cluster.Outcome:
		if a := r.acts[d.Plan+"/"+d.Step]; a != nil {
			a.outcome, a.ended = d, rec.At
		}
		r.tell(rec, fmt.Sprintf("%s: step %s %s. %s", d.Node, d.Step, d.Status, d.Sentence))
	case *OutputData:
		if a := r.acts[d.Plan+"/"+d.Step]; a != nil {
			a.lines += len(d.Lines)
			a.output = append(a.output, d.Lines...)
			a.output = a.output[max(0, len(a.output)-shownOutput):]
		}
	}
	return nil
}

func (r *report) note(rec Record, d *NoteData) {
	switch {
	case rec.Seq == 0:
		r.opening = d.Opening
		text := "the incident is opened"
		if d.Continues != "" {
			text += "; it continues " + d.Continues + ", whose journal could not be gone on with"
		}
		r.tell(rec, text)
	case d.Closed:
		r.closed = true
		fallthrough
	default:
		if e := d.Ended; e != nil {
			p := r.plan(e.Plan)
			p.ended, p.left = true, e.OpenEnds
		} else if d.GoesOn != "" {
			r.plan(d.GoesOn)
		}
		r.tell(rec, d.Text)
	}
}

func (r *report) finding(rec Record, d *FindingData) {
	if d.Gone != "" {
		delete(r.stands, d.Gone)
		r.tell(rec, d.Gone+" has gone")
		return
	}
	id := d.ID()
	if _, known := r.first[id]; !known {
		r.found = append(r.found, id)
	}
	r.first[id], r.stands[id] = *d, true // the newest evidence
	text := fmt.Sprintf("%s %s, %s: %s", d.Priority, id, d.Certainty, d.Title)
	if d.Under != "" {
		text += " (a consequence of " + d.Under + ")"
	}
	r.tell(rec, text)
}

func (r *report) confirm(rec Record, d *ConfirmData) {
	switch {
	case d.Plan.ID != "":
		r.plan(d.Plan.ID).title = d.Plan.Title
		r.tell(rec, fmt.Sprintf("plan %s, %s: confirmed%s, typed %s", d.Plan.ID, d.Plan.Title, by(d.By), quoted(d.Typed)))
	case d.Word.Ticked:
		r.tell(rec, fmt.Sprintf("plan %s: step %s ticked%s", d.Word.Plan, d.Word.Step, by(d.Word.By)))
	default:
		r.tell(rec, fmt.Sprintf("plan %s: went on at step %s%s, typed %s", d.Word.Plan, d.Word.Step, by(d.Word.By), quoted([]string{d.Word.Typed})))
	}
}

// tell adds a row to the timeline.
func (r *report) tell(rec Record, text string) {
	at, layout := rec.At.UTC(), "15:04:05"
	if at.Format(time.DateOnly) != r.opened.UTC().Format(time.DateOnly) {
		layout = time.DateTime
	}
	r.timeline = append(r.timeline, fmt.Sprintf("| %s | %s |", at.Format(layout), cell(text)))
}

// markdown puts all together.
func (r *report) markdown(chain error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Incident %s of %s\n\n", inline(r.opening.Incident), inline(r.opening.Named()))
	fmt.Fprintf(&b, "Opened %s, last record %s (%s), %s. All times are UTC.\n", r.opened.UTC().Format(time.RFC3339),
		r.last.UTC().Format(time.RFC3339), r.last.Sub(r.opened).Round(time.Second), map[bool]string{true: "closed", false: "not closed"}[r.closed])
	if chain != nil {
		fmt.Fprintf(&b, "\n**The journal is not as it was written:** %s\n", inline(chain.Error()))
	}
	if r.unread > 0 {
		fmt.Fprintf(&b, "\n%d records could not be read and are left out.\n", r.unread)
	}
	b.WriteString("\n## Timeline\n\n| Time | What |\n| --- | --- |\n" + strings.Join(r.timeline, "\n") + "\n")
	r.findings(&b)
	r.carriedOut(&b)
	r.open(&b)
	return b.String()
}

// findings lists what was found, with its newest evidence.
func (r *report) findings(b *strings.Builder) {
	b.WriteString("\n## Findings\n\nEach as it stood last; how it came to be is in the timeline.\n")
	if len(r.found) == 0 {
		b.WriteString("\nnone\n")
	}
	for _, id := range r.found {
		f := r.first[id]
		fmt.Fprintf(b, "\n### %s %s, %s\n\n%s\n\n", f.Priority, inline(id), inline(string(f.Certainty)), inline(f.Title))
		for _, e := range f.Evidence {
			fmt.Fprintf(b, "- %s, %s: %s\n", inline(string(e.Side)), e.Answer, inline(e.Sentence))
		}
	}
}

// carriedOut lists each command with its outcome, its time and its last lines.
func (r *report) carriedOut(b *strings.Builder) {
	b.WriteString("\n## Carried out\n")
	if len(r.order) == 0 {
		b.WriteString("\nnothing\n")
	}
	for _, key := range r.order {
		a := r.acts[key]
		fmt.Fprintf(b, "\n### %s, step %s of plan %s\n\n", inline(a.intent.Node), inline(a.intent.Step), inline(a.intent.Plan))
		fmt.Fprintf(b, "%s\n\n", indented(or(a.intent.Command, a.intent.ToDo)))
		fmt.Fprintf(b, "Began %s. %s\n", a.began.UTC().Format("15:04:05"), inline(a.became()))
		if len(a.output) > 0 {
			fmt.Fprintf(b, "\nOutput, last %d of %d lines:\n\n", len(a.output), a.lines)
			for _, l := range a.output {
				fmt.Fprintln(b, indented(l))
			}
		}
	}
}

// became says how a step ended.
func (a *act) became() string {
	if a.outcome == nil {
		return "No outcome is written: it still runs, or its cockpit is gone and the outcome is unknown."
	}
	text := fmt.Sprintf("%s after %s", a.outcome.Status, a.ended.Sub(a.began).Round(time.Second))
	if a.outcome.ExitKnown {
		text += fmt.Sprintf(", exit status %d", a.outcome.Exit)
	}
	return text + ". " + a.outcome.Sentence
}

// open lists what nobody has finished, as far as this journal tells: acts,
// plans, what plans left behind, findings that did not go.
func (r *report) open(b *strings.Builder) {
	var open []string
	for _, key := range r.order {
		if a := r.acts[key]; a.outcome == nil || a.outcome.Status == cluster.StatusUnknown {
			open = append(open, fmt.Sprintf("%s on %s: outcome unknown, look it up", code(or(a.intent.Command, a.intent.ToDo)), inline(a.intent.Node)))
		}
	}
	for _, id := range r.planned {
		p := r.plans[id]
		name := inline(strings.TrimSpace("plan " + id + " " + p.title))
		if !p.ended {
			open = append(open, name+": its end is not written; a cockpit of this cluster takes it up again")
		}
		for _, end := range p.left {
			open = append(open, name+" left behind: "+inline(end))
		}
	}
	for _, id := range r.found {
		if r.stands[id] {
			open = append(open, fmt.Sprintf("%s %s: %s", r.first[id].Priority, inline(id), inline(r.first[id].Title)))
		}
	}
	b.WriteString("\n## Still open\n\n")
	if len(open) == 0 {
		b.WriteString("nothing\n")
	}
	for _, o := range open {
		b.WriteString("- " + o + "\n")
	}
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

func quoted(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%q", words)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// safeText makes a text of the file fit for a terminal; line ends stay.
func safeText(s string) string {
	parts := strings.Split(s, "\n")
	for i, p := range parts {
		parts[i] = remote.Safe([]byte(p))
	}
	return strings.Join(parts, "\n")
}

// markup are the characters that Markdown would take for its own.
var markup = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "<", "&lt;", "|", `\|`, "#", `\#`)

// oneLine is a text of the file on one line.
func oneLine(s string) string { return strings.ReplaceAll(safeText(s), "\n", " ") }

// indented is a text that stands as it is, whatever is in it.
func indented(s string) string { return "    " + strings.ReplaceAll(safeText(s), "\n", "\n    ") }

// inline is a text that stands in a sentence; nothing in it is Markdown.
func inline(s string) string { return markup.Replace(oneLine(s)) }

// cell is a text in a row of a table. It may hold code.
func cell(s string) string {
	before, rest, ok := strings.Cut(s, "`")
	if !ok {
		return inline(s)
	}
	in, after, _ := strings.Cut(rest, "`")
	return inline(before) + "`" + strings.ReplaceAll(oneLine(in), "|", `\|`) + "`" + inline(after)
}

// code is a command in a sentence.
func code(s string) string {
	return "`" + strings.ReplaceAll(oneLine(s), "`", "'") + "`"
}
