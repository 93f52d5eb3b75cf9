package model

import (
	jsontext "encoding/json"
	"fmt"
	"path"
	"strings"
	"time"
)

// Times of a join. A first copy of this database takes seconds.
const (
	joinMemberTime = 60 * time.Second
	joinOnlineTime = 5 * time.Minute
	etcdUpTime     = 60 * time.Second
	stopWait       = 20 * time.Second
)

const (
	etcDir      = "/etc/chef-backend"
	configFile  = etcDir + "/chef-backend.rb"
	secretsFile = etcDir + "/chef-backend-secrets.json"
	runningFile = etcDir + "/chef-backend-running.json"
	etcdData    = varDir + "/etcd/data"
	joinLog     = "/tmp/chef-backend-join-cluster.log"
)

// ctlRemoveNode is `remove-node NAME`: it takes a stopped node out of the
// cluster. Its texts are invented.
func ctlRemoveNode(p *Process, args []string) {
	f, ok := p.flags(args[1:], []string{"-y", "--yes"}, nil)
	if !ok {
		return
	}
	if len(f.words) != 1 {
		p.failed("remove-node needs the name of a node")
		return
	}
	var target *node
	p.then(pause(ctlTime), act(func(p *Process) {
		var why string
		if target, why = p.mayRemove(f.words[0]); why != "" {
			p.failed(why)
		}
	}), func(p *Process) bool {
		return p.proceed("This will remove "+target.name+" from the cluster.", f.has("-y", "--yes"))(p)
	}, act(func(p *Process) {
		if why := p.n.noState(); why != "" {
			p.failed(why)
			return
		}
		ring := p.n.etcd.ring
		if m := ring.of(target); m != nil {
			ring.drop(m)
		}
		ring.store.forget(target)
		p.printf("Removed %s from the cluster.\n", target.name)
	}))
}

// mayRemove says why a removal is refused, or "".
func (p *Process) mayRemove(name string) (*node, string) {
	if why := p.n.noState(); why != "" {
		return nil, why
	}
	s := p.n.store()
	target := s.find(name)
	switch {
	case target == nil:
		return nil, "no such node: " + name
	case target == p.n:
		return nil, "a node cannot remove itself; run this on another node"
	case s.leader == target:
		return nil, target.name + " is the leader"
	}
	for _, port := range []int{portEtcdPeer, portPostgres, portLeaderl} {
		if p.w.Connect(p.n.name, target.address, port) == Open {
			return nil, fmt.Sprintf("%s still runs (port %d is open); stop it first", target.name, port)
		}
	}
	return target, ""
}

// join is one run of join-cluster.
type join struct {
	flags
	from    string // address of a member
	secrets string // path of the shared secrets
	ring    *ring
}

// ctlJoinCluster is `join-cluster PEER_IP`. The texts of success and failure
// have been seen; those of the refusals are invented.
func ctlJoinCluster(p *Process, args []string) {
	f, ok := p.flags(args[1:], []string{"--recovery", "-y", "--yes", "--accept-license", "--quiet", "-q"},
		[]string{"-s", "--secrets-file-path", "-p", "--publish-address", "--publish_address", "-i", "--vip-interface"})
	if !ok {
		return
	}
	if len(f.words) != 1 {
		p.failed("join-cluster needs the address of a member of the cluster")
		return
	}
	j := &join{flags: f, from: f.words[0]}
	p.then(pause(ctlTime), p.license(f.has("--accept-license")), act(func(p *Process) {
		if why := j.refused(p); why != "" {
			p.failed(why)
		}
	}), func(p *Process) bool { return j.reach(p) },
		p.proceed("This joins "+p.n.name+" to the cluster of "+j.from+" and replaces what data it has.", f.has("-y", "--yes")),
		say("Joining node to cluster..."),
		j.stage("write the configuration", j.configure), j.stage("add a member to etcd", j.member),
		j.stage("start etcd", j.startEtcd), j.stage("start the services", j.startServices),
		say("Waiting for the node to come online..."), j.stage("wait for the node", j.online),
		say("done\nThis node has been joined to the cluster."))
}

// refused says why a join is refused by what lies here, or "".
func (j *join) refused(p *Process) string {
	n := p.n
	rb, _ := n.files.Read(configFile)
	publish, iface := j.value("-p", "--publish-address", "--publish_address"), j.value("-i", "--vip-interface")
	recovery := j.has("--recovery")
	switch {
	case (publish != "" || iface != "") && strings.TrimSpace(string(rb)) != "":
		return "options cannot be given with a non-empty " + configFile
	case recovery && len(rb) == 0:
		return "--recovery needs the configuration of the node in " + etcDir
	case (n.files.Exists(runningFile) || n.files.Exists(etcdData)) && !recovery:
		return "this node is configured already; use --recovery"
	case publish != "" && publish != n.address:
		return "no interface has the address " + publish
	case n.files.Exists(etcdData):
		return "this node has data of a cluster; cleanse it first"
	case iface != "" && iface != "eth0" && iface != "lo":
		return "no interface " + iface
	}
	return j.badSecrets(n)
}

