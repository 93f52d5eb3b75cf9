package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chef-backend-cockpit/remote"
)

func TestFollowSeesAGrowingJournal(t *testing.T) {
	dir := t.TempDir()
	j := New(dir, clock(), "invented")
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	seen, stop := 0, errors.New("enough")
	err := Follow(context.Background(), remote.System{}, Path(dir, j.ID()), func(r Record) error {
		if r.Seq != uint64(seen) {
			return fmt.Errorf("record %d came as number %d", r.Seq, seen)
		}
		if seen++; seen == 6 {
			return stop
		}
		return j.Record(Note, map[string]string{"text": strings.Repeat("x", 100*seen)})
	}, nil)
	if !errors.Is(err, stop) {
		t.Errorf("after %d records: %v", seen, err)
	}
	j.Close()
	ctx, cancel := context.WithCancel(context.Background())
	if err := Follow(ctx, remote.System{}, Path(dir, mustID(t, dir)), func(r Record) error { cancel(); return nil }, nil); err != nil {
		t.Errorf("a follow that is ended: %v", err)
	}
	if err := Follow(context.Background(), remote.System{}, Path(dir, "none"), nil, nil); err == nil {
		t.Error("following nothing is an error")
	}
}

// Another cockpit's journal is followed while it is written as fast as it can
// be: no record is lost, doubled or out of order, and a reader who leaves in the
// midst leaves nothing behind (TestMain looks).
func TestFollowLosesNothing(t *testing.T) {
	dir := t.TempDir()
	j := New(dir, clock(), "invented")
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	const records = 3000
	written := make(chan error, 1)
	go func() {
		var err error
		for n := 1; n < records && err == nil; n++ {
			err = j.Record(Note, map[string]string{"text": strings.Repeat("x", n%5000)})
		}
		written <- err
	}()
	stop := errors.New("enough")
	readers := make(chan error, 3)
	for i := range cap(readers) {
		leaves := []int{records, records, 100}[i]
		go func() {
			seen := 0
			err := Follow(context.Background(), remote.System{}, Path(dir, j.ID()), func(r Record) error {
				if r.Seq != uint64(seen) {
					return fmt.Errorf("record %d came as number %d", r.Seq, seen)
				}
				if seen++; seen == leaves {
					return stop
				}
				return nil
			}, nil)
			readers <- err
		}()
	}
	for range cap(readers) {
		if err := <-readers; !errors.Is(err, stop) {
			t.Error(err)
		}
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	j.Close()
}

// waits is a clock on which the next thing happens each time somebody waits.
type waits struct {
	t     *testing.T
	steps []func() error
}

func (w *waits) Now() time.Time { return clock().now }

func (w *waits) After(time.Duration) <-chan time.Time {
	w.t.Helper()
	if len(w.steps) == 0 {
		w.t.Fatal("it waits for ever")
	}
	if err := w.steps[0](); err != nil {
		w.t.Fatal(err)
	}
	w.steps = w.steps[1:]
	over := make(chan time.Time)
	close(over)
	return over
}

// A line that the writer takes back on a full disk, and a file that is cut or
// looks shorter for a while, double nothing and lose nothing.
func TestFollowHandsOverEachRecordOnce(t *testing.T) {
	dir := t.TempDir()
	j := New(dir, clock(), "invented")
	note := func() error { return j.Record(Note, map[string]string{"text": "said"}) }
	if err := note(); err != nil {
		t.Fatal(err)
	}
	path := Path(dir, j.ID())
	var whole []byte
	c := &waits{t: t, steps: []func() error{
		func() error { _, err := j.file.WriteString(`{"seq":2,"at":"20`); return err },
		func() error { return j.file.Truncate(j.size) },
		note,
		func() (err error) { whole, err = os.ReadFile(path); return errors.Join(err, os.Truncate(path, 100)) },
		func() error { return os.WriteFile(path, whole, 0o600) },
		func() error { return errors.Join(note(), j.Close()) },
		func() error { return os.Remove(path) },
	}}
	var seen []uint64
	err := Follow(t.Context(), c, path, func(r Record) error { seen = append(seen, r.Seq); return nil }, func(err error) { t.Error(err) })
	if err == nil || !strings.Contains(err.Error(), "was removed") || !slices.Equal(seen, []uint64{0, 1, 2, 3}) {
		t.Errorf("records %v, %v", seen, err)
	}
}

// A file that cannot be asked for its size, as on a server that is away, is told
// once, tried again, and gone on with: it ends neither the program nor the
// following. Another file in its place does.
func TestFollowOutlivesADiskThatIsAway(t *testing.T) {
	dir := t.TempDir()
	j := New(dir, clock(), "invented")
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	path := Path(dir, j.ID())
	folder, aside := filepath.Dir(path), filepath.Join(dir, "aside")
	away := func() error { return errors.Join(os.Rename(folder, aside), os.WriteFile(folder, nil, 0o600)) }
	back := func() error { return errors.Join(os.Remove(folder), os.Rename(aside, folder)) }
	still := func() error { return nil }
	c := &waits{t: t, steps: []func() error{away, still, still, back,
		func() error { return j.Record(Note, map[string]string{"text": "said"}) }, away, back,
		func() error {
			return errors.Join(j.Close(), os.Rename(path, path+".old"), os.WriteFile(path, []byte("{}\n"), 0o600))
		},
	}}
	var seen []uint64
	told := 0
	err := Follow(t.Context(), c, path, func(r Record) error { seen = append(seen, r.Seq); return nil }, func(err error) {
		told++
		if !errors.Is(err, syscall.ENOTDIR) {
			t.Error(err)
		}
	})
	if err == nil || !strings.Contains(err.Error(), "another file") || !slices.Equal(seen, []uint64{0, 1}) || told != 2 {
		t.Errorf("records %v, told %d times, %v", seen, told, err)
	}
}

// A record that was left out ends the following with its number.
func TestFollowSaysWhatIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	path := Path(dir, written(t, dir, clock()))
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(raw), "\n")
	if err := os.WriteFile(path, []byte(lines[0]+lines[2]), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = Follow(t.Context(), &waits{t: t}, path, func(Record) error { seen++; return nil }, nil)
	if err == nil || !strings.Contains(err.Error(), "record 1 has the number 2") || seen != 1 {
		t.Errorf("%d records, %v", seen, err)
	}
}
