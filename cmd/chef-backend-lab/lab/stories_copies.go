//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Stories of copies and of leadership: what was done to a database before
// somebody looked.

// ruin lets the leader's PostgreSQL die with data that cannot be started again.
func ruin(ctx context.Context, h *Host, s *strike) error {
	if err := downAct(ctx, s.Lab, h, "postgresql"); err != nil {
		return err
	}
	if _, err := sh(ctx, h, "rm -f "+dataDir+"/pg_wal/0*"); err != nil {
		return err
	}
	return h.control(ctx, "postgresql", "u")
}

func failover(ctx context.Context, s *strike) error { return ruin(ctx, s.leading(), s) }

// slowFailover stops the replay of both followers, whoever of them will be
// promoted, and lets it go on after a minute, by itself.
func slowFailover(ctx context.Context, s *strike) error {
	leader := s.leading()
	for _, h := range s.followers() {
		err := h.background(ctx, "replay", `p=$(pgrep -f "^postgres: startup"); kill -STOP $p; sleep 60; kill -CONT $p`)
		if err != nil {
			return err
		}
	}
	return ruin(ctx, leader, s)
}

// noLeader is what chef-server's issues 1405 and 1473 tell.
func noLeader(ctx context.Context, s *strike) error {
	leader := s.leading()
	for i := range s.state.Hosts {
		if err := downAct(ctx, s.Lab, &s.state.Hosts[i], "leaderl"); err != nil {
			return err
		}
	}
	if err := stopAct(ctx, s.Lab, leader, "postgresql"); err != nil {
		return err
	}
	if err := s.dropLeaderKey(ctx, leader); err != nil {
		return err
	}
	for i := range s.state.Hosts {
		if err := upAct(ctx, s.Lab, &s.state.Hosts[i], "leaderl"); err != nil {
			return err
		}
	}
	return nil
}

// leaderKey is where the stand-in of leaderl keeps who leads.
const leaderKey = "http://127.0.0.1:2379/v2/keys/cb/leader"

// dropLeaderKey spares the wait until the key of a dead leader expires.
func (s *strike) dropLeaderKey(ctx context.Context, h *Host) error {
	out, err := sh(ctx, h, "curl -s -m 5 -X DELETE "+leaderKey)
	if err == nil && !strings.Contains(out, `"action":"delete"`) && !strings.Contains(out, "Key not found") {
		err = fmt.Errorf("etcd answers %s", out)
	}
	return err
}

// deposedBlocked: the followers stop receiving, the leader writes on, and its
// PostgreSQL dies. leaderl deposes it after its five checks; at that moment the
// followers' leaderl is killed, and started when the leader key is gone.
func deposedBlocked(ctx context.Context, s *strike) error {
	leader, followers := s.leading(), s.followers()
	for _, h := range followers {
		if err := s.follow(ctx, h, ""); err != nil {
			return err
		}
	}
	if err := s.write(ctx, leader, 1<<20); err != nil {
		return err
	}
	if err := crashAct(ctx, s.Lab, leader, "postgresql"); err != nil {
		return err
	}
	noStart := leader.file(varDir + "/leaderl/data/no-start-pgsql")
	err := until(ctx, "leaderl deposes "+leader.Name, time.Minute, []string{leader.log("leaderl", "current")}, func(context.Context) error {
		_, err := os.Stat(noStart)
		return err
	})
	if err != nil {
		return err
	}
	for _, h := range followers {
		if err := downAct(ctx, s.Lab, h, "leaderl"); err != nil {
			return err
		}
	}
	err = until(ctx, "the leader key is released", time.Minute, []string{leader.log("leaderl", "current")}, func(ctx context.Context) error {
		out, err := sh(ctx, leader, "curl -s -m 2 "+leaderKey)
		if err == nil && !strings.Contains(out, "Key not found") {
			err = errors.New(out)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := uncrashAct(ctx, s.Lab, leader, "postgresql"); err != nil {
		return err
	}
	for _, h := range followers {
		if err := upAct(ctx, s.Lab, h, "leaderl"); err != nil {
			return err
		}
	}
	return nil
}

// partiallySynced leaves what a failed sync leaves: the sentinel, and a
// database that follows nobody.
func partiallySynced(ctx context.Context, s *strike) error {
	h := s.lastFollower()
	if err := downAct(ctx, s.Lab, h, "leaderl"); err != nil {
		return err
	}
	if err := s.follow(ctx, h, ""); err != nil {
		return err
	}
	if _, err := sh(ctx, h, "touch "+varDir+"/leaderl/data/unsynced"); err != nil {
		return err
	}
	return upAct(ctx, s.Lab, h, "leaderl")
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
		if err := s.write(ctx, leader, 64<<10); err != nil {
			return err
		}
		for _, text := range []string{"select pg_switch_wal()", "checkpoint"} {
			if _, err := s.sql(ctx, leader, text); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("%s still has WAL segment %s after 20 checkpoints", leader.Name, segment)
}

// lagging lets the follower's receiver work little while the leader writes.
func lagging(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	return s.all(ctx, "starve@"+h.Name, "load@"+leader.Name)
}

// followerAhead: the follower was promoted by hand, wrote, and was made a
// standby again. leaderl sleeps meanwhile and knows nothing of it.
func followerAhead(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	if err := freezeAct(ctx, s.Lab, h, "leaderl"); err != nil {
		return err
	}
	if _, err := s.sql(ctx, h, "select pg_promote()"); err != nil {
		return err
	}
	if err := s.write(ctx, h, 64<<10); err != nil {
		return err
	}
	if _, err := s.sql(ctx, h, "checkpoint"); err != nil {
		return err
	}
	if err := stopAct(ctx, s.Lab, h, "postgresql"); err != nil {
		return err
	}
	signal := dataDir + "/standby.signal"
	_, err := sh(ctx, h, "touch "+signal+" && chown chef_pgsql: "+signal+" && printf \"primary_conninfo = '%s'\\n\" '"+s.conninfo(h, leader.Address)+"' >>"+dataDir+"/postgresql.auto.conf")
	if err != nil {
		return err
	}
	if err := upAct(ctx, s.Lab, h, "postgresql"); err != nil {
		return err
	}
	return thawAct(ctx, s.Lab, h, "leaderl")
}

// followerForked: one follower stops receiving, the leader writes, and then
// that follower is promoted by the product's own command. The other one, whose
// leaderl stays asleep, is told by hand to follow it.
func followerForked(ctx context.Context, s *strike) error {
	next, h := s.followers()[0], s.lastFollower()
	leader := s.leading()
	if err := s.act(ctx, "freeze:leaderl@%s", h.Name); err != nil {
		return err
	}
	if err := s.follow(ctx, next, ""); err != nil {
		return err
	}
	if err := s.write(ctx, leader, 1<<20); err != nil {
		return err
	}
	if _, err := sh(ctx, leader, optDir+"/bin/chef-backend-ctl promote "+next.Name); err != nil {
		return err
	}
	return s.follow(ctx, h, next.Address)
}

// followerOfDeposed: leaderl dies on the leader and sleeps on one follower;
// the other takes over, and the two databases go on as they were.
func followerOfDeposed(ctx context.Context, s *strike) error {
	leader, next, h := s.leading(), s.followers()[0], s.lastFollower()
	if err := s.all(ctx, "freeze:leaderl@"+h.Name, "down:leaderl@"+leader.Name); err != nil {
		return err
	}
	return until(ctx, next.Name+" takes over", time.Minute, []string{next.log("leaderl", "current")}, next.leads)
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
