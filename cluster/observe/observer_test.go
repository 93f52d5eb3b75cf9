package observe

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func hasSlow(r *cluster.Report) bool { return r.Host.Version.Known }

func TestReportsCarryTheNewestSlowLook(t *testing.T) {
	asked := make(chan string, 1000)
	w := watch(t, func(kind, nonce, peers string) string {
		if kind == slow {
			asked <- peers
		}
		return healthy(kind, nonce, peers)
	})
	w.start()
	r := w.next(hasSlow)
	want(t, r, map[string]string{
		"reach": "reached", "leaderl.leader-code": "200", "host.key": "SHA256:abc", "host.privileged": "true",
		"host.version": "2.3.16", "peer.10.0.4.11": "{map[22:open]}", "peer.10.0.4.13": "?did not tell", "etcd.health": "?cut off",
	})
	if peers := <-asked; peers != "10.0.4.11 10.0.4.13" {
		t.Errorf("peers asked about: %q", peers)
	}
	// A later fast look keeps the slow claims, which keep their own time.
	later := w.next(func(n *cluster.Report) bool { return n.Seq > r.Seq && n.Host.Version.At.Before(n.Began) })
	if !later.Leaderl.LeaderCode.At.Equal(later.Began) {
		t.Errorf("a fast claim of %v in a look of %v", later.Leaderl.LeaderCode.At, later.Began)
	}
	w.host.mu.Lock()
	defer w.host.mu.Unlock()
	if w.host.starts != 2 {
		t.Errorf("%d sessions were opened, want one fast and one slow", w.host.starts)
	}
}

func TestNoOldValueStays(t *testing.T) {
	w := watch(t, healthy)
	w.start()
	w.next(hasSlow)
	cause := &remote.Error{Host: "be2", Kind: remote.Unreachable, Text: "no route to 192.0.2.7"}
	w.host.setLink(remote.Link{Phase: remote.Lost, Err: cause, Fingerprint: "SHA256:abc"})
	r := w.next(func(r *cluster.Report) bool { return r.Reach.Value != cluster.Reached })
	for name, c := range claims(r) {
		switch {
		case name == "reach" || name == "host.key":
		case c.Value != nil:
			t.Errorf("%s is still %v", name, c.Value)
		case !strings.Contains(c.Reason, "no route"):
			t.Errorf("%s: reason %q", name, c.Reason)
		}
	}
	want(t, r, map[string]string{"reach": "unreachable", "peer.10.0.4.11": "?no route", "service.etcd.pid": "?no route"})
	w.host.setLink(live)
	back := w.next(func(r *cluster.Report) bool { return r.Reach.Value == cluster.Reached })
	if back.Host.Version.Known && back.Host.Version.At.Before(r.Began) {
		t.Error("a slow claim from before the loss came back")
	}
	w.still(hasSlow) // at once, not after the period of slow looks
}

// A session that ended between two looks is not a look without an answer.
func TestSessionsAreOpenedAgain(t *testing.T) {
	looks := make(chan int, 1)
	looks <- 0
	w := watch(t, func(kind, nonce, peers string) string {
		if kind == slow {
			return healthy(kind, nonce, peers)
		}
		n := <-looks
		looks <- n + 1
		if n%2 == 1 {
			return "exit"
		}
		return healthy(kind, nonce, peers)
	})
	w.start()
	for range 4 {
		want(t, w.next(func(*cluster.Report) bool { return true }), map[string]string{"leaderl.leader-code": "200"})
	}
}

func TestSilentNode(t *testing.T) {
	w := watch(t, healthy)
	quiet := make(chan struct{})
	w.host.answer = func(kind, nonce, peers string) string {
		select {
		case <-quiet:
			return ""
		default:
			return healthy(kind, nonce, peers)
		}
	}
	w.start()
	w.next(hasSlow)
	close(quiet)
	want(t, w.next(func(r *cluster.Report) bool { return !r.Leaderl.LeaderCode.Known }), map[string]string{
		"reach": "reached", "leaderl.leader-code": "?no answer within 0.2 s", "host.version": "?no answer within 0.2 s", "ctl.cluster-status": "?no answer",
	})
}

// What came before the deadline counts; what did not is unknown with the reason.
func TestHalfAnAnswer(t *testing.T) {
	w := watch(t, func(kind, nonce, peers string) string {
		whole := healthy(kind, nonce, peers)
		before, _, _ := strings.Cut(whole, " begin ps")
		return before
	})
	w.start()
	r := w.next(func(*cluster.Report) bool { return true })
	want(t, r, map[string]string{"leaderl.leader-code": "200", "postgresql.postmaster": "?no answer within 0.2 s"})
}

func TestFloodAndNoShell(t *testing.T) {
	for said, reason := range map[string]string{
		"exit":                     "?the probe's shell ended",
		strings.Repeat("x", 5<<20): "?the answer is too long",
	} {
		w := watch(t, func(_, _, _ string) string { return said })
		w.fastLimit = 5 * time.Second
		w.start()
		want(t, w.next(func(*cluster.Report) bool { return true }), map[string]string{"etcd.health": reason, "reach": "reached"})
	}
}

