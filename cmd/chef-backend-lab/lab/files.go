//go:build linux

package lab

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Where the product keeps its things on a host.
const (
	optDir     = "/opt/chef-backend"
	embedded   = optDir + "/embedded/bin"
	serviceDir = optDir + "/service"
	varDir     = "/var/opt/chef-backend"
	logDir     = "/var/log/chef-backend"

	postgresVersion = "15"
	postgresBin     = "/usr/lib/postgresql/" + postgresVersion + "/bin"
	postgresDir     = varDir + "/postgresql/" + postgresVersion
	dataDir         = postgresDir + "/data"
)

// The product's users, on the hosts only.
const (
	uidBackend  = 64330 // chef-backend: etcd, Elasticsearch
	uidPostgres = 64331 // chef_pgsql: PostgreSQL, leaderl
)

// Files of the operator.
const (
	identityFile   = Dir + "/id_ed25519"
	knownHostsFile = Dir + "/known_hosts"
	cockpitConfig  = Dir + "/cockpit.yaml"
)

// settings is /opt/chef-backend/lab.json: what the stand-ins must know.
type settings struct {
	Name       string `json:"name"`
	Address    string `json:"address"`
	GUID       string `json:"guid"`
	Peers      []peer `json:"peers"`
	Postgres   string `json:"postgresql_bin"`
	Data       string `json:"data_dir"`
	PGPort     int    `json:"pg_port"`
	PGUser     string `json:"pg_user"`
	ReplUser   string `json:"repl_user"`
	ReplSecret string `json:"repl_password"`
	Etcd       string `json:"etcd"`
}

type peer struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	GUID    string `json:"guid"`
}

// makeKeys makes the operator's key, and the cockpit's configuration for the lab.
func (l *Lab) makeKeys() error {
	public, private, err := newKey("operator")
	if err != nil {
		return err
	}
	var config strings.Builder
	config.WriteString("# The lab's three hosts; the lab wrote this, and down removes it.\nclusters:\n  lab:\n    stamp: LAB\n    colour: cyan\n    user: root\n")
	fmt.Fprintf(&config, "    identity: [%s]\n    known-hosts: [%s]\n    nodes:\n", identityFile, knownHostsFile)
	for _, h := range l.state.Hosts {
		fmt.Fprintf(&config, "      - {name: %s, host: %s, address: %s}\n", h.Name, h.Address, h.Address)
	}
	return writeAll(map[string]string{
		identityFile:          string(private),
		identityFile + ".pub": string(ssh.MarshalAuthorizedKey(public)),
		knownHostsFile:        "",
		cockpitConfig:         config.String(),
	})
}

// newKey makes an SSH key; the private one in OpenSSH's format.
func newKey(comment string) (ssh.PublicKey, []byte, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return nil, nil, err
	}
	key, err := ssh.NewPublicKey(public)
	return key, pem.EncodeToMemory(block), err
}

