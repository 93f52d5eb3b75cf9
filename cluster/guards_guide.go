package cluster

import (
	"fmt"
	"strings"
)

// The parts of the general recovery of followers, each told and asked. A part
// is a plan of its own; the sentence names the one to start now.
func init() {
	register(
		Fact{Name: "guide-tells", Check: oneOfParts, Ask: askGuideTells,
			Doc: "Holds always: says how the part named of the general recovery stands, and which plan to start for it: copies, leader or followers."},
		Fact{Name: "guide-done", Check: oneOfParts, Ask: askGuideDone,
			Doc: "The part named of the general recovery is done: copies, leader or followers."},
	)
}

// parts of the general recovery of followers.
var parts = map[string]func(*View) Answer{
	"copies": (*View).guideCopies, "leader": (*View).guideLeader, "followers": (*View).guideFollowers,
}

func oneOfParts(args []string) error {
	if len(args) != 1 || parts[args[0]] == nil {
		return fmt.Errorf("takes one of copies, leader, followers, got %q", strings.Join(args, " "))
	}
	return nil
}

func askGuideDone(v *View, b Binding) Answer {
	part := parts[argument(b, 0)]
	if part == nil {
		return say(Unknown, "no part was named")
	}
	return part(v)
}

func askGuideTells(v *View, b Binding) Answer {
	a := askGuideDone(v, b)
	word := map[Truth]string{True: "done", False: "to do", Unknown: "unknown"}[a.Truth]
	return say(True, argument(b, 0)+", "+word+": "+a.Sentence, a.Claims...)
}

// bad are the nodes whose copy is not good while somebody leads; while nobody
// does, all of them.
func (v *View) bad() []string {
	e := v.Elected()
	var names []string
	for _, n := range v.nodes() {
		if e.Truth == True && (n.Name == e.Node || v.GoodFollower(n.Name).Truth == True) {
			continue
		}
		names = append(names, n.Name)
	}
	return names
}

// guideCopies: a copy of every node that is to be rebuilt, and of all of them
// while nobody leads. A leader that serves is never stopped for it.
func (v *View) guideCopies() Answer {
	var as []Answer
	for _, n := range v.bad() {
		a := v.wasSaved(n)
		if a.Truth != True && v.Unreachable(n).Truth == True {
			a = say(Unknown, n+" cannot be reached: nothing of it can be saved now")
		} else if a.Truth != True {
			plan := "start backup-nodes " + n
			if v.noPostmaster(n).Truth != True {
				plan = "start stop-node " + n + ", then backup-nodes " + n
			}
			a.Truth, a.Sentence = False, fmt.Sprintf("%s; %s", a.Sentence, plan)
		}
		as = append(as, a)
	}
	if e := v.Elected(); len(as) == 0 {
		return say(True, "every follower is good: none is to be rebuilt; for the leader "+e.Node+" run chef-backend-ctl backup on a good follower, or take a snapshot")
	}
	return all("the files of every node that is to be rebuilt are saved", as...)
}

// guideLeader: no changes of leadership, and one solid elected leader.
func (v *View) guideLeader() Answer {
	e := v.Elected()
	lead := e.Answer
	lead.Truth = e.Truth
	switch e.Truth {
	case False:
		lead.Sentence += "; call Support first, then start promote-previous-leader"
		return lead
	case Unknown:
		return lead
	}
	calm := v.leaderChangedRecently()
	calm.Truth = calm.Truth.Not()
	return all(e.Node+" leads, and its PostgreSQL is out of recovery", lead, v.OutOfRecovery(e.Node), calm)
}

// guideFollowers: one at a time, the state of the cluster looked at in between.
func (v *View) guideFollowers() Answer {
	e := v.Elected()
	if e.Truth != True {
		return say(False, "nobody leads: there is nobody to follow yet", e.Answer.Claims...)
	}
	var as []Answer
	for _, n := range v.others(e.Node) {
		a := v.GoodFollower(n)
		if a.Truth != True {
			a.Sentence += "; start rebuild-follower " + n
		}
		as = append(as, a)
	}
	return all(strings.Join(v.others(e.Node), " and ")+" are good followers of "+e.Node, as...)
}
