package recovery

import (
	"reflect"
	"time"

	"chef-backend-cockpit/cluster"
)

// carried is a fast look with the slow claims of the node's newest report, each
// with its own time. A claim that the look asked for and did not get stays
// unknown: an old value never fills its place.
func carried(look, old *cluster.Report) *cluster.Report {
	if old == nil || look == nil || cluster.Is(old.Reach, cluster.Reached) != cluster.True {
		return look
	}
	r := *look
	r.Seq = old.Seq
	keep(&r.Host.Addresses, old.Host.Addresses)
	keep(&r.Host.Disks, old.Host.Disks)
	keep(&r.Host.Version, old.Host.Version)
	keep(&r.Host.Files, old.Host.Files)
	keep(&r.Host.Room, old.Host.Room)
	keep(&r.Host.TreeBytes, old.Host.TreeBytes)
	keep(&r.Host.Installed, old.Host.Installed)
	keep(&r.Host.Privileged, old.Host.Privileged)
	keep(&r.Host.ClockOffset, old.Host.ClockOffset)
	keep(&r.Etcd.Members, old.Etcd.Members)
	keep(&r.Etcd.MemberID, old.Etcd.MemberID)
	keep(&r.Etcd.MemberName, old.Etcd.MemberName)
	keep(&r.Etcd.PeerLatency, old.Etcd.PeerLatency)
	keep(&r.Elasticsearch.Master, old.Elasticsearch.Master)
	keep(&r.PostgreSQL.VersionNum, old.PostgreSQL.VersionNum)
	keep(&r.PostgreSQL.Control, old.PostgreSQL.Control)
	keep(&r.PostgreSQL.Segments, old.PostgreSQL.Segments)
	keep(&r.PostgreSQL.Histories, old.PostgreSQL.Histories)
	keep(&r.PostgreSQL.EndOfWAL, old.PostgreSQL.EndOfWAL)
	keep(&r.PostgreSQL.LastCommit, old.PostgreSQL.LastCommit)
	keep(&r.PostgreSQL.DataBytes, old.PostgreSQL.DataBytes)
	if !r.Ctl.Rows.Known && r.Ctl.Rows.At.IsZero() {
		r.Ctl = old.Ctl
	}
	if len(r.Peers) == 0 {
		r.Peers = old.Peers
	}
	return &r
}

// keep takes the old claim where the look did not ask for one.
func keep[T any](claim *cluster.Claim[T], old cluster.Claim[T]) {
	if !claim.Known && claim.At.IsZero() {
		*claim = old
	}
}

// asked is a report without the claims that were asked before a time. Claims
// inside a report are values: the old report stays as it is.
func asked(old *cluster.Report, since time.Time) *cluster.Report {
	r := *old
	forget(reflect.ValueOf(&r).Elem(), since)
	r.Services = map[string]cluster.ServiceClaims{}
	for name, s := range old.Services {
		forget(reflect.ValueOf(&s).Elem(), since)
		r.Services[name] = s
	}
	r.Peers = map[string]cluster.Claim[cluster.PeerSeen]{}
	for address, c := range old.Peers {
		forget(reflect.ValueOf(&c).Elem(), since)
		r.Peers[address] = c
	}
	return &r
}

// forget makes every known claim inside a struct unknown that was asked before
// a time.
func forget(v reflect.Value, since time.Time) {
	if known := v.FieldByName("Known"); known.IsValid() {
		if at := v.FieldByName("At").Interface().(time.Time); known.Bool() && at.Before(since) {
			known.SetBool(false)
			v.FieldByName("Value").SetZero()
			v.FieldByName("Reason").SetString("not asked since " + at.UTC().Format(time.TimeOnly))
		}
		return
	}
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("claim") != "" && v.Field(i).Kind() == reflect.Struct {
			forget(v.Field(i), since)
		}
	}
}

// silent is a report of a node of which nothing is known, every claim with the
// reason.
func silent(node, why string, seq uint64, at time.Time) *cluster.Report {
	r := &cluster.Report{Node: node, Seq: seq, Began: at, Ended: at, Services: map[string]cluster.ServiceClaims{}}
	blank(reflect.ValueOf(r).Elem(), why, at)
	for _, name := range cluster.Services {
		var s cluster.ServiceClaims
		blank(reflect.ValueOf(&s).Elem(), why, at)
		r.Services[name] = s
	}
	return r
}

// blank gives every claim inside a struct the reason why it is unknown.
func blank(v reflect.Value, why string, at time.Time) {
	if known := v.FieldByName("Known"); known.IsValid() {
		v.FieldByName("Reason").SetString(why)
		v.FieldByName("At").Set(reflect.ValueOf(at))
		return
	}
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("claim") != "" && v.Field(i).Kind() == reflect.Struct {
			blank(v.Field(i), why, at)
		}
	}
}
