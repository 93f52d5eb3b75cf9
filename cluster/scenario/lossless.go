package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/logs"
	"chef-backend-cockpit/remote"
)

// DrillService is the service whose log a LogDrill follows.
const DrillService = "etcd"

// DrillLine is how the lines of a LogDrill begin; the line's number and "of
// many" follow.
const DrillLine = "LOG:  line "

// drillStall and drillCut are how long the reader pauses and the link is gone.
const (
	drillStall = 3 * time.Second
	drillCut   = 5 * time.Second
)

// LogDrill follows a log that somebody writes and rotates, while the reader
// stalls once and the link is cut once.
type LogDrill struct {
	Logs  *logs.Logs // at work on Slow
	Slow  *Slow
	Clock cluster.Clock
	Lines int
	// Begun says that the log is followed: lines 2 to Lines are written from
	// here on; line 1 was before.
	Begun func() error
	Cut   func(on bool) error
}

// LogTally is what became of the lines of a drill.
type LogTally struct {
	Lines, Missing, Doubled, Disordered int
	Holes                               int      // places where lines are missing
	Gaps                                []string // texts of the gap records, each in such a place
}

// Run carries the drill out; ctx bounds it. The error says what did not come
// about, the tally what came.
func (d LogDrill) Run(ctx context.Context) (LogTally, error) {
	if err := d.until(ctx, 1); err != nil {
		return LogTally{}, err
	}
	if err := d.Begun(); err != nil {
		return LogTally{}, err
	}
	if err := d.until(ctx, d.Lines/5); err != nil {
		return LogTally{}, err
	}
	d.Slow.Hold(true)
	d.pause(ctx, drillStall)
	d.Slow.Hold(false)
	if err := d.until(ctx, d.Lines/2); err != nil {
		return LogTally{}, err
	}
	err := d.Cut(true)
	d.pause(ctx, drillCut)
	if err = errors.Join(err, d.Cut(false)); err != nil {
		return LogTally{}, err
	}
	err = d.until(ctx, d.Lines)
	t, also := d.tally()
	return t, errors.Join(err, also)
}

func (d LogDrill) pause(ctx context.Context, t time.Duration) {
	select {
	case <-d.Clock.After(t):
	case <-ctx.Done():
	}
}

// until waits for a line of that number or a later one: a hole may hide it.
func (d LogDrill) until(ctx context.Context, n int) error {
	for newest := 0; newest < n; d.pause(ctx, 100*time.Millisecond) {
		if ctx.Err() != nil {
			return fmt.Errorf("line %d of %d did not come, the newest is %d; %+v", n, d.Lines, newest, d.Logs.Streams())
		}
		p, err := d.Logs.Page(logs.Query{Services: []string{DrillService}, Text: DrillLine}, 0, 1)
		if err != nil {
			return err
		}
		if len(p.Lines) == 1 {
			if newest, err = drillNumber(p.Lines[0].Text); err != nil {
				return err
			}
		}
	}
	return nil
}

func drillNumber(text string) (int, error) {
	w := strings.Fields(text)
	if !strings.HasPrefix(text, DrillLine) || len(w) != 5 {
		return 0, fmt.Errorf("torn line %q", text)
	}
	return strconv.Atoi(w[2])
}

// tally counts what is held, in the order in which it was placed.
func (d LogDrill) tally() (t LogTally, err error) {
	p, err := d.Logs.Page(logs.Query{Services: []string{DrillService}}, 0, 2*d.Lines)
	seen, last, said := make([]bool, d.Lines+1), 0, 0
	for _, l := range p.Lines {
		if l.Kind == cluster.LineGap {
			t.Gaps = append(t.Gaps, l.Text)
			said++
			continue
		}
		n, bad := drillNumber(l.Text)
		if bad != nil || n < 1 || n > d.Lines {
			return t, errors.Join(err, bad, fmt.Errorf("line %q was never written", l.Text))
		}
		t.Lines++
		if seen[n] {
			t.Doubled++
		}
		if n < last {
			t.Disordered++
		}
		if n > last+1 {
			t.Holes++
		}
		if (n > last+1) != (said == 1) || said > 1 {
			return t, errors.Join(err, fmt.Errorf("%d gap records between lines %d and %d", said, last, n))
		}
		said = 0
		seen[n], last = true, n
	}
	for _, there := range seen[1:] {
		if !there {
			t.Missing++
		}
	}
	return t, err
}

// Slow is a host whose output can be held back, as by a reader that does not
// keep up: the channel's window fills and the node waits. It is safe for
// concurrent use.
type Slow struct {
	remote.Host
	mu   sync.Mutex
	held chan struct{} // nil: it flows
}

// Hold holds the output of all sessions back, or lets it go.
func (s *Slow) Hold(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		close(s.held)
		s.held = nil
	}
	if on {
		s.held = make(chan struct{})
	}
}

// Start starts a script whose output can be held back.
func (s *Slow) Start(ctx context.Context, script remote.Script) (remote.Session, error) {
	x, err := s.Host.Start(ctx, script)
	if err != nil {
		return nil, err
	}
	return slowSession{x, s}, nil
}

type slowSession struct {
	remote.Session
	slow *Slow
}

func (x slowSession) Stdout() io.Reader { return slowReader{x.Session.Stdout(), x.slow} }

type slowReader struct {
	io.Reader
	slow *Slow
}

func (r slowReader) Read(b []byte) (int, error) {
	r.slow.mu.Lock()
	held := r.slow.held
	r.slow.mu.Unlock()
	if held != nil {
		<-held
	}
	return r.Reader.Read(b)
}
