package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The guards and effects of cleansing a node and joining it, or a new machine
// in its place, to the cluster.
func init() {
	register(
		Fact{Name: "old-machine", Check: noArgs, Ask: aboutNode((*View).oldMachine),
			Doc: "The node is reached and holds data or configuration of the product, or what a cleanse kept (host.files)."},
		Fact{Name: "blank-machine", Check: noArgs, Ask: aboutNode((*View).blankMachine),
			Doc: "The node is reached, the product is installed there, and it holds neither data nor configuration (host.installed, host.files)."},
		Fact{Name: "data-there", Check: noArgs, Ask: askDataThere,
			Doc: "/var/opt/chef-backend is on the node (host.files)."},
		Fact{Name: "config-there", Check: noArgs, Ask: askConfigThere,
			Doc: "/etc/chef-backend is on the node; the sentence says what is in it (host.files)."},
		Fact{Name: "config-to-restore", Check: noArgs, Ask: askToRestore,
			Doc: "The node was cleansed, what the cleanse kept is there, and /etc/chef-backend does not hold it yet (host.files)."},
		Fact{Name: "config-folder-to-make", Check: noArgs, Ask: askFolderToMake,
			Doc: "The node's configuration is to be restored and /etc/chef-backend is not there; the sentence says what is in it where it is (host.files)."},
		Fact{Name: "cleanse-kept-config", Check: noArgs, Ask: askKept,
			Doc: "A cleanse kept the configuration below /root, or /etc/chef-backend holds it already (host.files)."},
		Fact{Name: "config-empty", Check: noArgs, Ask: askConfigEmpty,
			Doc: "/etc/chef-backend is on the node and nothing is in it (host.files)."},
		Fact{Name: "config-whole", Check: noArgs, Ask: askConfigWhole,
			Doc: "/etc/chef-backend itself holds chef-backend.rb and chef-backend-secrets.json, neither empty (host.files)."},
		Fact{Name: "config-closed", Check: noArgs, Ask: askConfigClosed,
			Doc: "Nothing in /etc/chef-backend can be read by everybody (host.files)."},
		Fact{Name: "cleanse-copy-packed", Check: noArgs, Ask: askPacked,
			Doc: "What a cleanse kept lies on the node as an archive, and not as a folder that holds both files (host.files)."},
		Fact{Name: "cleanse-copy-usable", Check: noArgs, Ask: askCleansed,
			Doc: "What a cleanse kept lies on the node with both files, and all such copies are the same (host.files)."},
		Fact{Name: "secrets-ready", Check: noArgs, Ask: askSecrets,
			Doc: "/root/chef-backend-secrets.json is on the node, and only root can read it (host.files)."},
		Fact{Name: "ports-open", Check: noArgs, Ask: askPortsOpen,
			Doc: "From the node 2379, 2380, 5432 and 9300 of every member are open, and 7331 of the leader (the node's view of its peers)."},
		Fact{Name: "clock-agrees", Check: noArgs, Ask: askClock,
			Doc: "The node's clock is at most 1.5 s from the leader's (host.clock-offset)."},
		Fact{Name: "same-version", Check: noArgs, Ask: askSameVersion,
			Doc: "The node has the same version of Chef Backend as the leader (host.version)."},
		Fact{Name: "kept-wal-told", Check: noArgs, Ask: askKeptWAL,
			Doc: "Holds always: says for how long the leader keeps WAL at the rate now, while a full copy is pulled (history of positions)."},
		Fact{Name: "own-copy-told", Check: noArgs, Ask: askOwnCopyTold,
			Doc: "Holds always: says what giving up the node's copy would lose (both copies, by their histories)."},
		Fact{Name: "licence-asked", Check: oneWord, Ask: askLicence,
			Doc: "The plan's step named ended because the product's licence has to be accepted first (its output)."},
		Fact{Name: "joined-or-licence", Check: oneWord, Ask: askJoinedOrLicence,
			Doc: "The node is a member with a healthy etcd, or the step named ended because the licence has to be accepted first."},
	)
}

// files asks about the product's folders on a node that is reached.
func (v *View) files(node string, ask func(ProductFiles) (bool, string)) Answer {
	c := v.report(node).Host.Files
	if a := v.reached(node); a.Truth != True {
		return a
	}
	if !c.Known {
		return unknownFor(node, "host.files", c)
	}
	yes, sentence := ask(c.Value)
	return say(TruthOf(yes), sentence, mention(node, "host.files", c))
}

func (v *View) oldMachine(node string) Answer {
	if u := v.Unreachable(node); u.Truth == True {
		u.Truth = False
		return u
	}
	return v.files(node, func(f ProductFiles) (bool, string) {
		old := f.Data || f.Config || len(f.Cleansed)+len(f.Packed) > 0
		if !old {
			return false, node + " holds nothing of the product's data or configuration"
		}
		return true, node + " is the machine that was in the cluster: it holds the product's data or configuration"
	})
}

