//go:build linux

package lab

// ofMachines are stories of machines, and of what lies on them.
var ofMachines = map[string]story{
	"disk-full":                    {"the data disk of a follower is full", onFollower("disk-full:data")},
	"disk-full-leader":             {"the data disk of the leader is full", onLeader("disk-full:data")},
	"disk-low":                     {"the data disk of a follower has little room", onFollower("disk-low:data")},
	"filesystem-read-only":         {"the data disk of a follower can be opened for reading only", onFollower("read-only:data")},
	"clock-skew":                   {"date(1) of a follower is 30 s ahead, by faketime; the clock itself is not", onFollower("clock:30s")},
	"certificate-expiring":         {"a certificate of a follower ends in 30 days", onFollower("certificate:30")},
	"version-mismatch":             {"the version manifest of a follower tells another release", onFollower("release:2.3.15")},
	"wrong-version":                {"the version manifests of all tell a release older than 2.1.0", onAll("release:2.0.30")},
	"out-of-memory-kill":           {"Elasticsearch (stand-in) of a follower was killed, and its kernel's log says for want of memory", onFollower("memory-kill:elasticsearch")},
	"connections-exhausted":        {"PostgreSQL of a follower has as many clients as it takes", onFollower("clients")},
	"connections-exhausted-leader": {"PostgreSQL of the leader has as many clients as it takes", onLeader("clients")},
	"slot-holds-wal":               {"a replication slot of the leader that nobody uses holds WAL", slotHolds},
}
