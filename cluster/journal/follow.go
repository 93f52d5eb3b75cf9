package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/hpcloud/tail"

	"chef-backend-cockpit/cluster"
)

const (
	// lineMax bounds one line that is followed; the writer cuts pieces of output
	// at 48 KiB, and a snapshot of three nodes stays far below.
	lineMax = 8 << 20
	// growthEvery is how often a journal is asked whether it has grown.
	growthEvery = 250 * time.Millisecond
)

// Follow hands over every record of a journal once and in order, made safe,
// those there and those to come, until ctx ends (no error), fn returns an error,
// or the file is removed, replaced or no journal any more. What may pass, such
// as a home on a server that does not answer, is told to amiss when it begins
// (nil: to nobody) and tried again. It waits by clock.
func Follow(ctx context.Context, clock cluster.Clock, path string, fn func(Record) error, amiss func(error)) error {
	file, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	f := follower{path: path, fn: fn, file: file}
	told := ""
	for ctx.Err() == nil {
		grew, err := f.round(ctx)
		trouble, passes := errors.AsType[*transient](err)
		switch {
		case grew:
			told = ""
			continue // there may be more by now
		case err == nil:
			told = ""
		case !passes:
			return err
		case amiss != nil && told != trouble.Error():
			told = trouble.Error()
			amiss(trouble)
		}
		select {
		case <-ctx.Done():
		case <-clock.After(growthEvery):
		}
	}
	return nil
}

// follower is how far a journal was handed over.
type follower struct {
	path string
	fn   func(Record) error
	file os.FileInfo // which file it is
	at   int64       // where the next record begins
	next uint64      // its number
	size int64       // what the file had when it was read through last; -1: it was not
}

// transient is an error that may be over at the next attempt.
type transient struct{ error }

func (t *transient) Unwrap() error { return t.error }

// round reads what was added since the last one; it answers whether it did.
func (f *follower) round(ctx context.Context) (grew bool, err error) {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("%s was removed", f.path)
	case err != nil:
		return false, &transient{err}
	case !os.SameFile(f.file, info):
		return false, fmt.Errorf("%s is another file by now", f.path)
	case info.Size() == f.size:
		return false, nil
	case info.Size() < f.at:
		f.at = 0 // it was cut: what was handed over already is passed over
	}
	f.size = -1
	if err := f.lines(ctx, info.Size()); err != nil {
		return false, err
	}
	f.size = info.Size()
	return true, nil
}

// lines hands over the whole lines up to a size. hpcloud/tail reads them and
// ends there: where it waits for growth by itself, it ends the whole program
// when the file cannot be asked for its size, and begins at the first line again
// when half a line was taken back.
func (f *follower) lines(ctx context.Context, size int64) error {
	t, err := tail.TailFile(f.path, tail.Config{
		Follow: false, ReOpen: false, Poll: true, MustExist: true,
		Logger: tail.DiscardingLogger, Location: &tail.SeekInfo{Offset: f.at},
	})
	if err != nil {
		return &transient{err}
	}
	defer drain(t)
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-t.Lines:
			if !ok {
				if err := t.Wait(); err != nil {
					return &transient{err}
				}
				return nil
			}
			end := f.at + int64(len(line.Text)) + 1
			if end > size { // it may have no end yet
				return nil
			}
			f.at = end
			if err := f.take(line.Text); err != nil {
				return err
			}
		}
	}
}

// take hands over one record, unless it was before.
func (f *follower) take(line string) error {
	if len(line) > lineMax {
		return fmt.Errorf("%s: record %d is longer than any that is written", f.path, f.next)
	}
	r, err := parse([]byte(line))
	switch {
	case err != nil:
		return fmt.Errorf("%s: record %d: %w", f.path, f.next, err)
	case r.Seq < f.next:
		return nil
	case r.Seq > f.next:
		return fmt.Errorf("%s: record %d has the number %d: a record was left out or put in", f.path, f.next, r.Seq)
	}
	if f.next == 0 {
		if err := known(r); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	f.next++
	return f.fn(r.Safe())
}

// drain ends a tail: it waits for a reader while it sends, so it is read until
// it closes its channel.
func drain(t *tail.Tail) {
	t.Kill(nil)
	for range t.Lines {
	}
	t.Wait() //nolint:errcheck // why it ended was told by its lines
}
