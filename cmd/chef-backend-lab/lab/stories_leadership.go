//go:build linux

package lab

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"
)

// ofLeadership are stories of who leads, or does not.
var ofLeadership = map[string]story{
	"failover":               {"the leader's database is ruined: a follower takes over", failover},
	"failover-under-way":     {"the same, and replay stands still for a minute: the promotion takes long", slowFailover},
	"no-leader":              {"leaderl was restarted everywhere and PostgreSQL of the leader stopped: nobody stands", noLeader},
	"deposed-leader-blocked": {"the deposed leader holds the furthest copy, the others' leaderl has just been restarted", deposedBlocked},
	"deposed-leader-stuck":   {"the deposed leader holds WAL of its own, and the next one refuses it a new copy", deposedStuck},
	"follows-wrong-node":     {"a follower was told by hand to follow the other follower", followsFollower},
	"follows-deposed":        {"a follower goes on following a leader that was deposed and still writes", followerOfDeposed},
	"leadership-flapping":    {"the leadership moves three times", flapping},
	"leader-withheld":        {"the leader wants two active followers, and one has lost its power", leaderWithheld},
	"redundancy-lost":        {"the leader wants two active followers, and there are just two", onAll("setting:required_active_followers=2")},
	"failover-disabled":      {"failover is switched off for the cluster", onLeader("failover-off:cluster")},
	"failover-disabled-node": {"failover is switched off for a follower", onFollower("failover-off:node")},
	"no-eligible-follower":   {"leaderl of both followers allows not one failed check: they are never eligible", noEligible},
	"cluster-down":           {"all services of all nodes have been stopped", clusterDown},
}

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

// noLeader is what chef-server's issues 1405 and 1473 tell: leaderl of the
// leader comes back, finds no PostgreSQL that leads and gives its key away, and
// nobody who has just started takes it.
func noLeader(ctx context.Context, s *strike) error {
	if err := stopAct(ctx, s.Lab, s.leading(), "postgresql"); err != nil {
		return err
	}
	return s.restartLeaderl(ctx, s.allHosts()...)
}

// restartLeaderl kills it; runit starts it again at once.
func (s *strike) restartLeaderl(ctx context.Context, hosts ...*Host) error {
	for _, h := range hosts {
		if err := killAct(ctx, s.Lab, h, "leaderl"); err != nil {
			return err
		}
	}
	return nil
}

func (s *strike) allHosts() []*Host {
	var all []*Host
	for i := range s.state.Hosts {
		all = append(all, &s.state.Hosts[i])
	}
	return all
}

// ownWAL lets the followers stop receiving and the leader write on.
func (s *strike) ownWAL(ctx context.Context, leader *Host, followers ...*Host) error {
	for _, h := range followers {
		if err := s.follow(ctx, h, ""); err != nil {
			return err
		}
	}
	return s.write(ctx, leader, 1<<20)
}

// untilDeposed waits for leaderl to depose a leader.
func untilDeposed(ctx context.Context, leader *Host) error {
	noStart := leader.file(varDir + "/leaderl/data/no-start-pgsql")
	return until(ctx, "leaderl deposes "+leader.Name, time.Minute, []string{leader.log("leaderl", "current")}, func(context.Context) error {
		_, err := os.Stat(noStart)
		return err
	})
}

// deposedBlocked: the followers stop receiving, the leader writes on, and its
// PostgreSQL dies. leaderl deposes it after its five checks; at that moment the
// followers' leaderl is killed, and comes back without having seen a leader.
func deposedBlocked(ctx context.Context, s *strike) error {
	leader, followers := s.leading(), s.followers()
	if err := s.ownWAL(ctx, leader, followers...); err != nil {
		return err
	}
	if err := crashAct(ctx, s.Lab, leader, "postgresql"); err != nil {
		return err
	}
	if err := untilDeposed(ctx, leader); err != nil {
		return err
	}
	if err := s.restartLeaderl(ctx, followers...); err != nil {
		return err
	}
	return uncrashAct(ctx, s.Lab, leader, "postgresql")
}

// deposedStuck: as above, but a follower takes over. The deposed leader's copy
// does not fit, and the new leader admits no base backup to it.
func deposedStuck(ctx context.Context, s *strike) error {
	leader, followers := s.leading(), s.followers()
	for _, h := range followers {
		if err := s.act(ctx, "bar:%s@%s", leader.Name, h.Name); err != nil {
			return err
		}
	}
	if err := s.ownWAL(ctx, leader, followers...); err != nil {
		return err
	}
	if err := crashAct(ctx, s.Lab, leader, "postgresql"); err != nil {
		return err
	}
	if err := s.untilOneLeads(ctx, followers...); err != nil {
		return err
	}
	return uncrashAct(ctx, s.Lab, leader, "postgresql")
}

// untilOneLeads waits for a failover to one of some hosts.
func (s *strike) untilOneLeads(ctx context.Context, hosts ...*Host) error {
	return until(ctx, "a follower takes over", 90*time.Second, []string{hosts[0].log("leaderl", "current")}, func(ctx context.Context) error {
		var errs []error
		for _, h := range hosts {
			errs = append(errs, h.leads(ctx))
		}
		if slices.Contains(errs, nil) {
			return nil
		}
		return errors.Join(errs...)
	})
}

// followerOfDeposed: leaderl dies on the leader and on one follower; the other
// takes over, and the two databases go on as they were.
func followerOfDeposed(ctx context.Context, s *strike) error {
	leader, next, h := s.leading(), s.followers()[0], s.lastFollower()
	if err := s.all(ctx, "down:leaderl@"+h.Name, "down:leaderl@"+leader.Name); err != nil {
		return err
	}
	return s.untilOneLeads(ctx, next)
}

func followsFollower(ctx context.Context, s *strike) error {
	return s.follow(ctx, s.lastFollower(), s.followers()[0].Address)
}

// flapping is an operator who cannot decide; leaderl's own reasons would take
// half a minute each.
func flapping(ctx context.Context, s *strike) error {
	leader, f := s.leading(), s.followers()
	for _, next := range []*Host{f[0], f[1], leader} {
		if err := next.ctl(ctx, "promote "+next.Name); err != nil {
			return err
		}
	}
	return nil
}

func leaderWithheld(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	if err := s.everywhere(ctx, "setting:required_active_followers=2"); err != nil {
		return err
	}
	if err := s.untilOneLeads(ctx, leader); err != nil {
		return err
	}
	return s.act(ctx, "power-off@%s", h.Name)
}

func noEligible(ctx context.Context, s *strike) error {
	for _, h := range s.followers() {
		if err := s.act(ctx, "setting:health_check.max_pgsql_failures=0@%s", h.Name); err != nil {
			return err
		}
	}
	return nil
}

// clusterDown stops the followers first, so that nobody takes over.
func clusterDown(ctx context.Context, s *strike) error {
	leader := s.leading()
	for _, h := range append(s.followers(), leader) {
		if err := s.act(ctx, "halt@%s", h.Name); err != nil {
			return err
		}
	}
	return nil
}
