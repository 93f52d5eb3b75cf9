package observe

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"chef-backend-cockpit/cluster"
)

// answer is one HTTP answer as `curl -i` prints it.
type answer struct {
	code int
	head []byte
	body []byte
}

// parseAnswers reads answers that stand one after another. Content-Length tells
// where a body ends; without it the next status line does.
func parseAnswers(b []byte) []answer {
	var all []answer
	for len(all) < 16 {
		i := bytes.Index(b, []byte("HTTP/"))
		if i < 0 {
			return all
		}
		b = b[i:]
		head, rest, ok := cutHead(b)
		status := strings.Fields(string(firstLine(head)))
		if !ok || len(status) < 2 {
			b = b[len("HTTP/"):]
			continue
		}
		code, err := strconv.Atoi(status[1])
		if err != nil || code < 100 || code > 599 {
			b = b[len("HTTP/"):]
			continue
		}
		a := answer{code: code, head: head, body: rest}
		if n, err := strconv.Atoi(a.header("Content-Length")); err == nil && n >= 0 && n <= len(rest) {
			a.body = rest[:n]
		} else if j := bytes.Index(rest, []byte("HTTP/1.")); j >= 0 {
			a.body = rest[:j]
		}
		b = rest[len(a.body):]
		if code >= 200 { // an interim answer is followed by the real one
			all = append(all, a)
		}
	}
	return all
}

func cutHead(b []byte) (head, rest []byte, ok bool) {
	i, j := bytes.Index(b, []byte("\r\n\r\n")), bytes.Index(b, []byte("\n\n"))
	switch {
	case i >= 0 && (j < 0 || i < j):
		return b[:i], b[i+4:], true
	case j >= 0:
		return b[:j], b[j+2:], true
	}
	return nil, nil, false
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}

// header is the value of a header, "" when it is missing.
func (a answer) header(name string) string {
	for line := range bytes.Lines(a.head) {
		k, v, ok := bytes.Cut(line, []byte(":"))
		if ok && bytes.EqualFold(bytes.TrimSpace(k), []byte(name)) {
			return string(bytes.TrimSpace(v))
		}
	}
	return ""
}

// object reads a body that is one JSON object.
func (a answer) object() (map[string]any, bool) {
	var m map[string]any
	if json.Unmarshal(a.body, &m) != nil || m == nil {
		return nil, false
	}
	return m, true
}

// Exit codes of curl(1) that say how a service is.
const (
	curlRefused = 7
	curlSilent  = 28
)

// fetched is a section made by curl: its answers, or why there are none.
func (l *look) fetched(name string) (all []answer, exit int, reason string) {
	body, exit, reason := l.open(name, "curl")
	if reason != "" && exit == 137 {
		return parseAnswers(body), curlSilent, "no answer within 2 s"
	}
	if reason != "" {
		return nil, exit, reason
	}
	all = parseAnswers(body)
	if len(all) > 0 {
		return all, exit, ""
	}
	switch exit {
	case curlRefused:
		return nil, exit, "connection refused"
	case curlSilent:
		return nil, exit, "no answer within 2 s"
	}
	return nil, exit, "not an HTTP answer: " + remark(body, "no output")
}

// answers tells a service that says anything from one that refuses or is silent.
func (l *look) answers(all []answer, exit int, reason string, s cluster.Source) cluster.Claim[bool] {
	switch {
	case len(all) > 0:
		return known(l, true, s)
	case reason != "" && (exit == curlRefused || exit == curlSilent):
		return known(l, false, s)
	}
	return unknown[bool](l, reason, s)
}

// leaderl reads GET /leader. Refused is an answer too: whoever does not listen
// does not lead.
func (l *look) leaderl(r *cluster.Report) {
	all, exit, reason := l.fetched("leaderl")
	r.Leaderl.Answers = l.answers(all, exit, reason, cluster.SourceLeaderl)
	switch {
	case len(all) > 0:
		r.Leaderl.LeaderCode = known(l, all[0].code, cluster.SourceLeaderl)
	case exit == curlRefused && reason != "":
		r.Leaderl.LeaderCode = known(l, 0, cluster.SourceLeaderl)
	default:
		r.Leaderl.LeaderCode = unknown[int](l, reason, cluster.SourceLeaderl)
	}
}

// elasticsearch reads /_cluster/health?local=true.
func (l *look) elasticsearch(r *cluster.Report) {
	e, src := &r.Elasticsearch, cluster.SourceElasticsearch
	all, exit, reason := l.fetched("elasticsearch")
	e.Answers = l.answers(all, exit, reason, src)
	e.Status, e.Nodes = unknown[string](l, reason, src), unknown[int](l, reason, src)
	if len(all) == 0 {
		return
	}
	a := all[0]
	m, ok := a.object()
	if !ok {
		why := "not JSON (" + strconv.Itoa(a.code) + "): " + remark(a.body, "empty")
		e.Status, e.Nodes = unknown[string](l, why, src), unknown[int](l, why, src)
		return
	}
	why := "the answer (" + strconv.Itoa(a.code) + ") does not tell it"
	e.Status, e.Nodes = unknown[string](l, why, src), unknown[int](l, why, src)
	if s, ok := m["status"].(string); ok && s != "" {
		e.Status = known(l, text([]byte(s)), src)
	}
	if n, ok := m["number_of_nodes"].(float64); ok && n >= 0 && n < 1e6 {
		e.Nodes = known(l, int(n), src)
	}
}

// elasticsearchMaster reads /_cat/master: the address of the elected master,
// compared with the node's own addresses.
func (l *look) elasticsearchMaster(r *cluster.Report) {
	src := cluster.SourceElasticsearch
	all, _, reason := l.fetched("elasticsearch-master")
	own := l.addresses()
	switch {
	case len(all) == 0:
		r.Elasticsearch.Master = unknown[bool](l, reason, src)
		return
	case all[0].code != 200:
		r.Elasticsearch.Master = unknown[bool](l, "answered "+strconv.Itoa(all[0].code), src)
		return
	case !own.Known:
		r.Elasticsearch.Master = unknown[bool](l, "the node's own addresses are unknown", src)
		return
	}
	master := false
	for _, w := range strings.Fields(string(all[0].body)) {
		for _, a := range own.Value {
			master = master || w == a
		}
	}
	r.Elasticsearch.Master = known(l, master, src)
}
