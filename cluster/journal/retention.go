package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"
)

// What is kept of past incidents.
const (
	keepFor   = 90 * 24 * time.Hour
	keepBytes = 1 << 30
)

// Prune removes incidents older than 90 days and then the oldest ones until
// all together are smaller than 1 GiB. It never removes one with an open
// intent or a damaged one, since both still have something to tell, nor the
// one called keep.
func Prune(dir string, now time.Time, keep string) error {
	return prune(dir, now, keep, keepBytes)
}

func prune(dir string, now time.Time, keep string, limit int64) error {
	old, err := files(dir)
	if err != nil {
		return err
	}
	var sum int64
	var gone []string
	for _, f := range old {
		sum += f.size
		if f.id == keep || now.Sub(f.written) <= keepFor && sum <= limit {
			continue
		}
		// Only what is to go is read through: open intents stay.
		in := look(f.id, Path(dir, f.id), f.size)
		if in.Damage != "" || len(in.OpenIntents) > 0 && stillOpen(dir, f.id) {
			continue
		}
		gone = append(gone, f.id)
		sum -= f.size
	}
	// The oldest first: what became of its acts may stand in a later one.
	for _, id := range slices.Backward(gone) {
		if err := os.RemoveAll(filepath.Join(dir, id)); err != nil {
			return fmt.Errorf("an old incident could not be removed: %w", err)
		}
	}
	return nil
}

// onDisk is an incident as the file system tells it.
type onDisk struct {
	id      string
	size    int64
	written time.Time
}

// files lists the incidents below dir, newest first.
func files(dir string) ([]onDisk, error) {
	folders, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	var out []onDisk
	for _, f := range folders {
		if info, err := os.Stat(Path(dir, f.Name())); err == nil {
			out = append(out, onDisk{f.Name(), info.Size(), info.ModTime()})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id > out[j].id })
	return out, nil
}

// stillOpen answers whether an incident has an intent whose outcome stands in
// no later one either; true where that cannot be read.
func stillOpen(dir, id string) bool {
	all, err := List(dir)
	i := slices.IndexFunc(all, func(in Incident) bool { return in.ID == id })
	return err != nil || i < 0 || len(all[i].OpenIntents) > 0
}
