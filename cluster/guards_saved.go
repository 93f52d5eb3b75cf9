package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// The guards and effects of backup-nodes, and what a copy of a node's files is
// good for once it was made.
func init() {
	register(
		Fact{Name: "node-stopped", Check: noArgs, Ask: aboutNode((*View).stopped),
			Doc: "All five services of the node are down and stay so, and no postmaster runs (service, postgresql.postmaster)."},
		Fact{Name: "no-postmaster", Check: noArgs, Ask: aboutNode((*View).noPostmaster),
			Doc: "No postmaster runs on the node: the process itself, not its pid file (postgresql.postmaster)."},
		Fact{Name: "room-for-saving", Check: noArgs, Ask: askRoomForSaving,
			Doc: "The copies' folder lies on another file system with room, or leaves 2 GB free behind the copy (host.room, host.tree-bytes)."},
		Fact{Name: "copy-told", Check: noArgs, Ask: askCopyTold,
			Doc: "What the node's copy of the database looks like can be told, and is kept with the step (postgresql.control, postgresql.segments, end of WAL)."},
		Fact{Name: "copy-unchanged", Check: noArgs, Ask: askUnchanged,
			Doc: "The node's copy looks as it did when this plan began to save it (postgresql.control, postgresql.segments, end of WAL)."},
		Fact{Name: "fuzzy-asked", Check: noArgs, Ask: askFuzzy,
			Doc: "A copy of files that change meanwhile was asked for by name; it counts for nothing."},
		Fact{Name: "copy-was-saved", Check: atMostOneWord, Ask: askSaved,
			Doc: "A plan of ours saved the node's files to its end, and its copy has not changed since; never known for one that was made elsewhere."},
		Fact{Name: "needs-saving", Check: noArgs, Ask: askNeedsSaving,
			Doc: "The node's copy holds, or may hold, what the leader's does not, and no plan of ours saved it."},
	)
}

// atMostOneWord is the check of facts that take a node, or none for the plan's.
func atMostOneWord(args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("takes one node or none, got %q", strings.Join(args, " "))
	}
	return nil
}

func (v *View) noPostmaster(node string) Answer {
	c := v.report(node).PostgreSQL.Postmaster
	if !c.Known {
		return unknownFor(node, "postgresql.postmaster", c)
	}
	ref := mention(node, "postgresql.postmaster", c)
	if c.Value != 0 {
		return say(False, fmt.Sprintf("PostgreSQL runs on %s (pid %d): its files change", node, c.Value), ref)
	}
	return say(True, "no PostgreSQL runs on "+node, ref)
}

// saveMargin is what has to stay free where a copy lies beside what it copies.
const saveMargin = 2 << 30

func askRoomForSaving(v *View, b Binding) Answer {
	h := v.report(b.Node).Host
	switch {
	case !recent(v, h.TreeBytes):
		return unknownFor(b.Node, "host.tree-bytes", h.TreeBytes)
	case !recent(v, h.Room):
		return unknownFor(b.Node, "host.room", h.Room)
	}
	need, where := h.TreeBytes.Value+saveMargin, "beside the data"
	if h.Room.Value.Apart {
		need, where = h.TreeBytes.Value, "on another file system"
	}
	s := fmt.Sprintf("a copy of %s takes %s, %s, and %s has %s free", b.Node, Amount(h.TreeBytes.Value), where, CopiesFolder, Amount(h.Room.Value.Copies))
	return say(TruthOf(h.Room.Value.Copies >= need), s, mention(b.Node, "host.tree-bytes", h.TreeBytes), mention(b.Node, "host.room", h.Room))
}

// copyLooks is what a node's copy of the database looks like, in words that may
// be compared between two views; ok is false where too little is known of it.
func (v *View) copyLooks(node string) (looks, end string, refs []ClaimRef, ok bool) {
	p := v.report(node).PostgreSQL
	refs = []ClaimRef{mention(node, "postgresql.control", p.Control), mention(node, "postgresql.segments", p.Segments)}
	if v.noControl(node) {
		return "there is no copy of the database on " + node, "", refs, true
	}
	if !p.Control.Known || !p.Segments.Known {
		return "", "", refs, false
	}
	c := p.Control.Value
	looks = fmt.Sprintf("the copy on %s is %q, of system %s, with its checkpoint at %s, consistent from %s, newest WAL file %s",
		node, c.State, c.SystemID, c.Checkpoint, c.MinEnd, p.Segments.Value.Newest)
	return looks, v.PositionOf(node), refs, true
}

// endsAt stands between what a copy looks like and where it ends.
const endsAt = "; it ends at "

func askCopyTold(v *View, b Binding) Answer {
	looks, end, refs, ok := v.copyLooks(b.Node)
	if !ok {
		return say(Unknown, "what the copy on "+b.Node+" looks like is unknown: its control data or its WAL files cannot be read", refs...)
	}
	return say(True, looks+endsAt+end, refs...)
}

