package recovery

import (
	"fmt"
	"path"
	"strings"

	"chef-backend-cockpit/cluster"
)

// openEnds says what a plan left behind, from what its commands did: a service
// that it stopped, a file that it moved aside, a copy that it gave up. A later
// step of the plan that undid it takes it off. One that ended well left what it
// was made for: what is stopped or switched off stays so until somebody turns
// it on again, a file aside is in its place.
func openEnds(p cluster.PlanState, well bool) []string {
	open := map[string]string{} // by what it is about
	var order []string
	add := func(key, sentence string) {
		if _, there := open[key]; !there {
			order = append(order, key)
		}
		open[key] = sentence
	}
	for _, st := range p.Steps {
		if !left(st) {
			continue
		}
		node, verb, arg := st.Step.Node, "", ""
		words := strings.Fields(st.Step.Command)
		for len(words) > 0 && strings.Contains(words[0], "=") {
			words = words[1:] // what is set for the command alone
		}
		if len(words) > 1 && words[0] == "chef-backend-ctl" {
			verb = words[1]
			arg = strings.Join(words[2:], " ")
		}
		switch {
		case verb == "stop":
			add(node+" "+arg, fmt.Sprintf("%s is stopped on %s", orAll(arg), node))
		case verb == "start" && st.Status == cluster.StatusDone:
			for key := range open {
				if strings.HasPrefix(key, node+" ") && (arg == "" || key == node+" "+arg) {
					delete(open, key)
				}
			}
		case len(words) == 4 && words[0] == "mv" && well:
		case len(words) == 4 && words[0] == "mv":
			moved(st, words[2], words[3], open, add)
		case verb == "remove-node" && len(words) > 2:
			add("member "+words[2], words[2]+" "+isOrMay(st)+" no member any more: losing either of the others stops the cluster")
		case verb == "cleanse":
			add("wiped "+node, "what lay on "+node+" "+isOrMay(st)+" wiped")
		case verb == "join-cluster" && st.Status == cluster.StatusDone:
			delete(open, "member "+node)
			delete(open, "wiped "+node)
		case verb == "set-cluster-failover" && st.Status == cluster.StatusDone:
			if delete(open, "failover"); arg == "off" {
				add("failover", "failover is off")
			}
		case verb == "pgsql-follow" && st.Status != cluster.StatusDone:
			add("copy "+node, "the copy on "+node+" may be incomplete")
		case st.Status == cluster.StatusUnknown:
			add("outcome "+node+" "+st.Step.ID, fmt.Sprintf("what came of %q on %s is unknown", st.Step.Say, node))
		}
	}
	var out []string
	for _, key := range order {
		if s, there := open[key]; there {
			out = append(out, s)
		}
	}
	return out
}

// isOrMay is how sure it is that a step did what it does.
func isOrMay(st cluster.StepState) string {
	if st.Status == cluster.StatusDone {
		return "is"
	}
	return "may be"
}

// left answers whether a step may have left something behind.
func left(st cluster.StepState) bool {
	switch st.Status {
	case cluster.StatusDone, cluster.StatusFailed, cluster.StatusUnknown, cluster.StatusStopped:
		return st.Step.Command != "" && (st.PID != 0 || st.ExitKnown || st.Status == cluster.StatusUnknown)
	}
	return false
}

// moved notes a file that lies aside, or that was put back.
func moved(st cluster.StepState, from, to string, open map[string]string, add func(key, sentence string)) {
	key := "file " + st.Step.Node + " " + path.Base(from)
	if _, aside := open[key]; aside && st.Status == cluster.StatusDone {
		delete(open, key)
		return
	}
	add(key, fmt.Sprintf("%s of %s lies in %s", path.Base(from), st.Step.Node, to))
}

func orAll(service string) string {
	if service == "" {
		return "everything"
	}
	return service
}