func (v *View) blankMachine(node string) Answer {
	installed := v.report(node).Host.Installed
	there := unknownFor(node, "host.installed", installed)
	if installed.Known {
		there = say(TruthOf(installed.Value), "Chef Backend is installed on "+node, mention(node, "host.installed", installed))
		if !installed.Value {
			there.Sentence = "Chef Backend is not installed on " + node
		}
	}
	return all(node+" is a blank machine with the product installed", v.reached(node), there,
		v.files(node, func(f ProductFiles) (bool, string) {
			switch {
			case f.Data:
				return false, ProductData + " is on " + node + ": it was in a cluster before"
			case len(f.Holds) > 0:
				return false, ProductConfig + " on " + node + " is not empty: " + namesIn(f.Holds)
			}
			return true, node + " holds no data and no configuration"
		}))
}

// namesIn lists files in words.
func namesIn(files []ProductFile) string {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

func askDataThere(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		if f.Data {
			return true, ProductData + " is on " + b.Node
		}
		return false, ProductData + " is gone from " + b.Node
	})
}

func askConfigThere(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		switch {
		case !f.Config:
			return false, "there is no " + ProductConfig + " on " + b.Node
		case len(f.Holds) == 0:
			return true, ProductConfig + " is on " + b.Node + ", empty"
		}
		return true, ProductConfig + " is on " + b.Node + " and holds " + namesIn(f.Holds)
	})
}

func askToRestore(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		switch {
		case f.Data:
			return false, ProductData + " is on " + b.Node + ": it was not cleansed"
		case f.Whole:
			return false, ProductConfig + " on " + b.Node + " holds the configuration"
		case len(f.Cleansed)+len(f.Packed) == 0:
			return false, "no cleanse kept a configuration on " + b.Node
		}
		return true, "the configuration of " + b.Node + " is to be put back"
	})
}

func askFolderToMake(v *View, b Binding) Answer {
	a := askToRestore(v, b)
	if a.Truth != True {
		return a
	}
	there := askConfigThere(v, b)
	there.Truth = there.Truth.Not()
	return there
}

func askKept(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		switch {
		case f.Whole:
			return true, ProductConfig + " on " + b.Node + " holds the configuration"
		case len(f.Cleansed)+len(f.Packed) > 0:
			return true, "the cleanse kept the configuration of " + b.Node + ": " + strings.Join(append(f.Cleansed, f.Packed...), ", ")
		}
		return false, "nothing lies at /root/chef-backend-cleanse* on " + b.Node
	})
}

func askConfigEmpty(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		switch {
		case !f.Config:
			return false, "there is no " + ProductConfig + " on " + b.Node
		case len(f.Holds) > 0:
			return false, ProductConfig + " on " + b.Node + " holds " + namesIn(f.Holds) + ": nothing is overwritten"
		}
		return true, ProductConfig + " on " + b.Node + " is empty"
	})
}

func askConfigWhole(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		if f.Whole {
			return true, ProductConfig + " on " + b.Node + " holds chef-backend.rb and chef-backend-secrets.json"
		}
		return false, ProductConfig + " on " + b.Node + " does not hold both chef-backend.rb and chef-backend-secrets.json, or one is empty"
	})
}

func askConfigClosed(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		for _, one := range f.Holds {
			if openToAll(one.Mode) {
				return false, fmt.Sprintf("everybody can read %s/%s on %s", ProductConfig, one.Name, b.Node)
			}
		}
		return true, "nothing in " + ProductConfig + " on " + b.Node + " can be read by everybody"
	})
}

func askPacked(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		if len(f.Cleansed) > 0 || len(f.Packed) == 0 {
			return false, "no archive of a cleanse has to be unpacked on " + b.Node
		}
		return true, "what the cleanse kept on " + b.Node + " is packed in " + strings.Join(f.Packed, ", ")
	})
}

func askCleansed(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		switch {
		case len(f.Cleansed) == 0:
			return false, "nothing that a cleanse kept on " + b.Node + " holds both chef-backend.rb and chef-backend-secrets.json"
		case f.Differ:
			return false, "two copies that cleanses kept on " + b.Node + " differ: " + strings.Join(f.Cleansed, ", ") + "; move the wrong one away"
		}
		return true, "what the cleanse kept on " + b.Node + ": " + strings.Join(f.Cleansed, ", ")
	})
}

func askSecrets(v *View, b Binding) Answer {
	return v.files(b.Node, func(f ProductFiles) (bool, string) {
		switch {
		case f.Secrets == "":
			return false, "there is no " + SharedSecrets + " on " + b.Node
		case len(f.Secrets) < 10 || f.Secrets[4:10] != "------":
			return false, fmt.Sprintf("others than root can read %s on %s (%s): chmod 0600", SharedSecrets, b.Node, f.Secrets)
		}
		return true, SharedSecrets + " is on " + b.Node + ", for root alone"
	})
}

// joinPorts are what a node needs of every member to join: etcd's two, the
// database, and Elasticsearch among its own.
var joinPorts = []int{2379, 2380, 5432, 9300}

