package observe

import (
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// etcd reads the five answers that one curl fetched: the raft leader, the
// member itself, how long the followers take (which the raft leader alone
// tells), a key's headers with raft term and cluster id, and /health. They are told
// apart by what they hold, since any of them may be missing.
func (l *look) etcd(r *cluster.Report) {
	e, src := &r.Etcd, cluster.SourceEtcd
	all, exit, reason := l.fetched("etcd")
	refused := exit == curlRefused && reason != ""
	e.Answers = l.answers(all, exit, reason, src)
	if reason == "" {
		reason = "etcd did not answer it"
	}
	e.ClusterID, e.PeerLatency = unknown[string](l, reason, src), unknown[time.Duration](l, reason, src)
	e.MemberID, e.MemberName = unknown[string](l, reason, src), unknown[string](l, reason, src)
	e.RaftLeader, e.RaftTerm = unknown[string](l, reason, src), unknown[uint64](l, reason, src)
	e.Health = unknown[bool](l, reason, src)
	if refused {
		e.Health = known(l, false, src) // nobody serves etcd here
	} else if exit == curlSilent {
		e.Health.Reason = "no answer within 2 s" // which says nothing, unlike a false
	}
	for _, a := range all {
		if term, err := strconv.ParseUint(a.header("X-Raft-Term"), 10, 64); err == nil {
			e.RaftTerm = known(l, term, src)
			e.ClusterID = word(l, a.header("X-Etcd-Cluster-Id"), src)
			continue
		}
		m, ok := a.object()
		if !ok {
			continue
		}
		_, isSelf := m["leaderInfo"]
		_, isMember := m["peerURLs"]
		_, isMessage := m["message"]
		_, isKeyError := m["errorCode"]
		health, isHealth := m["health"]
		followers, isStats := m["followers"].(map[string]any)
		switch {
		case isStats:
			e.PeerLatency = known(l, greatestLatency(followers), src)
		case a.code == 403:
			e.PeerLatency = unknown[time.Duration](l, "told by the raft leader only", src)
		case isHealth:
			e.Health = l.etcdHealth(health)
		case isSelf:
			e.MemberID, e.MemberName = word(l, m["id"], src), word(l, m["name"], src)
		case isMember && a.code == 200:
			e.RaftLeader = word(l, m["name"], src)
		case a.code == 503 && isMessage && !isKeyError:
			e.RaftLeader = known(l, "", src) // during an election
		}
	}
}

// etcdHealth reads the value in /health, which is the string "true" in etcd 2.
func (l *look) etcdHealth(v any) cluster.Claim[bool] {
	switch v {
	case "true", true:
		return known(l, true, cluster.SourceEtcd)
	case "false", false:
		return known(l, false, cluster.SourceEtcd)
	}
	return unknown[bool](l, "/health says neither true nor false", cluster.SourceEtcd)
}

// etcdMembers reads /v2/members.
func (l *look) etcdMembers(r *cluster.Report) {
	src := cluster.SourceEtcd
	all, _, reason := l.fetched("etcd-members")
	if reason == "" {
		reason = "etcd did not answer it"
	}
	r.Etcd.Members = unknown[[]cluster.EtcdMember](l, reason, src)
	for _, a := range all {
		m, ok := a.object()
		if !ok {
			continue
		}
		if list, ok := m["members"].([]any); ok {
			r.Etcd.Members = known(l, etcdMemberList(list), src)
		}
	}
}

func etcdMemberList(list []any) []cluster.EtcdMember {
	members := make([]cluster.EtcdMember, 0, min(len(list), 16))
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok || len(members) == 64 {
			continue
		}
		one := cluster.EtcdMember{ID: str(m["id"]), Name: str(m["name"])}
		if urls, ok := m["peerURLs"].([]any); ok && len(urls) > 0 {
			one.PeerURL = str(urls[0])
		}
		members = append(members, one)
	}
	return members
}

// greatestLatency is over the followers' current latencies, in milliseconds on
// the wire.
func greatestLatency(followers map[string]any) time.Duration {
	var most time.Duration
	for _, f := range followers {
		m, _ := f.(map[string]any)
		lat, _ := m["latency"].(map[string]any)
		if ms, ok := lat["current"].(float64); ok && ms >= 0 && ms < 1e9 {
			most = max(most, time.Duration(ms*float64(time.Millisecond)))
		}
	}
	return most
}

func word(l *look, v any, s cluster.Source) cluster.Claim[string] {
	w := str(v)
	if w == "" {
		return unknown[string](l, "the answer does not tell it", s)
	}
	return known(l, w, s)
}

// str is a JSON string made safe, "" for anything else.
func str(v any) string {
	s, _ := v.(string)
	return text([]byte(s))
}

// hostOfURL is the host in http://10.0.4.11:2380.
func hostOfURL(u string) string {
	if _, after, ok := strings.Cut(u, "://"); ok {
		u = after
	}
	u, _, _ = strings.Cut(u, "/")
	if i := strings.LastIndex(u, ":"); i >= 0 {
		u = u[:i]
	}
	return address(u)
}
