package cluster

import (
	"fmt"
	"reflect"
	"sort"
	"time"
)

// NamedClaim is a claim of any type under its full name, as `status --json`
// and "why" show it: "etcd.health", "service.leaderl.state".
type NamedClaim struct {
	Name   string
	Value  any // nil when unknown
	Reason string
	Source Source
	At     time.Time
}

// anyClaim is what every Claim[T] can tell without its type.
type anyClaim interface{ named(name string) NamedClaim }

// named gives the claim a name and forgets its type.
func (c Claim[T]) named(name string) NamedClaim {
	n := NamedClaim{Name: name, Reason: c.Reason, Source: c.Source, At: c.At}
	if c.Known {
		n.Value = c.Value
	} else if n.Reason == "" {
		n.Reason = "not asked yet"
	}
	return n
}

// Claims lists all claims of the report in the order of its fields, maps by key.
func (r *Report) Claims() []NamedClaim {
	return claimsOf(reflect.ValueOf(*r), "")
}

// claimsOf walks the tagged fields of a struct of claims.
func claimsOf(v reflect.Value, prefix string) []NamedClaim {
	var out []NamedClaim
	t := v.Type()
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("claim"); tag != "" {
			out = append(out, claimsAt(v.Field(i), prefix+tag)...)
		}
	}
	return out
}

// claimsAt lists what stands in one field: a claim, a struct or a map of them.
func claimsAt(v reflect.Value, name string) []NamedClaim {
	if c, ok := v.Interface().(anyClaim); ok {
		return []NamedClaim{c.named(name)}
	}
	switch v.Kind() {
	case reflect.Struct:
		return claimsOf(v, name+".")
	case reflect.Map:
		var out []NamedClaim
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
		for _, k := range keys {
			out = append(out, claimsAt(v.MapIndex(k), name+"."+k.String())...)
		}
		return out
	}
	return nil
}
