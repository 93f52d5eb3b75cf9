package watch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// errReplay refuses what would act.
var errReplay = errors.New("this is a replay: it shows what was, and nothing can be carried out")

// shut is the part of a door through which nothing passes.
type shut struct{}

// Plan, Confirm and all else that acts, or says something of a node, is refused.
func (shut) Plan(context.Context, string, string, string) (cluster.Plan, error) {
	return cluster.Plan{}, errReplay
}
func (shut) Recheck(string) ([]cluster.CheckedGuard, bool) { return nil, false }
func (shut) Confirm(string, string) ([]string, error)      { return nil, errReplay }
func (shut) Tick(string, string) error                     { return errReplay }
func (shut) Fence(string, string) error                    { return errReplay }
func (shut) Unfence(string) error                          { return errReplay }
func (shut) Maintain(string, time.Duration) error          { return errReplay }
func (shut) Arm(string) error                              { return errReplay }
func (shut) Disarm()                                       {}
func (shut) TakeOver(context.Context, string) error        { return errReplay }
func (shut) Stop()                                         {}
func (shut) Acknowledge(string)                            {}
func (shut) LookNow()                                      {}
func (shut) Terminal(context.Context, string, string, Size) (Terminal, error) {
	return nil, errReplay
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
	s := r.State()
	all := cluster.Rivals(s.Findings, r.o.Catalogue.Failures, s.View)
	return slices.DeleteFunc(all, func(x cluster.Rival) bool { return x.A != finding && x.B != finding })
}

// Offers are what was offered for a finding; none of it can be had.
func (r *Replay) Offers(finding string) []Offered {
	var out []Offered
	for _, f := range r.State().Findings {
		if f.ID() != finding {
			continue
		}
		for _, o := range f.Offers {
			out = append(out, r.offered(o.Procedure, f.Node, o.Service, o.Note))
		}
	}
	return out
}

// NodeOffers are none: what could be had of a node was never written.
func (r *Replay) NodeOffers(string) []Offered { return nil }

// offered is a line of a menu that was.
func (r *Replay) offered(procedure, node, service, note string) Offered {
	o := Offered{Procedure: procedure, Title: procedure, Node: node, Service: service, Note: note,
		WhyNot: []cluster.CheckedGuard{{Answer: cluster.Answer{Sentence: errReplay.Error()}}}}
	for _, p := range r.o.Catalogue.Procedures {
		if p.Name == procedure {
			o.Title, o.Tier = strings.ReplaceAll(p.Title, "{node}", node), p.Tier
		}
	}
	return o
}
