package tui

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// steady are the claims that stay as they are while nothing happens; what
// grows by itself, as positions and times, would tell nothing.
var steady = []string{
	"reach", "host name", "host machine-id", "host boot-id", "host version", "service", "etcd health", "etcd raft-leader", "etcd members",
	"etcd cluster-id", "leaderl leader-code", "postgresql ready", "postgresql in-recovery", "postgresql upstream", "postgresql receiver",
	"postgresql postmaster", "elasticsearch answers", "elasticsearch status", "elasticsearch nodes", "ctl failover", "sentinel", "setting",
}

// restless are claims within those groups that do change by themselves.
var restless = []string{"in-state"}

// sinceColumn is where what a claim says begins: beyond the longest name of one.
const sinceColumn = len("  service elasticsearch want-up ")

// sinceHealthy says what has changed since nothing stood the last time.
func (m *model) sinceHealthy(w int) []string {
	was := m.state.Healthy
	if was == nil {
		return wrap("The cluster has not been seen healthy since the cockpit was opened, so there is nothing to compare with.", w)
	}
	rows := []string{textLine(w, m.st.plain, "Healthy the last time at "+clockText(was.At)+"Z, "+tookText(m.now().Sub(was.At))+" ago. Changed since:")}
	before := len(rows)
	for _, n := range m.nodeList() {
		rows = append(rows, m.changedOn(n.Name, was, w)...)
	}
	if rows = append(rows, m.electedSince(was, w)...); len(rows) == before {
		rows = append(rows, "", m.st.dim.on("nothing that any layer claims"))
	}
	return rows
}

// changedOn are the claims of a node that differ.
func (m *model) changedOn(node string, was *cluster.Snapshot, w int) []string {
	old, now := was.Reports[node], m.view().Report(node)
	if old == nil || now == nil {
		return nil
	}
	var before, after []claimRow
	collect(reflect.ValueOf(*old), "", &before)
	collect(reflect.ValueOf(*now), "", &after)
	then := map[string]claimRow{}
	for _, c := range before {
		then[c.name] = c
	}
	var rows []string
	for _, c := range after {
		o, had := then[c.name]
		if !had || !isSteady(c.name) || saidBy(o) == saidBy(c) {
			continue
		}
		if rows == nil {
			rows = append(rows, "", m.st.title.on(node))
		}
		p := m.st.plain
		if !c.known {
			p = m.st.dim
		}
		text := fmt.Sprintf("%s, was %s", saidBy(c), saidBy(o))
		for i, s := range wrap(text, w-sinceColumn) {
			l := newLine(w)
			if i == 0 {
				l.gap(2).put(m.st.dim, c.name)
			}
			rows = append(rows, l.to(sinceColumn).put(p, s).String())
		}
	}
	return rows
}

// electedSince are the changes of the elected leader since then.
func (m *model) electedSince(was *cluster.Snapshot, w int) []string {
	var rows []string
	for _, e := range m.view().Past.Elections {
		if e.At.Before(was.At) {
			continue
		}
		if rows == nil {
			rows = append(rows, "", m.st.title.on("elected"))
		}
		rows = append(rows, newLine(w).gap(2).put(m.st.dim, clockText(e.At)+"Z").to(sinceColumn).put(m.st.plain, who(e.To)+", was "+who(e.From)).String())
	}
	return rows
}

// who is a node, or nobody.
func who(node string) string {
	if node == "" {
		return "nobody"
	}
	return node
}

// saidBy is a claim's value, or that it is unknown.
func saidBy(c claimRow) string {
	if !c.known {
		return "? unknown"
	}
	return short(c.value, 80)
}

// isSteady answers whether a claim belongs to those that tell something.
func isSteady(name string) bool {
	if slices.ContainsFunc(restless, func(r string) bool { return strings.HasSuffix(name, r) }) {
		return false
	}
	return slices.ContainsFunc(steady, func(s string) bool { return name == s || strings.HasPrefix(name, s+" ") })
}
