//go:build linux

package lab

import (
	"context"
	"errors"
	"time"
)

// standby makes a stopped copy one that follows.
func (s *strike) standby(ctx context.Context, h *Host, upstream string) error {
	file := dataDir + "/postgresql.auto.conf"
	_, err := sh(ctx, h, "touch "+dataDir+"/standby.signal && printf \"primary_conninfo = '%s'\\n\" '"+s.conninfo(h, upstream)+"' >>"+file+
		" && chown chef_pgsql: "+dataDir+"/standby.signal "+file)
	return err
}

// behindItsBack does something to a follower's stopped database while leaderl
// sleeps, and lets both go on: leaderl goes on believing what it knew.
func (s *strike) behindItsBack(ctx context.Context, h *Host, upstream string, do func() error) error {
	if err := freezeAct(ctx, s.Lab, h, "leaderl"); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if err := s.standby(ctx, h, upstream); err != nil {
		return err
	}
	if err := upAct(ctx, s.Lab, h, "postgresql"); err != nil {
		return err
	}
	return thawAct(ctx, s.Lab, h, "leaderl")
}

// diverged: the follower was promoted by hand, wrote, and was made a standby
// again.
func diverged(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	return s.behindItsBack(ctx, h, leader.Address, func() error {
		if _, err := s.sql(ctx, h, "select pg_promote()"); err != nil {
			return err
		}
		if err := s.write(ctx, h, 64<<10); err != nil {
			return err
		}
		if _, err := s.sql(ctx, h, "checkpoint"); err != nil {
			return err
		}
		return stopAct(ctx, s.Lab, h, "postgresql")
	})
}

const otherCopy = postgresDir + "/other"

// swap puts the other copy in the place of a follower's.
func (s *strike) swap(ctx context.Context, h *Host) error {
	if err := stopAct(ctx, s.Lab, h, "postgresql"); err != nil {
		return err
	}
	_, err := sh(ctx, h, "rm -rf "+dataDir+" && mv "+otherCopy+" "+dataDir)
	return err
}

// divergedBeyond: the leader writes what nobody receives, and is backed up onto
// the follower's disk. Then the other follower is promoted, by the product's own
// command, and everybody follows it. At last the backup is put in place: of the
// old timeline, which the leader's history holds, but beyond where it left it.
func divergedBeyond(ctx context.Context, s *strike) error {
	leader, next, h := s.leading(), s.followers()[0], s.lastFollower()
	if err := s.ownWAL(ctx, leader, next, h); err != nil {
		return err
	}
	_, err := sh(ctx, h, "export PGPASSWORD="+s.state.Password+"; exec chpst -u chef_pgsql pg_basebackup --no-sync -D "+otherCopy+
		" -X stream -c fast -d 'host="+leader.Address+" port=5432 user=replicator'")
	if err != nil {
		return err
	}
	if err := next.ctl(ctx, "promote "+next.Name); err != nil {
		return err
	}
	if err := s.untilStreams(ctx, next, h); err != nil {
		return err
	}
	return s.behindItsBack(ctx, h, next.Address, func() error { return s.swap(ctx, h) })
}

// otherSystem gives the follower a database that was made for another cluster.
func otherSystem(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	_, err := sh(ctx, h, "set -e; cd /tmp; chpst -u chef_pgsql initdb -D "+otherCopy+" -A trust -k --no-sync -E UTF8 --locale C >/dev/null; cp -p "+
		dataDir+"/postgresql.conf "+dataDir+"/pg_hba.conf "+otherCopy+"/")
	if err != nil {
		return err
	}
	return s.behindItsBack(ctx, h, leader.Address, func() error { return s.swap(ctx, h) })
}

// untilStreams waits for one host to stream from another.
func (s *strike) untilStreams(ctx context.Context, from, h *Host) error {
	return until(ctx, h.Name+" streams from "+from.Name, streamsWithin, []string{h.log("postgresql", "current"), h.log("leaderl", "current")}, func(ctx context.Context) error {
		return s.streams(ctx, from, h)
	})
}

const streamsWithin = 30 * time.Second

func (s *strike) streams(ctx context.Context, from, h *Host) error {
	n, err := s.sql(ctx, from, "select count(*) from pg_stat_replication where state = 'streaming' and client_addr = '"+h.Address+"'")
	if err == nil && n != "1" {
		err = errors.New("it does not")
	}
	return err
}
