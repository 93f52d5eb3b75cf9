package cluster

import "time"

// Services are the five services of a node in the order of the product's own
// code (vendor's dispatcher: leaderl, epmd, etcd, postgresql, elasticsearch).
var Services = []string{"leaderl", "epmd", "etcd", "postgresql", "elasticsearch"}

// Paths on a node that the product fixes (vendor documentation).
const (
	SentinelNoStart  = "/var/opt/chef-backend/leaderl/data/no-start-pgsql"
	SentinelUnsynced = "/var/opt/chef-backend/leaderl/data/unsynced"
)

// Reach is how far the cockpit itself gets to a node.
type Reach string

// The ways in which reaching a node ends. Only Unreachable may mean "down":
// a refused login or a changed key is answered by a living SSH server.
const (
	Reached        Reach = "reached"
	Unreachable    Reach = "unreachable"
	LoginFailed    Reach = "login-failed"
	HostKeyChanged Reach = "host-key-changed"
	HostKeyUnknown Reach = "host-key-unknown"
)

// Report is what all sources say of one node after one look. It is immutable
// once published. Fast claims are of this look; slow ones are of the newest
// slow look and carry its time. When the node cannot be reached every claim
// but Reach is unknown, with the reason; old values never stay.
//
// The tags name the claims in `status --json`, in "why" and in the journal.
type Report struct {
	Node  string
	Seq   uint64    // rises with every look of this node
	Began time.Time // our clock when the look was asked for
	Ended time.Time // our clock when its answer was complete

	Reach         Claim[Reach]               `claim:"reach"`
	Host          HostClaims                 `claim:"host"`
	Services      map[string]ServiceClaims   `claim:"service"` // by service name
	Etcd          EtcdClaims                 `claim:"etcd"`
	Leaderl       LeaderlClaims              `claim:"leaderl"`
	PostgreSQL    PostgreSQLClaims           `claim:"postgresql"`
	Elasticsearch ElasticsearchClaims        `claim:"elasticsearch"`
	Ctl           CtlClaims                  `claim:"ctl"`
	Settings      SettingsClaims             `claim:"setting"`
	Sentinels     SentinelClaims             `claim:"sentinel"`
	Lock          LockClaims                 `claim:"lock"`
	Peers         map[string]Claim[PeerSeen] `claim:"peer"` // by the peer's cluster address; slow

	// Network is what the services of nodes that cannot be looked at answer to
	// this one, by the cluster address of those; slow.
	Network map[string]NetworkClaims `claim:"network"`
}

// HostClaims are about the machine itself.
type HostClaims struct {
	KeyFingerprint Claim[string]        `claim:"key"` // SHA256:… of the SSH host key
	HostName       Claim[string]        `claim:"name"`
	Addresses      Claim[[]string]      `claim:"addresses"` // slow: its own network addresses
	MachineID      Claim[string]        `claim:"machine-id"`
	BootID         Claim[string]        `claim:"boot-id"`
	Uptime         Claim[time.Duration] `claim:"uptime"`
	ClockOffset    Claim[time.Duration] `claim:"clock-offset"` // node minus cockpit, half a round trip corrected
	ClockError     Claim[time.Duration] `claim:"clock-error"`  // by how much that may be wrong: half the time on the way
	Privileged     Claim[bool]          `claim:"privileged"`   // root, or sudo -n works
	Disks          Claim[[]Disk]        `claim:"disks"`        // slow
	Version        Claim[string]        `claim:"version"`      // slow: of Chef Backend, "2.3.16"
	Installed      Claim[bool]          `claim:"installed"`    // /opt/chef-backend is there
	AtWork         Claim[string]        `claim:"at-work"`      // a chef-backend-ctl command that changes something runs here: "join-cluster"; "" for none
	Files          Claim[ProductFiles]  `claim:"files"`        // slow
	Room           Claim[Room]          `claim:"room"`         // slow
	TreeBytes      Claim[int64]         `claim:"tree-bytes"`   // slow: of ProductData and ProductConfig together, links followed
	MemoryKills    Claim[MemoryKills]   `claim:"memory-kills"` // slow: by the kernel since the boot, for want of memory
	Certificates   Claim[[]Certificate] `claim:"certificates"` // slow: those of the product that could be read
}

// Disk is one file system that the product uses.
type Disk struct {
	Path     string `json:"path"`   // the path asked about, not the mount point
	Total    int64  `json:"total"`  // bytes
	Free     int64  `json:"free"`   // bytes available
	Inodes   int64  `json:"inodes"` // files that can still be made; -1 where it is not told
	ReadOnly bool   `json:"readOnly"`
	Mounts   bool   `json:"mounts"` // the mounts could be read: without them ReadOnly says nothing
}

// MemoryKills is how often the kernel killed a process because memory ran out.
type MemoryKills struct {
	Count  int       `json:"count"`
	Victim string    `json:"victim"` // of the last one, as "beam.smp (4711)"; "" unknown
	Last   time.Time `json:"last"`   // by our clock; zero where its line tells no time since the boot
}

