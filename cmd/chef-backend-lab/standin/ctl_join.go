//go:build linux

package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Times of a join; a first copy of a lab's database takes seconds.
const (
	joinMemberTime = 60 * time.Second
	joinOnlineTime = 5 * time.Minute
)

// join is one run of join-cluster.
type join struct {
	*ctl
	from     string // address of a member
	recovery bool
	secrets  string // path of the shared secrets, "" none
	publish  string // address that was asked for, "" the host's own
	iface    string // interface whose address was asked for
	store    *store // of that member
	step     string // for the log
}

// joinCluster is `join-cluster PEER_IP`.
func (c *ctl) joinCluster() error {
	o, err := parseOptions(c.args, []string{"--recovery", "-y", "--yes", "--accept-license", "--quiet", "-q"},
		[]string{"-s", "--secrets-file-path", "-p", "--publish-address", "--publish_address", "-i", "--vip-interface"})
	if err != nil {
		return err
	}
	if len(o.words) != 1 {
		return errors.New("join-cluster needs the address of a member of the cluster")
	}
	if err := c.license(o.has("--accept-license")); err != nil {
		return err
	}
	for _, begin := range []func() error{unpark, func() error { return touch(licenseFile) }} {
		if err := begin(); err != nil {
			return err
		}
	}
	j := &join{ctl: c, from: o.words[0], recovery: o.has("--recovery"), secrets: o.value("-s", "--secrets-file-path"),
		publish: o.value("-p", "--publish-address", "--publish_address"), iface: o.value("-i", "--vip-interface")}
	if err := j.mayJoin(); err != nil {
		return err
	}
	if err := c.proceed("This joins "+c.Name+" to the cluster of "+j.from+" and replaces what data it has.", o.has("-y", "--yes")); err != nil {
		return err
	}
	c.printf("Joining node to cluster...\n")
	if err := j.run(); err != nil {
		j.report(err)
		return exitWith(exitFailed)
	}
	c.printf("done\nThis node has been joined to the cluster.\n")
	return nil
}

// mayJoin refuses what the documents list as refused.
func (j *join) mayJoin() error {
	rb, _ := os.ReadFile(configFile)
	given := j.publish != "" || j.iface != ""
	configured := exists(etcDir+"/chef-backend-running.json") || exists(varDir+"/etcd/data")
	switch {
	case given && strings.TrimSpace(string(rb)) != "":
		return errors.New("options cannot be given with a non-empty " + configFile)
	case j.recovery && len(rb) == 0:
		return errors.New("--recovery needs the configuration of the node in " + etcDir)
	case configured && !j.recovery:
		return errors.New("this node is configured already; use --recovery")
	case j.publish != "" && j.publish != j.Address:
		return errors.New("no interface has the address " + j.publish)
	case exists(varDir + "/etcd/data"):
		return errors.New("this node has data of a cluster; cleanse it first")
	}
	if j.iface != "" {
		if _, err := net.InterfaceByName(j.iface); err != nil {
			return errors.New("no interface " + j.iface)
		}
	}
	if err := j.readSecrets(); err != nil {
		return err
	}
	s, state, err := peerState(j.ctl, j.from)
	if err != nil {
		return err
	}
	if _, taken := state.Nodes[j.GUID]; taken {
		return fmt.Errorf("the address %s is registered in the cluster already; remove the node first", j.Address)
	}
	j.store = s
	return nil
}

