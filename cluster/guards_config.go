package cluster

import (
	"fmt"
	"strings"
)

// The guards and effects of cleansing a node: what lies of the product's folders
// there, and what a cleanse kept.
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
			Doc: "An archive that a cleanse kept lies on the node and was not unpacked since it was written, whatever other copies lie there (host.files)."},
		Fact{Name: "cleanse-copy-usable", Check: noArgs, Ask: askCleansed,
			Doc: "What a cleanse kept lies on the node with both files, and all such copies are the same (host.files)."},
		Fact{Name: "secrets-ready", Check: noArgs, Ask: askSecrets,
			Doc: "/root/chef-backend-secrets.json is on the node, and only root can read it (host.files)."},
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
		old := f.Data || f.Config || len(f.kept()) > 0
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
		case len(f.kept()) == 0:
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
		case len(f.kept()) > 0:
			return true, "the cleanse kept the configuration of " + b.Node + ": " + strings.Join(f.kept(), ", ")
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
		if len(f.Packed) == 0 {
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
			return false, "two copies that cleanses kept on " + b.Node + " differ: " + strings.Join(f.Cleansed, ", ") + "; move the wrong one away, and its archive"
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