// sameCopy compares the node's copy with what was told of it when step acted.
func (v *View) sameCopy(node string, step StepState) Truth {
	looks, end, _, ok := v.copyLooks(node)
	for _, g := range step.Guards {
		if g.Fact != "copy-told" {
			continue
		}
		was, wasEnd, _ := strings.Cut(g.Answer.Sentence, endsAt)
		switch {
		case !ok || g.Answer.Truth != True:
			return Unknown
		case was != looks:
			return False
		case strings.Contains(looks, `"shut down"`) || end == "":
			return True // its checkpoint is its end
		case end == positionUnknown || wasEnd == positionUnknown:
			return Unknown
		}
		return TruthOf(end == wasEnd)
	}
	return Unknown
}

func askUnchanged(v *View, b Binding) Answer {
	if b.Plan == nil {
		return say(Unknown, "no plan runs that saves the files of "+b.Node)
	}
	for i := len(v.Plans) - 1; i >= 0; i-- {
		if v.Plans[i].Plan.ID != b.Plan.ID {
			continue
		}
		for _, s := range v.Plans[i].Steps {
			if !strings.HasSuffix(s.Step.ID, "-save") || s.Step.Node != b.Node {
				continue
			}
			switch same := v.sameCopy(b.Node, s); same {
			case True:
				return say(True, "the copy on "+b.Node+" did not change while it was saved")
			case False:
				return say(False, "the copy on "+b.Node+" changed while it was saved")
			}
		}
	}
	return say(Unknown, "whether the copy on "+b.Node+" changed while it was saved is unknown")
}

// noControl answers whether the node surely has no copy at all.
func (v *View) noControl(node string) bool {
	r := v.report(node)
	if r.PostgreSQL.Control.Known {
		return false
	}
	return Is(r.PostgreSQL.DataBytes, int64(0)) == True || r.Host.Files.Known && !r.Host.Files.Value.Data
}

// fuzzyPhrase asks for a copy of files that change while they are read.
func fuzzyPhrase(node string) string { return "fuzzy " + node }

func askFuzzy(_ *View, b Binding) Answer {
	if b.Plan != nil && slices.Contains(b.Plan.Phrases, fuzzyPhrase(b.Node)) {
		return say(True, "a fuzzy copy of "+b.Node+" was asked for by name: it counts for nothing")
	}
	return say(False, "no fuzzy copy of "+b.Node+" was asked for")
}

// saved is the newest step of ours that saved the node's files, in a plan that
// read them back too, both with exit status 0.
func (v *View) saved(node string) (plan string, step StepState, ok bool) {
	for i := len(v.Plans) - 1; i >= 0; i-- {
		packed, read := StepState{}, false
		for _, s := range v.Plans[i].Steps {
			whole := s.Step.Node == node && s.Status == StatusDone && s.ExitKnown && s.Exit == 0
			if whole && strings.HasSuffix(s.Step.ID, "-save") {
				packed = s
			}
			read = read || whole && strings.HasSuffix(s.Step.ID, "-read")
		}
		if packed.Step.ID != "" && read {
			return v.Plans[i].Plan.ID, packed, true
		}
	}
	return "", StepState{}, false
}

// wasSaved answers whether a copy of the node's files is at hand that is not
// older than what the node holds now.
func (v *View) wasSaved(node string) Answer {
	plan, step, ok := v.saved(node)
	if !ok {
		return say(Unknown, "no copy of the files of "+node+" was made from here: back it up first, or take a snapshot of it")
	}
	switch v.sameCopy(node, step) {
	case True:
		return say(True, fmt.Sprintf("plan %s saved the files of %s, which have not changed since", plan, node))
	case False:
		return say(False, fmt.Sprintf("plan %s saved the files of %s, and they changed since", plan, node))
	}
	return say(Unknown, fmt.Sprintf("plan %s saved the files of %s; whether they changed since is unknown", plan, node))
}

func askSaved(v *View, b Binding) Answer {
	if node := argument(b, 0); node != "" {
		return v.wasSaved(node)
	}
	return v.wasSaved(b.Node)
}

// containedOrSaved answers whether replacing or passing over f loses nothing:
// c holds it all, or its files are at hand.
func (v *View) containedOrSaved(f, c string) Answer {
	a := v.Contained(f, c)
	if a.Truth == True {
		return a
	}
	if s := v.wasSaved(f); s.Truth == True {
		return say(True, a.Sentence+"; "+s.Sentence, a.Claims...)
	}
	return a
}

func askNeedsSaving(v *View, b Binding) Answer {
	if v.noControl(b.Node) {
		return say(False, "there is no copy of the database on "+b.Node)
	}
	leader := v.planLeader(b)
	if leader == "" {
		return say(True, "nobody is known to lead: what "+b.Node+" holds may exist nowhere else")
	}
	a := v.containedOrSaved(b.Node, leader)
	if a.Truth == True {
		a.Truth = False
		return a
	}
	a.Truth = True
	return a
}