func askPortsOpen(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	if leader == "" {
		return say(Unknown, "nobody is known to lead")
	}
	var as []Answer
	for _, n := range v.others(b.Node) {
		listed := v.memberListed(n)
		if listed.Truth == False {
			continue // no member: not needed
		}
		ports := joinPorts
		if n == leader {
			ports = append(slices.Clone(joinPorts), 7331)
		}
		for _, port := range ports {
			how, ref, known := v.peerPort(b.Node, n, port)
			if !known {
				as = append(as, say(Unknown, fmt.Sprintf("whether %s gets to port %d of %s is unknown", b.Node, port, n), ref))
				continue
			}
			as = append(as, say(TruthOf(how == "open"), fmt.Sprintf("port %d of %s from %s: %s", port, n, b.Node, how), ref))
		}
	}
	if len(as) == 0 {
		return say(Unknown, "no member is known to which "+b.Node+" could join")
	}
	return all(b.Node+" gets to every port that a join needs", as...)
}

// clockLimit is how far clocks may be apart (vendor documentation).
const clockLimit = 1500 * time.Millisecond

func askClock(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	own, lead := v.report(b.Node).Host.ClockOffset, v.report(leader).Host.ClockOffset
	switch {
	case leader == "":
		return say(Unknown, "nobody is known to lead")
	case !own.Known:
		return unknownFor(b.Node, "host.clock-offset", own)
	case !lead.Known:
		return unknownFor(leader, "host.clock-offset", lead)
	}
	apart := (own.Value - lead.Value).Abs()
	return say(TruthOf(apart <= clockLimit), fmt.Sprintf("the clocks of %s and %s are %s apart", b.Node, leader, apart.Round(time.Millisecond)),
		mention(b.Node, "host.clock-offset", own), mention(leader, "host.clock-offset", lead))
}

func askSameVersion(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	own, lead := v.report(b.Node).Host.Version, v.report(leader).Host.Version
	switch {
	case leader == "":
		return say(Unknown, "nobody is known to lead")
	case !own.Known:
		return unknownFor(b.Node, "host.version", own)
	case !lead.Known:
		return unknownFor(leader, "host.version", lead)
	}
	return say(TruthOf(own.Value == lead.Value), fmt.Sprintf("%s has Chef Backend %s, %s has %s", b.Node, own.Value, leader, lead.Value),
		mention(b.Node, "host.version", own), mention(leader, "host.version", lead))
}

// keptWAL is how much WAL a leader keeps for who falls behind, in a stock install.
const keptWAL = 512 << 20

func askKeptWAL(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	const warning = "a full copy is pulled while the leader keeps 512 MB of WAL"
	ss := v.samples(leader)
	if leader == "" || len(ss) < 2 || ss[0].Position == 0 || ss[len(ss)-1].Position <= ss[0].Position {
		return say(True, warning+"; at what rate it is written now is not known, or nothing is written")
	}
	first, last := ss[0], ss[len(ss)-1]
	rate := float64(last.Position-first.Position) / last.At.Sub(first.At).Seconds()
	minutes := keptWAL / rate / 60
	return say(True, fmt.Sprintf("%s: %.0f minutes at the rate now", warning, minutes))
}

func askOwnCopyTold(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	if leader == "" {
		return say(True, "nobody is known to lead: the copies cannot be compared")
	}
	a := v.Contained(b.Node, leader)
	s := fmt.Sprintf("%s ends at %s, %s at %s: %s", b.Node, v.lastKnownEnd(b.Node), leader, v.lastKnownEnd(leader), a.Sentence)
	return say(True, s, a.Claims...)
}

// lastKnownEnd is where a copy ends, or ended when it was last seen.
func (v *View) lastKnownEnd(node string) string {
	if c := v.copyOn(node); !c.seen.IsZero() {
		return fmt.Sprintf("%s, seen at %s", c.low, c.seen.UTC().Format(time.TimeOnly))
	}
	return v.PositionOf(node)
}

// licenceWords stand in what the product says when its licence was not accepted.
const licenceWords = "--accept-license"

func askLicence(v *View, b Binding) Answer {
	s, a := v.ownStep(b)
	if a.Truth != True {
		if s.Status == StatusSkipped || s.Status == StatusNext {
			return say(False, "step "+argument(b, 0)+" did not run")
		}
		return a
	}
	asked := s.Exit != 0 && slices.ContainsFunc(s.Output, func(line string) bool { return strings.Contains(line, licenceWords) })
	if asked {
		return say(True, "the product wants its licence agreement to be accepted on "+b.Node)
	}
	return say(False, "the product asked for no acceptance of its licence on "+b.Node)
}

// askJoinedOrLicence says after a join that did not work what is to be done:
// joining again blindly makes it worse.
func askJoinedOrLicence(v *View, b Binding) Answer {
	asked := askLicence(v, b)
	if asked.Truth == True {
		return asked
	}
	a := v.joined(b.Node)
	if a.Truth != False {
		return a
	}
	switch v.memberListed(b.Node).Truth {
	case True:
		a.Sentence += "; it is registered: if its etcd stays dead, remove-node comes first, then the join again"
	case False:
		a.Sentence += "; it is no member: mend what the output names, then join again"
	}
	return a
}