// Certificate is one file with a certificate.
type Certificate struct {
	Path string    `json:"path"`
	Ends time.Time `json:"ends"` // notAfter
}

// ServiceClaims are what runit says of one service (sv(8)).
type ServiceClaims struct {
	State   Claim[string]        `claim:"state"` // run, down, finish; fail: runsv does not answer; else raw
	PID     Claim[int]           `claim:"pid"`   // 0 when down
	InState Claim[time.Duration] `claim:"in-state"`
	WantUp  Claim[bool]          `claim:"want-up"` // runsv keeps or wants it up
}

// FailedAt is since when, at the earliest, a service is down that its
// supervisor wants up; runit counts whole seconds. ok is false for any other
// service, and where that is unknown.
func (c ServiceClaims) FailedAt() (at time.Time, ok bool) {
	if Is(c.State, "down") == True && Is(c.WantUp, true) == True && c.InState.Known {
		return c.InState.At.Add(-c.InState.Value - time.Second), true
	}
	return time.Time{}, false
}

// SettingsClaims are numbers of the effective configuration, as
// chef-backend-running.json tells them; slow. Unknown means nothing of the
// product's default.
type SettingsClaims struct {
	RequiredFollowers Claim[int]           `claim:"required-active-followers"`
	Heartbeat         Claim[time.Duration] `claim:"etcd-heartbeat-interval"`
	LeaderTTL         Claim[time.Duration] `claim:"leader-ttl"`
	MaxBehind         Claim[int64]         `claim:"max-bytes-behind-leader"`
	MinSpace          Claim[int64]         `claim:"disk-min-space"` // bytes
	KeptSegments      Claim[int]           `claim:"wal-keep-segments"`
}

// EtcdClaims are what the node's own etcd member answers (v2 API).
type EtcdClaims struct {
	Health      Claim[bool]          `claim:"health"`       // /health, at least 2 s waited; one false is no fact
	MemberID    Claim[string]        `claim:"member-id"`    // of this member
	MemberName  Claim[string]        `claim:"member-name"`  // stays over a rejoin; the GUID of cluster-status
	RaftLeader  Claim[string]        `claim:"raft-leader"`  // name of whom it takes for raft leader; "" for none (503)
	RaftTerm    Claim[uint64]        `claim:"raft-term"`    // X-Raft-Term of a key GET
	Members     Claim[[]EtcdMember]  `claim:"members"`      // dead ones stay listed
	PeerLatency Claim[time.Duration] `claim:"peer-latency"` // greatest current one, raft leader only

	// Answers: any HTTP answer came. False when refused, or after 2 s of silence.
	Answers Claim[bool] `claim:"answers"`
	// ClusterID is X-Etcd-Cluster-Id of a key GET.
	ClusterID Claim[string] `claim:"cluster-id"`
	// Writable: etcd's own user may write into its data directory; slow.
	Writable Claim[bool] `claim:"data-writable"`
}

// EtcdMember is one listed member.
type EtcdMember struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	PeerURL string `json:"peerURL"`
}

// LeaderlClaims are what leaderl's HTTP port 7331 answers.
type LeaderlClaims struct {
	LeaderCode Claim[int] `claim:"leader-code"` // status of GET /leader: 200 leads, 503 does not (or withholds), 0 nobody listens

	// Answers: any HTTP answer came. False when refused, or after 2 s of silence.
	Answers Claim[bool] `claim:"answers"`
}

// PostgreSQLClaims are about the node's own PostgreSQL and its files.
type PostgreSQLClaims struct {
	Ready      Claim[int]         `claim:"ready"`       // pg_isready(1): 0 accepts, 1 rejects (starting), 2 no answer
	VersionNum Claim[int]         `claim:"version-num"` // server_version_num: 90525, 150018
	InRecovery Claim[bool]        `claim:"in-recovery"`
	Current    Claim[LSN]         `claim:"current"` // insert position, out of recovery only
	Receive    Claim[LSN]         `claim:"receive"` // in recovery; 0 before the first stream
	Replay     Claim[LSN]         `claim:"replay"`
	Upstream   Claim[string]      `claim:"upstream"`     // host in primary_conninfo; "" when none
	Receiver   Claim[string]      `claim:"receiver"`     // what the WAL receiver says: "streaming", "" when there is none
	Replicas   Claim[[]Replica]   `claim:"replicas"`     // pg_stat_replication, as this node sees it
	Postmaster Claim[int]         `claim:"postmaster"`   // pid of the process itself; 0 for none
	Recovering Claim[string]      `claim:"recovering"`   // WAL file that the startup process replays or waits for; "" for none
	SyncProc   Claim[string]      `claim:"sync-process"` // pg_basebackup, pg_rewind or pgsql-follow alive here; "" for none
	Control    Claim[ControlData] `claim:"control"`
	Segments   Claim[Segments]    `claim:"segments"`
	Histories  Claim[[]History]   `claim:"histories"`  // every NNNNNNNN.history file that lies there
	EndOfWAL   Claim[LSN]         `claim:"end-of-wal"` // slow, PostgreSQL down: by pg_xlogdump/pg_waldump or an exact checkpoint
	LastCommit Claim[time.Time]   `claim:"last-commit"`
	DataBytes  Claim[int64]       `claim:"data-bytes"` // slow: size of the data directory

	// TurnedAway: the server lives and refused our connection because all are taken.
	TurnedAway  Claim[bool]        `claim:"turned-away"`
	Connections Claim[Connections] `claim:"connections"` // slow
	Slots       Claim[[]Slot]      `claim:"slots"`       // slow: pg_replication_slots
}

