package model

import (
	"fmt"
	"path"
)

// KeepAsArchive lets cleanse keep the configuration as an archive instead of
// a folder. The guide names it only by its beginning, so both occur.
func (w *World) KeepAsArchive(on bool) { w.archived = on }

// ctlCleanse is `cleanse`: it deletes all data and logs of this node, and
// keeps the configuration under /root. Its texts are invented.
func ctlCleanse(p *Process, args []string) {
	f, ok := p.flags(args[1:], []string{"-y", "--yes", "--with-external", "yes"}, nil)
	if !ok {
		return
	}
	warning := "This will delete *all* configuration, log, and variable data associated with Chef Backend."
	p.then(pause(ctlTime), p.proceed(warning, f.has("-y", "--yes")))
	for _, name := range serviceNames {
		p.then(p.down(name))
	}
	var kept string
	p.then(act(func(p *Process) { kept = p.n.keepConfig() }), pause(p.n.deleteTime()), act(func(p *Process) {
		p.n.wipe()
		p.printf("Your config files have been backed up to %s.\n", kept)
	}))
}

// keepConfig moves the configuration to /root, and says where it is.
func (n *node) keepConfig() string {
	kept := n.freeName("/root/chef-backend-cleanse-", "2006-01-02T15:04", "")
	if !n.w.archived {
		n.move(etcDir, kept)
		return kept
	}
	kept = n.freeName("/root/chef-backend-cleanse-", "2006-01-02T15:04", ".tar.gz")
	n.pack(kept, packed{from: etcDir, as: path.Base(kept[:len(kept)-len(".tar.gz")])})
	n.removeAll(etcDir)
	return kept
}

// freeName is a name by the node's clock; a second one within the same minute
// gets the seconds too.
func (n *node) freeName(stem, layout, ending string) string {
	name := stem + n.clock().Format(layout) + ending
	if n.files.Exists(name) {
		name = stem + n.clock().Format(layout+":05") + ending
	}
	return name
}

// wipe is what cleanse leaves: the package, and no node of a cluster.
func (n *node) wipe() {
	for _, s := range n.services {
		s.vanish()
		s.retired, s.fault = true, nil
		n.removeAll(serviceDir + "/" + s.name)
	}
	n.etcd.stopped()
	n.leaderl.stopped()
	n.etcd = &member{n: n, ring: n.w.none}
	n.es.stopped()
	n.pg.crashed()
	n.pg = &postgres{n: n}
	n.removeAll(varDir)
	n.removeAll(logDir)
}

// NewMachine puts another machine with the same name and address in the place
// of a node: it has the package and nothing else. The old one is switched off
// for good, the new one is off until PowerOn.
func (w *World) NewMachine(name string) error {
	n := w.node(name)
	if n == nil {
		return fmt.Errorf("no such node: %s", name)
	}
	n.powerOff()
	n.wipe()
	for _, dir := range []string{etcDir, "/root", "/tmp", "/var/opt", "/opt/chef-backend/embedded/cookbooks"} {
		n.removeAll(dir)
	}
	for _, dir := range []string{"/root", "/tmp", "/var/opt"} {
		n.mkdir(dir)
	}
	n.guid, n.machine = hexString(w.rnd, 16), hexString(w.rnd, 16)
	n.offset, n.data, n.kernel, n.oomKills, n.adrift = 0, newDisk(n), nil, 0, false
	n.write("/etc/machine-id", n.machine+"\n")
	n.install(w.leading().version)
	n.mkdir(serviceDir)
	return w.err
}

// PowerOn switches a node on, if it has no power.
func (w *World) PowerOn(name string) {
	if n := w.node(name); n != nil {
		n.powerOn()
	}
}

// PowerOff takes the power from a node.
func (w *World) PowerOff(name string) {
	if n := w.node(name); n != nil {
		n.powerOff()
	}
}

// Configured says whether a node is part of a cluster, or was until it fell
// silent: it holds data of one.
func (w *World) Configured(name string) bool {
	n := w.node(name)
	return n != nil && n.etcd.ring != w.none
}

// Secrets is the file that a new node needs to join.
func (w *World) Secrets() string { return w.secrets() }
