//go:build linux

package lab

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

const (
	etcdData = varDir + "/etcd/data"
	etcdArgs = varDir + "/etcd/args"
	// baseDir is what PID 1 of a host supervises: sshd, and the product's own
	// runsvdir, which thus is not touched by stopping all of the product.
	baseDir = "/etc/lab-service"
)

// service is one program under runit, with svlogd behind it.
type service struct {
	name, folder string // folder of its log, below /var/log/chef-backend
	run          string // the run script, behind its first line
	files        map[string]string
	waits        bool // not started before the cluster has been founded
}

// services are the product's, in its own order.
func (l *Lab) services(h *Host) []service {
	return []service{
		{name: "leaderl", folder: "leaderl", waits: true,
			run: "exec chpst -P " + embedded + "/lab-standin leaderl\n"},
		{name: "epmd", folder: "epmd", waits: true,
			run: "exec chpst -P -u chef_pgsql " + embedded + "/lab-standin epmd\n"},
		{name: "etcd", folder: "etcd", run: l.etcdRun(h)},
		{name: "postgresql", folder: "postgresql/" + postgresVersion, waits: true, run: postgresRun,
			// TERM alone would wait for every client to go away.
			files: map[string]string{"control/t": "#!/bin/sh\nexec kill -INT \"$(cat " + serviceDir + "/postgresql/supervise/pid)\"\n"}},
		{name: "elasticsearch", folder: "elasticsearch", waits: true,
			run: "exec chpst -P -u chef-backend " + embedded + "/lab-standin elasticsearch\n"},
	}
}

// postgresRun runs as root first, to ask runit, and drops that itself. It leaves the refusal beside no-start-pgsql to the stand-in, which
// waits for leaderl's word after a boot, too.
const postgresRun = "cd /\nexec chpst -P " + embedded + "/lab-standin postgresql\n"

// etcdRun starts etcd. chef-backend-ctl adds words of its own to join and to
// recover. The heartbeat and the election are those of releases before 1.2.
func (l *Lab) etcdRun(h *Host) string {
	var all []string
	for _, o := range l.state.Hosts {
		all = append(all, fmt.Sprintf("%s=http://%s:2380", o.GUID, o.Address))
	}
	return `more=
[ -f ` + etcdArgs + ` ] && more=$(cat ` + etcdArgs + `)
cd /
exec chpst -P -u chef-backend ` + embedded + `/etcd --name ` + h.GUID + ` --data-dir ` + etcdData + ` --enable-v2 \
	--heartbeat-interval 100 --election-timeout 1000 --snapshot-count 5000 \
	--listen-client-urls http://0.0.0.0:2379 --advertise-client-urls http://` + h.Address + `:2379 \
	--listen-peer-urls http://0.0.0.0:2380 --initial-advertise-peer-urls http://` + h.Address + `:2380 \
	--initial-cluster ` + strings.Join(all, ",") + ` --initial-cluster-state new \
	--initial-cluster-token chef-backend-lab $more
`
}

// makeServices writes the folders of all services of a host.
func (l *Lab) makeServices(h *Host) error {
	for _, s := range l.services(h) {
		if err := h.makeService(s); err != nil {
			return err
		}
	}
	for path, run := range map[string]string{
		baseDir + "/sshd/run":         "#!/bin/sh\nexec 2>>/var/log/sshd.log\nmkdir -p /run/sshd\nexec /usr/sbin/sshd -D -e -f /etc/ssh/lab_sshd_config\n",
		baseDir + "/chef-backend/run": "#!/bin/sh\nexec runsvdir -P " + serviceDir + "\n",
	} {
		if err := writeFile(h.file(path), run); err != nil {
			return err
		}
	}
	owners := map[string]int{
		varDir + "/etcd": uidBackend, varDir + "/elasticsearch": uidBackend, varDir + "/elasticsearch/data": uidBackend,
		varDir + "/postgresql": uidPostgres, postgresDir: uidPostgres, varDir + "/leaderl": uidPostgres, varDir + "/leaderl/data": uidPostgres,
	}
	for path, uid := range owners {
		if err := os.MkdirAll(h.file(path), 0o755); err != nil {
			return err
		}
		if err := os.Chown(h.file(path), uid, uid); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) makeService(s service) error {
	folder := optDir + "/sv/" + s.name
	files := map[string]string{
		"run":     "#!/bin/sh\nexec 2>&1\n" + s.run,
		"log/run": "#!/bin/sh\nexec svlogd -tt " + logDir + "/" + s.folder + "\n",
	}
	maps.Copy(files, s.files)
	if s.waits {
		files["down"] = ""
	}
	for name, text := range files {
		if err := writeFile(h.file(filepath.Join(folder, name)), text); err != nil {
			return err
		}
	}
	// Far smaller than the product's 100 MB: the disk is small, and a rotation
	// is something to be seen.
	if err := writeFile(h.log(s.name, "config"), "s1000000\nn5\n"); err != nil {
		return err
	}
	link := h.file(serviceDir + "/" + s.name)
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	return os.Symlink("../sv/"+s.name, link)
}

// log is a file in the log folder of a service, as this machine reaches it.
func (h *Host) log(service, name string) string {
	if service == "postgresql" {
		service += "/" + postgresVersion
	}
	return h.file(logDir + "/" + service + "/" + name)
}
