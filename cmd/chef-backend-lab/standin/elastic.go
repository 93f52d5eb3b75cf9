//go:build linux

package standin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// elasticTimes: Elasticsearch takes a while before it listens, pings its
// peers, and complains about a missing master now and then.
const (
	elasticWarmUp   = 2 * time.Second
	elasticEvery    = time.Second
	elasticComplain = 30 * time.Second
	elasticQuorum   = 2 // discovery.zen.minimum_master_nodes of three nodes
	// A peer that says nothing at all is given up after three pings of 30 s each
	// (discovery.zen.fd.ping_retries and ping_timeout); one whose machine answers
	// that nobody listens is given up at once.
	elasticPatience = 90 * time.Second
)

// elastic is the stand-in for Elasticsearch: it knows which peers' stand-ins
// answer on 9300 and derives master and colour from that. It holds no index.
type elastic struct {
	*host
	mu     sync.Mutex
	peers  []string // addresses that answer, its own included, in order
	master string   // address, "" none
	alone  time.Time
	first  bool
	heard  map[string]heard // by address; of the goroutine that makes the rounds
}

// heard is what a peer said last, and when.
type heard struct {
	master string
	at     time.Time
}

// elasticClaim is what a stand-in tells another on the transport port. The
// product speaks a protocol of its own there.
type elasticClaim struct {
	Address string `json:"address"`
	Master  string `json:"master"`
}

func runElasticsearch(ctx context.Context, h *host) error {
	e := &elastic{host: h, first: true, alone: time.Now(), heard: map[string]heard{}}
	e.log("INFO", "o.e.n.Node", "initializing ...")
	if err := pause(ctx, elasticWarmUp); err != nil {
		return nil
	}
	transport, err := net.Listen("tcp", net.JoinHostPort(h.Address, "9300"))
	if err != nil {
		return err
	}
	front, err := net.Listen("tcp", "0.0.0.0:9200")
	if err != nil {
		return err
	}
	serveHTTP(ctx, transport, http.HandlerFunc(e.claim))
	e.round(ctx)
	serveHTTP(ctx, front, http.HandlerFunc(e.answer))
	e.log("INFO", "o.e.n.Node", "started")
	for pause(ctx, elasticEvery) == nil {
		e.round(ctx)
	}
	return nil
}

func (e *elastic) log(level, logger, format string, a ...any) {
	at := time.Now().UTC().Format("2006-01-02T15:04:05,000")
	fmt.Printf("[%s][%-5s][%-25s] [%.7s] %s\n", at, level, logger, e.GUID, fmt.Sprintf(format, a...))
}

