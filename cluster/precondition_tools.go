package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// Tool is something that the cockpit's scripts, or the steps of the catalogue,
// run on a node. Any of its names will do.
type Tool struct {
	Names []string
	For   Purpose // "" for one that is only useful
	Use   string  // what it is for
	From  string  // where it comes from
}

const (
	coreutils = "coreutils"
	product   = "Chef Backend"
)

// Tools are all of them, shell builtins excepted. What watching needs acting
// needs, too.
var Tools = []Tool{
	{[]string{"sh"}, ToWatch, "every script", "dash or bash"},
	{[]string{"cat"}, ToWatch, "looks", coreutils},
	{[]string{"head"}, ToWatch, "looks", coreutils},
	{[]string{"tail"}, ToWatch, "looks", coreutils},
	{[]string{"date"}, ToWatch, "the node's clock", coreutils},
	{[]string{"dd"}, ToWatch, "logs", coreutils},
	{[]string{"stat", "ls"}, ToWatch, "logs", coreutils},
	{[]string{"df"}, ToWatch, "disks", coreutils},
	{[]string{"ps"}, ToWatch, "what runs", "procps"},
	{[]string{"sv"}, ToWatch, "services", product},
	{[]string{"curl"}, ToWatch, "etcd, leaderl, Elasticsearch", product},
	{[]string{"psql"}, ToWatch, "PostgreSQL", product},
	{[]string{"pg_controldata"}, ToWatch, "the copy of a stopped PostgreSQL", product},
	{[]string{"chpst", "su"}, ToWatch, "PostgreSQL, as its own user", product},
	{[]string{"chef-backend-ctl"}, ToWatch, "cluster-status", product},

	{[]string{"flock"}, ToAct, "the operators' lock", "util-linux"},
	{[]string{"timeout"}, ToAct, "the operators' lock, bounded looks", coreutils},
	{[]string{"setsid"}, ToAct, "steps that outlive the link", "util-linux"},
	{[]string{"hostname", "uname"}, ToAct, "the node's identity", "hostname"},
	{[]string{"mkdir"}, ToAct, "a step's folder", coreutils},
	{[]string{"mv"}, ToAct, "a step's files, sentinels", coreutils},
	{[]string{"chmod"}, ToAct, "a step's folder", coreutils},
	{[]string{"ls"}, ToAct, "the product's files", coreutils},
	{[]string{"wc"}, ToAct, "a step's output", coreutils},
	{[]string{"sleep"}, ToAct, "waiting", coreutils},
	{[]string{"du"}, ToAct, "the room that a copy takes", coreutils},
	{[]string{"tar"}, ToAct, "backup-nodes", "tar"},
	{[]string{"cp"}, ToAct, "replace-node", coreutils},
	{[]string{"touch"}, ToAct, "replace-node", coreutils},
	{[]string{"readlink"}, ToAct, "backup-nodes", coreutils},
	{[]string{"sha256sum"}, ToAct, "backup-nodes", coreutils},

	{[]string{"gzip"}, "", "logs that were packed", "gzip"},
	{[]string{"openssl"}, "", "when certificates end", product},
	{[]string{"pg_isready"}, "", "a PostgreSQL that answers nobody", product},
	{[]string{"pg_xlogdump", "pg_waldump"}, "", "where the WAL of a stopped PostgreSQL ends", product},
	{[]string{"hostname", "ip"}, "", "the node's addresses", "hostname"},
	{[]string{"bash", "curl"}, "", "the ports of the other nodes", "bash"},
	{[]string{"dmesg", "journalctl"}, "", "what the kernel killed", "util-linux"},
}

// ToolNames are all names, each once.
func ToolNames() []string {
	var all []string
	for _, t := range Tools {
		for _, name := range t.Names {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// lack is why none of a tool's names will do; "" where one does.
func (t Tool) lack(b Toolbox) string {
	why := ""
	for _, name := range t.Names {
		status := b.Tried[name]
		switch {
		case b.At[name] == "":
		case status == 0:
			return ""
		default:
			why = fmt.Sprintf("%s does not know what is asked of it (exit status %d)", name, status)
		}
	}
	if why == "" {
		why = strings.Join(t.Names, " or ") + " is missing"
	}
	return fmt.Sprintf("%s, for %s", why, t.Use)
}

// lacking judges the tools of one purpose; n counts those that are there.
func lacking(b Toolbox, p Purpose) (lacks, from []string, n int) {
	for _, t := range Tools {
		if t.For != p {
			continue
		}
		why := t.lack(b)
		if why == "" {
			n++
			continue
		}
		lacks = append(lacks, why)
		if !slices.Contains(from, t.From) {
			from = append(from, t.From)
		}
	}
	return lacks, from, n
}

func checkTools(p Purpose) func(*Examination, Examined) verdict {
	return func(_ *Examination, n Examined) verdict {
		c := n.Means.Tools
		if !c.Known {
			return untold(c.Reason, "Look again.")
		}
		lacks, from, there := lacking(c.Value, p)
		if len(lacks) > 0 {
			return amiss(strings.Join(lacks, "; "), "Install "+strings.Join(from, ", ")+" on the node.")
		}
		return inOrder(fmt.Sprintf("all %d are there", there))
	}
}

// checkUsefulTools: without one of them a claim or two stays unknown.
func checkUsefulTools(_ *Examination, n Examined) verdict {
	c := n.Means.Tools
	if !c.Known {
		return untold(c.Reason, "Look again.")
	}
	lacks, from, there := lacking(c.Value, "")
	if len(lacks) > 0 {
		return advice(strings.Join(lacks, "; "), "Install "+strings.Join(from, ", ")+" to see that, too.")
	}
	return inOrder(fmt.Sprintf("all %d are there", there))
}
