package scenario

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/recovery"
)

// change is one fact that becomes another between a plan and the session that
// acts.
type change struct {
	where string // which fact: node and claim, or what else is known
	to    string // what it becomes
	view  func(*cluster.View) *cluster.View
	left  func(*recovery.Left) // what the journal tells, changed alike; nil for nothing
}

// changes are all single changes of what is known: every claim of every node to
// unknown and to other values, a node that gives no look, the operator's marks,
// the past, and what the plan's own earlier steps came to.
func changes(v *cluster.View, planID string) []change {
	var out []change
	for _, n := range v.Snapshot.Nodes {
		out = append(out, reportChanges(v, n.Name)...)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Fenced)) {
		out = append(out, change{where: "fenced " + name, to: "taken back", view: func(v *cluster.View) *cluster.View {
			c := *v
			c.Fenced = maps.Clone(v.Fenced)
			delete(c.Fenced, name)
			return &c
		}})
	}
	out = append(out, everywhere(v)...)
	out = append(out, pastChanges(v)...)
	return append(out, stepChanges(v, planID)...)
}

// everywhere are changes of the same thing on every node, of more than one node,
// and of which nodes there are.
func everywhere(v *cluster.View) (out []change) {
	nodes := v.Snapshot.Nodes
	all := func(v *cluster.View, path claimPath, edit func(reflect.Value)) *cluster.View {
		for _, n := range nodes {
			if r := v.Report(n.Name); r != nil && slices.ContainsFunc(claimPaths(reflect.ValueOf(r).Elem(), nil), func(p claimPath) bool { return p.name == path.name }) {
				c := *r
				editAt(reflect.ValueOf(&c).Elem(), path.steps, edit)
				v = withReport(v, &c)
			}
		}
		return v
	}
	silent := func(v *cluster.View, but string) *cluster.View {
		for _, n := range nodes {
			if n.Name != but {
				v = unseen(v, n.Name)
			}
		}
		return v
	}
	for _, n := range nodes {
		out = append(out, change{where: "nobody but " + n.Name, to: "gives a look", view: func(v *cluster.View) *cluster.View { return silent(v, n.Name) }})
		out = append(out, change{where: "the cluster", to: "is told without " + n.Name, view: func(v *cluster.View) *cluster.View {
			s, c := *v.Snapshot, *v
			s.Nodes = slices.DeleteFunc(slices.Clone(nodes), func(o cluster.Node) bool { return o == n })
			c.Snapshot = &s
			return &c
		}})
	}
	for _, n := range nodes {
		out = append(out, change{where: "plans", to: "an earlier one left " + n.Name + " half done", view: func(v *cluster.View) *cluster.View {
			c := *v
			c.Plans = append(slices.Clone(v.Plans), halfDone(n.Name, v.Now))
			return &c
		}}, change{where: "/leader of " + n.Name, to: "answered 200", view: func(v *cluster.View) *cluster.View {
			r := cluster.Report{Node: n.Name}
			if old := v.Report(n.Name); old != nil {
				r = *old
			}
			r.Leaderl.LeaderCode = cluster.KnownAs(200, cluster.SourceLeaderl, v.Now)
			return withReport(v, &r)
		}}, change{where: "a healthy etcd", to: "lists its members without " + n.Name, view: func(v *cluster.View) *cluster.View { return listedWithout(v, n) }})
	}
	for _, n := range nodes {
		if v.Report(n.Name) == nil {
			continue
		}
		for _, path := range claimPaths(reflect.ValueOf(v.Report(n.Name)).Elem(), nil) {
			if _, who := identities[path.name]; who || path.name == "etcd.member-name" {
				continue
			}
			out = append(out, change{where: "every node's " + path.name, to: "unknown", view: func(v *cluster.View) *cluster.View { return all(v, path, forgotten) }},
				change{where: "every node's " + path.name, to: "another one", view: func(v *cluster.View) *cluster.View {
					return all(v, path, func(c reflect.Value) {
						if others := variants(c.FieldByName("Value")); len(others) > 0 && c.FieldByName("Known").Bool() {
							c.FieldByName("Value").Set(others[len(others)-1])
						}
					})
				}})
			if path.name == "setting.required-active-followers" { // it counts only where it is not clear that nothing is taken away
				out = append(out, change{where: n.Name, to: "gives no look, and more followers are required", view: func(v *cluster.View) *cluster.View {
					return unseen(all(v, path, func(c reflect.Value) { c.FieldByName("Value").SetInt(9) }), n.Name)
				}})
			}
		}
		break // the others have the same claims
	}
	return out
}

