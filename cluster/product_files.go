package cluster

import "slices"

// Paths that replacing a node needs (vendor documentation), and the cockpit's
// own folder on a node, outside what cleanse deletes.
const (
	ProductData   = "/var/opt/chef-backend"
	ProductConfig = "/etc/chef-backend"
	// SharedSecrets is where a person puts the cluster's secrets for a join.
	SharedSecrets = "/root/chef-backend-secrets.json"
	// CopiesFolder holds the copies of a node's files that backup-nodes makes.
	CopiesFolder = "/var/opt/chef-backend-cockpit/copies"
)

// ProductFiles is what lies of the product's folders on a node. No file's
// content is in it.
type ProductFiles struct {
	Data     bool          `json:"data"`     // ProductData is there
	Config   bool          `json:"config"`   // ProductConfig is there
	Holds    []ProductFile `json:"holds"`    // what lies in ProductConfig, at most 20
	Whole    bool          `json:"whole"`    // ProductConfig holds chef-backend.rb and chef-backend-secrets.json, neither empty
	Cleansed []string      `json:"cleansed"` // folders below /root/chef-backend-cleanse* that hold both
	Differ   bool          `json:"differ"`   // two of those are not the same
	Packed   []string      `json:"packed"`   // /root/chef-backend-cleanse* that are files: archives, not unpacked since they were written
	Unpacked []string      `json:"unpacked"` // such archives that the cockpit unpacked into a folder beside them
	Secrets  string        `json:"secrets"`  // permissions of SharedSecrets; "" absent
}

// kept is all that cleanses kept.
func (f ProductFiles) kept() []string { return slices.Concat(f.Cleansed, f.Packed, f.Unpacked) }

// ProductFile is a name with its permissions as ls(1) writes them.
type ProductFile struct {
	Name string `json:"name"`
	Mode string `json:"mode"`
}

// Room is the free space on two file systems that matter for copies.
type Room struct {
	Data   int64 `json:"data"`   // bytes free where ProductData lies or would lie
	Copies int64 `json:"copies"` // bytes free where CopiesFolder lies or would lie
	Top    int64 `json:"top"`    // bytes free at /, where archives of logs are packed
	Apart  bool  `json:"apart"`  // Data and Copies are two file systems
}

// openToAll answers whether permissions as ls(1) writes them let anybody read.
func openToAll(mode string) bool { return len(mode) >= 10 && mode[7] == 'r' }
