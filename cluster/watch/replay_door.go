package watch

import (
	"context"
	"errors"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

// errReplay refuses what would act.
var errReplay = errors.New("this is a replay: it shows what was, and nothing can be carried out")

// shut is the part of a door through which nothing passes, and why.
type shut struct{ why error }

// Plan, Confirm and all else that acts, or says something of a node, is refused.
func (s shut) Plan(context.Context, string, string, string) (cluster.Plan, error) {
	return cluster.Plan{}, s.why
}
func (shut) Recheck(string) ([]cluster.CheckedGuard, bool)         { return nil, false }
func (s shut) Confirm(string, string) ([]string, error)            { return nil, s.why }
func (s shut) Tick(string, string) error                           { return s.why }
func (s shut) Fence(string, string) error                          { return s.why }
func (s shut) Unfence(string) error                                { return s.why }
func (s shut) Maintain(string, time.Duration) error                { return s.why }
func (s shut) Arm(string) error                                    { return s.why }
func (shut) Disarm()                                               {}
func (s shut) TakeOver(context.Context, string) error              { return s.why }
func (shut) Stop()                                                 {}
func (shut) Acknowledge(string)                                    {}
func (shut) LookNow()                                              {}
func (s shut) Rehearse(context.Context, string) (Rehearsal, error) { return nil, s.why }
func (s shut) Terminal(context.Context, string, string, Size) (Terminal, error) {
	return nil, s.why
}

// State is the newest state; never nil.
func (r *Replay) State() *State { return r.state.Load() }

// Changed carries a token when there is something new to show.
func (r *Replay) Changed() <-chan struct{} { return r.changed }

// Summary is a plain text of the situation at that time.
func (r *Replay) Summary() string { return r.State().summary() }

// Describe is the catalogue entry of a failure, as this cockpit has it.
func (r *Replay) Describe(failure string) (cluster.Failure, bool) {
	all := r.o.Catalogue.Failures
	i := slices.IndexFunc(all, func(f cluster.Failure) bool { return f.Name == failure })
	if i < 0 {
		return cluster.Failure{}, false
	}
	return all[i], true
}

// SignMeaning is the catalogue entry of a sign.
func (r *Replay) SignMeaning(sign string) (cluster.Sign, bool) {
	all := r.o.Catalogue.Signs
	i := slices.IndexFunc(all, func(s cluster.Sign) bool { return s.Name == sign })
	if i < 0 {
		return cluster.Sign{}, false
	}
	return all[i], true
}

// Rivals are the other suspected findings that this one could have been.
func (r *Replay) Rivals(finding string) []cluster.Rival {
	return r.State().rivals(finding, r.o.Catalogue.Failures)
}

// Offers are what was offered for a finding; none of it can be had.
func (r *Replay) Offers(finding string) []Offered {
	return r.State().wereOffered(finding, r.o.Catalogue, r.why)
}

// NodeOffers are none: what could be had of a node was never written.
func (r *Replay) NodeOffers(string) []Offered { return nil }
