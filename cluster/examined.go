package cluster

// Examination is what is known before anything is watched or done: how far we
// get to each node, one look at each, and what else each offers.
type Examination struct {
	View  *View
	Nodes []Examined // in the view's order
}

// Examined is one node of an examination.
type Examined struct {
	Node        Node
	User        string  // login name
	Fingerprint string  // SHA256:… of the host key that it showed; "" before that
	Refusal     Refusal // zero: we got in
	Means       Means
}

// Refusal is why we do not get in. Kind is one of the remote package's kinds;
// the texts are safe.
type Refusal struct{ Kind, Text, Remedy string }

// Means are what a node offers beside what a look tells. What was not told is
// unknown with the reason.
type Means struct {
	Shell    Claim[string]    // what /bin/sh is
	Tools    Claim[Toolbox]   //
	Folders  Claim[Folders]   //
	Own      Claim[OwnFolder] //
	LockList Claim[bool]      // /proc/locks can be read: who holds the operators' lock shows
	SSHD     Claim[SSHD]      //
	Sessions Claim[int]       // how many of SessionsToAct sessions opened at once
}

// Toolbox is which commands the scripts find on a node.
type Toolbox struct {
	At    map[string]string // by name: the path, or the name alone for a builtin; "" not there
	Tried map[string]int    // by name: exit status of a harmless trial, where one was made
}

// Folders are the places that are watched.
type Folders struct {
	Missing, Closed []string // of WatchedFolders; closed: root may not look into it
	NoLog           []string // services whose log cannot be read
}

// OwnFolder is the cockpit's own folder on a node, or where it would be made.
type OwnFolder struct {
	Mode     string // as ls(1) writes it; "" the folder is not there
	Nearest  string // itself, or the nearest path above it that is there
	NoFolder string // a path of it that is no folder; "" none
	Refused  string // a path of it that root may not write to; "" none
	ReadOnly bool   // its file system is mounted read-only
	Free     int64  // bytes
	Inodes   int64  // files that can still be made; -1 where it is not told
}

// SSHD are limits of the node's SSH server for this login, by `sshd -T`.
type SSHD struct {
	MaxSessions int    // 0: not told
	MaxStartups string // start:rate:full; "" not told
	NoTerminal  bool   // PermitTTY no
}

// Sessions that one cockpit has open on a node at once: both looks and the logs
// to watch; the operators' lock and a step to act.
const (
	SessionsToWatch = 3
	SessionsToAct   = 5
)

// OwnBase is the cockpit's own folder on a node.
const OwnBase = "/var/opt/chef-backend-cockpit"

// ProductLogs holds a folder for each service's log (vendor documentation).
const ProductLogs = "/var/log/chef-backend"

// WatchedFolders have to be there to watch a node.
var WatchedFolders = []string{"/opt/chef-backend", "/opt/chef-backend/service", ProductData, ProductLogs}
