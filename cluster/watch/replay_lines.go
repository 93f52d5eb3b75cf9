package watch

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
)

// journalService is what the records' lines are tagged with in the log pane.
const journalService = "journal"

// replayLines are the records as lines of the log pane: the nodes' own logs are
// not in a journal. Snapshots have none.
type replayLines struct {
	all []cluster.Line
	to  []int // lines of the records up to each
}

// readLines makes the lines of a whole book.
func readLines(b *journal.Book) (replayLines, error) {
	var l replayLines
	for i, m := range b.Marks {
		if m.Kind != journal.Snapshot {
			r, err := b.Record(i)
			if err != nil {
				return l, err
			}
			l.take(r)
		}
		l.to = append(l.to, len(l.all))
	}
	return l, nil
}

// take adds the lines of a record: each line of output is one.
func (l *replayLines) take(r journal.Record) {
	data, err := journal.Decode(r)
	line := cluster.Line{Service: journalService, Stamp: r.At, Level: cluster.LevelInfo}
	switch d := data.(type) {
	case *journal.OutputData:
		line.Node = d.Node
		for _, text := range d.Lines {
			l.add(line, text)
		}
		return
	case *cluster.Intent:
		line.Node = d.Node
	case *cluster.Outcome:
		line.Node = d.Node
		if d.Status != cluster.StatusDone && d.Status != cluster.StatusSkipped {
			line.Level = cluster.LevelError
		}
	case *journal.FindingData:
		line.Node = d.Node
		if d.Gone == "" && d.Priority <= cluster.P2 && d.Under == "" {
			line.Level = cluster.LevelWarning
		}
	}
	if err != nil {
		line.Level = cluster.LevelWarning
	}
	l.add(line, r.Kind+": "+journal.Words(r))
}

func (l *replayLines) add(line cluster.Line, text string) {
	line.Seq, line.Text = uint64(len(l.all))+1, text
	l.all = append(l.all, line)
}

// played are the lines of the records that were played.
func (r *Replay) played() []cluster.Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == 0 {
		return nil
	}
	return r.lines.all[:r.lines.to[r.next-1]]
}

// matcher compiles a query.
func matcher(q LogQuery) (func(cluster.Line) bool, error) {
	has := func(text string) bool { return strings.Contains(text, q.Text) }
	if q.Regexp {
		re, err := regexp.Compile(q.Text)
		if err != nil {
			return nil, fmt.Errorf("the expression: %w", err)
		}
		has = re.MatchString
	} else if strings.ToLower(q.Text) == q.Text {
		has = func(text string) bool { return strings.Contains(strings.ToLower(text), q.Text) }
	}
	return func(l cluster.Line) bool {
		return (len(q.Nodes) == 0 || slices.Contains(q.Nodes, l.Node)) &&
			(len(q.Services) == 0 || slices.Contains(q.Services, l.Service)) &&
			l.Level >= q.MinLevel && !q.Signs && has(l.Text)
	}, nil
}

// Logs returns the records, as lines, up to the one that was played last.
func (r *Replay) Logs(q LogQuery, end uint64, n int) (LogPage, error) {
	ok, err := matcher(q)
	if err != nil {
		return LogPage{}, err
	}
	all := r.played()
	p := LogPage{Held: uint64(len(all))}
	for _, l := range slices.Backward(all) {
		switch {
		case !ok(l):
		case end != 0 && l.Seq > end:
			p.Newer++
		case len(p.Lines) == n:
			p.Older = true
		default:
			p.Lines = append(p.Lines, l)
		}
		if p.Older {
			break
		}
	}
	slices.Reverse(p.Lines)
	return p, nil
}

// FindLog is the next matching line after or before from.
func (r *Replay) FindLog(q LogQuery, from uint64, dir int) (uint64, bool) {
	ok, err := matcher(q)
	if err != nil {
		return 0, false
	}
	all := r.played()
	i := sort.Search(len(all), func(i int) bool { return all[i].Seq >= from })
	if dir < 0 {
		i--
	} else if i < len(all) && all[i].Seq == from {
		i++
	}
	for ; i >= 0 && i < len(all); i += dir {
		if ok(all[i]) {
			return all[i].Seq, true
		}
	}
	return 0, false
}

// Streams is the journal alone.
func (r *Replay) Streams() []cluster.StreamState {
	all := r.played()
	s := cluster.StreamState{Service: journalService, Alive: true, Heartbeat: r.Now(), Lines: uint64(len(all))}
	if len(all) > 0 {
		s.LastLine = all[len(all)-1].Stamp
	}
	return []cluster.StreamState{s}
}
