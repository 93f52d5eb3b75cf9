package model

import (
	"fmt"
	"path"
	"sort"
	"strings"
	"testing"
	"time"
)

// memory is one node's file system in memory.
type memory struct{ files, dirs map[string]string }

func newMemory() *memory { return &memory{map[string]string{}, map[string]string{"/": ""}} }

func (m *memory) Mkdir(dir string) error {
	for ; dir != "/"; dir = path.Dir(dir) {
		m.dirs[dir] = ""
	}
	return nil
}
func (m *memory) Write(file string, data []byte) error {
	m.files[file] = string(data)
	return m.Mkdir(path.Dir(file))
}
func (m *memory) Append(file string, data []byte) error {
	return m.Write(file, append([]byte(m.files[file]), data...))
}
func (m *memory) Read(file string) ([]byte, error) {
	text, ok := m.files[file]
	if !ok {
		return nil, fmt.Errorf("%s: no such file", file)
	}
	return []byte(text), nil
}
func (m *memory) Remove(file string) error { delete(m.files, file); return nil }
func (m *memory) RemoveAll(file string) error {
	for _, set := range []map[string]string{m.files, m.dirs} {
		for name := range set {
			if name == file || strings.HasPrefix(name, file+"/") {
				delete(set, name)
			}
		}
	}
	return nil
}
func (m *memory) Exists(file string) bool {
	_, isFile := m.files[file]
	_, isDir := m.dirs[file]
	return isFile || isDir
}
func (m *memory) List(dir string) ([]string, error) {
	seen := map[string]bool{}
	for _, set := range []map[string]string{m.files, m.dirs} {
		for name := range set {
			if rest, ok := strings.CutPrefix(name, strings.TrimSuffix(dir, "/")+"/"); ok && rest != "" {
				seen[strings.SplitN(rest, "/", 2)[0]] = true
			}
		}
	}
	return sortedKeys(seen), nil
}

// bed is a world as a test sees it: only through what an operator could ask.
type bed struct {
	t interface {
		Helper()
		Fatalf(string, ...any)
	}
	w     *World
	disks map[string]*memory
	lines []string // "node service text"
}

func newBed(t *testing.T) *bed { b := &bed{t: t}; b.begin(1); return b }

func (b *bed) begin(seed int64) {
	b.disks = map[string]*memory{}
	b.w = New(Options{
		Seed: seed, Start: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
		Files: func(node string) Files { b.disks[node] = newMemory(); return b.disks[node] },
		Log: func(node, service, line string, at time.Time) {
			b.lines = append(b.lines, at.Format("15:04:05.000 ")+node+" "+service+" "+line)
		},
	})
}

func (b *bed) pass(d time.Duration) { b.w.Advance(b.w.Now().Add(d)) }

// until lets time pass until the condition holds, at most d.
func (b *bed) until(d time.Duration, what string, holds func() bool) {
	b.t.Helper()
	for end := b.w.Now().Add(d); !holds(); b.pass(500 * time.Millisecond) {
		if !b.w.Now().Before(end) {
			b.t.Fatalf("not within %s: %s\n%s\n%s", d, what, b.status(), b.tail(40))
		}
	}
}

// run runs a command to its end, at most six minutes.
func (b *bed) run(node, command string) (out, errOut string, exit int) {
	b.t.Helper()
	env := map[string]string{}
	argv := strings.Fields(command)
	for len(argv) > 0 && strings.Contains(argv[0], "=") && !strings.HasPrefix(argv[0], "-") {
		k, v, _ := strings.Cut(argv[0], "=")
		env[k] = v
		argv = argv[1:]
	}
	return b.exec(node, argv, env)
}

func (b *bed) exec(node string, argv []string, env map[string]string) (out, errOut string, exit int) {
	b.t.Helper()
	p, ok := b.w.Exec(node, argv, env)
	if !ok {
		return "", "", 127
	}
	for i := 0; i < 3600; i++ {
		if code, done := p.Done(); done {
			return out + string(p.Output()), errOut + string(p.ErrOutput()), code
		}
		out += string(p.Output())
		errOut += string(p.ErrOutput())
		b.pass(Step)
	}
	b.t.Fatalf("%s: %v does not end", node, argv)
	return "", "", -1
}

