package observe

import (
	"net/netip"
	"strings"

	"chef-backend-cockpit/cluster"
)

// network reads what the services of other nodes answered to this one. The
// answers are read as a node's own are, into claims of their own.
func (l *look) network(r *cluster.Report) {
	r.Network = map[string]cluster.NetworkClaims{}
	for name := range l.sections {
		service, at, ok := strings.Cut(name, "@")
		addr, err := netip.ParseAddr(at)
		if !ok || service != "leaderl" || err != nil || len(r.Network) > 64 {
			continue
		}
		its := *l
		its.sections = map[string]section{}
		for _, s := range []string{"etcd", "leaderl", "elasticsearch"} {
			if heard, came := l.sections[s+"@"+at]; came {
				its.sections[s] = heard
			}
		}
		var got cluster.Report
		its.etcd(&got)
		its.leaderl(&got)
		its.elasticsearch(&got)
		r.Network[addr.String()] = cluster.NetworkClaims{
			EtcdHealth: got.Etcd.Health, MemberName: got.Etcd.MemberName, RaftLeader: got.Etcd.RaftLeader, RaftTerm: got.Etcd.RaftTerm,
			LeaderCode: got.Leaderl.LeaderCode, Elasticsearch: got.Elasticsearch.Status,
		}
	}
}
