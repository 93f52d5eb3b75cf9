package model

import (
	"fmt"
	"path"
	"time"
)

const backupDir = "/var/opt/chef-backup"

// ctlBackup is `backup`: a base backup of the database and the configuration,
// without Elasticsearch, as one archive. On the leader it wants --force. Its
// texts are invented.
func ctlBackup(p *Process, args []string) {
	f, ok := p.flags(args[1:], []string{"--force", "-y", "--yes"}, []string{"--timeout"})
	if !ok {
		return
	}
	n, file, stage := p.n, "", ""
	patience := 10 * time.Minute
	if f.has("--timeout") {
		patience = seconds(f.value("--timeout"))
	}
	p.then(pause(ctlTime), act(func(p *Process) {
		switch {
		case n.noState() != "":
			p.failed(n.noState())
		case n.store().leader == n && !f.has("--force"):
			p.failed("this node is the leader; run the backup on a follower, or pass --force")
		case !n.pg.accepts():
			p.failed("pg_basebackup: could not connect to server: Connection refused")
		default:
			stage = fmt.Sprintf("/tmp/chef-backend-backup-%d", p.pid)
			n.mkdir(stage)
			p.child = embedded + "/pg_basebackup --checkpoint=fast -D " + stage + "/postgresql"
		}
	}), func(p *Process) bool {
		switch gone := p.w.now.Sub(p.marker); {
		case !n.pg.accepts():
			p.failed("pg_basebackup: could not receive data from WAL stream: server closed the connection unexpectedly")
		case gone >= patience:
			p.failed("the backup did not end in time")
		case gone < p.w.copyTime(n.pg.dataBytes()):
			return false
		}
		return true
	}, act(func(p *Process) {
		p.child = ""
		file = n.freeName(backupDir+"/chef-backup-", "2006-01-02-15-04-05", ".tgz")
		c := &n.pg.copy
		label := fmt.Sprintf("START WAL LOCATION: %s (file %s)\nCHECKPOINT LOCATION: %s\nBACKUP METHOD: streamed\nBACKUP FROM: standby\nLABEL: pg_basebackup base backup\n", lsn(c.redo), segmentName(c.cpTLI, segment(c.redo)), lsn(c.checkpoint))
		n.pack(file, packed{as: "postgresql/backup_label", text: label}, packed{from: etcDir, as: "etc/chef-backend"})
		n.removeAll(stage)
		p.printf("Backup written to %s\n", file)
	}))
	p.onKill = func() {
		if stage != "" {
			n.removeAll(stage)
		}
	}
}

// ctlGatherLogs is `gather-logs`: the logs and what `status` says, as one
// archive in the current folder. Its texts are invented.
func ctlGatherLogs(p *Process, args []string) {
	if _, ok := p.flags(args[1:], nil, nil); !ok {
		return
	}
	n := p.n
	p.then(pause(ctlTime), pause(3*time.Second), act(func(p *Process) {
		here := p.env["PWD"]
		if !path.IsAbs(here) {
			here = "/root"
		}
		file := path.Join(here, n.name+"-"+n.clock().Format("2006-01-02-15-04-05")+".tgz")
		n.pack(file, packed{as: "chef-backend-ctl-status.txt", text: n.statusTables("")}, packed{from: logDir, as: "var/log/chef-backend"})
		p.printf("Logs gathered in %s\n", file)
	}))
}
