package model

import (
	"fmt"
	"sort"
	"strings"
)

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
	all := []entry{{1, 0, "/sbin/init"}, {412, 1, "/usr/sbin/sshd -D"}}
	if !n.adrift {
		all = append(all, entry{455, 1, "/opt/chef-backend/embedded/bin/runsvdir -P /opt/chef-backend/service"})
	}
	for i, s := range n.services {
		if s.retired {
			continue
		}
		runsv := 460 + i
		if n.adrift {
			runsv = 1
		} else {
			all = append(all, entry{runsv, 455, "runsv " + s.name})
		}
		all = append(all, entry{s.logPID, runsv, "svlogd -tt " + logDir + "/" + s.name})
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

func paths(argv []string) []string {
	var all []string
	for _, a := range argv[1:] {
		if !strings.HasPrefix(a, "-") {
			all = append(all, a)
		}
	}
	return all
}
