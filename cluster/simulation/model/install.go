package model

import (
	"fmt"
	"strings"
)

// components are the versions that come with a release of Chef Backend:
// PostgreSQL, etcd, Elasticsearch.
var components = map[string][3]string{
	"2.0.30": {"9.5.10", "v2.3.8", "5.4.1"},
	"2.2.0":  {"9.5.21", "v2.3.8", "5.6.16"},
	"2.3.16": {"9.5.25", "v2.3.8", "5.6.16"},
	"3.0.0":  {"9.5.25", "v2.3.8", "6.8.23"},
}

// install puts a release of Chef Backend on the node. What runs goes on as it
// is until its restart.
func (n *node) install(version string) {
	n.version = version
	c := components[version]
	n.write("/opt/chef-backend/version-manifest.txt", fmt.Sprintf("chef-backend %s\n\nComponent            Installed Version\n----------------------------------------\npostgresql           %s\netcd                 %s\nelasticsearch        %s\n", version, c[0], c[1], c[2]))
}

// equip puts on the node what it runs with.
func (n *node) equip() {
	n.install("2.3.16")
	n.writeConfig()
	n.usualCertificate()
	n.pg.clients = usualClients
}

// writeConfig writes what the node runs with; only its keys are the product's.
func (n *node) writeConfig() {
	n.write("/etc/chef-backend/chef-backend-running.json", fmt.Sprintf("{\"chef_backend\":{\"publish_address\":\"%s\",\"leaderl\":{\"leader_ttl_seconds\":30,\"required_active_followers\":%d,\"health_check\":{\"max_bytes_behind_leader\":%d,\"disk_min_space_mb\":%d}},\"postgresql\":{\"wal_keep_segments\":%d},\"etcd\":{\"heartbeat_interval\":500,\"election_timeout\":5000}}}\n", n.address, n.w.required, maxBytesBehind, roomy>>20, keepSegments))
}

// kmsg is a line of the kernel.
func (n *node) kmsg(format string, a ...any) {
	text := fmt.Sprintf(format, a...)
	n.kernel = append(n.kernel, fmt.Sprintf("[%12.6f] %s", n.w.now.Sub(n.bootedAt).Seconds(), text))
	n.note(n.files.Append("/var/log/messages", fmt.Appendf(nil, "%s %s kernel: %s\n", n.clock().Format("Jan _2 15:04:05"), n.name, text)))
}

// dmesg prints what the kernel has said since the boot.
func dmesg(p *Process) {
	if len(p.n.kernel) > 0 {
		p.printf("%s\n", strings.Join(p.n.kernel, "\n"))
	}
}