// badSecrets checks the secrets file: an absolute path, and JSON.
func (j *join) badSecrets(n *node) string {
	j.secrets = j.value("-s", "--secrets-file-path")
	switch {
	case j.secrets == "" && n.files.Exists(secretsFile):
		j.secrets = secretsFile
	case j.secrets == "":
		return "no secrets file; give its path with --secrets-file-path"
	case !path.IsAbs(j.secrets):
		return "the path of the secrets file must be absolute"
	}
	raw, err := n.files.Read(j.secrets)
	switch {
	case err != nil:
		return "open " + j.secrets + ": no such file or directory"
	case !jsontext.Valid(raw):
		return j.secrets + " is not JSON"
	}
	return ""
}

// reach asks the cluster at the given address for its state.
func (j *join) reach(p *Process) bool {
	peer, none := p.w.byAddress(j.from), "no cluster answers at "+j.from+": "
	switch answer := p.w.Connect(p.n.name, j.from, portEtcd); {
	case peer == nil || answer == Timeout:
		if !p.waited(3 * time.Second) {
			return false
		}
		p.failed(none + "connection timed out")
	case answer == Refused:
		p.failed(none + "connection refused")
	case peer.noState() != "":
		p.failed(none + peer.noState())
	case peer.store().find(p.n.guid) != nil || peer.store().find(p.n.address) != nil:
		p.failed("the address " + p.n.address + " is registered in the cluster already; remove the node first")
	default:
		j.ring = peer.etcd.ring
	}
	return true
}

// stage is a part of the join whose failure is told as the product does.
func (j *join) stage(name string, do func(p *Process) (done bool, failure string)) stage {
	return func(p *Process) bool {
		done, failure := do(p)
		if failure != "" {
			j.report(p, name+": "+failure)
		}
		return done || failure != ""
	}
}

// report prints a failure as the product's has been seen, and puts the reason
// where it points to.
func (j *join) report(p *Process, why string) {
	p.n.write(joinLog, why+"\n")
	said := `
      An error occurred in configuring the node

      See '` + joinLog + `' for additional information.
      The stack trace can be found in "/opt/chef-backend/embedded/cookbooks/cache/chef-stacktrace.out"
`
	p.printf("FAILED\n%s\nAn error occurred during this operation:\n%s", said, said)
	p.end(1)
}

func (j *join) configure(p *Process) (bool, string) {
	n := p.n
	raw, err := n.files.Read(j.secrets)
	if err != nil {
		return false, "open " + j.secrets + ": no such file or directory"
	}
	n.private(secretsFile, string(raw))
	if !n.files.Exists(configFile) {
		n.private(configFile, n.configText())
	}
	for _, dir := range []string{leaderlData, varDir + "/etcd", varDir + "/elasticsearch/data", varDir + "/postgresql/9.5"} {
		n.mkdir(dir)
	}
	return true, ""
}

// member adds this node to etcd's list. That alone costs the old members a
// majority until the new one has started, where they were one or two.
func (j *join) member(p *Process) (bool, string) {
	switch {
	case j.ring.works():
	case p.waited(joinMemberTime):
		return false, "etcd did not take the member: etcdserver: request timed out"
	default:
		return false, ""
	}
	m := j.ring.of(p.n)
	if m == nil {
		m = &member{n: p.n, id: hexString(p.w.rnd, 8), term: 0}
		j.ring.add(m)
	}
	m.index = 0
	p.n.etcd = m
	p.n.mkdir(etcdData)
	return true, ""
}

func (j *join) startEtcd(p *Process) (bool, string) {
	p.n.enlist("etcd")
	switch {
	case p.n.etcd.healthy():
		return true, ""
	case p.waited(etcdUpTime):
		return false, "etcd is not healthy after 1m0s"
	}
	return false, ""
}

// startServices starts the rest. PostgreSQL has no data yet: leaderl starts
// it after the first sync.
func (j *join) startServices(p *Process) (bool, string) {
	n := p.n
	n.leaderl.failover = true
	n.store().register(n)
	n.writeConfig()
	n.certify(n.w.now, n.w.now.Add(3650*24*time.Hour))
	for _, name := range serviceNames {
		n.enlist(name)
	}
	return true, ""
}

func (j *join) online(p *Process) (bool, string) {
	post, live := p.n.store().post(p.n)
	switch {
	case live && post.role == following && p.n.etcd.healthy():
		return true, ""
	case p.waited(joinOnlineTime):
		return false, "the node did not come online after 5m0s"
	}
	return false, ""
}

// enlist has runsvdir watch a service again. It comes up by itself, but
// PostgreSQL, which waits for leaderl's word.
func (n *node) enlist(name string) {
	s := n.service(name)
	if !s.retired {
		return
	}
	s.retired, s.fault, s.since = false, nil, n.w.now
	s.logPID, s.logSince = n.nextPID(), n.w.now
	n.mkdir(serviceDir + "/" + name)
	if name != "postgresql" {
		s.start()
	}
}