// halfDone is a plan of ours that ended on a node and left something open there.
func halfDone(node string, now time.Time) cluster.PlanState {
	return cluster.PlanState{Plan: cluster.Plan{ID: "ffffffff", Procedure: "rebuild-follower", Title: "invented", Node: node, Tier: cluster.T2},
		Status: cluster.StatusFailed, Began: now.Add(-time.Hour), Ended: now.Add(-time.Minute), OpenEnds: []string{"leaderl on " + node + " stays stopped"}}
}

// listedWithout is a view in which the etcd of all others is healthy and does
// not list a node.
func listedWithout(v *cluster.View, node cluster.Node) *cluster.View {
	var members []cluster.EtcdMember
	for _, n := range v.Snapshot.Nodes {
		if n != node {
			members = append(members, cluster.EtcdMember{ID: n.Name, Name: n.Name, PeerURL: "http://" + n.Address + ":2380"})
		}
	}
	for _, n := range v.Snapshot.Nodes {
		if r := v.Report(n.Name); r != nil && n != node {
			c := *r
			c.Etcd.Health = cluster.KnownAs(true, cluster.SourceEtcd, v.Now)
			c.Etcd.Members = cluster.KnownAs(members, cluster.SourceEtcd, v.Now)
			v = withReport(v, &c)
		}
	}
	return v
}

// unseen is a view in which a node gives no look.
func unseen(v *cluster.View, node string) *cluster.View {
	return withReport(v, &cluster.Report{Node: node, Seq: 1, Began: v.Now, Ended: v.Now,
		Reach: cluster.KnownAs(cluster.Unreachable, cluster.SourceReach, v.Now)})
}

// forgotten makes a claim unknown.
func forgotten(c reflect.Value) {
	at := c.FieldByName("At").Interface()
	c.SetZero()
	c.FieldByName("At").Set(reflect.ValueOf(at))
	c.FieldByName("Reason").SetString("invented: no answer")
}

// reportChanges are the single changes of a node's report.
func reportChanges(v *cluster.View, node string) []change {
	old := v.Report(node)
	if old == nil {
		return nil
	}
	out := []change{{where: node, to: "gives no look", view: func(v *cluster.View) *cluster.View { return unseen(v, node) }}}
	root := reflect.ValueOf(old).Elem()
	for _, path := range claimPaths(root, nil) {
		claim := lookAt(root, path.steps)
		if !claim.FieldByName("Known").Bool() {
			continue
		}
		to := func(text string, edit func(reflect.Value)) {
			out = append(out, change{where: node + " " + path.name, to: text, view: func(v *cluster.View) *cluster.View {
				r := *v.Report(node)
				editAt(reflect.ValueOf(&r).Elem(), path.steps, edit)
				return withReport(v, &r)
			}})
		}
		to("unknown", forgotten)
		for _, other := range variants(claim.FieldByName("Value")) {
			to(fmt.Sprintf("%.80v", other), func(c reflect.Value) { c.FieldByName("Value").Set(other) })
		}
	}
	return out
}

// withReport is a view in which a report stands in the place of its node's.
func withReport(v *cluster.View, r *cluster.Report) *cluster.View {
	s, c := *v.Snapshot, *v
	s.Reports = maps.Clone(s.Reports)
	s.Reports[r.Node] = r
	c.Snapshot = &s
	return &c
}

// pastChanges forget the past, and let it hold more than it did.
func pastChanges(v *cluster.View) []change {
	past := func(where, to string, edit func(*cluster.Past)) change {
		return change{where: where, to: to, view: func(v *cluster.View) *cluster.View {
			c := *v
			c.Past.LastSeen = maps.Clone(v.Past.LastSeen)
			c.Past.Elections = slices.Clone(v.Past.Elections)
			edit(&c.Past)
			return &c
		}}
	}
	out := []change{past("past", "forgotten", func(p *cluster.Past) { *p = cluster.Past{} })}
	for _, n := range v.Snapshot.Nodes {
		out = append(out,
			past("elections", n.Name+" was elected", func(p *cluster.Past) {
				p.Elections = append(p.Elections, cluster.Election{At: v.Now, To: n.Name})
			}),
			past("last seen of "+n.Name, "further", func(p *cluster.Past) {
				seen := p.LastSeen[n.Name]
				seen.At, seen.Position = v.Now, seen.Position+1<<36
				if p.LastSeen == nil {
					p.LastSeen = map[string]cluster.LastSeen{}
				}
				p.LastSeen[n.Name] = seen
			}))
	}
	return out
}

