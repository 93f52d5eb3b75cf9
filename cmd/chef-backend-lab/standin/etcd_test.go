//go:build linux

package standin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeEtcd is as much of etcd's v2 API as the stand-ins use, with its answers.
type fakeEtcd struct {
	mu     sync.Mutex
	keys   map[string]string
	quorum bool
	posted []string // bodies of POST /v2/members
}

func newFakeEtcd(t *testing.T) (*fakeEtcd, *store) {
	f := &fakeEtcd{keys: map[string]string{}, quorum: true}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return f, newStore(s.URL)
}

func (f *fakeEtcd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case r.URL.Path == "/health" && f.quorum:
		w.Write([]byte(`{"health": "true"}`))
	case r.URL.Path == "/health":
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte(`{"health": "false"}`))
	case r.URL.Path == "/v2/members" && r.Method == http.MethodPost:
		var body struct{ PeerURLs []string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		f.posted = append(f.posted, body.PeerURLs...)
		w.WriteHeader(http.StatusCreated)
	case r.URL.Path == "/v2/members":
		w.Write([]byte(`{"members":[{"id":"2f74e8c0e2bda03","name":"4ba4ae0a6686cf6b67590e621459f1e2","peerURLs":["http://192.168.33.216:2380"],"clientURLs":["http://192.168.33.216:2379"]},{"id":"9a","name":"","peerURLs":["http://192.168.33.217:2380"],"clientURLs":[]}]}`))
	case !f.quorum:
		f.fail(w, http.StatusInternalServerError, 300, "Raft Internal Error")
	default:
		f.key(w, r, strings.TrimPrefix(r.URL.Path, "/v2/keys/"))
	}
}

func (f *fakeEtcd) fail(w http.ResponseWriter, status, code int, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errorCode": code, "message": message})
}

func (f *fakeEtcd) key(w http.ResponseWriter, r *http.Request, key string) {
	now, there := f.keys[key]
	prev := r.URL.Query().Get("prevValue")
	switch {
	case r.Method == http.MethodGet:
		var tree etcdNode
		for k, v := range f.keys {
			if strings.HasPrefix(k, key+"/") {
				tree.Nodes = append(tree.Nodes, etcdNode{Key: "/" + k, Value: v})
			}
		}
		if tree.Nodes == nil {
			f.fail(w, http.StatusNotFound, etcdKeyNotFound, "Key not found")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"action": "get", "node": tree})
	case prev != "" && !there, r.Method == http.MethodDelete && !there:
		f.fail(w, http.StatusNotFound, etcdKeyNotFound, "Key not found")
	case prev != "" && prev != now:
		f.fail(w, http.StatusPreconditionFailed, etcdCompareFailed, "Compare failed")
	case r.URL.Query().Get("prevExist") == "false" && there:
		f.fail(w, http.StatusPreconditionFailed, etcdKeyExists, "Key already exists")
	case r.Method == http.MethodDelete:
		delete(f.keys, key)
	default:
		f.keys[key] = r.PostFormValue("value")
	}
}

func TestOnlyOneHoldsTheLeaderKey(t *testing.T) {
	_, s := newFakeEtcd(t)
	ctx := context.Background()
	if code := etcdCode(s.refresh(ctx, "g1", 30*time.Second)); code != etcdKeyNotFound {
		t.Errorf("refreshing nobody's key: code %d", code)
	}
	if err := s.acquire(ctx, "g1", 30*time.Second); err != nil {
		t.Fatal(err)
	}
	if code := etcdCode(s.acquire(ctx, "g2", 30*time.Second)); code != etcdKeyExists {
		t.Errorf("a second holder: code %d", code)
	}
	if code := etcdCode(s.refresh(ctx, "g2", 30*time.Second)); code != etcdCompareFailed {
		t.Errorf("refreshing another's key: code %d", code)
	}
	if code := etcdCode(s.release(ctx, "g2")); code != etcdCompareFailed {
		t.Errorf("releasing another's key: code %d", code)
	}
	if err := s.release(ctx, "g1"); err != nil {
		t.Error(err)
	}
	if err := s.release(ctx, "g1"); err != nil {
		t.Errorf("releasing what is gone: %v", err)
	}
}

func TestClusterStateRoundTrip(t *testing.T) {
	f, s := newFakeEtcd(t)
	ctx := context.Background()
	be1, be2 := peer{"be1", "10.0.4.11", "g1"}, peer{"be2", "10.0.4.12", "g2"}
	if c, err := s.read(ctx); err != nil || c.Leader != "" || !c.Failover {
		t.Fatalf("an empty etcd: %+v, %v", c, err)
	}
	for _, err := range []error{
		s.register(ctx, be1), s.register(ctx, be2), s.acquire(ctx, "g1", 30*time.Second),
		s.post(ctx, "g1", post{Role: leading, Senders: []sender{{"10.0.4.12", "streaming"}}}),
		s.put(ctx, keyBlocked, `["g2"]`, 0, nil), s.put(ctx, keyNodeFailover+"g2", "off", 0, nil), s.put(ctx, keyFailover, "off", 0, nil),
		s.ask(ctx, request{Target: "g2", Force: true}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := s.read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	leader, ok := c.leading()
	if !ok || leader != be1 || c.Failover || c.nodeFailover("g2") || !c.nodeFailover("g1") || !c.Blocked["g2"] || *c.Request != (request{"g2", true}) {
		t.Errorf("%+v", c)
	}
	if p, ok := c.find("10.0.4.12"); !ok || p != be2 {
		t.Errorf("found %v by its address", p)
	}
	if err := s.forget(ctx, "g2", c); err != nil {
		t.Fatal(err)
	}
	if c, _ = s.read(ctx); c.Blocked["g2"] || len(c.Nodes) != 1 || len(c.NodeFailover) != 0 {
		t.Errorf("not forgotten: %+v", c)
	}
	f.quorum = false
	if _, err := s.read(ctx); err == nil || s.healthy(ctx) {
		t.Error("a member without quorum was believed")
	}
}

func TestMembers(t *testing.T) {
	f, s := newFakeEtcd(t)
	ctx := context.Background()
	all, err := s.members(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := "4ba4ae0a6686cf6b67590e621459f1e2=http://192.168.33.216:2380,g3=http://192.168.33.217:2380"
	if got := initialCluster(all, peer{GUID: "g3"}); got != want {
		t.Errorf("initial cluster %s", got)
	}
	if err := s.addMember(ctx, "http://10.0.4.13:2380"); err != nil || len(f.posted) != 1 || f.posted[0] != "http://10.0.4.13:2380" {
		t.Errorf("asked to add %v, %v", f.posted, err)
	}
	if _, err := s.tree(ctx, "none"); err != nil {
		t.Errorf("a missing folder is empty, not %v", err)
	}
	if err := s.put(ctx, "cb/x", "1", 0, url.Values{"prevExist": {"false"}}); err != nil {
		t.Error(err)
	}
}
