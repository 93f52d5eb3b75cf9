package watch

import (
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

// How far apart the snapshots are that are kept of a healthy cluster, how far
// back they reach, which is beyond the longest hold time of the catalogue, and
// by how much a change can precede the facts that tell it: they want up to five
// looks that agree.
const (
	calmEvery = 10 * time.Second
	calmFor   = 15 * time.Minute
	calmLooks = 10 * time.Second
)

// calm remembers snapshots in which nothing stood, oldest first. What waits out
// its hold time does not stand yet and changes them already: which of them was
// healthy is told by when that began.
type calm []*cluster.Snapshot

// learn takes a look at a cluster that was well, if it was.
func (c *calm) learn(v *cluster.View, findings []cluster.Finding) {
	if len(findings) > 0 || v.Elected().Truth != cluster.True || v.Margin().CanLose < 1 {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(*c), func(s *cluster.Snapshot) bool { return v.Snapshot.At.Sub(s.At) > calmFor })
	if n := len(kept); n > 1 && kept[n-1].At.Sub(kept[n-2].At) < calmEvery {
		kept = kept[:n-1]
	}
	*c = append(kept, v.Snapshot)
}

// before is the newest snapshot that is older than all that stands, by some
// looks where there is one; nil for none.
func (c calm) before(findings []cluster.Finding) *cluster.Snapshot {
	older := func(s *cluster.Snapshot, by time.Duration) bool {
		return !slices.ContainsFunc(findings, func(f cluster.Finding) bool { return !s.At.Before(f.Since.Add(-by)) })
	}
	for _, s := range slices.Backward(c) {
		if older(s, calmLooks) {
			return s
		}
	}
	if len(c) > 0 && older(c[0], 0) {
		return c[0]
	}
	return nil
}
