package cluster

import "slices"

// wayStage is one stage of getting into a node: the kinds of refusal that end
// there, and what is seen where it was passed.
type wayStage struct {
	what   string
	kinds  []string
	passed func(n Examined) string
}

var wayStages = []wayStage{
	{"reach", []string{"unreachable", "timeout", "protocol", "link-lost"}, func(n Examined) string {
		if n.Fingerprint == "" && n.Refusal.Kind == "" {
			return "worked on directly: the cockpit runs there"
		}
		return "an SSH server answers at " + n.Node.Dial
	}},
	{"host-key", []string{"host-key-unknown", "host-key-changed"}, func(n Examined) string {
		if n.Fingerprint == "" && n.Refusal.Kind == "" {
			return "not asked for: no SSH on this way"
		}
		return "the known one"
	}},
	{"login", []string{"login-failed"}, func(n Examined) string { return "as " + n.User }},
	{"privileges", []string{"no-privilege"}, func(n Examined) string {
		if n.User == "root" {
			return "root"
		}
		return "root, by sudo -n"
	}},
	{"shell", []string{"no-shell"}, func(n Examined) string {
		if c := n.Means.Shell; c.Known {
			return "a POSIX shell, " + c.Value
		}
		return "it runs the looks"
	}},
}

// wayIn adds the stages of getting into a node. It returns why we do not get
// in, in few words; "" when we do.
func wayIn(n Examined, add func(Purpose, string, verdict)) string {
	ends := slices.IndexFunc(wayStages, func(s wayStage) bool { return slices.Contains(s.kinds, n.Refusal.Kind) })
	if ends < 0 && n.Refusal.Kind != "" {
		ends = 0 // a kind that is not known here
	}
	for i, s := range wayStages {
		switch {
		case ends < 0 || i < ends && s.what != "privileges":
			add(ToWatch, s.what, inOrder(s.passed(n)))
		case i == ends:
			add(ToWatch, s.what, amiss(n.Refusal.Text, n.Refusal.Remedy))
		default:
			add(ToWatch, s.what, untold(NotLookedAt+wayStages[ends].what+" first", ""))
		}
	}
	if ends < 0 {
		return ""
	}
	return wayStages[ends].what + " first"
}
