package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"chef-backend-cockpit/cluster"
)

// What is kept of past incidents.
const (
	keepFor   = 90 * 24 * time.Hour
	keepBytes = 1 << 30
)

// Prune removes incidents older than 90 days and then the oldest ones until
// all together are smaller than 1 GiB. It never removes one with an open
// intent, with records of a plan that has not ended, or a damaged one, since all
// three still have something to tell, nor one that a cockpit has open, nor the
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
	gone := map[string]Incident{}
	var all *told
	for _, f := range old {
		sum += f.size
		if f.id == keep || now.Sub(f.written) <= keepFor && sum <= limit {
			continue
		}
		// Only what is to go is read through: open intents stay.
		in := look(f.id, Path(dir, f.id), f.size)
		if in.Damage != "" || inUse(in.Path) {
			continue
		}
		// Nobody takes up a plan on nodes that were simulated: they are gone.
		if !in.Simulated() && (len(in.OpenIntents) > 0 || len(in.unended) > 0) {
			if all == nil {
				all = tellOf(dir, old)
			}
			if all.open(in) {
				continue
			}
		}
		gone[f.id] = in
		sum -= f.size
	}
	// The oldest first: what became of its acts may stand in a later one, which
	// stays with it.
	stays := false
	for _, f := range slices.Backward(old) {
		in, goes := gone[f.id]
		if !goes || stays && in.tellsOfOthers() {
			stays = true
			continue
		}
		if err := remove(dir, f.id); err != nil {
			return fmt.Errorf("an old incident could not be removed: %w", err)
		}
	}
	return nil
}

// remove removes an incident, unless a cockpit has opened it meanwhile; none can
// while it goes.
func remove(dir, id string) error {
	file, err := os.OpenFile(Path(dir, id), os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // another cockpit removes old ones, too
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if !take(file) {
		return nil
	}
	return os.RemoveAll(filepath.Join(dir, id))
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

// told is what all incidents together tell of how acts and plans ended.
type told struct {
	outcomes   map[string]bool // by plan and step
	plans      map[string]bool // that were confirmed, by id
	ended      map[string]bool // plans
	incomplete bool            // one of them cannot be read to its end
}

// tellOf reads incidents for it; what makes up most of them is passed over.
func tellOf(dir string, incidents []onDisk) *told {
	t := &told{outcomes: map[string]bool{}, plans: map[string]bool{}, ended: map[string]bool{}}
	for _, f := range incidents {
		err := eachLine(Path(dir, f.id), func(_ uint64, line []byte) error {
			if isWeighty(line) {
				return nil
			}
			r, err := parse(line)
			if err == nil {
				t.take(r.Safe()) // as what it is compared with
			}
			return err
		})
		t.incomplete = t.incomplete || err != nil
	}
	return t
}

func (t *told) take(r Record) {
	o, id := r.plan()
	switch {
	case id == "":
	case o.Ended != nil:
		t.ended[id] = true
	case o.begins(r.Kind):
		t.plans[id] = true
	case r.Kind == Outcome:
		t.outcomes[id+"/"+o.Step] = true
	}
}

// open answers whether something of an incident is open by all that is told:
// an act without an outcome, a plan that can be taken up again.
func (t *told) open(in Incident) bool {
	return t.incomplete ||
		slices.ContainsFunc(in.OpenIntents, func(i cluster.Intent) bool { return !t.outcomes[i.Plan+"/"+i.Step] }) ||
		slices.ContainsFunc(in.unended, func(plan string) bool { return t.plans[plan] && !t.ended[plan] })
}
