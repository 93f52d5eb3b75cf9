package cluster

// Purpose is what a precondition is one of.
type Purpose string

// The two purposes. Acting needs what watching needs, too.
const (
	ToWatch Purpose = "watching"
	ToAct   Purpose = "acting"
)

// Standing is how a precondition stands.
type Standing string

// Advice is what nothing depends on and is better mended.
const (
	InOrder Standing = "ok"
	Amiss   Standing = "not ok"
	Untold  Standing = "unknown"
	Advice  Standing = "advice"
)

// Precondition is one line of the doctor.
type Precondition struct {
	Node     string // "" for the cluster; Here for this machine
	For      Purpose
	What     string // "host-key"
	Standing Standing
	Seen     string // what was seen; why it is not known
	Remedy   string // a plain sentence; "" where nothing is to be done
}

// NotLookedAt begins what is seen of a node that we do not get into.
const NotLookedAt = "not looked at: "

// Here is the machine that the cockpit runs on.
const Here = "here"

// verdict is the part of a precondition that a check finds out.
type verdict struct {
	standing     Standing
	seen, remedy string
}

func inOrder(seen string) verdict        { return verdict{InOrder, seen, ""} }
func amiss(seen, remedy string) verdict  { return verdict{Amiss, seen, remedy} }
func untold(seen, remedy string) verdict { return verdict{Untold, seen, remedy} }
func advice(seen, remedy string) verdict { return verdict{Advice, seen, remedy} }

// asAnswered is an answer whose truth is the precondition.
func asAnswered(a Answer, remedy string) verdict {
	switch a.Truth {
	case True:
		return inOrder(a.Sentence)
	case False:
		return amiss(a.Sentence, remedy)
	}
	return untold(a.Sentence, "Look again; if it stays unknown, look on the node itself.")
}

// nodeCheck asks one thing about one node.
type nodeCheck struct {
	purpose Purpose
	what    string
	ask     func(x *Examination, n Examined) verdict
}

// nodeChecks are asked of a node once we got in, in this order.
var nodeChecks = []nodeCheck{
	{ToWatch, "product", checkProduct},
	{ToWatch, "tools", checkTools(ToWatch)},
	{ToWatch, "more-tools", checkUsefulTools},
	{ToWatch, "folders", checkFolders},
	{ToWatch, "sessions", checkSessions(SessionsToWatch)},
	{ToAct, "version", checkVersion},
	{ToAct, "tools", checkTools(ToAct)},
	{ToAct, "ports", checkPorts},
	{ToAct, "clock", checkClock},
	{ToAct, "file-systems", checkFileSystems},
	{ToAct, "base-backup", checkBaseBackup},
	{ToAct, "file-copy", checkFileCopy},
	{ToAct, "own-folder", checkOwnFolder},
	{ToAct, "lock", checkLock},
	{ToAct, "sessions", checkSessions(SessionsToAct)},
	{ToAct, "sshd", checkSSHD},
}

// Preconditions judges an examination: of each node what watching needs and
// what acting needs, then what is asked of the cluster. Every check gives one
// line for every node; on a node that we do not get into they are unknown.
func Preconditions(x *Examination) []Precondition {
	var all []Precondition
	for _, n := range x.Nodes {
		add := func(p Purpose, what string, v verdict) {
			all = append(all, Precondition{n.Node.Name, p, what, v.standing, v.seen, v.remedy})
		}
		in := wayIn(n, add)
		for _, c := range nodeChecks {
			if in != "" {
				add(c.purpose, c.what, untold(NotLookedAt+in, ""))
				continue
			}
			add(c.purpose, c.what, c.ask(x, n))
		}
	}
	for _, c := range clusterChecks {
		v := c.ask(x)
		all = append(all, Precondition{"", ToAct, c.what, v.standing, v.seen, v.remedy})
	}
	return all
}

// Possible answers whether everything that a purpose needs is in order;
// acting needs what watching needs. Advice does not count.
func Possible(all []Precondition, p Purpose) Truth {
	t := True
	for _, c := range all {
		if p == ToWatch && c.For == ToAct {
			continue
		}
		switch c.Standing {
		case Amiss:
			return False
		case Untold:
			t = Unknown
		}
	}
	return t
}
