package model

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// commands are the commands that a node has, by name.
var commands = map[string]func(p *Process){
	"sv": sv, "chef-backend-ctl": ctl, "curl": curl, "ps": ps, "df": df, "du": du,
	"psql": psql, "pg_isready": pgIsReady, "pg_controldata": pgControlData, "pg_xlogdump": pgXlogDump,
}

// request is what curl is asked to do.
type request struct {
	urls    []string
	head    bool // -i
	verbose bool
	errors  bool // -S, or no -s
	discard bool // -o /dev/null
	patient time.Duration
	connect time.Duration
}

func parseCurl(args []string) request {
	r := request{errors: true, patient: 5 * time.Minute, connect: 2 * time.Minute}
	for i := 0; i < len(args); i++ {
		a := args[i]
		value := func() string {
			i++
			if i < len(args) {
				return args[i]
			}
			return ""
		}
		switch {
		case a == "-m" || a == "--max-time":
			r.patient = seconds(value())
		case a == "--connect-timeout":
			r.connect = seconds(value())
		case a == "-o" || a == "--output":
			r.discard = value() == "/dev/null"
		case a == "-H" || a == "-X" || a == "-w" || a == "-A":
			value()
		case strings.HasPrefix(a, "--"):
		case strings.HasPrefix(a, "-"):
			r.head = r.head || strings.Contains(a, "i")
			r.verbose = r.verbose || strings.Contains(a, "v")
			if strings.Contains(a, "s") {
				r.errors = false
			}
		default:
			r.urls = append(r.urls, a)
		}
	}
	for _, a := range args {
		if strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.Contains(a, "S") {
			r.errors = true
		}
	}
	return r
}

func seconds(s string) time.Duration {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return time.Duration(v * float64(time.Second))
}

// curl fetches one address after the other; its exit code is the last one's.
func curl(p *Process) {
	r := parseCurl(p.argv[1:])
	if len(r.urls) == 0 {
		p.errorf("curl: no URL specified!\ncurl: try 'curl --help' or 'curl --manual' for more information\n")
		p.end(2)
		return
	}
	code := 0
	for _, url := range r.urls {
		p.then(fetch(r, url, &code))
	}
	p.then(act(func(p *Process) { p.end(code) }))
}

// fetch is one address.
func fetch(r request, url string, code *int) stage {
	scheme, rest, _ := strings.Cut(url, "://")
	hostPort, path, _ := strings.Cut(rest, "/")
	host, portText, _ := strings.Cut(hostPort, ":")
	port, _ := strconv.Atoi(portText)
	if port == 0 {
		port = 80
	}
	var got *answer
	return func(p *Process) bool {
		if got == nil {
			switch p.w.Connect(p.n.name, host, port) {
			case Timeout:
				if !p.waited(min(r.connect, r.patient)) {
					return false
				}
				r.fail(p, code, 28, fmt.Sprintf("Connection timed out after %d milliseconds", p.w.now.Sub(p.marker).Milliseconds()+1))
				return true
			case Refused:
				if r.verbose {
					p.errorf("* connect to %s port %d failed: Connection refused\n", host, port)
				}
				r.fail(p, code, 7, fmt.Sprintf("Failed to connect to %s port %d: Connection refused", host, port))
				return true
			}
			if r.verbose {
				p.errorf("* Connected to %s (%s) port %d (#0)\n", host, host, port)
			}
			if scheme != "http" {
				*code = 0
				return true
			}
			a := p.w.http(p.n, host, port, "/"+path)
			got = &a
		}
		if got.takes >= r.patient {
			if !p.waited(r.patient) {
				return false
			}
			r.fail(p, code, 28, fmt.Sprintf("Operation timed out after %d milliseconds with 0 bytes received", r.patient.Milliseconds()+1))
			return true
		}
		if !p.waited(got.takes) {
			return false
		}
		r.show(p, got)
		*code = 0
		return true
	}
}

func (r request) fail(p *Process, code *int, exit int, why string) {
	*code = exit
	if r.errors {
		p.errorf("curl: (%d) %s\n", exit, why)
	}
}

func (r request) show(p *Process, a *answer) {
	if r.discard {
		return
	}
	if r.head {
		p.printf("HTTP/1.1 %s\r\n", a.status)
		for _, h := range a.header {
			p.printf("%s\r\n", h)
		}
		p.printf("Date: %s\r\nContent-Length: %d\r\n\r\n", p.n.clock().Format(time.RFC1123), len(a.body))
	}
	p.printf("%s", a.body)
}

// http answers a request that from sends to a service.
func (w *World) http(from *node, host string, port int, path string) answer {
	n := w.byAddress(host)
	if n == nil {
		n = from
	}
	switch port {
	case portEtcd:
		return n.etcd.get(path)
	case portLeaderl:
		return n.leaderl.get(path)
	case portElastic:
		return n.es.get(path)
	}
	return answer{status: "400 Bad Request"}
}