// round asks the peers and settles who is master.
func (e *elastic) round(ctx context.Context) {
	now := time.Now()
	said := make([]heard, len(e.Peers))
	var all sync.WaitGroup
	for i, p := range e.Peers {
		all.Go(func() { said[i] = e.ask(ctx, p.Address, now) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return
	}
	claims := map[string]string{} // address: its master
	for i, p := range e.Peers {
		e.heard[p.Address] = said[i]
		if now.Sub(said[i].at) < elasticPatience {
			claims[p.Address] = said[i].master
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.peers
	e.peers, e.master = elect(e.Address, e.master, claims)
	e.tell(before)
}

// ask is what a peer says, what it last said if it is silent, or nothing.
func (e *elastic) ask(ctx context.Context, address string, now time.Time) heard {
	body, err := fetch(ctx, "http://"+net.JoinHostPort(address, "9300")+"/claim")
	var c elasticClaim
	switch {
	case err == nil && json.Unmarshal([]byte(body), &c) == nil:
		return heard{c.Master, now}
	case errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET):
		return heard{}
	}
	return e.heard[address]
}

// elect says who belongs to the cluster and who is its master. Two nodes must
// see each other; a master that is seen stays; else the one that the others
// already follow, else the last address.
func elect(own, master string, claims map[string]string) (peers []string, _ string) {
	peers = append(peers, own)
	for address := range claims {
		peers = append(peers, address)
	}
	sort.Strings(peers)
	if len(peers) < elasticQuorum {
		return peers, ""
	}
	for _, p := range peers {
		if p == master && (p == own || claims[p] == p) {
			return peers, master
		}
	}
	for _, p := range peers {
		if p != own && claims[p] == p {
			return peers, p
		}
	}
	return peers, peers[len(peers)-1]
}

// tell logs changes. Elasticsearch logs only improvements of its health, so
// yellow and red stay unsaid.
func (e *elastic) tell(before []string) {
	now := strings.Join(e.peers, ",")
	switch {
	case e.master == "" && time.Since(e.alone) >= elasticComplain:
		e.alone = time.Now()
		e.log("WARN", "o.e.d.z.ZenDiscovery", "not enough master nodes discovered during pinging (found [[Candidate{node={%.7s}, clusterStateVersion=-1}]], but needed [2]), pinging again", e.GUID)
	case e.first || now == strings.Join(before, ","):
	case len(e.peers) < len(before):
		e.log("INFO", "o.e.c.s.ClusterService", "removed {{a node}}, reason: zen-disco-node-failed, cluster is now %s", now)
	default:
		e.log("INFO", "o.e.c.s.ClusterService", "added {{a node}}, cluster is now %s", now)
		if e.master == e.Address && len(e.peers) == 1+len(e.Peers) {
			e.log("INFO", "o.e.c.r.a.AllocationService", "Cluster health status changed from [YELLOW] to [GREEN] (reason: [shards started [[chef][0]] ...]).")
		}
	}
	e.first = false
}

func (e *elastic) claim(w http.ResponseWriter, _ *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = json.NewEncoder(w).Encode(elasticClaim{e.Address, e.master})
}

// answer is HTTP on 9200.
func (e *elastic) answer(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	peers, master := len(e.peers), e.master
	e.mu.Unlock()
	switch {
	case strings.HasPrefix(r.URL.Path, "/_cluster/health"):
		if master == "" && r.URL.Query().Get("local") != "true" {
			_ = pause(r.Context(), 30*time.Second) // it waits for a master
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		fmt.Fprint(w, elasticHealth(peers, 1+len(e.Peers), master, told()))
	case strings.HasPrefix(r.URL.Path, "/_all/_settings"):
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		fmt.Fprint(w, elasticBlocks(told()))
	case strings.HasPrefix(r.URL.Path, "/_cat/master"):
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		if master == "" {
			master = "-"
		}
		fmt.Fprintf(w, "%s %s\n", master, master)
	case r.URL.Path == "/":
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		fmt.Fprintf(w, `{"name":"%.7s","cluster_name":"ChefBackend-422d20f3","version":{"number":"5.6.16"},"tagline":"You Know, for Search"}`, e.GUID)
	default:
		http.Error(w, `{"error":"no handler found for uri"}`, http.StatusNotFound)
	}
}

// toldFile is where the lab tells what the index is to look like: red, yellow
// or read-only. There is no index that could really be so.
const toldFile = varDir + "/elasticsearch/lab-says"

func told() string {
	raw, _ := os.ReadFile(toldFile) // without it all is as it looks
	return strings.TrimSpace(string(raw))
}

// elasticBlocks is the body of /_all/_settings/index.blocks.*, flat.
func elasticBlocks(told string) string {
	if told != "read-only" {
		return "{}"
	}
	return `{"chef":{"settings":{"index.blocks.read_only_allow_delete":"true"}}}`
}

// elasticHealth is the body of /_cluster/health for so many nodes of a whole.
func elasticHealth(peers, whole int, master, told string) string {
	color, active, missing := "green", 10, 0
	switch {
	case master == "" || told == "red":
		color, active, missing = "red", 0, 10
	case peers < whole || told == "yellow":
		color, active, missing = "yellow", 7, 3
	}
	return fmt.Sprintf(`{"cluster_name":"ChefBackend-422d20f3","status":"%s","timed_out":false,"number_of_nodes":%d,"number_of_data_nodes":%d,"active_primary_shards":%d,"active_shards":%d,"relocating_shards":0,"initializing_shards":0,"unassigned_shards":%d,"delayed_unassigned_shards":0,"number_of_pending_tasks":0,"number_of_in_flight_fetch":0,"task_max_waiting_in_queue_millis":0,"active_shards_percent_as_number":%.1f}`,
		color, peers, peers, min(5, active), active, missing, float64(active)*10)
}

// elasticSays reads such a body.
func elasticSays(body string) (color string, nodes int) {
	var h struct {
		Status string `json:"status"`
		Nodes  int    `json:"number_of_nodes"`
	}
	if json.Unmarshal([]byte(body), &h) != nil {
		return "unknown", 0
	}
	return h.Status, h.Nodes
}
