package observe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// doctorText is the probe, what the doctor asks beside, and what it asks about.
var doctorText = probeText + compact(assets.MustRead("scripts/doctor.sh")) + "doctor_tools='" + strings.Join(cluster.ToolNames(), " ") +
	"'\ndoctor_paths='" + strings.Join(cluster.WatchedFolders, " ") + "'\ndoctor_logs=" + cluster.ProductLogs + "\ndoctor_base=" + cluster.OwnBase + "\n"

// Examine looks at one node for the doctor: a fast look, a slow one, what the
// doctor asks beside, one after the other in a session each, and then as many
// sessions at once as a cockpit at work needs. It changes nothing on the node.
// peers are the cluster's nodes. It takes some seconds, two minutes at most; ctx
// bounds it. What could not be asked is unknown in what it returns, with the
// reason; it does not wait for a link.
func Examine(ctx context.Context, h remote.Host, node cluster.Node, peers []cluster.Node, clock cluster.Clock) (cluster.Examined, *cluster.Report) {
	o := New(Options{Node: node, Host: h, Clock: clock, Peers: func() []cluster.Node { return peers }})
	link := h.Link()
	x := cluster.Examined{Node: node, User: text([]byte(link.User)), Fingerprint: text([]byte(link.Fingerprint)), Refusal: refusal(link)}
	if x.Refusal.Kind != "" {
		return x, o.unreached(clock.Now(), link)
	}
	r := o.once(ctx, fast, loopText)
	if !r.some {
		x.Refusal = cluster.Refusal{Kind: string(remote.NoShell), Text: "the login runs no looks: " + r.absentReason, Remedy: "give it a POSIX login shell and no ForceCommand"}
		return x, r.report
	}
	s := o.once(ctx, slow, loopText)
	fillPeers(s.report, o.peers())
	addSlow(r.report, s.report)
	d := o.once(ctx, doctor, doctorText)
	addPorts(r.report, d.report)
	x.Means = d.means()
	x.Means.Sessions = sessions(ctx, h, clock)
	return x, r.report
}

// single is one look in a session of its own.
type single struct {
	look
	report *cluster.Report
	some   bool // the node said anything at all
}

// once looks once. The loop takes the look from its input, as in every look;
// the doctor's text is no loop and has it as its last line.
func (o *Observer) once(ctx context.Context, kind, text string) single {
	limit := o.slowLimit
	if kind == fast {
		limit = o.fastLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	nonce := rand.Text()
	ask := "look " + kind + " " + nonce + joined(" ", o.peers()) + "\n"
	script := remote.Script{Name: "cockpit-doctor", Text: text, Stdin: []byte(ask), Limit: maxAnswer}
	if kind == doctor {
		script.Text, script.Stdin = text+ask, nil
	}
	began := o.Clock.Now()
	res, err := o.Host.Run(ctx, script)
	for tries := 0; noSession(err) && tries < 2; tries++ {
		wait(ctx, o.Clock)
		began = o.Clock.Now()
		res, err = o.Host.Run(ctx, script)
	}
	f, ok := parseFrame(res.Stdout, nonce)
	h := heard{f, append(res.Stdout, res.Stderr...), err}
	if !ok {
		h.frame = frame{kind: kind}
		if err == nil {
			h.err = fmt.Errorf("the look could not run: %s", remark(h.raw, "no output; is the login's shell a POSIX shell?"))
		}
	}
	if errors.Is(h.err, context.DeadlineExceeded) {
		h.err = fmt.Errorf("no answer within %s", plain(limit))
	}
	one := single{look: look{frame: h.frame, node: o.Node.Name, at: began, ended: o.Clock.Now(), absentReason: whyAbsent(h)}}
	one.report, one.some = o.read(h, began, o.Host.Link())
	return one
}

// noSession answers whether the server itself refused a session: with one that
// allows few, that of a script that has just ended may not be free yet.
func noSession(err error) bool {
	var e *remote.Error
	return errors.As(err, &e) && e.Kind == remote.Protocol
}

// wait gives a server the time to free what has ended.
func wait(ctx context.Context, clock cluster.Clock) {
	select {
	case <-ctx.Done():
	case <-clock.After(time.Second):
	}
}

// addPorts adds the ports that only the doctor asks for to those of a look.
func addPorts(r, d *cluster.Report) {
	for peer, c := range d.Peers {
		if have := r.Peers[peer]; have.Known && c.Known {
			for port, how := range c.Value.Ports {
				have.Value.Ports[port] = how
			}
		}
	}
}

// sessions opens as many sessions at once as acting needs, and counts those
// that opened. They do nothing but wait for the end of their input. A server
// frees the session of a script that has ended a moment later, so that too few
// are tried again.
func sessions(ctx context.Context, h remote.Host, clock cluster.Clock) cluster.Claim[int] {
	c := openAtOnce(ctx, h, clock.Now())
	for range 2 {
		if !c.Known || c.Value == cluster.SessionsToAct {
			break
		}
		wait(ctx, clock)
		c = openAtOnce(ctx, h, clock.Now())
	}
	return c
}

func openAtOnce(ctx context.Context, h remote.Host, at time.Time) cluster.Claim[int] {
	opened := make([]remote.Session, cluster.SessionsToAct)
	errs := make([]error, cluster.SessionsToAct)
	var all sync.WaitGroup
	for i := range cluster.SessionsToAct {
		all.Go(func() {
			defer remote.Guard()
			opened[i], errs[i] = h.Start(ctx, remote.Script{Name: "cockpit-doctor", Text: "read -r doctor_l\nexit 0"})
		})
	}
	all.Wait()
	count := 0
	var last error
	for i, err := range errs {
		switch {
		case err == nil:
			count++
			opened[i].Close()
		case !noSession(err):
			last = err
		}
	}
	if last != nil {
		return cluster.UnknownAs[int](remark([]byte(last.Error()), "no session opened"), cluster.SourceReach, at)
	}
	return cluster.KnownAs(count, cluster.SourceReach, at)
}

// refusal says in plain values why a link is not there; zero while it is live.
func refusal(link remote.Link) cluster.Refusal {
	const remedy = "see that the host is up and the way to it is open"
	var e *remote.Error
	switch {
	case link.Phase == remote.Live:
		return cluster.Refusal{}
	case errors.As(link.Err, &e):
		return cluster.Refusal{Kind: string(e.Kind), Text: text([]byte(e.Text)), Remedy: text([]byte(e.Remedy))}
	case link.Err != nil:
		return cluster.Refusal{Kind: string(remote.Unreachable), Text: text([]byte(link.Err.Error())), Remedy: remedy}
	}
	return cluster.Refusal{Kind: string(remote.Timeout), Text: "no connection in time", Remedy: remedy}
}
