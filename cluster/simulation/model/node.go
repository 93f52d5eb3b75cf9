package model

import (
	"encoding/hex"
	"fmt"
	"math/rand"
	"path"
	"time"
)

// Times of a machine. Booting is what passes between power and a running SSH
// server with runit.
const (
	bootTime     = 12 * time.Second
	shutdownTime = 4 * time.Second
)

// Where things lie on a node.
const (
	embedded     = "/opt/chef-backend/embedded/bin"
	optBin       = "/opt/chef-backend/bin"
	usrBin       = "/usr/bin"
	serviceDir   = "/opt/chef-backend/service"
	varDir       = "/var/opt/chef-backend"
	leaderlData  = varDir + "/leaderl/data"
	noStartFile  = leaderlData + "/no-start-pgsql"
	unsyncedFile = leaderlData + "/unsynced"
	dataDir      = varDir + "/postgresql/9.5/data"
	walDir       = dataDir + "/pg_xlog"
	pidFile      = dataDir + "/postmaster.pid"
	logDir       = "/var/log/chef-backend"
)

var binaries = map[string][]string{
	embedded: {"sv", "psql", "pg_isready", "pg_controldata", "pg_xlogdump", "curl", "openssl"},
	optBin:   {"chef-backend-ctl"},
	usrBin:   {"chef-backend-ctl", "curl", "ps", "df", "du", "dmesg"},
}

func installed(file string) bool {
	for _, name := range binaries[path.Dir(file)] {
		if name == path.Base(file) {
			return true
		}
	}
	return path.Dir(file) == "/bin" && (path.Base(file) == "ps" || path.Base(file) == "df")
}

// node is one machine.
type node struct {
	w       *World
	index   int
	name    string
	address string
	guid    string
	machine string
	files   Files
	rnd     *rand.Rand // only for what this node writes to its logs
	pids    *rand.Rand // only for process ids, which looks use up too

	stamped  time.Time // the step of the last log line
	fraction time.Duration

	powered     bool
	bootDone    time.Time // when a boot that goes on is through
	bootedAt    time.Time
	boots       int
	bootID      string
	offset      time.Duration // of its clock against true time
	lastPID     int
	data        *disk    // the file system below /var/opt/chef-backend
	version     string   // of Chef Backend, as installed
	certificate string   // that PostgreSQL shows
	kernel      []string // what dmesg tells
	oomKills    int
	adrift      bool // runsvdir and its runsv are gone; what ran runs on
	locked      bool // the SSH server refuses the operator's login
	rekeyed     bool // the SSH server has another host key than at the beginning
	etcdLocked  bool // etcd's own user may not write into its folder

	services  []*service
	etcd      *member
	leaderl   *leaderl
	pg        *postgres
	es        *elastic
	processes []*Process
	guests    map[int]string
	calls     []string
	habits    chatter
}

// booted says whether the machine runs far enough to answer on the network.
func (n *node) booted() bool { return n.powered && !n.w.now.Before(n.bootDone) }

func (n *node) clock() time.Time { return n.w.now.Add(n.offset) }

// nextPID counts up with gaps, as on a machine that does other things too.
func (n *node) nextPID() int {
	n.lastPID += 1 + n.pids.Intn(9)
	if n.lastPID > 32000 {
		n.lastPID = 400
	}
	return n.lastPID
}

// log writes a line to the log of a service.
func (n *node) log(service, format string, a ...any) {
	if n.w.o.Log != nil {
		n.w.o.Log(n.name, service, fmt.Sprintf(format, a...), n.stamp())
	}
}

// stamp is the time of a log line. Lines of one step follow one another
// within it, at uneven moments.
func (n *node) stamp() time.Time {
	if !n.stamped.Equal(n.w.now) {
		n.stamped, n.fraction = n.w.now, 0
	}
	if n.fraction < 90*time.Millisecond {
		n.fraction += time.Duration(40+n.rnd.Intn(700)) * time.Microsecond
		if n.rnd.Intn(4) == 0 {
			n.fraction += time.Duration(n.rnd.Intn(8000)) * time.Microsecond
		}
	}
	return n.clock().Add(min(n.fraction, Step-time.Microsecond))
}

// powerOff takes the power away: everything that runs is gone at once.
func (n *node) powerOff() {
	if !n.powered {
		return
	}
	n.powered = false
	for _, s := range n.services {
		s.vanish()
	}
	n.etcd.stopped()
	n.leaderl.stopped()
	n.pg.crashed()
	for _, p := range n.processes {
		p.end(exitKilled)
	}
	n.processes, n.guests = nil, map[int]string{}
}

// powerOn starts the machine.
func (n *node) powerOn() {
	if n.powered {
		return
	}
	n.powered = true
	n.bootDone = n.w.now.Add(bootTime)
}

// stepPower ends a boot: runsvdir starts every service. PostgreSQL waits for
// leaderl's word, as it must not run before somebody knows who leads.
func (n *node) stepPower() {
	if !n.powered || n.bootedAt.Equal(n.bootDone) || n.w.now.Before(n.bootDone) {
		return
	}
	n.bootedAt = n.bootDone
	n.boots++
	n.lastPID = 700 + n.w.rnd.Intn(200)
	n.bootID = uuid(n.w.rnd)
	n.kernel, n.oomKills, n.adrift = nil, 0, false
	if !n.pg.standby && n.pg.copy.whole {
		n.pg.setStandby(true, "") // it must not come up as a second primary
	}
	for _, s := range n.services {
		if s.retired {
			continue
		}
		s.logPID, s.logSince = n.nextPID(), n.w.now
		s.since = n.w.now
		s.fault = nil
		s.want = false
		if s.name != "postgresql" {
			s.start()
		}
	}
}

// stepProcesses moves the running commands on and forgets the ended ones.
func (n *node) stepProcesses() {
	if !n.booted() {
		return
	}
	var left []*Process
	for _, p := range n.processes {
		p.step()
		if !p.done {
			left = append(left, p)
		}
	}
	n.processes = left
}

// virtual makes the files of the kernel.
func (n *node) virtual(file string) ([]byte, bool) {
	switch file {
	case "/proc/uptime":
		up := n.w.now.Sub(n.bootedAt).Seconds()
		return fmt.Appendf(nil, "%.2f %.2f\n", up, up*1.87), true
	case "/proc/loadavg":
		return fmt.Appendf(nil, "0.%02d 0.%02d 0.11 2/214 %d\n", 10+n.index*7, 12+n.index*5, n.lastPID), true
	case "/proc/vmstat":
		return fmt.Appendf(nil, "nr_free_pages %d\npgfault 84311209\noom_kill %d\n", 211000-n.index*977, n.oomKills), true
	case "/proc/sys/kernel/hostname":
		return []byte(n.name + "\n"), true
	case "/proc/sys/kernel/random/boot_id":
		return []byte(n.bootID + "\n"), true
	case "/proc/mounts":
		return fmt.Appendf(nil, "/dev/vda1 / ext4 rw,relatime 0 0\n%s\n", n.data.mount()), true
	}
	return nil, false
}

func uuid(r *rand.Rand) string {
	h := hexString(r, 16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

func hexString(r *rand.Rand, bytes int) string {
	b := make([]byte, bytes)
	r.Read(b)
	return hex.EncodeToString(b)
}
