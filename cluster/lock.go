package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// LockClaims are what lies in the cockpit's own folder on a node: the
// operators' lock, and the step that was begun there last.
type LockClaims struct {
	Held   Claim[bool]       `claim:"held"`   // somebody holds the lock here, by the kernel's own list
	Holder Claim[LockHolder] `claim:"holder"` // who holds it, or is written down last; zero for nobody
	Step   Claim[StepSeen]   `claim:"step"`   // newest step; zero for none
}

// LockHolder is a cockpit that holds the operators' lock.
type LockHolder struct {
	Token string    `json:"token"` // new for every taking
	Plan  string    `json:"plan"`  // that it was taken for; "" for none
	Who   string    `json:"who"`   // user@host
	Since time.Time `json:"since"` // by our clock where the node's offset is known
}

// StepSeen is a step of any cockpit as it lies on a node.
type StepSeen struct {
	Plan    string `json:"plan"`
	Step    string `json:"step"`
	Command string `json:"command"`
	Running Truth  `json:"running"`
	Exit    int    `json:"exit"` // valid when Ended
	Ended   bool   `json:"ended"`
}

// Lock is the operators' lock as the nodes tell it.
type Lock struct {
	Held   Truth      // by anybody, on any node; Unknown where a node that answers does not tell
	Holder LockHolder // of the first node in fixed order that tells one, while Held
	On     []string   // nodes on which that one holds it
	Ours   bool
}

// Lock reads the lock from the newest looks.
func (v *View) Lock() Lock {
	l := Lock{Held: False}
	for _, n := range v.Snapshot.Nodes {
		r := v.Report(n.Name)
		if r == nil || Is(r.Reach, Reached) != True {
			continue
		}
		switch held := Is(r.Lock.Held, true); {
		case held == Unknown && l.Held == False:
			l.Held = Unknown
		case held != True:
		case l.Held != True:
			l.Held, l.Holder = True, r.Lock.Holder.Value
			fallthrough
		case r.Lock.Holder.Value.Token == l.Holder.Token:
			l.On = append(l.On, n.Name)
		}
	}
	l.Ours = l.Held == True && slices.Contains(v.OwnLocks, l.Holder.Token)
	return l
}

// Majority is how many of the listed nodes are more than half.
func (s *Snapshot) Majority() int { return len(s.Nodes)/2 + 1 }

func init() {
	register(Fact{Name: "lock-on-majority", Check: noArgs, Ask: (*View).lockOnMajority,
		Doc: "The operators' lock is held by this cockpit, or free, on a majority of the listed nodes, all of which answer (lock.held, lock.holder)."})
}

// lockOnMajority is asked before the lock is taken, too: then what counts is
// where it can be.
func (v *View) lockOnMajority(Binding) Answer {
	var have, may int
	var refs []ClaimRef
	var not []string
	for _, n := range v.Snapshot.Nodes {
		r := v.Report(n.Name)
		if r == nil || Is(r.Reach, Reached) != True {
			not = append(not, n.Name+" does not answer")
			continue
		}
		refs = append(refs, mention(n.Name, "lock.held", r.Lock.Held))
		switch {
		case !r.Lock.Held.Known:
			may++
			not = append(not, "whether it is held on "+n.Name+" is unknown: "+r.Lock.Held.Reason)
		case r.Lock.Held.Value && !slices.Contains(v.OwnLocks, r.Lock.Holder.Value.Token):
			not = append(not, r.Lock.Holder.Value.Who+" holds it on "+n.Name)
		default:
			have++
		}
	}
	need := v.Snapshot.Majority()
	switch {
	case have >= need:
		return say(True, fmt.Sprintf("the operators' lock can be held on %d of %d nodes", have, len(v.Snapshot.Nodes)), refs...)
	case have+may >= need:
		return say(Unknown, "whether the operators' lock can be held on a majority of the nodes is unknown: "+strings.Join(not, "; "), refs...)
	}
	return say(False, "the operators' lock cannot be held on a majority of the nodes: "+strings.Join(not, "; "), refs...)
}
