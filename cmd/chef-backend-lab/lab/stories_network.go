//go:build linux

package lab

import (
	"context"
	"errors"
	"time"
)

// ofNetwork are stories of hosts and links.
var ofNetwork = map[string]story{
	"node-down":             {"a follower has lost its power", onFollower("power-off")},
	"node-down-leader":      {"the leader has lost its power", onLeader("power-off")},
	"followers-gone":        {"both followers have lost their power", followersGone},
	"quorum-lost-one-seen":  {"all but a follower have lost their power", quorumLost},
	"two-nodes-down":        {"the same: only who knows that they stay off can tell it", quorumLost},
	"operator-cut-off":      {"the operator does not reach a follower", onFollower("cut:operator")},
	"partition-partial":     {"a follower is seen by one peer only, and not by the operator", partitionPartial},
	"partition-quorum-kept": {"a follower is cut off from both peers", partitionKept},
	"partition-quorum-lost": {"all hosts are cut off from one another", partitionLost},
	"survivor-cut-off":      {"the leader is cut off from the two others, which see each other", survivorCutOff},
	"old-leader-unseen":     {"the leader is cut off from everybody, and goes on until its key ends", oldLeaderUnseen},
	"login-failed":          {"a follower no longer takes the operator's key", onFollower("lock-out")},
	"host-key-changed":      {"a follower has another host key", onFollower("host-key")},
}

// raftLeader is the host whose etcd leads, which need not be that of leaderl.
// During an election there is none for a while.
func (s *strike) raftLeader(ctx context.Context) (leader *Host, err error) {
	err = until(ctx, "a raft leader of etcd", 15*time.Second, nil, func(ctx context.Context) error {
		for _, h := range s.allHosts() {
			if alive(h.PID, h.Start) && h.says(ctx, `curl -s -m 2 http://127.0.0.1:2379/v2/stats/self | grep -c '"state":"StateLeader"'`) == "1" {
				leader = h
				return nil
			}
		}
		return errors.New("no etcd says that it is one")
	})
	return leader, err
}

func followersGone(ctx context.Context, s *strike) error {
	f := s.followers()
	return s.all(ctx, "power-off@"+f[0].Name, "power-off@"+f[1].Name)
}

func quorumLost(ctx context.Context, s *strike) error {
	leader, f := s.leading(), s.followers()
	return s.all(ctx, "power-off@"+leader.Name, "power-off@"+f[0].Name)
}

// partitionPartial leaves a follower one peer, the one that it copies from.
// That is made the raft leader, too: else the etcd of the follower, which does
// not ask before it votes, would make the others elect again and again.
func partitionPartial(ctx context.Context, s *strike) error {
	leader, f := s.leading(), s.followers()
	if err := s.giveRaft(ctx, leader); err != nil {
		return err
	}
	return s.all(ctx, "cut:operator@"+f[1].Name, "cut:"+f[0].Name+"@"+f[1].Name)
}

// giveRaft makes the etcd of a host the raft leader.
func (s *strike) giveRaft(ctx context.Context, to *Host) error {
	from, err := s.raftLeader(ctx)
	if err != nil || from == to {
		return err
	}
	_, err = sh(ctx, from, `id=$(etcdctl member list | grep `+to.GUID+` | cut -d, -f1) && etcdctl move-leader "$id"`)
	return err
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

func oldLeaderUnseen(ctx context.Context, s *strike) error {
	leader, f := s.leading(), s.followers()
	return s.each(ctx, leader, "cut:operator", "cut:"+f[0].Name, "cut:"+f[1].Name)
}
