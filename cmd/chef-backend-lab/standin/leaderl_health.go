//go:build linux

package standin

import (
	"context"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// diskMinimum is leaderl.health_check.disk_min_space_mb at its default, in
// bytes. The lab's disks are small: a tenth of one is enough.
const diskMinimum = 250 << 20

// check is one health check of the services. Five failures in a row cost a
// leader its place and a follower its eligibility.
func (l *leaderl) check(ctx context.Context) {
	l.nextCheck = time.Now().Add(l.tune.healthInterval)
	if l.state == initializing || l.state == waiting || l.state == deposed {
		l.failures["postgresql"] = 0 // it is held down on purpose
	} else {
		l.look(ctx)
		l.count("postgresql", l.pg.phase == pgPrimary || l.pg.phase == pgStandby)
	}
	l.count("elasticsearch", elasticServes(ctx))
	l.count("etcd", l.seen != nil)
	if l.state != leading || !l.last.mayMove(l.GUID) {
		return
	}
	if service := givesUp(l.failures, l.tune); service != "" {
		l.depose(ctx, service+" failed its health checks")
	}
}

func (l *leaderl) count(service string, well bool) {
	if well {
		l.failures[service] = 0
		return
	}
	l.failures[service]++
	n, limit := l.failures[service], l.tune.maxFailures[service]
	if n == 1 || n <= limit && l.state == leading {
		l.log("W", "health_check:check", "%s failed its health check (%d of %d)", service, n, limit)
	}
}

// elasticServes asks the local Elasticsearch.
func elasticServes(ctx context.Context) bool {
	_, ok := getText(ctx, "http://127.0.0.1:9200/_cluster/health?local=true")
	return ok
}

// report posts the node's status to etcd.
func (l *leaderl) report(ctx context.Context) {
	l.nextPost = time.Now().Add(postTime)
	if l.seen == nil {
		return
	}
	me := l.self()
	p := post{
		Role: l.state, PG: "offline", ES: "offline", Eligible: me.eligible, Partial: exists(unsyncedFile),
		SawLeader: l.sawLeader, Barred: me.barred, DisksFull: fullDisks(), Copy: l.pg.copy,
	}
	switch l.pg.phase {
	case pgPrimary:
		p.PG, p.Senders = "leader", l.pg.senders
	case pgStandby, pgStarting:
		p.PG, p.Following = "follower", l.pg.upstream
	}
	if master, ok := getText(ctx, "http://127.0.0.1:9200/_cat/master?local=true&h=ip,host"); ok {
		p.ES = "not_master"
		if strings.HasPrefix(master, l.Address+" ") {
			p.ES = "master"
		}
	}
	l.failed("status_updater:post", l.store.post(ctx, l.GUID, p))
}

// fullDisks are the folders of the product with less room than leaderl wants.
func fullDisks() []string {
	var full []string
	for _, dir := range []string{logDir, varDir} {
		var s syscall.Statfs_t
		if syscall.Statfs(dir, &s) != nil || int64(s.Bavail)*s.Bsize < min(diskMinimum, int64(s.Blocks)*s.Bsize/10) {
			full = append(full, dir)
		}
	}
	return full
}

// listen answers GET /leader on 7331 from what the last thought found.
func (l *leaderl) listen(ctx context.Context) error {
	port, err := net.Listen("tcp", "0.0.0.0:7331")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/leader", func(w http.ResponseWriter, _ *http.Request) { answerLeader(w, l.serve.Load()) })
	// How the product's leaderl know each other is not published.
	mux.HandleFunc("/state", func(w http.ResponseWriter, _ *http.Request) {
		word, _ := l.word.Load().(string)
		_, _ = w.Write([]byte(word))
	})
	serveHTTP(ctx, port, mux)
	return nil
}

// answerLeader gives the documented codes; the body is invented.
func answerLeader(w http.ResponseWriter, leads bool) {
	w.Header().Set("Content-Type", "application/json")
	if leads {
		_, _ = w.Write([]byte(`{"leader":true}`))
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(`{"leader":false}`))
}
