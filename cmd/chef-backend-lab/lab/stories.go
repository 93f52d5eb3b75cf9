//go:build linux

package lab

import (
	"context"
	"errors"
	"time"
)

// stories are the faults with a name. Where nothing else is said they strike
// the last follower. Those of copies and leadership are in stories_copies.go.
var stories = map[string]story{
	"healthy":         {"nothing happens", func(context.Context, *strike) error { return nil }},
	"planned-restart": {"the services of a follower are restarted one by one", plannedRestart},

	"postgresql-down":       {"PostgreSQL of a follower hangs: it runs and answers nobody", ofFollower("freeze:postgresql")},
	"etcd-down":             {"etcd of a follower has been stopped", ofFollower("stop:etcd")},
	"leaderl-down":          {"leaderl of a follower was killed and stays down", ofFollower("down:leaderl")},
	"elasticsearch-down":    {"Elasticsearch (stand-in) of a follower has been stopped", ofFollower("stop:elasticsearch")},
	"leaderl-down-leader":   {"leaderl of the leader was killed and stays down", leaderlDead},
	"two-primaries":         {"the same: in the end two PostgreSQL accept writes", leaderlDead},
	"etcd-slow":             {"etcd of the raft leader's host works a tenth of the time", etcdSlow},
	"disk-full":             {"the data disk of a follower is full", ofFollower("disk-full:data")},
	"clock-offset-faketime": {"date(1) of a follower is 30 s ahead, by faketime; the clock itself is not", ofFollower("clock:30s")},

	"node-down":             {"a follower has lost its power", ofFollower("power-off")},
	"followers-gone":        {"both followers have lost their power", followersGone},
	"quorum-lost-one-seen":  {"all but a follower have lost their power", quorumLost},
	"operator-cut-off":      {"the operator does not reach a follower", ofFollower("cut:operator")},
	"partition-partial":     {"a follower is seen by one peer only, and not by the operator", partitionPartial},
	"partition-quorum-kept": {"a follower is cut off from both peers", partitionKept},
	"partition-quorum-lost": {"all hosts are cut off from one another", partitionLost},
	"survivor-cut-off":      {"the leader is cut off from the two others, which see each other", survivorCutOff},

	"failover":               {"the leader's database is ruined: a follower takes over", failover},
	"failover-under-way":     {"the same, and replay stands still for a minute: the promotion takes long", slowFailover},
	"no-leader":              {"leaderl was restarted everywhere and PostgreSQL of the leader stopped: nobody stands", noLeader},
	"deposed-leader-blocked": {"the deposed leader holds the furthest copy, the others' leaderl has just been restarted", deposedBlocked},
	"partially-synced":       {"a sync failed before the database was told whom to follow", partiallySynced},
	"follower-wal-gap":       {"a follower needs WAL that the leader has removed", walGap},
	"follower-lagging":       {"a follower streams, and falls behind under load", lagging},
	"follower-ahead":         {"a follower wrote on a timeline of its own and follows again: the leader's is behind", followerAhead},
	"follower-forked":        {"a follower received what the new leader did not: the new timeline forks off before it", followerForked},
	"follower-of-deposed":    {"a follower goes on following a leader that was deposed and still writes", followerOfDeposed},
}

// ofFollower is a story of one act on the last follower.
func ofFollower(a string) func(context.Context, *strike) error {
	return func(ctx context.Context, s *strike) error { return s.act(ctx, "%s@%s", a, s.lastFollower().Name) }
}

// plannedRestart gives each service three seconds, as a person would.
func plannedRestart(ctx context.Context, s *strike) error {
	h := s.lastFollower()
	for _, service := range serviceNames {
		if err := h.control(ctx, service, "t"); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(3 * time.Second):
		}
	}
	return nil
}

func leaderlDead(ctx context.Context, s *strike) error {
	return s.act(ctx, "down:leaderl@%s", s.leading().Name)
}

// etcdSlow strikes where it hurts: who waits for the raft leader waits for all.
func etcdSlow(ctx context.Context, s *strike) error {
	h, err := s.raftLeader(ctx)
	if err != nil {
		return err
	}
	return s.act(ctx, "slow:etcd@%s", h.Name)
}

// raftLeader is the host whose etcd leads, which need not be that of leaderl.
func (s *strike) raftLeader(ctx context.Context) (*Host, error) {
	for i := range s.state.Hosts {
		h := &s.state.Hosts[i]
		if !alive(h.PID, h.Start) {
			continue
		}
		if h.says(ctx, `curl -s -m 2 http://127.0.0.1:2379/v2/stats/self | grep -c '"state":"StateLeader"'`) == "1" {
			return h, nil
		}
	}
	return nil, errors.New("no etcd says that it is the raft leader")
}

func followersGone(ctx context.Context, s *strike) error {
	f := s.followers()
	return s.all(ctx, "power-off@"+f[0].Name, "power-off@"+f[1].Name)
}

func quorumLost(ctx context.Context, s *strike) error {
	leader, f := s.leading(), s.followers()
	return s.all(ctx, "power-off@"+leader.Name, "power-off@"+f[0].Name)
}

// partitionPartial leaves a follower one peer, which is the raft leader: else
// its etcd, which does not ask before it votes, makes the others elect again
// and again. The leader itself may be the raft leader's host.
func partitionPartial(ctx context.Context, s *strike) error {
	f := s.followers()
	raft, err := s.raftLeader(ctx)
	if err != nil {
		return err
	}
	node, other := f[1], f[0]
	switch raft {
	case f[1]:
		node, other = f[0], s.leading()
	case f[0]:
		other = s.leading()
	}
	return s.all(ctx, "cut:operator@"+node.Name, "cut:"+other.Name+"@"+node.Name)
}

func partitionKept(ctx context.Context, s *strike) error {
	leader, f := s.leading(), s.followers()
	return s.all(ctx, "cut:"+leader.Name+"@"+f[1].Name, "cut:"+f[0].Name+"@"+f[1].Name)
}

func partitionLost(ctx context.Context, s *strike) error {
	return s.all(ctx, "cut:be1@be2", "cut:be1@be3", "cut:be2@be3")
}

func survivorCutOff(ctx context.Context, s *strike) error {
	leader, f := s.leading(), s.followers()
	return s.all(ctx, "cut:"+leader.Name+"@"+f[0].Name, "cut:"+leader.Name+"@"+f[1].Name)
}
