package watch

import (
	"context"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// circle evaluates one round whenever every node has reported anew, or a fast
// period has gone by since the last round with at least one new report.
func (w *Watch) circle(ctx context.Context) {
	late := w.o.Clock.After(FastEvery)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.reported:
			if !w.complete() {
				continue
			}
		case <-late:
		}
		w.round(ctx)
		late = w.o.Clock.After(FastEvery + FastEvery/4)
	}
}

// complete answers whether every node has a report since the last round.
func (w *Watch) complete() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pending) == len(w.o.Nodes)
}

// round makes a snapshot, asks the failures, and publishes a state.
func (w *Watch) round(ctx context.Context) {
	w.mu.Lock()
	if len(w.pending) == 0 {
		w.mu.Unlock()
		return
	}
	w.pending = map[string]bool{}
	w.seq++
	w.previous, w.last = w.last, w.snapshot()
	v := w.view()
	w.past.learn(v)
	v.Past = w.past.copy()
	suspicious := w.due.now(v.Now, w.suspicious())
	w.mu.Unlock()
	w.marks.returned(v)
	w.lookAtMarks()

	findings := w.engine.Evaluate(v)

	w.mu.Lock()
	w.settle(v, findings)
	working, young := w.working(), stepYoung(newestPlan(w.plans), v.Now)
	w.mu.Unlock()
	w.publish()
	w.keepMoment()
	w.neighbour.look(ctx, v.Lock())
	w.diary.round(v, findings, working)
	w.hurried.learn(v)
	if suspicious || w.wantsSlow(v, findings, young) && !w.hurried.rests(v.Now) {
		w.LookNow()
	}
}

// snapshot freezes the newest reports. Callers hold the lock.
func (w *Watch) snapshot() *cluster.Snapshot {
	s := &cluster.Snapshot{Seq: w.seq, At: w.o.Clock.Now(), Nodes: w.o.Nodes, Reports: make(map[string]*cluster.Report, len(w.reports))}
	for name, r := range w.reports {
		s.Reports[name] = r
	}
	return s
}

// view binds the last round's snapshot to all else. Callers hold the lock.
func (w *Watch) view() *cluster.View {
	v := &cluster.View{
		Now: w.o.Clock.Now(), Snapshot: w.last, Previous: w.previous,
		Past: w.past.copy(), Plans: append([]cluster.PlanState(nil), w.plans...),
	}
	if w.logs != nil {
		v.Signs = w.logs.Signs()
	}
	w.marks.into(v)
	if w.executor != nil { // it asks for a view while it is being made
		v.OwnLocks = w.executor.OwnLocks()
	}
	return v
}

// View is a view of the newest reports, newer perhaps than the last round.
func (w *Watch) View() *cluster.View {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.view()
	v.Snapshot = w.snapshot()
	if v.Previous == nil {
		v.Previous = w.last
	}
	return v
}

// settle keeps the findings and remembers the newest that went away. Callers
// hold the lock.
func (w *Watch) settle(v *cluster.View, findings []cluster.Finding) {
	standing := map[string]bool{}
	for _, f := range findings {
		standing[f.ID()] = true
	}
	for _, f := range w.findings {
		if !standing[f.ID()] {
			w.ended = &LastFinding{ID: f.ID(), Ended: v.Now, For: v.Now.Sub(f.Since)}
		}
	}
	w.findings = findings
	w.calm.learn(v, findings)
}

// suspicious answers whether what the fast looks say of roles and services
// differs from the round before. Callers hold the lock.
func (w *Watch) suspicious() bool {
	if w.previous == nil {
		return true
	}
	for name, r := range w.last.Reports {
		if p := w.previous.Reports[name]; p == nil || gist(p) != gist(r) {
			return true
		}
	}
	return false
}

// gistOf is what makes a slow look due at once when it changes.
type gistOf struct {
	reach               cluster.Reach
	code                int
	inRecovery          cluster.Truth
	postmaster, ready   int
	health              cluster.Truth
	noStart, unsynced   cluster.Truth
	leaderl, etcd, pg   string
	elasticsearch, raft string
}

// gist reduces a report to it.
func gist(r *cluster.Report) gistOf {
	return gistOf{
		reach: r.Reach.Value, code: r.Leaderl.LeaderCode.Value,
		inRecovery: cluster.Is(r.PostgreSQL.InRecovery, true),
		postmaster: r.PostgreSQL.Postmaster.Value, ready: r.PostgreSQL.Ready.Value,
		health:  cluster.Is(r.Etcd.Health, true),
		noStart: cluster.Is(r.Sentinels.NoStart, true), unsynced: cluster.Is(r.Sentinels.Unsynced, true),
		leaderl: r.Services["leaderl"].State.Value, etcd: r.Services["etcd"].State.Value,
		pg: r.Services["postgresql"].State.Value, elasticsearch: r.Services["elasticsearch"].State.Value,
		raft: r.Etcd.RaftLeader.Value,
	}
}

// publish makes the state that the screen shows.
func (w *Watch) publish() {
	w.mu.Lock()
	w.stateSeq++
	v := w.view()
	if v.Snapshot == nil {
		v.Snapshot = w.snapshot()
	}
	w.state.Store(&State{
		Seq: w.stateSeq, At: v.Now, Cluster: w.o.Cluster, Stamp: w.o.Stamp, StampColor: w.o.StampColor,
		Mode: w.mode(), ArmedUntil: w.armedUntil(), Lock: v.Lock(), Other: w.neighbour.plan(), View: v, Leadership: v.Leadership(), Margin: v.Margin(), Board: v.Board(),
		Findings: w.findings, Last: w.ended, Links: w.links(), Question: w.questions.first(), Run: newestPlan(w.plans), Healthy: w.calm.before(w.findings),
		Incident: w.diary.incident(), Notices: w.notices(), Rehearsal: w.o.rehearsal.at(),
	})
	w.mu.Unlock()
	w.wake()
}

// notices are the standing messages.
func (w *Watch) notices() []Notice {
	if w.o.rehearsal != nil {
		return nil // that there is no journal is meant
	}
	n := append(w.diary.notices(w.o.ReadOnly), w.marks.trouble()...)
	n = append(n, w.left...)
	if w.logs != nil {
		if err := w.logs.Kept(); err != nil {
			n = append(n, Notice{Text: "where the logs were read to is not kept: " + remote.Safe([]byte(err.Error()))})
		}
	}
	if w.o.Amiss != "" {
		n = append(n, Notice{Text: w.o.Amiss})
	}
	return n
}

// working answers whether a plan of ours is at work. Callers hold the lock.
func (w *Watch) working() bool {
	p := newestPlan(w.plans)
	return p != nil && p.Running()
}

// mode is what the cockpit may do.
func (w *Watch) mode() Mode {
	switch {
	case w.o.rehearsal != nil:
		return Rehearsing
	case w.o.ReadOnly:
		return ReadOnly
	case !w.armedUntil().IsZero():
		return Armed
	}
	return Acting
}

// links copies the state of the links. Callers hold the lock.
func (w *Watch) links() map[string]Link {
	links := make(map[string]Link, len(w.o.Hosts))
	for name, h := range w.o.Hosts {
		l := h.Link()
		links[name] = Link{Phase: string(l.Phase), Since: l.Since, Reason: reason(l.Err), Waits: l.Waits, Legacy: l.Legacy}
	}
	return links
}

// reason is an error of the link as one safe line.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return remote.Safe([]byte(err.Error()))
}