func TestAfterWaitsForLooksBegunSince(t *testing.T) {
	w := watch(t, healthy)
	w.start()
	w.next(hasSlow)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	since := w.clock.Now().Add(time.Second)
	got := make(chan *cluster.Report, 1)
	go func() {
		r, err := w.After(ctx, since, true)
		if err != nil {
			t.Error(err)
		}
		got <- r
	}()
	for {
		select {
		case r := <-got:
			if r.Began.Before(since) || r.Host.Version.At.Before(since) {
				t.Errorf("begun %s and %s, asked for since %s", r.Began, r.Host.Version.At, since)
			}
			return
		case <-w.reports:
		case <-w.clock.set:
			w.clock.forward()
		}
	}
}

func TestAfterEndsWithItsContext(t *testing.T) {
	w := watch(t, healthy)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.After(ctx, someTime, false); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "be2: ") {
		t.Errorf("error %v", err)
	}
}

func TestReachFollowsTheLink(t *testing.T) {
	of := func(k remote.Kind) error { return &remote.Error{Kind: k, Text: "so it is"} }
	for _, c := range []struct {
		link remote.Link
		want string
	}{
		{remote.Link{Phase: remote.Connecting}, "?connecting"},
		{remote.Link{Phase: remote.Stale}, "?nothing heard"},
		{remote.Link{Phase: remote.Lost, Err: of(remote.LinkLost)}, "?so it is"}, // cut: the next dial tells
		{remote.Link{Phase: remote.Lost, Err: of(remote.Unreachable)}, "unreachable"},
		{remote.Link{Phase: remote.Connecting, Err: of(remote.Unreachable)}, "unreachable"},
		{remote.Link{Phase: remote.Lost, Err: of(remote.Timeout)}, "login-failed"}, // after the banner
		{remote.Link{Phase: remote.Refused, Err: of(remote.LoginFailed)}, "login-failed"},
		{remote.Link{Phase: remote.Refused, Err: of(remote.HostKeyChanged)}, "host-key-changed"},
		{remote.Link{Phase: remote.Refused, Err: of(remote.HostKeyUnknown)}, "host-key-unknown"},
		{remote.Link{Phase: remote.Refused, Err: of(remote.NoPrivilege)}, "login-failed"},
		{remote.Link{Phase: remote.Refused, Err: of(remote.NoShell)}, "login-failed"},
		{remote.Link{Phase: remote.Lost, Err: of(remote.Protocol)}, "login-failed"},
		{remote.Link{Phase: remote.Refused, Err: &remote.Error{Kind: remote.LoginFailed, Text: "jump host j: no", Jump: "j"}}, "?jump host j"},
		{remote.Link{Phase: remote.Lost, Err: &remote.Error{Kind: remote.Timeout, Text: "jump host j: no", Jump: "j"}}, "?jump host j"},
		{remote.Link{Phase: remote.Refused, Err: &remote.Error{Kind: remote.HostKeyChanged, Text: "jump host j: no", Jump: "j"}}, "?jump host j"},
		{remote.Link{Phase: remote.Lost, Err: &remote.Error{Kind: remote.Unreachable, Text: "jump host j: no", Jump: "j"}}, "unreachable"},
	} {
		claim, _ := reachOf(c.link, someTime)
		want(t, &cluster.Report{Reach: claim}, map[string]string{"reach": c.want})
	}
}

func TestDiscover(t *testing.T) {
	answering := func(sections ...string) *fakeHost {
		return &fakeHost{answer: func(_, nonce, _ string) string {
			return strings.ReplaceAll(string(framed(discover, sections...)), "@@n ", "@@"+nonce+" ")
		}}
	}
	found, err := Discover(t.Context(), answering("cluster-status", clusterTable))
	nodes := found.Nodes
	if wanted := []cluster.Node{{Name: "be1", Address: "10.0.4.11"}, {Name: "be2", Address: "10.0.4.12"}}; err != nil || !reflect.DeepEqual(nodes, wanted) {
		t.Errorf("%v %v", nodes, err)
	}
	if found.Self != -1 {
		t.Errorf("itself without an address: %d", found.Self)
	}
	found, _ = Discover(t.Context(), answering("cluster-status", clusterTable, "addresses", "172.17.0.1 10.0.4.12 fe80::1"))
	if found.Self != 1 {
		t.Errorf("itself by its address: %d", found.Self)
	}
	twins := "Name  IP          GUID  Role    PG  ES\nbe    FD00::0011  aa    leader  a   b\nbe    fd00::12    bb    x       a   b\nold   fd00::11    cc    x       a   b\n"
	found, _ = Discover(t.Context(), answering("cluster-status", twins, "addresses", "fd00::12"))
	if wanted := []cluster.Node{{Name: "be", Address: "fd00::11"}, {Name: "fd00::12", Address: "fd00::12"}}; !reflect.DeepEqual(found.Nodes, wanted) || found.Self != 1 {
		t.Errorf("names and addresses that come twice: %+v", found)
	}
	members := "HTTP/1.1 200 OK\r\n\r\n" + string(sample(t, "spec-etcd-v2-members.json"))
	found, err = Discover(t.Context(), answering("cluster-status 1", "An unexpected error occurred:", "etcd-members", members))
	nodes = found.Nodes
	if err != nil || len(nodes) != 3 || nodes[2] != (cluster.Node{Name: "192.168.33.215", Address: "192.168.33.215"}) {
		t.Errorf("%v %v", nodes, err)
	}
	if _, err = Discover(t.Context(), answering("host", "installed no")); err == nil || !strings.Contains(err.Error(), "be2: no Chef Backend on this host") {
		t.Errorf("%v", err)
	}
}