// readSecrets checks the secrets file: an absolute path, and JSON.
func (j *join) readSecrets() error {
	path := j.secrets
	switch {
	case path == "" && exists(secretsFile):
		path = secretsFile
	case path == "":
		return errors.New("no secrets file; give its path with --secrets-file-path")
	case !filepath.IsAbs(path):
		return errors.New("the path of the secrets file must be absolute")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !json.Valid(raw) {
		return errors.New(path + " is not JSON")
	}
	j.secrets = path
	return nil
}

// run carries the join out.
func (j *join) run() error {
	for _, s := range []struct {
		name string
		do   func() error
	}{
		{"write the configuration", j.configure},
		{"make the folders", makeFolders},
		{"add a member to etcd", j.member},
		{"start etcd", j.startEtcd},
		{"start the services", j.startServices},
		{"wait for the node", j.online},
	} {
		j.step = s.name
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (j *join) configure() error {
	if err := os.MkdirAll(etcDir, 0o755); err != nil {
		return err
	}
	raw, err := os.ReadFile(j.secrets)
	if err != nil {
		return err
	}
	if err := os.WriteFile(secretsFile, raw, 0o640); err != nil {
		return err
	}
	if err := own(secretsFile, "root", "chef_pgsql"); err != nil {
		return err
	}
	if exists(configFile) {
		return nil
	}
	return os.WriteFile(configFile, []byte("publish_address '"+j.Address+"'\n"), 0o640)
}

// makeFolders makes the folders of the services, each for its own user.
func makeFolders() error {
	owners := map[string]string{
		"etcd": "chef-backend", "elasticsearch": "chef-backend", "elasticsearch/data": "chef-backend",
		"postgresql": "chef_pgsql", "leaderl": "chef_pgsql", "leaderl/data": "chef_pgsql",
	}
	for dir, name := range owners {
		path := filepath.Join(varDir, dir)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := own(path, name, name); err != nil {
			return err
		}
	}
	return nil
}

// own gives a file to a user and a group; those that the host does not have
// leave it as it is.
func own(path, name, group string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return nil
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(g.Gid)
	return os.Chown(path, uid, gid)
}

// member adds this node to etcd's list. etcd refuses it as long as the member
// that was added before has not been connected for a while.
func (j *join) member() error {
	url := "http://" + j.Address + ":2380"
	var last error
	for end := time.Now().Add(joinMemberTime); time.Now().Before(end); {
		all, err := j.store.members(j.ctx)
		for _, m := range all {
			if contains(m.PeerURLs, url) {
				return j.initialCluster(all)
			}
		}
		if err == nil {
			err = j.store.addMember(j.ctx, url)
		}
		last = err
		if err := pause(j.ctx, time.Second); err != nil {
			return err
		}
	}
	return fmt.Errorf("etcd did not take the member: %w", last)
}

// initialCluster tells the new member who the others are.
func (j *join) initialCluster(all []member) error {
	return os.WriteFile(etcdArgsFile, []byte("--initial-cluster-state existing --initial-cluster "+initialCluster(all, j.peer)+"\n"), 0o644)
}

// initialCluster is etcd's --initial-cluster: a member without a name is the
// one that has not started yet.
func initialCluster(all []member, own peer) string {
	var words []string
	for _, m := range all {
		name := m.Name
		if name == "" {
			name = own.GUID
		}
		for _, u := range m.PeerURLs {
			words = append(words, name+"="+u)
		}
	}
	return strings.Join(words, ",")
}

func (j *join) startEtcd() error {
	if err := enlist("etcd"); err != nil {
		return err
	}
	return j.watch(joinMemberTime, "etcd is not healthy", func() bool { return j.host.store.healthy(j.ctx) })
}

// startServices starts the rest. PostgreSQL has no data yet: leaderl starts
// it after the first sync, and its word is taken back so long.
func (j *join) startServices() error {
	if err := j.host.store.register(j.ctx, j.peer); err != nil {
		return err
	}
	if err := touch(memberFile); err != nil {
		return err
	}
	if err := os.WriteFile(etcDir+"/chef-backend-running.json", []byte("{}\n"), 0o640); err != nil {
		return err
	}
	for _, name := range []string{"postgresql", "epmd", "elasticsearch"} {
		if err := enlist(name); err != nil {
			return err
		}
	}
	// leaderl will give orders to runsv at once.
	known := func(s svState) bool { return s.known }
	if err := settle(j.ctx, "postgresql", 20*time.Second, known); err != nil {
		return err
	}
	return enlist("leaderl")
}

func (j *join) online() error {
	j.printf("Waiting for the node to come online...\n")
	return j.watch(joinOnlineTime, "the node did not come online", func() bool {
		state, err := j.host.store.read(j.ctx)
		return err == nil && state.Posts[j.GUID].Role == following
	})
}

// watch polls for a state at most so long.
func (c *ctl) watch(patience time.Duration, otherwise string, ok func() bool) error {
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			return fmt.Errorf("%s after %v", otherwise, patience)
		}
		if err := pause(c.ctx, watchEvery); err != nil {
			return err
		}
	}
	return nil
}

const joinLog = "/tmp/chef-backend-join-cluster.log"

// report prints a failure as the product's has been seen, and puts the reason
// where it points to.
func (j *join) report(why error) {
	_ = os.WriteFile(joinLog, []byte(why.Error()+"\n"), 0o644)
	said := `
      An error occurred in configuring the node

      See '` + joinLog + `' for additional information.
      The stack trace can be found in "/opt/chef-backend/embedded/cookbooks/cache/chef-stacktrace.out"
`
	j.printf("FAILED\n%s\nAn error occurred during this operation:\n%s", said, said)
}
