//go:build linux

package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// Where things lie on a host, as on a node of the product.
const (
	etcDir       = "/etc/chef-backend"
	optDir       = "/opt/chef-backend"
	varDir       = "/var/opt/chef-backend"
	logDir       = "/var/log/chef-backend"
	serviceDir   = optDir + "/service"
	leaderlData  = varDir + "/leaderl/data"
	noStartFile  = leaderlData + "/no-start-pgsql"
	unsyncedFile = leaderlData + "/unsynced"
	licenseFile  = varDir + "/.license.accepted"
	etcdArgsFile = varDir + "/etcd/args"
	configFile   = etcDir + "/chef-backend.rb"
	secretsFile  = etcDir + "/chef-backend-secrets.json"
	callsFile    = logDir + "/ctl-calls.log"

	// memberFile says that this node has had a place in a cluster; wordFile,
	// gone after a boot, is leaderl's word that PostgreSQL may start. Both
	// are inventions of the stand-ins.
	memberFile = leaderlData + "/member"
	wordFile   = "/run/chef-backend/postgresql-may-start"

	// stickFile is a fault of the lab: the next start of leaderl finds no place
	// in the election, as in chef-server issue 1473.
	stickFile = "/run/lab-leaderl-sticks"
)

// peer is another host of the lab.
type peer struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	GUID    string `json:"guid"`
}

// labFile is lab.json: what the lab tells a host about itself.
type labFile struct {
	peer
	Peers         []peer `json:"peers"`
	PostgresqlBin string `json:"postgresql_bin"`
	DataDir       string `json:"data_dir"`
	PgPort        int    `json:"pg_port"`
	Etcd          string `json:"etcd"`
	ReplUser      string `json:"repl_user"`
	ReplPassword  string `json:"repl_password"`
}

// host is the lab host that a stand-in runs on.
type host struct {
	labFile
	store *store
	db    *database
	tune  tunables
}

func newHost() (*host, error) {
	raw, err := os.ReadFile(optDir + "/lab.json")
	if err != nil {
		return nil, fmt.Errorf("this is no lab host: %w", err)
	}
	h := &host{}
	if err := json.Unmarshal(raw, &h.labFile); err != nil {
		return nil, fmt.Errorf("lab.json: %w", err)
	}
	if h.Name == "" || h.Address == "" || h.GUID == "" || h.DataDir == "" || h.PostgresqlBin == "" {
		return nil, errors.New("lab.json: name, address, guid, data_dir and postgresql_bin must be there")
	}
	if h.PgPort == 0 {
		h.PgPort = 5432
	}
	if h.Etcd == "" {
		h.Etcd = "http://127.0.0.1:2379"
	}
	rb, _ := os.ReadFile(configFile) // without it the defaults count
	h.tune = readTunables(rb)
	h.store = newStore(h.Etcd)
	h.db = newDatabase(&h.labFile)
	return h, nil
}

// all are this host and its peers.
func (h *host) all() []peer { return append([]peer{h.peer}, h.Peers...) }

// tunables are leaderl's settings that the documents name, with their
// documented defaults.
type tunables struct {
	ttl            time.Duration
	healthInterval time.Duration
	maxFailures    map[string]int
	maxBehind      int64
	required       int // required_active_followers
}

// readTunables takes the settings from chef-backend.rb, where each stands as
// `leaderl.KEY VALUE`, with or without an equals sign.
func readTunables(rb []byte) tunables {
	number := func(key string, standard int) int {
		m := regexp.MustCompile(`(?m)^\s*leaderl\.` + regexp.QuoteMeta(key) + `\s*=?\s*(\d+)\s*$`).FindSubmatch(rb)
		if m == nil {
			return standard
		}
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			return standard
		}
		return n
	}
	return tunables{
		ttl:            time.Duration(number("leader_ttl_seconds", 30)) * time.Second,
		healthInterval: time.Duration(number("health_check.interval_seconds", 5)) * time.Second,
		maxFailures: map[string]int{
			"postgresql":    number("health_check.max_pgsql_failures", 5),
			"elasticsearch": number("health_check.max_elasticsearch_failures", 5),
			"etcd":          number("health_check.max_etcd_failures", 5),
		},
		maxBehind: int64(number("health_check.max_bytes_behind_leader", 52428800)),
		required:  number("required_active_followers", 0),
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// touch makes a sentinel. Its folder is made too: it may be gone with the
// data of a cleansed node.
func touch(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o644)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
