package cluster_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// examined is a cluster in which everything is in order for the doctor; a case
// changes one thing of it.
type examined struct {
	*stage
	x *cluster.Examination
}

func newExamined() *examined {
	s := newStage()
	furnish(s)
	e := &examined{s, &cluster.Examination{}}
	open := cluster.PeerSeen{Ports: map[int]string{22: "open", 2379: "open", 2380: "open", 5432: "open", 7331: "open", 9200: "open", 9300: "open"}}
	tools := cluster.Toolbox{At: map[string]string{}, Tried: map[string]int{}}
	for _, name := range cluster.ToolNames() {
		tools.At[name] = "/usr/bin/" + name
	}
	for _, n := range stageNodes {
		r := s.at(n.Name)
		r.Host.Installed, r.Host.TreeBytes = known(true), known(int64(10<<30))
		r.Host.Room = known(cluster.Room{Data: 60 << 30, Copies: 60 << 30})
		r.PostgreSQL.DataBytes = known(int64(8 << 30))
		r.Lock.Held = known(false)
		for address := range r.Peers {
			r.Peers[address] = known(cluster.PeerSeen{Ports: maps.Clone(open.Ports)})
		}
		e.x.Nodes = append(e.x.Nodes, cluster.Examined{Node: n, User: "root", Fingerprint: "SHA256:abc", Means: cluster.Means{
			Shell: known("/bin/dash"), Tools: known(cluster.Toolbox{At: maps.Clone(tools.At), Tried: maps.Clone(tools.Tried)}),
			Folders: known(cluster.Folders{}), LockList: known(true), Sessions: known(5),
			Own:  known(cluster.OwnFolder{Nearest: "/var/opt", Free: 60 << 30, Inodes: -1}),
			SSHD: known(cluster.SSHD{MaxSessions: 10, MaxStartups: "10:30:100"}),
		}})
	}
	return e
}

// means are those of be3.
func (e *examined) means() *cluster.Means { return &e.x.Nodes[2].Means }

// judge judges what the case changed.
func (e *examined) judge() []cluster.Precondition {
	reports := map[string]*cluster.Report{}
	for name, r := range e.reports { // all of it was asked now
		r.Host.Disks.At, r.Host.Room.At, r.Host.TreeBytes.At, r.PostgreSQL.DataBytes.At = e.now, e.now, e.now, e.now
		for address, p := range r.Peers {
			p.At = e.now
			r.Peers[address] = p
		}
		reports[name] = r
	}
	e.x.View = &cluster.View{Now: e.now, Snapshot: &cluster.Snapshot{At: e.now, Nodes: stageNodes, Reports: reports}}
	return cluster.Preconditions(e.x)
}

// refuse makes be3 a node that we do not get into.
func refuse(kind string) func(*examined) {
	return func(e *examined) {
		e.blind("be3", cluster.LoginFailed)
		e.x.Nodes[2] = cluster.Examined{Node: stageNodes[2], User: "ops", Fingerprint: "SHA256:abc", Refusal: cluster.Refusal{Kind: kind, Text: "the text of " + kind, Remedy: "the remedy"}}
	}
}

func lacks(tool string) func(*examined) {
	return func(e *examined) { delete(e.means().Tools.Value.At, tool) }
}