// must runs a command that has to succeed.
func (b *bed) must(node, command string) string {
	b.t.Helper()
	out, errOut, exit := b.run(node, command)
	if exit != 0 {
		b.t.Fatalf("%s: %s: exit %d\n%s%s\n%s", node, command, exit, out, errOut, b.tail(30))
	}
	return out
}

// sql is one row set as psql prints it.
func (b *bed) sql(node, query string) string {
	b.t.Helper()
	out, errOut, _ := b.exec(node, []string{"/opt/chef-backend/embedded/bin/psql", "-X", "-w", "-A", "-t", "-F", "|", "-h", "/tmp", "-p", "5432", "-d", "postgres", "-c", query}, nil)
	return strings.TrimSpace(out + errOut)
}

const stateSQL = "select pg_is_in_recovery(), pg_last_xlog_receive_location(), pg_last_xlog_replay_location(), case when pg_is_in_recovery() then null else pg_current_xlog_location() end, pg_last_xact_replay_timestamp()"
const replicasSQL = "select client_addr, state, sent_location, replay_location from pg_stat_replication"

// roles are the roles of cluster-status by name, asked on the given node.
func (b *bed) roles(node string) map[string]string {
	b.t.Helper()
	out, _, _ := b.run(node, "chef-backend-ctl cluster-status")
	roles := map[string]string{}
	for _, line := range strings.Split(out, "\n") {
		if f := strings.Fields(line); len(f) > 4 && f[0] != "Name" {
			roles[f[0]] = f[3]
		}
	}
	return roles
}

// primaries are the nodes whose PostgreSQL is out of recovery.
func (b *bed) primaries() []string {
	var all []string
	for _, n := range b.w.nodes {
		if n.pg.phase == pgPrimary && n.booted() {
			all = append(all, n.name)
		}
	}
	return all
}

// healthy says whether everything is as in a healthy cluster, asked as an
// operator would ask.
func (b *bed) healthy() bool {
	for _, n := range b.w.nodes {
		if !b.w.Reachable(n.name) {
			return false
		}
	}
	leader := ""
	for name, role := range b.roles("be1") {
		if role == "leader" {
			leader = name
		} else if role != "follower" {
			return false
		}
	}
	if leader == "" || strings.Count(b.sql(leader, replicasSQL), "|streaming|") != 2 {
		return false
	}
	for _, n := range b.w.nodes {
		if out := b.must(n.name, "sv status /opt/chef-backend/service/leaderl /opt/chef-backend/service/epmd /opt/chef-backend/service/etcd /opt/chef-backend/service/postgresql /opt/chef-backend/service/elasticsearch"); strings.Count("\n"+out, "\nrun: ") != 5 {
			return false
		}
		if n.files.Exists(noStartFile) || n.files.Exists(unsyncedFile) || !n.etcd.healthy() || n.es.color() != "green" {
			return false
		}
	}
	return true
}

func (b *bed) status() string {
	var s strings.Builder
	for _, n := range b.w.nodes {
		fmt.Fprintf(&s, "%s power %v leaderl %s/%v pg %d want %v tli %d end %s oldest %X etcd %s term %d healthy %v\n", n.name, n.powered, n.leaderl.state, n.leaderl.alive(), n.pg.phase, n.service("postgresql").want, n.pg.copy.tli, lsn(n.pg.copy.end), n.pg.copy.oldest, n.etcd.state, n.etcd.term, n.etcd.healthy())
	}
	return s.String()
}

func (b *bed) tail(n int) string {
	if len(b.lines) > n {
		return strings.Join(b.lines[len(b.lines)-n:], "\n")
	}
	return strings.Join(b.lines, "\n")
}

// logged counts the lines of a service that hold a text.
func (b *bed) logged(node, service, text string) int {
	count := 0
	for _, line := range b.lines {
		if strings.Contains(line, " "+node+" "+service+" ") && strings.Contains(line, text) {
			count++
		}
	}
	return count
}

func names(m map[string]string) []string {
	var all []string
	for k, v := range m {
		all = append(all, k+"="+v)
	}
	sort.Strings(all)
	return all
}