// ps lists the processes, with the columns pid, ppid and args.
func ps(p *Process) {
	var columns []string
	for i, a := range p.argv {
		if a == "-o" && i+1 < len(p.argv) {
			columns = append(columns, strings.Split(strings.TrimSuffix(p.argv[i+1], "="), ",")...)
		}
	}
	if len(columns) == 0 {
		columns = []string{"pid", "args"}
	}
	for _, e := range p.n.table() {
		var cells []string
		for _, c := range columns {
			switch strings.TrimSuffix(c, "=") {
			case "pid":
				cells = append(cells, fmt.Sprintf("%5d", e.pid))
			case "ppid":
				cells = append(cells, fmt.Sprintf("%5d", e.parent))
			case "args", "cmd", "command":
				cells = append(cells, e.args)
			}
		}
		p.printf("%s\n", strings.Join(cells, " "))
	}
}

// entry is one row of the process list.
type entry struct {
	pid, parent int
	args        string
}

// serviceArgs are the command lines of the services' main processes.
var serviceArgs = map[string]string{
	"leaderl":       "/opt/chef-backend/embedded/service/leaderl/erts-7.3/bin/beam.smp -- -root /opt/chef-backend/embedded/service/leaderl -name leaderl@127.0.0.1",
	"epmd":          "/opt/chef-backend/embedded/bin/epmd -relaxed_command_check",
	"etcd":          "/opt/chef-backend/embedded/bin/etcd --data-dir /var/opt/chef-backend/etcd/data",
	"postgresql":    "/opt/chef-backend/embedded/bin/postgres -D " + dataDir,
	"elasticsearch": "/opt/chef-backend/embedded/jre/bin/java -Xms2730m -Xmx2730m -Des.path.home=/opt/chef-backend/embedded/elasticsearch",
}

// table is the process list, by process id.
func (n *node) table() []entry {
	all := []entry{{1, 0, "/sbin/init"}, {412, 1, "/usr/sbin/sshd -D"}, {455, 1, "/opt/chef-backend/embedded/bin/runsvdir -P /opt/chef-backend/service"}}
	for i, s := range n.services {
		runsv := 460 + i
		all = append(all, entry{runsv, 455, "runsv " + s.name}, entry{s.logPID, runsv, "svlogd -tt " + logDir + "/" + s.name})
		if s.up {
			all = append(all, entry{s.pid, runsv, serviceArgs[s.name]})
		}
	}
	if n.pg.phase > pgRefused {
		all = append(all, n.pg.table(n.service("postgresql").pid)...)
	}
	if j := n.leaderl.job; j != nil && n.pg.backup != nil {
		all = append(all, entry{j.pid, n.service("leaderl").pid, backupArgs(j.leader)})
	}
	for _, p := range n.processes {
		args := strings.Join(p.argv, " ")
		if p.argv[0] == "chef-backend-ctl" {
			args = embedded + "/ruby " + optBin + "/" + args
		}
		all = append(all, entry{p.pid, 412, args})
		if p.child != "" {
			all = append(all, entry{p.pid + 1, p.pid, p.child})
		}
	}
	for pid, args := range n.guests {
		all = append(all, entry{pid, 412, args})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].pid < all[j].pid })
	return all
}

func backupArgs(from *node) string {
	return embedded + "/pg_basebackup -h " + from.address + " -U replicator -D " + dataDir + " -X stream -P -v"
}

// table is the database's part of the process list.
func (g *postgres) table(postmaster int) []entry {
	title := func(name, text string) entry { return entry{g.pid(name), postmaster, "postgres: " + text} }
	all := []entry{title("checkpointer", "checkpointer process  "), title("writer", "writer process  ")}
	if g.phase == pgPrimary {
		all = append(all, title("wal writer", "wal writer process  "), title("autovacuum", "autovacuum launcher process  "))
	} else {
		all = append(all, title("startup", "startup process   recovering "+segmentName(g.copy.tli, segment(g.copy.replay))))
	}
	if g.recv != nil {
		all = append(all, entry{g.recv.pid, postmaster, "postgres: wal receiver process   streaming " + lsn(g.copy.end)})
	}
	for _, s := range g.senders() {
		all = append(all, title("sender "+s.to.name+s.state, fmt.Sprintf("wal sender process replicator %s(%d) %s %s", s.to.address, 40000+s.to.index*77, s.state, lsn(s.sent))))
	}
	return all
}

// df tells the free space of the file systems; the data lies on its own.
func df(p *Process) {
	p.printf("Filesystem     1024-blocks      Used Available Capacity Mounted on\n")
	for _, path := range paths(p.argv) {
		if strings.HasPrefix(path, varDir) {
			used := p.n.pg.dataBytes()>>10 + 3<<20
			total := (databaseBytes + 92<<30) >> 10
			p.printf("/dev/vdb1      %11d %9d %9d %7d%% %s\n", total, used, total-used, used*100/total, varDir)
			continue
		}
		p.printf("/dev/vda1      %11d %9d %9d %7d%% /\n", 40<<20, 9<<20, 31<<20, 23)
	}
}

// du tells the size of a directory; only the database's is of interest.
func du(p *Process) {
	for _, path := range paths(p.argv) {
		size := int64(52)
		switch {
		case strings.HasPrefix(dataDir, path):
			size = p.n.pg.dataBytes() >> 10
		case path == walDir:
			size = int64(segment(p.n.pg.copy.end)-p.n.pg.copy.oldest+1) * segmentSize >> 10
		}
		p.printf("%d\t%s\n", size, path)
	}
}

func paths(argv []string) []string {
	var all []string
	for _, a := range argv[1:] {
		if !strings.HasPrefix(a, "-") {
			all = append(all, a)
		}
	}
	return all
}