// TestPreconditions has a case for every line that can be other than ok. Every
// other line of the same examination stays as it was, unless it is named too.
func TestPreconditions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*examined)
		where  string // node/for/what; several after blanks
		stands cluster.Standing
		seen   string
		remedy string
	}{
		{"no answer", refuse("unreachable"), "be3/watching/reach", cluster.Amiss, "the text of unreachable", "the remedy"},
		{"stuck before the login", refuse("timeout"), "be3/watching/reach", cluster.Amiss, "the text", "the remedy"},
		{"a kind of tomorrow", refuse("new"), "be3/watching/reach", cluster.Amiss, "the text", "the remedy"},
		{"host key changed", refuse("host-key-changed"), "be3/watching/host-key", cluster.Amiss, "the text", "the remedy"},
		{"host key unknown", refuse("host-key-unknown"), "be3/watching/host-key", cluster.Amiss, "the text", "the remedy"},
		{"login refused", refuse("login-failed"), "be3/watching/login", cluster.Amiss, "the text", "the remedy"},
		{"sudo wants a password", refuse("no-privilege"), "be3/watching/privileges", cluster.Amiss, "the text", "the remedy"},
		{"no shell", refuse("no-shell"), "be3/watching/shell", cluster.Amiss, "the text", "the remedy"},
		{"what is behind a refusal is unknown", refuse("login-failed"), "be3/watching/privileges be3/watching/tools be3/acting/lock be3/acting/clock", cluster.Untold, "login first", ""},

		{"not installed", func(e *examined) { e.at("be3").Host.Installed = known(false) }, "be3/watching/product", cluster.Amiss, "/opt/chef-backend", "backend node"},
		{"tool to watch", lacks("psql"), "be3/watching/tools", cluster.Amiss, "psql is missing, for PostgreSQL", "Chef Backend"},
		{"one of two will do", lacks("stat"), "be3/watching/tools", cluster.InOrder, "", ""},
		{"neither of two", func(e *examined) { lacks("chpst")(e); lacks("su")(e) }, "be3/watching/tools", cluster.Amiss, "chpst or su", "Install"},
		{"tool to act", lacks("setsid"), "be3/acting/tools", cluster.Amiss, "setsid is missing", "util-linux"},
		{"a tool of another kind", func(e *examined) { e.means().Tools.Value.Tried["timeout"] = 1 }, "be3/acting/tools be3/acting/lock", cluster.Amiss, "timeout does not know what is asked of it", "coreutils"},
		{"a tool that is only useful", lacks("gzip"), "be3/watching/more-tools", cluster.Advice, "gzip", "gzip"},
		{"tools not told", func(e *examined) { e.means().Tools = cluster.Claim[cluster.Toolbox]{Reason: "cut off"} }, "be3/watching/tools be3/acting/tools be3/acting/lock", cluster.Untold, "cut off", "Look again"},
		{"folder missing", func(e *examined) { e.means().Folders.Value.Missing = []string{"/var/log/chef-backend"} }, "be3/watching/folders", cluster.Amiss, "/var/log/chef-backend not there", "Install"},
		{"folder closed", func(e *examined) { e.means().Folders.Value.Closed = []string{"/var/log/chef-backend"} }, "be3/watching/folders", cluster.Amiss, "may not look into", "rights"},
		{"no log at all", func(e *examined) { e.means().Folders.Value.NoLog = cluster.Services }, "be3/watching/folders", cluster.Amiss, "no log of any service", "svlogd"},
		{"one log missing", func(e *examined) { e.means().Folders.Value.NoLog = []string{"etcd"} }, "be3/watching/folders", cluster.Advice, "etcd", "svlogd"},
		{"MaxSessions 1", func(e *examined) { e.means().Sessions = known(1); e.means().SSHD.Value.MaxSessions = 1 }, "be3/watching/sessions be3/acting/sessions", cluster.Amiss, "1 of 5 opened; MaxSessions 1", "MaxSessions to 10"},
		{"MaxSessions 4", func(e *examined) { e.means().Sessions = known(4) }, "be3/acting/sessions", cluster.Amiss, "5 are needed at once, 4 of 5", "MaxSessions"},
		{"MaxSessions 4 will do to watch", func(e *examined) { e.means().Sessions = known(4) }, "be3/watching/sessions", cluster.InOrder, "", ""},
		{"sessions not tried", func(e *examined) { e.means().Sessions = cluster.Claim[int]{Reason: "the link was lost"} }, "be3/watching/sessions be3/acting/sessions", cluster.Untold, "the link was lost", "Look again"},

		{"old version", func(e *examined) { e.at("be3").Host.Version = known("2.0.5") }, "be3/acting/version", cluster.Amiss, "older than 2.1.0", "Upgrade"},
		{"no version", func(e *examined) { e.at("be3").Host.Version = cluster.Claim[string]{Reason: "unreadable"} }, "be3/acting/version", cluster.Untold, "unreadable", ""},
		{"two versions", func(e *examined) { e.at("be3").Host.Version = known("2.2.0") }, "/acting/one-version", cluster.Amiss, "be3 runs 2.2.0", "one version"},
		{"port blocked", func(e *examined) { e.at("be3").Peers[addressBe1].Value.Ports[2380] = "timeout" }, "be3/acting/ports", cluster.Amiss, "no answer from 2380 of be1", "firewall"},
		{"port refused", func(e *examined) { e.at("be3").Peers[addressBe1].Value.Ports[9200] = "refused" }, "be3/acting/ports", cluster.Amiss, "refused by 9200 of be1 (elasticsearch)", "Start the service"},
		{"port not told", func(e *examined) { delete(e.at("be3").Peers[addressBe1].Value.Ports, 9300) }, "be3/acting/ports", cluster.Untold, "9300 of be1", "bash or curl"},
		{"skewed clock", func(e *examined) { e.at("be3").Host.ClockOffset = known(90 * time.Second) }, "be3/acting/clock", cluster.Amiss, "ahead of", "NTP"},
		{"no clock", func(e *examined) {
			e.at("be3").Host.ClockOffset = cluster.Claim[time.Duration]{Reason: "date not found"}
		}, "be3/acting/clock", cluster.Untold, "date not found", ""},
		{"our clock is the wrong one", func(e *examined) {
			for _, n := range stageNodes {
				e.at(n.Name).Host.ClockOffset = known(-time.Minute)
			}
		}, "be1/acting/clock be2/acting/clock be3/acting/clock", cluster.Advice, "1m0s behind this machine", "that the cockpit runs on"},
		{"disk full", func(e *examined) { e.at("be3").Host.Disks.Value[1].Free = 1 << 20 }, "be3/acting/file-systems", cluster.Amiss, "/var/log/chef-backend", "never delete WAL"},
		{"disk low", func(e *examined) { e.at("be3").Host.Disks.Value[1].Free = 3 << 30 }, "be3/acting/file-systems", cluster.Advice, "/var/log/chef-backend", "soon"},
		{"read-only", func(e *examined) { e.at("be3").Host.Disks.Value[0].ReadOnly = true }, "be3/acting/file-systems", cluster.Amiss, "mounted read-only", "repair"},
		{"no room for a base backup", func(e *examined) { e.at("be1").PostgreSQL.DataBytes = known(int64(61 << 30)) }, "be1/acting/base-backup be2/acting/base-backup be3/acting/base-backup", cluster.Amiss, "64 GB free on", "Make room"},
		{"size not told", func(e *examined) {
			for _, n := range stageNodes {
				e.at(n.Name).PostgreSQL.DataBytes = cluster.Claim[int64]{}
			}
		}, "be1/acting/base-backup be2/acting/base-backup be3/acting/base-backup", cluster.Untold, "how large", "du -sh"},
		{"no room for a file copy", func(e *examined) { e.at("be3").Host.Room.Value.Copies = 11 << 30 }, "be3/acting/file-copy", cluster.Amiss, "has 12 GB free", "Mount a file system"},
		{"room not told", func(e *examined) { e.at("be3").Host.Room = cluster.Claim[cluster.Room]{Reason: "df not found"} }, "be3/acting/file-copy", cluster.Untold, "df not found", ""},
		{"own folder is a file", func(e *examined) { e.means().Own.Value.NoFolder = cluster.OwnBase }, "be3/acting/own-folder be3/acting/lock", cluster.Amiss, "is no folder", "Move it away"},
		{"own folder refused", func(e *examined) { e.means().Own.Value.Refused = "/var/opt" }, "be3/acting/own-folder be3/acting/lock", cluster.Amiss, "may not write to /var/opt", "rights"},
		{"own folder read-only", func(e *examined) { e.means().Own.Value.ReadOnly = true }, "be3/acting/own-folder be3/acting/lock", cluster.Amiss, "mounted read-only", "writable"},
		{"own folder without room", func(e *examined) { e.means().Own.Value.Free = 1 << 20 }, "be3/acting/own-folder be3/acting/lock", cluster.Amiss, "1.0 MB free", "Make room"},
		{"own folder without files", func(e *examined) { e.means().Own.Value.Inodes = 0 }, "be3/acting/own-folder be3/acting/lock", cluster.Amiss, "no further file", "Remove files"},
		{"own folder not told", func(e *examined) { e.means().Own = cluster.Claim[cluster.OwnFolder]{Reason: "cut off"} }, "be3/acting/own-folder be3/acting/lock", cluster.Untold, "cut off", "Look again"},
		{"no flock", lacks("flock"), "be3/acting/tools be3/acting/lock", cluster.Amiss, "flock is missing", "util-linux"},
		{"locks not listed", func(e *examined) { e.means().LockList = known(false) }, "be3/acting/lock", cluster.Advice, "/proc/locks", "/proc"},
		{"lock held", func(e *examined) {
			e.at("be3").Lock = cluster.LockClaims{Held: known(true), Holder: known(cluster.LockHolder{Who: "eve@there"})}
		}, "be3/acting/lock", cluster.Advice, "eve@there holds it", "K, then T"},
		{"no majority", func(e *examined) {
			lacks("flock")(e)
			delete(e.x.Nodes[0].Means.Tools.Value.At, "flock")
		}, "/acting/lock", cluster.Amiss, "1 of 3 nodes, 2 are needed; not on be1, be3", "above"},
		{"a majority that is not known", func(e *examined) {
			refuse("unreachable")(e)
			delete(e.x.Nodes[0].Means.Tools.Value.At, "flock")
		}, "/acting/lock", cluster.Untold, "not known of be3", "reachable"},
		{"nobody tells who belongs to the cluster", func(e *examined) {
			for i := range e.x.Nodes {
				e.x.Nodes[i].Refusal.Kind = "unreachable"
			}
		}, "/acting/nodes", cluster.Untold, "no node was reached", "reachable"},
		{"MaxStartups 1", func(e *examined) { e.means().SSHD.Value.MaxStartups = "1:30:60" }, "be3/acting/sshd", cluster.Advice, "MaxStartups 1:30:60", "10:30:100"},
		{"no terminals", func(e *examined) { e.means().SSHD.Value.NoTerminal = true }, "be3/acting/sshd", cluster.Advice, "PermitTTY no", "PermitTTY"},
		{"sshd -T cannot be read", func(e *examined) { e.means().SSHD = cluster.Claim[cluster.SSHD]{Reason: "sshd not found"} }, "be3/acting/sshd", cluster.Advice, "sshd not found", "sessions were tried"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newExamined()
			c.change(e)
			found := map[string]cluster.Precondition{}
			for _, p := range e.judge() {
				found[p.Node+"/"+string(p.For)+"/"+p.What] = p
			}
			for where := range strings.FieldsSeq(c.where) {
				p, ok := found[where]
				if !ok || p.Standing != c.stands || !strings.Contains(p.Seen, c.seen) || !strings.Contains(p.Remedy, c.remedy) {
					t.Errorf("%s: %+v", where, p)
				}
				if p.Standing == cluster.Amiss && p.Remedy == "" {
					t.Errorf("%s has no remedy", where)
				}
			}
		})
	}
}

