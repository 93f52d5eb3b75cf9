//go:build linux

package lab

import (
	"context"
	"time"
)

// ofServices are stories of single services.
var ofServices = map[string]story{
	"postgresql-down":            {"PostgreSQL of a follower hangs: it runs and answers nobody", onFollower("freeze:postgresql")},
	"postgresql-down-leader":     {"failover is off, and PostgreSQL of the leader hangs", onLeader("failover-off:cluster", "freeze:postgresql")},
	"postgresql-starting":        {"PostgreSQL of a follower waits in its recovery for an archive", onFollower("recover-slowly")},
	"etcd-down":                  {"etcd of a follower has been stopped", onFollower("stop:etcd")},
	"etcd-down-leader":           {"etcd of the leader has been stopped", onLeader("stop:etcd")},
	"etcd-quorum-lost":           {"etcd of both followers has been stopped", etcdQuorumLost},
	"etcd-slow":                  {"etcd of whoever is raft leader stands still for 4 s, three times", etcdSlow},
	"etcd-cannot-write":          {"etcd of a follower may not use its data directory", onFollower("deny:etcd")},
	"leaderl-down":               {"leaderl of a follower was killed and stays down", onFollower("down:leaderl")},
	"leaderl-down-leader":        {"leaderl of the leader was killed and stays down", onLeader("down:leaderl")},
	"two-primaries":              {"the same: in the end two PostgreSQL accept writes", onLeader("down:leaderl")},
	"leaderl-not-joining":        {"a follower's leaderl (stand-in) was restarted and sticks at its start; the next start does not", onFollower("stick")},
	"leaderl-crash-loop":         {"leaderl of a follower finds its port taken at every start", onFollower("crash:leaderl")},
	"epmd-down":                  {"epmd of a follower has been stopped", onFollower("stop:epmd")},
	"epmd-down-leaderl-crashes":  {"the same, and leaderl was killed afterwards: it cannot start without", onFollower("stop:epmd", "kill:leaderl")},
	"elasticsearch-down":         {"Elasticsearch (stand-in) of a follower has been stopped", onFollower("stop:elasticsearch")},
	"elasticsearch-down-leader":  {"Elasticsearch (stand-in) of the leader has been stopped", onLeader("stop:elasticsearch")},
	"elasticsearch-red":          {"Elasticsearch (stand-in) says that primary shards are missing", onAll("shards:red")},
	"elasticsearch-degraded":     {"Elasticsearch (stand-in) says that copies of shards are missing", onAll("shards:yellow")},
	"elasticsearch-read-only":    {"Elasticsearch (stand-in) says that its index takes no writes", onAll("shards:read-only")},
	"supervisor-down":            {"runsvdir and every runsv of a follower were killed; what they started goes on", onFollower("unsupervise")},
	"service-hung":               {"leaderl of a follower hangs: its process stands and answers nobody", onFollower("freeze:leaderl")},
	"service-hung-etcd":          {"etcd of a follower hangs", onFollower("freeze:etcd")},
	"service-hung-postgresql":    {"PostgreSQL of a follower hangs", onFollower("freeze:postgresql")},
	"service-hung-elasticsearch": {"Elasticsearch (stand-in) of a follower hangs", onFollower("freeze:elasticsearch")},
}

func etcdQuorumLost(ctx context.Context, s *strike) error {
	f := s.followers()
	return s.all(ctx, "stop:etcd@"+f[0].Name, "stop:etcd@"+f[1].Name)
}

// etcdSlow strikes the raft leader, and then whoever is elected: each stands
// still for longer than the others wait, as on a disk that hangs.
func etcdSlow(ctx context.Context, s *strike) error {
	for range 3 {
		h, err := s.raftLeader(ctx)
		if err != nil {
			return err
		}
		if err := s.act(ctx, "freeze:etcd@%s", h.Name); err != nil {
			return err
		}
		if err := rest(ctx, 4*time.Second); err != nil {
			return err
		}
		if err := thawAct(ctx, s.Lab, h, "etcd"); err != nil {
			return err
		}
		if err := rest(ctx, 4*time.Second); err != nil {
			return err
		}
	}
	return nil
}
