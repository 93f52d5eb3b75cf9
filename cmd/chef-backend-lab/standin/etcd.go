//go:build linux

package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// etcdPatience is how long one request may take. A member without quorum
// would answer only after seven seconds.
const etcdPatience = 2 * time.Second

// etcd v2 error codes that callers tell apart.
const (
	etcdKeyNotFound   = 100
	etcdCompareFailed = 101
	etcdKeyExists     = 105
)

// etcdError is an error that etcd itself answered.
type etcdError struct {
	Code    int    `json:"errorCode"`
	Message string `json:"message"`
	Cause   string `json:"cause"`
	status  int
}

func (e *etcdError) Error() string {
	return fmt.Sprintf("etcd answered %d: %s %s", e.status, e.Message, e.Cause)
}

func etcdCode(err error) int {
	if e, ok := err.(*etcdError); ok {
		return e.Code
	}
	return 0
}

// store is etcd's v2 HTTP API at one member. It may be used by several
// goroutines.
type store struct {
	base   string
	client *http.Client
}

func newStore(base string) *store {
	t := &http.Transport{DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, MaxIdleConnsPerHost: 2}
	return &store{base: strings.TrimRight(base, "/"), client: &http.Client{Transport: t, Timeout: etcdPatience}}
}

// storeAt is the member at another address of the cluster.
func storeAt(address string) *store { return newStore("http://" + net.JoinHostPort(address, "2379")) }

func (s *store) do(ctx context.Context, method, path, kind, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		e := &etcdError{status: resp.StatusCode}
		if json.Unmarshal(raw, e) != nil || e.Message == "" {
			e.Message = strings.TrimSpace(string(raw))
		}
		return nil, e
	}
	return raw, nil
}

// healthy says whether the member takes part in a quorum.
func (s *store) healthy(ctx context.Context) bool {
	raw, err := s.do(ctx, http.MethodGet, "/health", "", "")
	if err != nil {
		return false
	}
	var h struct {
		Health any `json:"health"` // a string in every release met so far
	}
	return json.Unmarshal(raw, &h) == nil && (h.Health == "true" || h.Health == true)
}

// put writes a key. ttl 0: it stays. cond is prevValue, prevExist or nothing.
func (s *store) put(ctx context.Context, key, value string, ttl time.Duration, cond url.Values) error {
	form := url.Values{"value": {value}}
	if ttl > 0 {
		form.Set("ttl", strconv.Itoa(int(ttl/time.Second)))
	}
	path := "/v2/keys/" + key
	if len(cond) > 0 {
		path += "?" + cond.Encode()
	}
	_, err := s.do(ctx, http.MethodPut, path, "application/x-www-form-urlencoded", form.Encode())
	return err
}

// drop removes a key; that it was not there is no error.
func (s *store) drop(ctx context.Context, key string, cond url.Values) error {
	path := "/v2/keys/" + key
	if len(cond) > 0 {
		path += "?" + cond.Encode()
	}
	_, err := s.do(ctx, http.MethodDelete, path, "", "")
	if etcdCode(err) == etcdKeyNotFound {
		return nil
	}
	return err
}

// etcdNode is a key or a folder of keys as etcd prints it.
type etcdNode struct {
	Key   string     `json:"key"`
	Value string     `json:"value"`
	Nodes []etcdNode `json:"nodes"`
}

// leaves calls f for every key below the node.
func (n etcdNode) leaves(f func(key, value string)) {
	for _, c := range n.Nodes {
		if len(c.Nodes) > 0 {
			c.leaves(f)
			continue
		}
		f(strings.TrimPrefix(c.Key, "/"), c.Value)
	}
}

// tree reads a folder by way of the quorum: a member that was cut off would
// otherwise go on telling what it last knew. A missing folder is empty.
func (s *store) tree(ctx context.Context, key string) (etcdNode, error) {
	raw, err := s.do(ctx, http.MethodGet, "/v2/keys/"+key+"?recursive=true&quorum=true", "", "")
	if etcdCode(err) == etcdKeyNotFound {
		return etcdNode{}, nil
	}
	if err != nil {
		return etcdNode{}, err
	}
	var answer struct {
		Node etcdNode `json:"node"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return etcdNode{}, fmt.Errorf("etcd's answer: %w", err)
	}
	return answer.Node, nil
}

// member is one member of the etcd cluster. Name is empty until it has started.
type member struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
}

func (s *store) members(ctx context.Context) ([]member, error) {
	raw, err := s.do(ctx, http.MethodGet, "/v2/members", "", "")
	if err != nil {
		return nil, err
	}
	var list struct {
		Members []member `json:"members"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("etcd's members: %w", err)
	}
	return list.Members, nil
}

func (s *store) addMember(ctx context.Context, peerURL string) error {
	body, err := json.Marshal(map[string][]string{"peerURLs": {peerURL}})
	if err != nil {
		return err
	}
	_, err = s.do(ctx, http.MethodPost, "/v2/members", "application/json", string(body))
	return err
}

func (s *store) removeMember(ctx context.Context, id string) error {
	_, err := s.do(ctx, http.MethodDelete, "/v2/members/"+id, "", "")
	return err
}
