package observe

import (
	"path"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// changing are the commands of chef-backend-ctl that change a node or the
// cluster (the vendor's list of commands).
var changing = []string{
	"start", "stop", "restart", "once", "hup", "int", "term", "kill", "usr1", "usr2", "reconfigure",
	"set-cluster-failover", "set-node-failover", "demote", "promote", "force-leader", "remove-node",
	"create-cluster", "join-cluster", "cleanse", "restore", "upgrade", "down-for-upgrade",
	"pgsql-follow", "pgsql-promote", "uninstall",
}

// atWork says whether somebody's chef-backend-ctl changes something right now,
// whoever started it.
func (l *look) atWork() cluster.Claim[string] {
	body, exit, reason := l.open("ps", "ps")
	all := parsePS(body)
	if reason == "" && (exit != 0 || len(all) == 0) {
		reason = "ps was not understood: " + remark(body, "no output")
	}
	if reason != "" {
		return unknown[string](l, reason, cluster.SourceHost)
	}
	for _, one := range all {
		if c := ctlCommand(firstWords(one.args, 12)); c != "" {
			return known(l, c, cluster.SourceHost)
		}
	}
	return known(l, "", cluster.SourceHost)
}

// ctlCommand is the changing command that a process is, or "". What only names
// one, a shell's text or an editor, is none: what a shell runs has a row of its own.
func ctlCommand(words []string) string {
	if len(words) == 0 || slices.Contains(readers, path.Base(words[0])) || isShellText(words) {
		return ""
	}
	at := slices.IndexFunc(words, func(w string) bool { return path.Base(w) == "chef-backend-ctl" })
	if at < 0 {
		return ""
	}
	for _, w := range words[at+1:] {
		if strings.HasPrefix(w, "-") {
			continue
		}
		if slices.Contains(changing, w) {
			return w
		}
		return ""
	}
	return ""
}

// isShellText answers whether a process is a shell that was given a text.
func isShellText(words []string) bool {
	name := path.Base(words[0])
	shell := name == "sh" || name == "bash" || name == "dash"
	return shell && len(words) > 1 && strings.HasPrefix(words[1], "-") && strings.Contains(words[1], "c")
}
