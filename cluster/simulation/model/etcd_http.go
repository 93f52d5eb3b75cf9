package model

import (
	"fmt"
	"strings"
	"time"
)

// answer is an HTTP answer of a service, and how long it takes.
type answer struct {
	status string // "200 OK"
	header []string
	body   string
	takes  time.Duration
}

func json(status, body string) answer {
	return answer{status: status, header: []string{"Content-Type: application/json"}, body: body}
}

// get answers etcd's v2 API.
func (m *member) get(path string) answer {
	query := ""
	if i := strings.IndexByte(path, '?'); i >= 0 {
		path, query = path[:i], path[i+1:]
	}
	switch {
	case path == "/health":
		return m.health()
	case path == "/version":
		return json("200 OK", `{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}`)
	case path == "/v2/members" || path == "/v2/members/":
		return m.clustered(json("200 OK", `{"members":[`+strings.Join(m.each(memberJSON), ",")+"]}\n"))
	case path == "/v2/members/leader":
		if m.lead == nil {
			return m.clustered(json("503 Service Unavailable", `{"message":"During election"}`+"\n"))
		}
		return m.clustered(json("200 OK", memberJSON(m.lead)+"\n"))
	case path == "/v2/stats/self":
		return json("200 OK", m.self())
	case path == "/v2/stats/leader":
		return m.leaderStats()
	case path == "/v2/keys" || strings.HasPrefix(path, "/v2/keys/"):
		return m.keys(path, query)
	}
	return answer{status: "404 Not Found", header: []string{"Content-Type: text/plain; charset=utf-8"}, body: "404 page not found\n"}
}

// health waits for the raft index to move: 250 ms at the least, three looks
// at the most.
func (m *member) health() answer {
	if m.healthy() {
		a := json("200 OK", `{"health": "true"}`)
		a.takes = 300 * time.Millisecond
		return a
	}
	a := json("503 Service Unavailable", `{"health": "false"}`)
	a.takes = 800 * time.Millisecond
	return a
}

func (m *member) each(f func(*member) string) []string {
	var all []string
	for _, o := range m.sorted() {
		all = append(all, f(o))
	}
	return all
}

func memberJSON(m *member) string {
	if !m.named {
		return fmt.Sprintf(`{"id":"%s","name":"","peerURLs":["http://%s:2380"],"clientURLs":[]}`, m.id, m.n.address)
	}
	return fmt.Sprintf(`{"id":"%s","name":"%s","peerURLs":["http://%s:2380"],"clientURLs":["http://%s:2379"]}`, m.id, m.n.guid, m.n.address, m.n.address)
}

// clustered adds the header that member answers carry.
func (m *member) clustered(a answer) answer {
	a.header = append(a.header, "X-Etcd-Cluster-Id: "+m.ring.id)
	return a
}

func (m *member) self() string {
	leader, since := "", time.Duration(0)
	var start time.Time
	switch {
	case m.lead != nil:
		leader, start = m.lead.id, m.leadTime
	case m.claim == stateLeader:
		leader, start = m.id, m.leadTime
	}
	if leader != "" {
		since = m.n.w.now.Sub(start)
	}
	return fmt.Sprintf(`{"name":"%s","id":"%s","state":"%s","startTime":"%s","leaderInfo":{"leader":"%s","uptime":"%s","startTime":"%s"},"recvAppendRequestCnt":%d,"sendAppendRequestCnt":%d}`,
		m.n.guid, m.id, m.claim, m.begun.Format(time.RFC3339Nano), leader, since, start.Format(time.RFC3339Nano), m.received, m.sent)
}

func (m *member) leaderStats() answer {
	if m.state != stateLeader {
		return json("403 Forbidden", `{"message":"not current leader"}`+"\n")
	}
	var rows []string
	for _, o := range m.sorted() {
		if o == m {
			continue
		}
		fail := 0
		if !m.hears(o) {
			fail = int(m.n.w.now.Sub(m.n.w.start)/time.Second) + 1
		}
		rows = append(rows, fmt.Sprintf(`"%s":{"latency":%s,"counts":{"fail":%d,"success":%d}}`, o.id, m.latency(), fail, m.sent))
	}
	return json("200 OK", fmt.Sprintf(`{"leader":"%s","followers":{%s}}`, m.id, strings.Join(rows, ",")))
}

// keys answers reads of the root. Plain ones are answered from the member's
// own copy and may be stale; with quorum=true they need a leader.
func (m *member) keys(path, query string) answer {
	if strings.Contains(query, "quorum=true") && !m.healthy() {
		a := json("500 Internal Server Error", `{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out","index":0}`+"\n")
		a.takes = 7 * time.Second
		return a
	}
	head := []string{
		"X-Etcd-Cluster-Id: " + m.ring.id,
		fmt.Sprintf("X-Etcd-Index: %d", m.index/3),
		fmt.Sprintf("X-Raft-Index: %d", m.index),
		fmt.Sprintf("X-Raft-Term: %d", m.term),
	}
	name := strings.Trim(strings.TrimPrefix(path, "/v2/keys"), "/")
	a := json("200 OK", `{"action":"get","node":{"dir":true,"nodes":[{"key":"/cb","dir":true,"modifiedIndex":4,"createdIndex":4}]}}`+"\n")
	if name != "" && name != "cb" {
		a = json("404 Not Found", fmt.Sprintf(`{"errorCode":100,"message":"Key not found","cause":"/%s","index":%d}`+"\n", name, m.index/3))
	}
	a.header = append(a.header, head...)
	return a
}
