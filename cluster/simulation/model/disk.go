package model

import (
	"fmt"
	"time"
)

// Sizes of the data file system, and what Elasticsearch thinks of its use
// (cluster.routing.allocation.disk.watermark, defaults).
const (
	diskSize      = databaseBytes + 92<<30
	otherFiles    = int64(3) << 30 // of etcd, Elasticsearch and leaderl
	lowWatermark  = 85             // per cent used
	highWatermark = 90
	watermarkLook = 30 * time.Second
)

// dataMount is where it is mounted: cleanse deletes the product's folder in it.
const dataMount = "/var/opt"

// disk is the file system that holds a node's data.
type disk struct {
	n        *node
	size     int64
	ballast  int64 // bytes that something else has written there
	readOnly bool  // remounted by the kernel after an error
	warned   time.Time
}

func newDisk(n *node) *disk { return &disk{n: n, size: diskSize} }

func (d *disk) used() int64 { return min(d.n.pg.dataBytes()+otherFiles+d.ballast, d.size) }
func (d *disk) free() int64 { return d.size - d.used() }

// leave lets something fill the disk until only so many bytes are free. It
// does not shrink what is there.
func (d *disk) leave(free int64) {
	d.ballast = 0
	d.ballast = max(0, d.free()-free)
}

// refusal is why nothing can be written, in the words of the C library.
func (d *disk) refusal() string {
	switch {
	case d.readOnly:
		return "Read-only file system"
	case d.free() == 0:
		return "No space left on device"
	}
	return ""
}

// mount is the row of /proc/mounts.
func (d *disk) mount() string {
	mode := "rw"
	if d.readOnly {
		mode = "ro"
	}
	return "/dev/vdb1 " + dataMount + " ext4 " + mode + ",relatime 0 0"
}

// df is the row of df -P -k.
func (d *disk) df() string {
	return fmt.Sprintf("/dev/vdb1      %11d %9d %9d %7d%% %s", d.size>>10, d.used()>>10, d.free()>>10, d.used()*100/d.size, dataMount)
}

// stepDisk is what becomes of the services when nothing can be written.
func (n *node) stepDisk() {
	if !n.booted() {
		return
	}
	n.data.watermarks()
	why := n.data.refusal()
	if why == "" {
		return
	}
	if s, g := n.service("postgresql"), n.pg; s.up && g.accepts() && (g.phase == pgPrimary || g.recv != nil) {
		if n.data.readOnly {
			g.log("PANIC:  could not write to log file %s at offset %d, length 8192: %s", segmentName(g.copy.tli, segment(g.copy.end)), g.copy.end%segmentSize&^8191, why)
		} else {
			g.log("PANIC:  could not write to file \"pg_xlog/xlogtemp.%d\": %s", s.pid+4, why)
		}
		g.log("LOG:  terminating any other active server processes")
		s.kill()
	}
	if s, m := n.service("etcd"), n.etcd; m.takesPart() {
		low := lower(why)
		if n.data.readOnly && n.w.now.Sub(s.since) <= warmUp["etcd"] {
			m.log("C", "etcdmain: cannot access data directory: open %s/.touch: %s", etcdData, low)
		} else {
			m.log("C", "etcdserver: raft save state and entries error: write %s/member/wal/%016x-%016x.wal: %s", etcdData, m.term, m.index-40000, low)
		}
		s.kill()
	}
}

// lower is an error in the words of Go's own library.
func lower(text string) string { return string(text[0]|0x20) + text[1:] }

// watermarks are what the Elasticsearch master logs of a full disk.
func (d *disk) watermarks() {
	now, n := d.n.w.now, d.n
	used := d.used() * 100 / d.size
	if used < lowWatermark || !n.es.serving() || n.es.master == nil || now.Sub(d.warned) < watermarkLook {
		return
	}
	d.warned = now
	level, name, then := "INFO", fmt.Sprintf("low disk watermark [%d%%]", lowWatermark), "replicas will not be assigned to this node"
	if used >= highWatermark {
		level, name, then = "WARN", fmt.Sprintf("high disk watermark [%d%%]", highWatermark), "shards will be relocated away from this node"
	}
	n.es.master.es.log(level, "o.e.c.r.a.DiskThresholdMonitor", "%s exceeded on [%s][%s][%s/elasticsearch/data/nodes/0] free: %.1fgb[%.1f%%], %s",
		name, n.guid[:22], n.guid[:7], varDir, float64(d.free())/(1<<30), float64(d.free())*100/float64(d.size), then)
}

// roomy is what leaderl wants to be free (disk_min_space_mb).
const roomy = 250 << 20

// state is the word of `status` for the disk. "OK" has been seen; the
// other word is invented.
func (d *disk) state() string {
	if d.free() < roomy || d.readOnly {
		return "FAILED"
	}
	return "OK"
}
