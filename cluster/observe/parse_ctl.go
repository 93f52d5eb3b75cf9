package observe

import (
	"bytes"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

const ctl = cluster.SourceCtl

// maxRaw bounds the text of a command that is kept for the screen, in bytes.
const maxRaw = 16 << 10

// ctl reads what chef-backend-ctl says: the table of `status`, and
// `cluster-status` as JSON or as a table.
func (l *look) ctl(r *cluster.Report) {
	c := &r.Ctl
	body, _, reason := l.open("status", "chef-backend-ctl")
	c.RawStatus = raw(body)
	c.Status = unknown[[]cluster.CtlService](l, reason, ctl)
	if reason == "" {
		c.Status = l.status(body)
	}
	body, _, reason = l.open("cluster-status", "chef-backend-ctl")
	c.RawTable = raw(body)
	c.Rows, c.Failover = unknown[[]cluster.CtlNode](l, reason, ctl), unknown[bool](l, reason, ctl)
	if reason == "" {
		l.clusterStatus(c, body)
	}
}

func raw(body []byte) string {
	return strings.Join(remote.SafeLines(bytes.TrimSpace(body[:min(len(body), maxRaw)])), "\n")
}

// status reads the table of services and the one of the system after it. Its
// exit status is not asked: what it is when something is wrong is not known.
func (l *look) status(body []byte) cluster.Claim[[]cluster.CtlService] {
	var all []cluster.CtlService
	tables := parseTables(remote.SafeLines(body), func(names []string) bool {
		return (key(names[0]) == "service" || key(names[0]) == "system") && slices.ContainsFunc(names, func(n string) bool { return strings.Contains(key(n), "status") })
	})
	for _, t := range tables {
		for _, row := range t.rows {
			var s cluster.CtlService
			for i, h := range t.head {
				switch key(h) {
				case "service", "system":
					s.Service = row[i]
				case "localstatus":
					s.Local = row[i]
				case "timeinstate":
					s.InState = row[i]
				case "distributednodestatus":
					s.Distributed = row[i]
				}
			}
			if s.Service != "" {
				all = append(all, s)
			}
		}
	}
	if len(all) == 0 {
		return unknown[[]cluster.CtlService](l, "no table in it: "+remark(body, "no output"), ctl)
	}
	return known(l, all, ctl)
}

// clusterStatus takes JSON where it parses, else the table by its headings.
func (l *look) clusterStatus(c *cluster.CtlClaims, body []byte) {
	rows, failover := jsonRows(body)
	if len(rows) == 0 {
		rows = tableRows(body)
	}
	if len(rows) == 0 {
		why := "neither JSON nor a table: " + remark(body, "no output")
		c.Rows.Reason, c.Failover.Reason = why, why
		return
	}
	c.Rows = known(l, rows, ctl)
	c.Failover.Reason = "cluster-status does not tell it"
	if failover != cluster.Unknown {
		c.Failover = known(l, failover == cluster.True, ctl)
	}
}

func tableRows(body []byte) []cluster.CtlNode {
	var all []cluster.CtlNode
	tables := parseTables(remote.SafeLines(body), func(names []string) bool {
		keys := make([]string, len(names))
		for i, n := range names {
			keys[i] = key(n)
		}
		return slices.Contains(keys, "name") && (slices.Contains(keys, "ip") || slices.Contains(keys, "role"))
	})
	for _, t := range tables {
		for _, row := range t.rows {
			var n cluster.CtlNode
			for i, h := range t.head {
				setField(&n, h, row[i])
			}
			if n.Name != "" {
				all = append(all, n)
			}
		}
	}
	return all
}

// setField puts a value where its heading or key says; what is not known goes
// to Extra as it is. Of several spellings of one thing the first counts.
func setField(n *cluster.CtlNode, name, value string) {
	k := key(name)
	if field := wordField(n, k); field != nil {
		if *field == "" || k == "name" {
			*field = value
		}
		n.IP = address(n.IP)
		return
	}
	if field, not := truthField(n, k); field != nil {
		if t := truthWord(value, k); t != cluster.Unknown {
			if not {
				t = t.Not()
			}
			*field = t
			return
		}
	}
	if value != "" && len(n.Extra) < 32 {
		if n.Extra == nil {
			n.Extra = map[string]string{}
		}
		n.Extra[name] = value
	}
}

func wordField(n *cluster.CtlNode, k string) *string {
	switch k {
	case "name", "hostname", "nodename":
		return &n.Name
	case "ip", "ipaddress", "address", "publishaddress":
		return &n.IP
	case "guid", "uuid", "id", "nodeid":
		return &n.GUID
	case "role", "state", "leaderlrole", "leaderlstate":
		return &n.Role
	case "pg", "postgresql", "pgsql", "pgrole", "postgresqlrole":
		return &n.PostgreSQL
	case "es", "elasticsearch", "esrole", "elasticsearchrole":
		return &n.Elasticsearch
	case "leader", "upstream":
		return &n.Follows
	}
	if strings.HasPrefix(k, "follow") {
		return &n.Follows
	}
	return nil
}

// truthField finds a yes-or-no field; not: the key says the opposite of it.
func truthField(n *cluster.CtlNode, k string) (field *cluster.Truth, not bool) {
	switch {
	case strings.HasPrefix(k, "partially"):
		return &n.PartiallySynced, false
	case strings.Contains(k, "failover"):
		return &n.Failover, strings.Contains(k, "blocked") || strings.Contains(k, "disabled")
	case k == "ineligible":
		return &n.Eligible, true
	case strings.HasSuffix(k, "eligible"):
		return &n.Eligible, false
	case strings.HasSuffix(k, "blocked"):
		return &n.Blocked, false
	}
	return nil, false
}

// truthWord reads the words that a yes or no may be written in. "blocked" and
// "disabled" are a yes to a key k that asks whether something is, and a no to
// one that asks whether the node may lead.
func truthWord(s, k string) cluster.Truth {
	asksBlocked := strings.Contains(k, "blocked")
	switch key(s) {
	case "true", "yes", "y", "on", "enabled", "1", "eligible":
		return cluster.True
	case "false", "no", "n", "off", "0", "ineligible", "noteligible":
		return cluster.False
	case "disabled":
		return cluster.TruthOf(strings.Contains(k, "disabled"))
	case "blocked":
		return cluster.TruthOf(asksBlocked)
	case "notblocked", "unblocked":
		return cluster.TruthOf(!asksBlocked)
	}
	return cluster.Unknown
}
