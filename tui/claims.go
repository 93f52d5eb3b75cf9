package tui

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// claimRow is one claim in words.
type claimRow struct {
	name, value, reason string
	known               bool
	source              cluster.Source
	at                  time.Time
}

// claimRows lists every claim of a node's report: what, by whom, how old,
// and why not where it is unknown. The names are the report's own.
func (m *model) claimRows(node string, w int) []string {
	rows := m.linkRows(node, w)
	r := m.view().Report(node)
	if r == nil {
		return append(rows, "not looked at yet")
	}
	var all []claimRow
	collect(reflect.ValueOf(*r), "", &all)
	rows = append(rows, newLine(w).col(m.st.dim, "claim", 32).col(m.st.dim, "value", max(w-56, 10)).col(m.st.dim, "source", 14).put(m.st.dim, "age").String())
	for _, c := range all {
		p, value := m.st.plain, c.value
		if !c.known {
			p, value = m.st.dim, "? "+c.reason
		}
		name := c.name
		if strings.HasPrefix(name, "lock ") {
			name = "operators' " + name // PostgreSQL and leaderl have locks of their own
		}
		l := newLine(w).col(m.st.dim, name, 32).col(p, short(value, max(w-58, 10)), max(w-56, 10)).col(m.st.dim, string(c.source), 14)
		rows = append(rows, l.put(m.st.dim, evidenceAge(m.looked(), c.at, c.source)).String())
	}
	return rows
}

// linkRows are what is to be known of the link to a node: why it is not live, in
// whole, and what it is made with that is broken.
func (m *model) linkRows(node string, w int) []string {
	var rows []string
	k := m.state.Links[node]
	if k.Reason != "" {
		rows = append(rows, m.labelled("Link", k.Phase+": "+k.Reason, w)...)
	}
	if k.Legacy != "" {
		rows = append(rows, m.labelled("Legacy SSH", "the connection uses "+k.Legacy+", which is broken by today's knowledge; your configuration allows it for this node", w)...)
	}
	if len(rows) > 0 {
		rows = append(rows, "")
	}
	return rows
}

// collect walks a report by the tags that name its claims.
func collect(v reflect.Value, prefix string, all *[]claimRow) {
	for i := 0; i < v.NumField(); i++ {
		tag, f := v.Type().Field(i).Tag.Get("claim"), v.Field(i)
		if tag == "" {
			continue
		}
		name := strings.TrimPrefix(prefix+" "+tag, " ")
		switch {
		case f.Kind() == reflect.Map:
			keys := f.MapKeys()
			sort.Slice(keys, func(a, b int) bool { return keys[a].String() < keys[b].String() })
			for _, k := range keys {
				add(f.MapIndex(k), name+" "+k.String(), all)
			}
		default:
			add(f, name, all)
		}
	}
}

// add takes a claim, or goes into a group of claims.
func add(f reflect.Value, name string, all *[]claimRow) {
	if !f.FieldByName("Known").IsValid() {
		collect(f, name, all)
		return
	}
	c := claimRow{name: name, known: f.FieldByName("Known").Bool(), reason: f.FieldByName("Reason").String(),
		source: cluster.Source(f.FieldByName("Source").String())}
	c.at, _ = f.FieldByName("At").Interface().(time.Time)
	if c.known {
		c.value = claimText(f.FieldByName("Value").Interface())
	} else if c.reason == "" {
		c.reason = "not asked yet"
	}
	*all = append(*all, c)
}

// claimText is a claim's value in one line.
func claimText(v any) string {
	switch v := v.(type) {
	case time.Duration:
		if v.Abs() >= time.Minute {
			return stateTime(v)
		}
		return v.Round(time.Millisecond).String()
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05Z")
	case string:
		if v == "" {
			return "none"
		}
		return v
	case []string:
		return strings.Join(v, " ")
	case []cluster.Disk:
		var parts []string
		for _, d := range v {
			parts = append(parts, fmt.Sprintf("%s %s of %s free", d.Path, bytesText(d.Free), bytesText(d.Total)))
		}
		return strings.Join(parts, ", ")
	case cluster.PeerSeen:
		var parts []string
		for _, p := range cluster.PeerPorts {
			if how, ok := v.Ports[p]; ok {
				parts = append(parts, fmt.Sprintf("%d %s", p, how))
			}
		}
		return strings.Join(parts, ", ")
	case []cluster.EtcdMember:
		var parts []string
		for _, e := range v {
			parts = append(parts, e.Name+" "+e.PeerURL)
		}
		return plural(len(v), "member: ", "members: ") + strings.Join(parts, ", ")
	}
	return partsText(reflect.ValueOf(v))
}

// partsText names the parts of a value that tell something, by the names that
// they have in the journal.
func partsText(v reflect.Value) string {
	var parts []string
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			parts = append(parts, claimText(v.Index(i).Interface()))
		}
		return fmt.Sprintf("%d: %s", v.Len(), strings.Join(parts, "; "))
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if f := v.Field(i); f.CanInterface() && !f.IsZero() {
				parts = append(parts, strings.TrimSpace(name+" "+claimText(f.Interface())))
			}
		}
		if len(parts) == 0 {
			return "nothing"
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(v.Interface())
}
