package journal

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/hpcloud/tail"
)

// lineMax bounds one line that is followed; the writer cuts pieces of output
// at 48 KiB, and a snapshot of three nodes stays far below.
const lineMax = 8 << 20

// Follow hands over every record of a journal, those there and those to come,
// until ctx ends (no error) or fn returns an error. The file only grows and is
// never rotated: the one kind of file for which hpcloud/tail does not lose
// lines. It polls, reopens nothing, and its channel is always drained, since
// it cannot be stopped while it waits for a reader. The time.Time of a record
// is the writer's.
func Follow(ctx context.Context, path string, fn func(Record) error) error {
	t, err := tail.TailFile(path, tail.Config{
		Follow: true, ReOpen: false, Poll: true, MustExist: true,
		Logger: tail.DiscardingLogger, Location: &tail.SeekInfo{Whence: io.SeekStart},
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer drain(t)
	for n := uint64(0); ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-t.Lines:
			if !ok {
				return ended(path, t.Err())
			}
			if line.Err != nil {
				return fmt.Errorf("%s: %w", path, line.Err)
			}
			if len(line.Text) > lineMax {
				return fmt.Errorf("%s: record %d is longer than any that is written", path, n)
			}
			r, err := parse([]byte(line.Text))
			if err != nil {
				return fmt.Errorf("%s: record %d: %w", path, n, err)
			}
			if n == 0 {
				if err := known(r); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
			if err := fn(r); err != nil {
				return err
			}
		}
	}
}

// ended says why there is nothing to follow any more.
func ended(path string, err error) error {
	if _, gone := os.Stat(path); gone != nil {
		return fmt.Errorf("%s was removed", path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Errorf("%s can no longer be followed", path)
}

// drain ends a tail: it waits for a reader while it sends, so it is read until
// it closes its channel.
func drain(t *tail.Tail) {
	t.Kill(nil)
	for range t.Lines {
	}
	t.Wait() //nolint:errcheck // why it ended was told by its lines
}
