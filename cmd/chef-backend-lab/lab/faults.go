//go:build linux

package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// faultWithin bounds one fault: some are stories that take their time.
const faultWithin = 2 * time.Minute

// Struck is a fault that has happened, and the acts that undo it in the end.
type Struck struct {
	Fault string
	Acts  []string
}

// story is a fault with a name. The names are those of the simulation, where
// it knows the fault, so that one table of scenarios drives both.
type story struct {
	title string
	run   func(ctx context.Context, s *strike) error
}

// strike is a fault that is being struck.
type strike struct {
	*Lab
	at int // index of its note in the state
}

// act does one thing and notes it before, so that a crash in the middle leaves
// nothing that heal would not undo.
func (s *strike) act(ctx context.Context, format string, a ...any) error {
	text := fmt.Sprintf(format, a...)
	do, h, what, err := s.parseAct(text)
	if err != nil {
		return err
	}
	if !strings.Contains(text, "@") {
		text += "@" + h.Name
	}
	if do.undo != nil {
		f := &s.state.Faults[s.at]
		f.Acts = append(f.Acts, text)
		if err := s.save(); err != nil {
			return err
		}
	}
	if err := do.do(ctx, s.Lab, h, what); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return nil
}

// all does one act after the other.
func (s *strike) all(ctx context.Context, acts ...string) error {
	for _, a := range acts {
		if err := s.act(ctx, "%s", a); err != nil {
			return err
		}
	}
	return nil
}

// Strike makes a fault happen: a story by its name, or one act. It returns when
// the last cause is in place, which for some stories takes a minute.
func (l *Lab) Strike(fault string) error { return l.StrikeIn(context.Background(), fault) }

// StrikeIn is Strike that ends with ctx.
func (l *Lab) StrikeIn(ctx context.Context, fault string) error {
	ctx, cancel := context.WithTimeout(ctx, faultWithin)
	defer cancel()
	return l.change(func() error {
		story, named := stories[fault]
		if !named {
			if _, _, _, err := l.parseAct(fault); err != nil {
				return err
			}
		}
		l.state.Faults = append(l.state.Faults, Struck{Fault: fault})
		s := &strike{l, len(l.state.Faults) - 1}
		if err := l.save(); err != nil {
			return err
		}
		if !named {
			return s.act(ctx, "%s", fault)
		}
		if err := story.run(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", fault, err)
		}
		return nil
	})
}

// Heal undoes from outside what a fault did and a cluster cannot mend: power,
// cables, what is in a service's way. "" heals all. It does not wait for the
// cluster to recover.
func (l *Lab) Heal(fault string) error { return l.HealIn(context.Background(), fault) }

// HealIn is Heal that ends with ctx.
func (l *Lab) HealIn(ctx context.Context, fault string) error {
	ctx, cancel := context.WithTimeout(ctx, faultWithin)
	defer cancel()
	return l.change(func() error {
		found := fault == ""
		for i := len(l.state.Faults) - 1; i >= 0; i-- {
			f := l.state.Faults[i]
			if fault != "" && f.Fault != fault {
				continue
			}
			found = true
			if err := l.undo(ctx, f); err != nil {
				return err
			}
			l.state.Faults = slices.Delete(l.state.Faults, i, i+1)
			if err := l.save(); err != nil {
				return err
			}
		}
		if !found {
			return fmt.Errorf("fault %q has not been struck", fault)
		}
		if fault == "" {
			return l.mendAll(ctx)
		}
		return nil
	})
}

// undo takes back the acts of a fault, the last one first.
func (l *Lab) undo(ctx context.Context, f Struck) error {
	for _, text := range slices.Backward(f.Acts) {
		a, h, what, err := l.parseAct(text)
		if err != nil {
			return err
		}
		if err := a.undo(ctx, l, h, what); err != nil {
			return fmt.Errorf("undo %s: %w", text, err)
		}
	}
	return nil
}

// Knows says whether Strike takes a fault.
func Knows(fault string) bool {
	if _, ok := stories[fault]; ok {
		return true
	}
	verb, _, _ := strings.Cut(fault, "@")
	verb, _, _ = strings.Cut(verb, ":")
	_, ok := acts[verb]
	return ok
}

// Catalogue describes every fault that Strike takes, as name and text, in the
// order in which to show them.
func Catalogue() [][2]string {
	var all [][2]string
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		all = append(all, [2]string{name, stories[name].title})
	}
	for _, verb := range slices.Sorted(maps.Keys(acts)) {
		all = append(all, [2]string{pattern(verb, acts[verb]), acts[verb].text})
	}
	return all
}

// leading is the host whose leaderl says that it leads, else the one whose
// PostgreSQL accepts writes, else the first.
func (l *Lab) leading() *Host {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	asks := []func(h *Host) bool{
		func(h *Host) bool {
			return h.says(ctx, "curl -s -m 2 -o /dev/null -w '%{http_code}' http://127.0.0.1:7331/leader") == "200"
		},
		func(h *Host) bool {
			out, err := l.sql(ctx, h, "select pg_is_in_recovery()")
			return err == nil && out == "f"
		},
	}
	for _, ask := range asks {
		for i := range l.state.Hosts {
			if h := &l.state.Hosts[i]; alive(h.PID, h.Start) && ask(h) {
				return h
			}
		}
	}
	return &l.state.Hosts[0]
}

// followers are the other hosts, in fixed order.
func (l *Lab) followers() []*Host {
	leader := l.leading()
	var all []*Host
	for i := range l.state.Hosts {
		if h := &l.state.Hosts[i]; h != leader {
			all = append(all, h)
		}
	}
	return all
}

func (l *Lab) lastFollower() *Host {
	all := l.followers()
	return all[len(all)-1]
}