// claimPath leads to a claim within a report: numbers of fields and keys of maps.
type claimPath struct {
	name  string
	steps []any
}

func claimPaths(v reflect.Value, steps []any) (out []claimPath) {
	if strings.HasPrefix(v.Type().Name(), "Claim[") {
		return []claimPath{{steps: steps}}
	}
	under := func(name string, v reflect.Value, step any) {
		for _, p := range claimPaths(v, append(slices.Clone(steps), step)) {
			out = append(out, claimPath{strings.TrimSuffix(name+"."+p.name, "."), p.steps})
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if tag := v.Type().Field(i).Tag.Get("claim"); tag != "" {
				under(tag, v.Field(i), i)
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			under(k.String(), v.MapIndex(k), k)
		}
	}
	slices.SortFunc(out, func(a, b claimPath) int { return strings.Compare(a.name, b.name) })
	return out
}

func lookAt(v reflect.Value, steps []any) reflect.Value {
	for _, s := range steps {
		if i, ok := s.(int); ok {
			v = v.Field(i)
		} else {
			v = v.MapIndex(s.(reflect.Value))
		}
	}
	return v
}

// editAt edits what a path leads to; maps on the way are made anew, since the
// report beside shares them.
func editAt(v reflect.Value, steps []any, edit func(reflect.Value)) {
	switch {
	case len(steps) == 0:
		edit(v)
	case v.Kind() == reflect.Struct:
		editAt(v.Field(steps[0].(int)), steps[1:], edit)
	default:
		key := steps[0].(reflect.Value)
		inner := reflect.New(v.Type().Elem()).Elem()
		inner.Set(v.MapIndex(key))
		editAt(inner, steps[1:], edit)
		v.Set(withKey(v, key, inner))
	}
}

// withKey is a copy of a map with another value under a key; the zero Value
// takes the key away.
func withKey(m, key, value reflect.Value) reflect.Value {
	c := reflect.MakeMap(m.Type())
	for _, k := range m.MapKeys() {
		c.SetMapIndex(k, m.MapIndex(k))
	}
	c.SetMapIndex(key, value)
	return c
}

// words are what a claim in words may become.
var words = []string{"", "invented", "run", "down", "leader", "follower", "waiting_for_leader", "streaming", "timeout", "refused", "green", "red", "1.0.0"}

// variants are values of the same type that differ in one thing.
func variants(v reflect.Value) (out []reflect.Value) {
	add := func(x any) {
		if n := reflect.ValueOf(x).Convert(v.Type()); !reflect.DeepEqual(n.Interface(), v.Interface()) {
			out = append(out, n)
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		add(!v.Bool())
	case reflect.String:
		for _, w := range words {
			add(w)
		}
		add(v.String() + "x")
	case reflect.Int, reflect.Int64:
		for _, n := range []int64{0, 1, 2, 200, 503, v.Int() + 1, v.Int() - 1, v.Int() * 1000, -1} {
			add(n)
		}
	case reflect.Int8: // a truth
		for n := range int8(3) {
			add(n)
		}
	case reflect.Uint32, reflect.Uint64:
		for _, n := range []uint64{0, v.Uint() + 1, v.Uint() - 1<<20, v.Uint() + 1<<20, v.Uint() + 1<<31} {
			add(n)
		}
	case reflect.Slice:
		return sliceVariants(v)
	case reflect.Map:
		for _, k := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
			out = append(out, withKey(v, k, reflect.Value{}))
			for _, other := range variants(v.MapIndex(k)) {
				out = append(out, withKey(v, k, other))
			}
		}
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return []reflect.Value{reflect.ValueOf(time.Time{}), reflect.ValueOf(t.Add(-1000 * time.Hour)), reflect.ValueOf(t.Add(1000 * time.Hour))}
		}
		for i := range v.NumField() {
			for _, other := range variants(v.Field(i)) {
				c := reflect.New(v.Type()).Elem()
				c.Set(v)
				c.Field(i).Set(other)
				out = append(out, c)
			}
		}
	}
	return out
}

func sliceVariants(v reflect.Value) (out []reflect.Value) {
	if v.Len() == 0 {
		return nil
	}
	out = append(out, reflect.Zero(v.Type()))
	for i := range v.Len() {
		out = append(out, reflect.AppendSlice(reflect.AppendSlice(reflect.Zero(v.Type()), v.Slice(0, i)), v.Slice(i+1, v.Len())))
		for _, other := range variants(v.Index(i)) {
			c := reflect.AppendSlice(reflect.Zero(v.Type()), v)
			c.Index(i).Set(other)
			out = append(out, c)
		}
	}
	return out
}