// makeFiles writes what makes a host that host.
func (l *Lab) makeFiles(h *Host) error {
	machine, err := randomHex()
	if err != nil {
		return err
	}
	public, private, err := newKey(h.Name)
	if err != nil {
		return err
	}
	operator, err := os.ReadFile(identityFile + ".pub")
	if err != nil {
		return err
	}
	known, err := os.OpenFile(knownHostsFile, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer known.Close()
	if _, err := fmt.Fprintln(known, knownhosts.Line([]string{h.Address}, public)); err != nil {
		return err
	}
	settings, err := json.MarshalIndent(l.settings(h), "", "  ")
	if err != nil {
		return err
	}
	files := map[string]string{
		h.dir("disk/home/.ssh/authorized_keys"):               string(operator),
		h.file("/etc/ssh/lab_host_key"):                       string(private),
		h.file("/etc/ssh/lab_sshd_config"):                    sshdConfig,
		h.file("/etc/machine-id"):                             machine + "\n",
		h.file("/etc/hostname"):                               h.Name + "\n",
		h.file("/etc/hosts"):                                  l.hostsFile(),
		h.file(optDir + "/lab.json"):                          string(settings) + "\n", // outside what cleanse moves away and an operator may close to others
		h.file("/etc/chef-backend/chef-backend.rb"):           fmt.Sprintf("publish_address '%s'\n", h.Address),
		h.file("/etc/chef-backend/chef-backend-secrets.json"): "{}\n",
		h.file("/etc/chef-backend/chef-backend-running.json"): runningConfig,
		h.file(optDir + "/version-manifest.txt"):              versionManifest,
		h.file(varDir + "/.license.accepted"):                 "",
		h.file(embedded + "/lab-standin"):                     "", // the program is mounted over it
		h.file(optDir + "/bin/chef-backend-ctl"):              "#!/bin/sh\nexec " + embedded + "/lab-standin ctl \"$@\"\n",
	}
	if err := writeAll(files); err != nil {
		return err
	}
	if err := h.makeUsers(); err != nil {
		return err
	}
	if err := h.makeLinks(); err != nil {
		return err
	}
	return l.makeServices(h)
}

// runningConfig is the configuration in force as the product leaves it in
// JSON: the documented defaults of what the cockpit reads of it.
const runningConfig = `{"chef_backend":{"leaderl":{"leader_ttl_seconds":30,"required_active_followers":0,"health_check":{"max_bytes_behind_leader":52428800,"max_pgsql_failures":5,"disk_min_space_mb":250}},"etcd":{"heartbeat_interval":500,"election_timeout":5000},"postgresql":{"wal_keep_segments":3}}}
`

const versionManifest = `chef-backend 2.3.16

A lab: its PostgreSQL and etcd are Debian's, leaderl, chef-backend-ctl and Elasticsearch are stand-ins.
`

// sshdConfig is that of a plain server which takes root by key.
const sshdConfig = `ListenAddress 0.0.0.0
HostKey /etc/ssh/lab_host_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
PidFile none
MaxStartups 50:30:100
Subsystem sftp internal-sftp
`

func (l *Lab) hostsFile() string {
	text := "127.0.0.1 localhost\n"
	for _, h := range l.state.Hosts {
		text += h.Address + " " + h.Name + "\n"
	}
	return text
}

func (l *Lab) settings(h *Host) settings {
	s := settings{
		Name: h.Name, Address: h.Address, GUID: h.GUID, Postgres: embedded, Data: dataDir, PGPort: 5432,
		PGUser: "chef_pgsql", ReplUser: "replicator", ReplSecret: l.state.Password,
		Etcd: "http://127.0.0.1:2379",
	}
	for _, o := range l.state.Hosts {
		if o.Name != h.Name {
			s.Peers = append(s.Peers, peer{o.Name, o.Address, o.GUID})
		}
	}
	return s
}

// makeUsers adds the product's users to what this machine has. Root has no
// password, which is not the same as a locked one: sshd lets a key in.
func (h *Host) makeUsers() error {
	added := map[string]string{
		"/etc/passwd": "chef-backend:x:%[1]d:%[1]d::/opt/chef-backend/embedded:/bin/sh\nchef_pgsql:x:%[2]d:%[2]d::/var/opt/chef-backend/postgresql:/bin/sh\n",
		"/etc/group":  "chef-backend:x:%[1]d:\nchef_pgsql:x:%[2]d:\n",
		"/etc/shadow": "root:*:19000:0:99999:7:::\nchef-backend:!:%[1]d::::::\nchef_pgsql:!:%[2]d::::::\n",
	}
	for path, format := range added {
		own, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if path == "/etc/shadow" {
			lines := bytes.SplitAfter(own, []byte("\n"))
			own = nil
			for _, line := range lines {
				if !bytes.HasPrefix(line, []byte("root:")) {
					own = append(own, line...)
				}
			}
		}
		text := string(own) + fmt.Sprintf(format, uidBackend, uidPostgres)
		if err := writeFile(h.file(path), text); err != nil {
			return err
		}
	}
	secrets := h.file("/etc/chef-backend/chef-backend-secrets.json")
	return errors.Join(os.Chown(secrets, 0, uidPostgres), os.Chmod(secrets, 0o640))
}

// makeLinks puts the programs where the product has them.
func (h *Host) makeLinks() error {
	links := map[string]string{
		"/usr/bin/chef-backend-ctl":        optDir + "/bin/chef-backend-ctl",
		"/usr/local/sbin/chef-backend-lab": embedded + "/lab-standin",
	}
	for _, name := range []string{"psql", "pg_isready", "pg_controldata", "pg_waldump", "pg_basebackup", "pg_ctl", "pg_rewind", "postgres", "initdb"} {
		links[embedded+"/"+name] = postgresBin + "/" + name
	}
	for _, name := range []string{"sv", "chpst", "svlogd", "runsv", "runsvdir", "etcd", "etcdctl", "curl"} {
		links[embedded+"/"+name] = "/usr/bin/" + name
	}
	for at, to := range links {
		at = h.file(at)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(to, at); err != nil {
			return err
		}
	}
	return nil
}

// writeAll writes files by path.
func writeAll(files map[string]string) error {
	for path, text := range files {
		if err := writeFile(path, text); err != nil {
			return err
		}
	}
	return nil
}

// private are files that only root may read: sshd and ssh insist on it.
var private = []string{"id_ed25519", "lab_host_key", "authorized_keys", "shadow", "chef-backend-secrets.json"}

// writeFile writes a file and the folders above it; a script can be run.
func writeFile(path, text string) error {
	folder, mode := os.FileMode(0o755), os.FileMode(0o644)
	if strings.HasPrefix(text, "#!") {
		mode = 0o755
	}
	if slices.Contains(private, filepath.Base(path)) {
		mode = 0o600
	}
	if filepath.Base(filepath.Dir(path)) == ".ssh" {
		folder = 0o700
	}
	if err := os.MkdirAll(filepath.Dir(path), folder); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), mode)
}
