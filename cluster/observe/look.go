package observe

import (
	"bytes"
	"fmt"
	"time"
	"unicode/utf8"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Kinds of looks.
const (
	fast     = "fast"
	slow     = "slow"
	discover = "discover"
	doctor   = "doctor"
)

// look is one answer on its way to a report.
type look struct {
	frame
	node         string
	at, ended    time.Time
	absentReason string // why a section that is not there is not there
}

// ParseLook turns the raw answer of one `look` into a report. raw may hold
// noise before the frame; a section that is missing, cut off or not understood
// makes its own claims unknown and no others. began and ended are our clock
// around the look. A fast look leaves the slow claims without a value and the
// other way round. The error says that raw holds no look at all.
func ParseLook(node string, raw []byte, began, ended time.Time, link remote.Link) (*cluster.Report, error) {
	f, ok := parseFrame(raw, "")
	if !ok {
		return nil, fmt.Errorf("%s: the probe's answer could not be read: %s", node, remark(raw, "it is empty"))
	}
	l := look{frame: f, node: node, at: began, ended: ended, absentReason: "the answer was cut off"}
	r := l.report(link)
	r.Reach = cluster.KnownAs(cluster.Reached, cluster.SourceReach, began)
	return r, nil
}

// report makes the claims of the look; Reach is left to the caller.
func (l *look) report(link remote.Link) *cluster.Report {
	r := &cluster.Report{Node: l.node, Began: l.at, Ended: l.ended}
	l.identity(r, link)
	if l.kind == fast {
		l.sentinels(r)
		r.Lock = l.lock()
		l.runit(r)
		l.etcd(r)
		l.leaderl(r)
		l.elasticsearch(r)
		l.postgresql(r)
		r.Host.AtWork = l.atWork()
		return r
	}
	l.machine(r)
	l.etcdMembers(r)
	r.Etcd.Writable = l.etcdWritable()
	l.elasticsearchMaster(r)
	r.Elasticsearch.ReadOnly = l.elasticsearchBlocks()
	l.use(&r.PostgreSQL)
	l.postgresqlSlow(r)
	l.product(r)
	l.ctl(r)
	l.peers(r)
	l.network(r)
	return r
}

// open is a section's body and exit status, or why there is none. tool is what
// had to be found on the node.
func (l *look) open(name, tool string) (body []byte, exit int, reason string) {
	s, ok := l.sections[name]
	switch {
	case !ok:
		return nil, 0, l.absentReason
	case !s.ended && l.done:
		return nil, 0, "the answer was too long"
	case !s.ended:
		return nil, 0, l.absentReason
	case s.exit == 127:
		return s.body, s.exit, tool + " not found on the node"
	case s.exit == 137 || s.exit == 124:
		return s.body, s.exit, fmt.Sprintf("%s did not answer within %.1f s", tool, s.took.Seconds())
	}
	return s.body, s.exit, ""
}

// unknown makes a claim without a value.
func unknown[T any](l *look, reason string, s cluster.Source) cluster.Claim[T] {
	return cluster.UnknownAs[T](reason, s, l.at)
}

// known makes a claim with a value.
func known[T any](l *look, v T, s cluster.Source) cluster.Claim[T] {
	return cluster.KnownAs(v, s, l.at)
}

// maxText bounds every string that a node can put into a claim, in bytes.
const maxText = 400

// text makes a word or phrase of a node safe and bounded.
func text(b []byte) string {
	b = bytes.TrimSpace(b)
	if len(b) > maxText {
		b = b[:maxText]
		for len(b) > 0 && !utf8.RuneStart(b[len(b)-1]) {
			b = b[:len(b)-1]
		}
		if len(b) > 0 && b[len(b)-1] >= utf8.RuneSelf {
			b = b[:len(b)-1]
		}
	}
	return remote.Safe(b)
}

// remark is the first line with words in it, for a reason; otherwise is what
// to say when there is none.
func remark(b []byte, otherwise string) string {
	if len(b) > 4096 {
		b = b[:4096]
	}
	for line := range bytes.Lines(b) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if len(line) > 160 {
				return text(line[:160]) + "…"
			}
			return text(line)
		}
	}
	return otherwise
}
