//go:build linux

package lab

import (
	"context"
	"time"
)

// ofMembers are stories of etcd's list of members, and of who may be in it.
var ofMembers = map[string]story{
	"old-member-returned":      {"a follower was made a cluster of its own, and then one of the two that had lost their power got it back", oldMember},
	"old-members-returned":     {"the same, and both get it back, out of reach of the survivor: the old cluster lives again", oldMembers},
	"etcd-member-removed":      {"a follower was removed while it had no power, and boots again with its old disk", memberRemoved},
	"not-three-nodes":          {"a fourth node was registered and never started", onLeader("fourth-node")},
	"etcd-cluster-id-mismatch": {"etcd of a follower lost its data and was started as of another cluster", onFollower("other-etcd")},
}

// recovered leaves one follower as a cluster of its own; the two others are
// without power.
func (s *strike) recovered(ctx context.Context) (survivor *Host, lost []*Host, err error) {
	leader, f := s.leading(), s.followers()
	survivor, lost = f[1], []*Host{leader, f[0]}
	if err := quorumLost(ctx, s); err != nil {
		return nil, nil, err
	}
	return survivor, lost, survivor.ctl(ctx, "create-cluster --quorum-loss-recovery --yes")
}

func oldMember(ctx context.Context, s *strike) error {
	_, lost, err := s.recovered(ctx)
	if err != nil {
		return err
	}
	return s.powerOn(ctx, lost[0])
}

func oldMembers(ctx context.Context, s *strike) error {
	survivor, lost, err := s.recovered(ctx)
	if err != nil {
		return err
	}
	for _, h := range lost {
		if err := s.act(ctx, "cut:%s@%s", h.Name, survivor.Name); err != nil {
			return err
		}
	}
	for _, h := range lost {
		if err := s.powerOn(ctx, h); err != nil {
			return err
		}
	}
	// Three that were all started elect nobody by themselves; somebody helps.
	old := lost[0]
	return until(ctx, "the old cluster has a leader", time.Minute, []string{old.log("leaderl", "current"), old.log("etcd", "current")}, func(ctx context.Context) error {
		return old.ctl(ctx, "promote "+old.Name)
	})
}

func memberRemoved(ctx context.Context, s *strike) error {
	leader, h := s.leading(), s.lastFollower()
	if err := s.act(ctx, "power-off@%s", h.Name); err != nil {
		return err
	}
	if err := leader.ctl(ctx, "remove-node "+h.Name+" --yes"); err != nil {
		return err
	}
	return s.powerOn(ctx, h)
}
