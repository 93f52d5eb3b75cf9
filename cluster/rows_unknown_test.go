package cluster_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/failure"
)

// blanks take one source's claims of a node away, as a look that could not read them.
var blanks = map[string]func(r *cluster.Report){
	"reach":      func(r *cluster.Report) { r.Reach = cluster.Claim[cluster.Reach]{} },
	"services":   func(r *cluster.Report) { r.Services = nil },
	"etcd":       func(r *cluster.Report) { r.Etcd = cluster.EtcdClaims{} },
	"members":    func(r *cluster.Report) { r.Etcd.Members = cluster.Claim[[]cluster.EtcdMember]{} },
	"leaderl":    func(r *cluster.Report) { r.Leaderl = cluster.LeaderlClaims{} },
	"postgresql": func(r *cluster.Report) { r.PostgreSQL = cluster.PostgreSQLClaims{} },
	"replicas":   func(r *cluster.Report) { r.PostgreSQL.Replicas = cluster.Claim[[]cluster.Replica]{} },
	"control":    func(r *cluster.Report) { r.PostgreSQL.Control = cluster.Claim[cluster.ControlData]{} },
	"segments":   func(r *cluster.Report) { r.PostgreSQL.Segments = cluster.Claim[cluster.Segments]{} },
	"ctl":        func(r *cluster.Report) { r.Ctl = cluster.CtlClaims{} },
	"sentinels":  func(r *cluster.Report) { r.Sentinels = cluster.SentinelClaims{} },
	"peers":      func(r *cluster.Report) { r.Peers = nil },
	"settings":   func(r *cluster.Report) { r.Settings = cluster.SettingsClaims{} },
}

// confirmed are the IDs of all that is certain, folded or not.
func confirmedIDs(fs []cluster.Finding) (ids []string) {
	for _, f := range fs {
		if f.Certainty == cluster.Confirmed {
			ids = append(ids, f.ID())
		}
	}
	return ids
}

// Whatever one source of one node does not tell, nothing is certain for it that
// is not certain with all told.
func TestLessKnownConfirmsNoMore(t *testing.T) {
	t.Parallel()
	c := load(t)
	cases := slices.Concat(nodeRows(), leadershipRows(), copyRows())
	names := []string{}
	for name := range blanks {
		names = append(names, name)
	}
	slices.Sort(names)
	told := map[string][]string{} // what is certain with all told, by row
	rapid.Check(t, func(t *rapid.T) {
		r := cases[rapid.IntRange(0, len(cases)-1).Draw(t, "row")]
		node := rapid.SampledFrom([]string{"be1", "be2", "be3"}).Draw(t, "node")
		name := rapid.SampledFrom(names).Draw(t, "blank")
		try := func(blank bool) []string {
			s, e := newStage(), failure.NewEngine(c.Failures)
			watchRow(e, s, 2)
			r.change(s)
			if blank {
				blanks[name](s.at(node))
			}
			var all []string
			for range r.looks {
				all = append(all, confirmedIDs(e.Evaluate(s.looks(1)))...)
			}
			return all
		}
		whole, tried := told[r.name]
		if !tried {
			whole = try(false)
			told[r.name] = whole
		}
		for _, id := range try(true) {
			if !slices.Contains(whole, id) {
				t.Fatalf("%s: without %s of %s stands %s", r.name, name, node, id)
			}
		}
	})
}
