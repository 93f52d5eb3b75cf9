package remote

import (
	"context"
	"io"
	"sync"
	"time"
)

// defaultLimit is how much of each stream Run keeps when Script.Limit is 0.
const defaultLimit = 1 << 20

// run runs a script to its end or until ctx is done. What came in by then is
// in the Result either way.
func (c *connection) run(ctx context.Context, script Script, openMost time.Duration) (Result, error) {
	limit := script.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	out, errs := &firstBytes{limit: limit}, &firstBytes{limit: limit}
	s, err := c.open(ctx, script, openMost, errs)
	if err != nil {
		return Result{}, err
	}
	defer s.Close()
	go func() {
		defer Guard()
		in := s.Stdin()
		in.Write(script.Stdin) // a script need not read its input
		in.Close()
	}()
	ended := make(chan struct{})
	go func() {
		defer Guard()
		io.Copy(out, s.Stdout())
		<-s.drained
		<-s.ended
		close(ended)
	}()
	select {
	case <-ended:
		if !s.known {
			err = s.noExit()
		}
	case <-ctx.Done():
		err = lateError(c.host, ctx, "the script did not end in time: its outcome is unknown")
	}
	r := Result{Stdout: out.bytes(), Stderr: errs.bytes(), Dropped: out.dropped() + errs.dropped()}
	if err == nil {
		r.Exit, r.ExitKnown = s.exit, true
	}
	return r, err
}

// firstBytes keeps the beginning of what is written to it and counts the rest.
type firstBytes struct {
	mu    sync.Mutex
	limit int64
	kept  []byte
	over  int64
}

func (f *firstBytes) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	keep := min(int64(len(p)), f.limit-int64(len(f.kept)))
	f.kept = append(f.kept, p[:keep]...)
	f.over += int64(len(p)) - keep
	return len(p), nil
}

func (f *firstBytes) bytes() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kept[:len(f.kept):len(f.kept)]
}

func (f *firstBytes) dropped() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	mu    sync.Mutex
	limit int
	kept  []byte
}

func (l *lastBytes) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, p[max(len(p)-l.limit, 0):]...)
	if over := len(l.kept) - l.limit; over > 0 {
		l.kept = append(l.kept[:0], l.kept[over:]...)
	}
	return len(p), nil
}

func (l *lastBytes) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]byte(nil), l.kept...)
}