// Connections is how many of a server's connections are in use.
type Connections struct {
	Used     int `json:"used"`
	Max      int `json:"max"`      // max_connections
	Reserved int `json:"reserved"` // of them, for superusers alone
}

// Slot is one row of pg_replication_slots.
type Slot struct {
	Name    string `json:"name"`
	Active  bool   `json:"active"`
	Restart LSN    `json:"restart"` // WAL from here on is kept for it; 0 for none
}

// Replica is one row of pg_stat_replication.
type Replica struct {
	Address string `json:"address"` // client_addr
	State   string `json:"state"`   // streaming, catchup, startup, backup
	Sent    LSN    `json:"sent"`
	Replay  LSN    `json:"replay"`
}

// ControlData is what pg_controldata(1) says.
type ControlData struct {
	SystemID   string `json:"systemID"`
	State      string `json:"state"` // "in production", "shut down", "in archive recovery", …
	Timeline   uint32 `json:"timeline"`
	Checkpoint LSN    `json:"checkpoint"` // location of the latest checkpoint
	Redo       LSN    `json:"redo"`
	MinEnd     LSN    `json:"minEnd"` // minimum recovery ending location
}

// Segments are the 24-hex WAL files that lie in pg_xlog or pg_wal.
type Segments struct {
	Oldest string `json:"oldest"` // by their last 16 digits; "" when none
	Newest string `json:"newest"` // by their last 16 digits, of several the newest timeline's; "" when none
	Count  int    `json:"count"`
}

// ElasticsearchClaims are what the node's own Elasticsearch answers, asked with local=true.
type ElasticsearchClaims struct {
	// Answers: any HTTP answer came. False when refused, or after 2 s of silence.
	Answers Claim[bool] `claim:"answers"`

	Status Claim[string] `claim:"status"` // green, yellow, red
	Nodes  Claim[int]    `claim:"nodes"`
	Master Claim[bool]   `claim:"master"` // this node is the elected master

	ReadOnly Claim[[]string] `claim:"read-only"` // slow: indices that are blocked for writing
}

// CtlClaims are what chef-backend-ctl on this node says; slow, and up to 15 s old itself.
type CtlClaims struct {
	Rows      Claim[[]CtlNode]    `claim:"cluster-status"`
	Failover  Claim[bool]         `claim:"failover"` // enabled for the cluster, where cluster-status tells it
	Status    Claim[[]CtlService] `claim:"status"`
	RawStatus string              // whole text of `status`, made safe, for the screen
	RawTable  string              // whole text of `cluster-status`, made safe
}

// CtlNode is one row of cluster-status, of the whole cluster as this node sees it.
type CtlNode struct {
	Name            string            `json:"name"`
	IP              string            `json:"ip"`
	GUID            string            `json:"guid"`
	Role            string            `json:"role"`          // raw state word of leaderl
	PostgreSQL      string            `json:"postgresql"`    // raw
	Elasticsearch   string            `json:"elasticsearch"` // raw
	Follows         string            `json:"follows"`       // "" where the column is missing
	PartiallySynced Truth             `json:"partiallySynced"`
	Eligible        Truth             `json:"eligible"`
	Blocked         Truth             `json:"blocked"`
	Failover        Truth             `json:"failover"` // of the node
	Extra           map[string]string `json:"extra"`    // unknown columns, raw
}

// CtlService is one row of `chef-backend-ctl status`.
type CtlService struct {
	Service     string `json:"service"`
	Local       string `json:"local"`
	InState     string `json:"inState"`
	Distributed string `json:"distributed"`
}

// SentinelClaims say whether leaderl's two marker files lie on the node.
type SentinelClaims struct {
	NoStart  Claim[bool] `claim:"no-start-pgsql"`
	Unsynced Claim[bool] `claim:"unsynced"`
}

// PeerSeen is what one node sees of another over the network: per TCP port
// "open", "refused" or "timeout". Open or refused means that the host lives.
type PeerSeen struct {
	Ports map[int]string `json:"ports"`
}

// PeerPorts are asked about in this order: SSH, etcd peer, PostgreSQL, leaderl.
var PeerPorts = []int{22, 2380, 5432, 7331}

// Alive answers whether any port answered.
func (p PeerSeen) Alive() bool {
	for _, how := range p.Ports {
		if how == "open" || how == "refused" {
			return true
		}
	}
	return false
}
