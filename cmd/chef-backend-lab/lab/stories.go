//go:build linux

package lab

import (
	"context"
	"maps"
	"time"
)

// stories are the faults with a name: that of the failure which the cockpit
// has to name. Where nothing else is said they strike the last follower; where
// a failure can strike either, NAME is the follower and NAME-leader the leader.
var stories = gather(everyday, ofServices, ofNetwork, ofLeadership, ofMembers, ofCopies, ofMachines)

// gather puts tables together.
func gather[V any](parts ...map[string]V) map[string]V {
	all := map[string]V{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// everyday are things that happen, and are no failures.
var everyday = map[string]story{
	"healthy":         {"nothing happens", func(context.Context, *strike) error { return nil }},
	"planned-restart": {"the services of a follower are restarted one by one", plannedRestart},
	"maintenance":     {"a follower is stopped in order, and its machine rebooted", maintenance},
	"rolling-upgrade": {"another release on one node after the other, each restarted, the leader last", rollingUpgrade},
	"first-sync":      {"a follower without any data gets its copy", firstSync},
	"bad-link":        {"the operator's link to each host loses a tenth of all packets", badLink},
}

// onFollower is a story of some acts on the last follower, one after the other.
func onFollower(what ...string) func(context.Context, *strike) error {
	return func(ctx context.Context, s *strike) error { return s.each(ctx, s.lastFollower(), what...) }
}

// onLeader is a story of some acts on the leader.
func onLeader(what ...string) func(context.Context, *strike) error {
	return func(ctx context.Context, s *strike) error { return s.each(ctx, s.leading(), what...) }
}

// onAll is a story of one act on every host.
func onAll(what string) func(context.Context, *strike) error {
	return func(ctx context.Context, s *strike) error { return s.everywhere(ctx, what) }
}

func (s *strike) each(ctx context.Context, h *Host, what ...string) error {
	for _, a := range what {
		if err := s.act(ctx, "%s@%s", a, h.Name); err != nil {
			return err
		}
	}
	return nil
}

func (s *strike) everywhere(ctx context.Context, what string) error {
	for _, h := range s.state.Hosts {
		if err := s.act(ctx, "%s@%s", what, h.Name); err != nil {
			return err
		}
	}
	return nil
}

// ctl calls the stand-in of chef-backend-ctl in a host, as its operator would.
func (h *Host) ctl(ctx context.Context, args string) error {
	_, err := sh(ctx, h, optDir+"/bin/chef-backend-ctl "+args)
	return err
}

// rest gives the cluster time as a person would.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func plannedRestart(ctx context.Context, s *strike) error { return s.restartAll(ctx, s.lastFollower()) }

// restartAll gives each service three seconds.
func (s *strike) restartAll(ctx context.Context, h *Host) error {
	for _, service := range serviceNames {
		if err := h.control(ctx, service, "t"); err != nil {
			return err
		}
		if err := rest(ctx, 3*time.Second); err != nil {
			return err
		}
	}
	return nil
}

// maintenance leaves the machine dark for as long as a quick one needs.
func maintenance(ctx context.Context, s *strike) error {
	h := s.lastFollower()
	if err := h.ctl(ctx, "stop"); err != nil {
		return err
	}
	if err := s.powerOff(ctx, h); err != nil {
		return err
	}
	if err := rest(ctx, 20*time.Second); err != nil {
		return err
	}
	return s.powerOn(ctx, h)
}

// rollingUpgrade changes what the package would: its version manifest.
func rollingUpgrade(ctx context.Context, s *strike) error {
	leader := s.leading()
	for _, h := range append(s.followers(), leader) {
		if err := releaseAct(ctx, s.Lab, h, "2.3.17"); err != nil {
			return err
		}
		if h == leader {
			if err := h.ctl(ctx, "demote"); err != nil {
				return err
			}
		}
		if err := s.restartAll(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

func badLink(ctx context.Context, s *strike) error { return s.everywhere(ctx, "lossy:10") }