// In order is only what was seen to be: with nothing changed all is, and with
// nothing seen nothing is.
func TestPreconditionsOfAllAndNothing(t *testing.T) {
	e := newExamined()
	all := e.judge()
	for _, p := range all {
		if p.Standing != cluster.InOrder || p.Seen == "" {
			t.Errorf("%+v", p)
		}
	}
	if len(all) < 60 || cluster.Possible(all, cluster.ToWatch) != cluster.True || cluster.Possible(all, cluster.ToAct) != cluster.True {
		t.Errorf("%d lines, watching %s, acting %s", len(all), cluster.Possible(all, cluster.ToWatch), cluster.Possible(all, cluster.ToAct))
	}
	for i, n := range stageNodes {
		e.reports[n.Name] = &cluster.Report{Node: n.Name}
		e.x.Nodes[i].Means = cluster.Means{}
	}
	for _, p := range e.judge() {
		way := p.What == "reach" || p.What == "host-key" || p.What == "login" || p.What == "privileges" || p.What == "shell"
		if p.Standing == cluster.InOrder && !way && p.What != "nodes" {
			t.Errorf("seen nothing: %+v", p)
		}
	}
}

// What acting needs does not touch watching, and the other way round it does.
func TestWhatIsPossible(t *testing.T) {
	line := func(p cluster.Purpose, s cluster.Standing) cluster.Precondition {
		return cluster.Precondition{For: p, Standing: s}
	}
	for _, c := range []struct {
		lines         []cluster.Precondition
		watch, acting cluster.Truth
	}{
		{[]cluster.Precondition{line(cluster.ToAct, cluster.Amiss)}, cluster.True, cluster.False},
		{[]cluster.Precondition{line(cluster.ToWatch, cluster.Amiss)}, cluster.False, cluster.False},
		{[]cluster.Precondition{line(cluster.ToAct, cluster.Untold)}, cluster.True, cluster.Unknown},
		{[]cluster.Precondition{line(cluster.ToWatch, cluster.Untold), line(cluster.ToAct, cluster.Amiss)}, cluster.Unknown, cluster.False},
		{[]cluster.Precondition{line(cluster.ToWatch, cluster.Advice), line(cluster.ToAct, cluster.Advice)}, cluster.True, cluster.True},
	} {
		if w, a := cluster.Possible(c.lines, cluster.ToWatch), cluster.Possible(c.lines, cluster.ToAct); w != c.watch || a != c.acting {
			t.Errorf("%+v: watching %s, acting %s", c.lines, w, a)
		}
	}
}
