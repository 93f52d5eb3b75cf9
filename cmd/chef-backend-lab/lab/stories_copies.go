//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// ofCopies are stories of what was done to a copy before somebody looked.
var ofCopies = map[string]story{
	"partially-synced": {"a sync failed before the database was told whom to follow", partiallySynced},
	"syncing":          {"a follower without any data gets its copy, slowly", onCopy("narrow:5432")},
	"sync-stalled":     {"the same, and the base backup stops in the middle", onCopy("stall-copy")},
	"follower-wal-gap": {"a follower needs WAL that the leader has removed", walGap},
	"wal-gap-near":     {"a follower cannot reach the leader's PostgreSQL, which goes on writing", walGapNear},
	"follower-lagging": {"a follower streams, and falls behind under load", lagging},
	"slow-replay":      {"a follower receives and does not replay", onFollower("starve")},

	"timeline-diverged":         {"a follower wrote on a timeline of its own and follows again: not in the leader's history", diverged},
	"timeline-diverged-beyond":  {"a follower was given a copy that the deposed leader had: beyond where the leader's history left it", divergedBeyond},
	"system-identifier-differs": {"a follower was given the copy of another cluster", otherSystem},
}

// partiallySynced leaves what a failed sync leaves: the sentinel, and a
// database that follows nobody.
func partiallySynced(ctx context.Context, s *strike) error {
	h := s.lastFollower()
	if err := s.follow(ctx, h, ""); err != nil {
		return err
	}
	_, err := sh(ctx, h, "touch "+varDir+"/leaderl/data/unsynced")
	return err
}

// copySize is what a copy is made larger by, so that a slow one takes minutes.
const copySize = 96 << 20

// firstSync takes a follower's data away; leaderl finds none when it starts,
// and makes a base backup.
func firstSync(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	for range copySize / (32 << 20) {
		if err := s.write(ctx, leader, 32<<20); err != nil {
			return err
		}
	}
	for _, service := range []string{"leaderl", "postgresql"} {
		if err := stopAct(ctx, s.Lab, h, service); err != nil {
			return err
		}
	}
	if _, err := sh(ctx, h, "rm -rf "+dataDir); err != nil {
		return err
	}
	return upAct(ctx, s.Lab, h, "leaderl")
}

// onCopy is a first sync that something happens to.
func onCopy(act string) func(context.Context, *strike) error {
	return func(ctx context.Context, s *strike) error {
		h := s.lastFollower()
		if err := s.act(ctx, "%s@%s", act, h.Name); err != nil {
			return err
		}
		if err := firstSync(ctx, s); err != nil {
			return err
		}
		return until(ctx, "a base backup on "+h.Name, 30*time.Second, []string{h.log("leaderl", "current")}, func(ctx context.Context) error {
			_, err := sh(ctx, h, oldest)
			return err
		})
	}
}

// walGap writes while the follower is down until the segment that it will ask
// for is really gone.
func walGap(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	// So that both stand within a segment: between two, the name is of the former.
	if err := s.write(ctx, leader, 1000); err != nil {
		return err
	}
	if err := stopAct(ctx, s.Lab, h, "postgresql"); err != nil {
		return err
	}
	segment, err := s.sql(ctx, leader, "select pg_walfile_name(pg_current_wal_lsn())")
	if err != nil {
		return err
	}
	for range 20 {
		if _, err := os.Stat(leader.file(dataDir + "/pg_wal/" + segment)); os.IsNotExist(err) {
			return upAct(ctx, s.Lab, h, "postgresql")
		}
		if err := s.turnOver(ctx, leader); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s still has WAL segment %s after 20 checkpoints", leader.Name, segment)
}

// turnOver ends the WAL segment in use and lets go of what is kept no longer.
func (s *strike) turnOver(ctx context.Context, h *Host) error {
	if err := s.write(ctx, h, 64<<10); err != nil {
		return err
	}
	for _, text := range []string{"select pg_switch_wal()", "checkpoint"} {
		if _, err := s.sql(ctx, h, text); err != nil {
			return err
		}
	}
	return nil
}

// walGapNear: 48 MB of WAL are kept, which at the rate of the writing is a
// quarter of an hour.
func walGapNear(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	if err := s.all(ctx, "block:5432@"+h.Name, "trickle@"+leader.Name); err != nil {
		return err
	}
	return until(ctx, h.Name+" no longer streams", 30*time.Second, []string{h.log("postgresql", "current")}, func(ctx context.Context) error {
		n, err := s.sql(ctx, h, "select count(*) from pg_stat_wal_receiver where status = 'streaming'")
		if err == nil && n != "0" {
			err = errors.New("it streams")
		}
		return err
	})
}

// slotHolds turns over more WAL than would be kept without the slot.
func slotHolds(ctx context.Context, s *strike) error {
	leader := s.leading()
	if err := s.act(ctx, "slot@%s", leader.Name); err != nil {
		return err
	}
	for range 8 {
		if err := s.turnOver(ctx, leader); err != nil {
			return err
		}
	}
	return nil
}

// lagging: the leader writes more than gets through to the follower.
func lagging(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	return s.all(ctx, "narrow:5432@"+h.Name, "load@"+leader.Name)
}

// conninfo is how a host follows another.
func (s *strike) conninfo(h *Host, upstream string) string {
	if upstream == "" {
		return ""
	}
	return fmt.Sprintf("host=%s port=5432 user=replicator password=%s application_name=%s", upstream, s.state.Password, h.Name)
}

// follow tells a running standby whom to follow; "" is nobody.
func (s *strike) follow(ctx context.Context, h *Host, upstream string) error {
	if _, err := s.sql(ctx, h, "alter system set primary_conninfo = '"+s.conninfo(h, upstream)+"'"); err != nil {
		return err
	}
	if _, err := s.sql(ctx, h, "select pg_reload_conf()"); err != nil || upstream != "" {
		return err
	}
	return until(ctx, h.Name+" follows nobody", 10*time.Second, []string{h.log("postgresql", "current")}, func(ctx context.Context) error {
		n, err := s.sql(ctx, h, "select count(*) from pg_stat_wal_receiver")
		if err == nil && n != "0" {
			err = errors.New("the receiver runs")
		}
		return err
	})
}

// writing is SQL that writes about so many bytes, in one transaction.
func writing(size int) string {
	return fmt.Sprintf("insert into lab_writes (filler) select repeat(chr(97 + i %% 26), 1000) from generate_series(1, %d) i", max(1, size/1100))
}

func (s *strike) write(ctx context.Context, h *Host, size int) error {
	_, err := s.sql(ctx, h, writing(size))
	return err
}
