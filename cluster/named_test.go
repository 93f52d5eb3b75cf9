package cluster

import (
	"reflect"
	"testing"
	"time"
)

// TestClaimsListsEveryField guards that no claim of a report can be forgotten
// by `status --json`: every field but the look's own four carries a tag.
func TestClaimsListsEveryField(t *testing.T) {
	var walk func(reflect.Type, string)
	walk = func(ty reflect.Type, path string) {
		for i := range ty.NumField() {
			f := ty.Field(i)
			name := path + f.Name
			switch name {
			case "Node", "Seq", "Began", "Ended", "Ctl.RawStatus", "Ctl.RawTable":
				continue
			}
			if f.Tag.Get("claim") == "" {
				t.Errorf("%s has no claim tag", name)
			}
			if _, leaf := reflect.Zero(f.Type).Interface().(anyClaim); !leaf && f.Type.Kind() == reflect.Struct {
				walk(f.Type, name+".")
			}
		}
	}
	walk(reflect.TypeFor[Report](), "")
}

func TestClaimsAreNamedAndUnknownIsNil(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := &Report{Services: map[string]ServiceClaims{"leaderl": {State: KnownAs("run", SourceRunit, at)}}}
	r.Etcd.Health = UnknownAs[bool]("no answer within 2 s", SourceEtcd, at)
	got := map[string]NamedClaim{}
	for _, c := range r.Claims() {
		got[c.Name] = c
	}
	if c := got["service.leaderl.state"]; c.Value != "run" || c.Source != SourceRunit {
		t.Errorf("service.leaderl.state = %+v", c)
	}
	if c := got["etcd.health"]; c.Value != nil || c.Reason != "no answer within 2 s" {
		t.Errorf("etcd.health = %+v", c)
	}
	if c := got["reach"]; c.Value != nil || c.Reason != "not asked yet" {
		t.Errorf("reach = %+v", c)
	}
}
