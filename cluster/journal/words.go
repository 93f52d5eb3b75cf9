package journal

import (
	"fmt"
	"strings"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Words says a record's data in one safe line; unknown shapes stay JSON, cut.
// What comes from the file is made safe again: somebody may have written there.
func Words(r Record) string {
	data, err := Decode(r)
	if err != nil {
		return safe(raw(r))
	}
	switch d := data.(type) {
	case *cluster.Snapshot:
		return safe(snapshotWords(*d))
	case *FindingData:
		return safe(findingWords(d))
	case *ConfirmData:
		return safe(confirmWords(d))
	case *cluster.Intent:
		return safe(fmt.Sprintf("plan %s step %s on %s: %s", d.Plan, d.Step, d.Node, or(d.Command, d.ToDo)))
	case *cluster.Outcome:
		return safe(fmt.Sprintf("plan %s step %s on %s: %s. %s", d.Plan, d.Step, d.Node, d.Status, d.Sentence))
	case *OutputData:
		return safe(d.Node + ": " + strings.Join(d.Lines, " | "))
	case *NoteData:
		return safe(noteWords(r, d))
	}
	return safe(raw(r))
}

// raw is a record's data, cut.
func raw(r Record) string {
	const most = 300
	if text := string(r.Data); len(text) > most {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(r.Data))
	}
	return string(r.Data)
}

// noteWords tells the opening of an incident from what is noted in it.
func noteWords(r Record, d *NoteData) string {
	switch {
	case d.Text != "":
		return d.Text
	case d.Ended != nil:
		return fmt.Sprintf("plan %s ended: %s. %s", d.Ended.Plan, d.Ended.Status, d.Ended.Sentence)
	case d.Passed != nil:
		return fmt.Sprintf("plan %s step %s: %s. %s", d.Passed.Plan, d.Passed.Step, d.Passed.Status, d.Passed.Sentence)
	case d.GoesOn != "":
		return "plan " + d.GoesOn + " goes on here"
	case d.Incident == "":
		return raw(r)
	}
	text := fmt.Sprintf("incident %s of %s opened, format %d", d.Incident, d.Named(), d.Format)
	if d.Continues != "" {
		text += ", continues " + d.Continues
	}
	return text
}

// confirmWords tells a plan that was confirmed from a word within one.
func confirmWords(d *ConfirmData) string {
	switch {
	case d.Plan.ID != "":
		return fmt.Sprintf("plan %s, %s: typed %q", d.Plan.ID, d.Plan.Title, d.Typed)
	case d.Word.Ticked:
		return fmt.Sprintf("plan %s step %s: ticked", d.Word.Plan, d.Word.Step)
	}
	return fmt.Sprintf("plan %s step %s: typed %q", d.Word.Plan, d.Word.Step, d.Word.Typed)
}

// findingWords tells a finding that came or changed from one that went.
func findingWords(d *FindingData) string {
	if d.Gone != "" {
		return d.Gone + " has gone"
	}
	text := fmt.Sprintf("%s %s, %s: %s", d.Priority, d.ID(), d.Certainty, d.Title)
	if d.Under != "" {
		text += " (folded under " + d.Under + ")"
	}
	return text
}

// snapshotWords says of each node what mattered most.
func snapshotWords(s cluster.Snapshot) string {
	var parts []string
	for _, n := range s.Nodes {
		r := s.Reports[n.Name]
		if r == nil {
			continue
		}
		part := n.Name + " " + string(r.Reach.Value)
		switch cluster.Is(r.PostgreSQL.InRecovery, true) {
		case cluster.True:
			part += ", standby"
		case cluster.False:
			part += ", primary"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// safe makes a text fit for the terminal.
func safe(s string) string { return remote.Safe([]byte(s)) }
