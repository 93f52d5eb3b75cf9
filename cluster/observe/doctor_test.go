package observe

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
)

// doctorNode is a node for the doctor: the product's folders are there, the
// cockpit's own is not, and sshd says what a strict one would.
func doctorNode(t *testing.T) *fakeNode {
	n := newFakeNode(t)
	for _, s := range cluster.Services {
		n.file("/var/log/chef-backend/"+s+"/current", "")
	}
	n.file("/opt/chef-backend/service/leaderl/run", "")
	n.tool("df", `case $2 in
-i) printf 'Filesystem Inodes IUsed IFree IUse%% Mounted on\n/dev/sda1 1000 400 600 40%% /\n' ;;
*) printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 900000 1 800000 1%% /\n' ;;
esac`)
	n.tool("sshd", `[ "$2" != -C ] || { echo "illegal option"; exit 1; }
printf 'port 22\nmaxsessions 1\nmaxstartups 2:30:100\npermittty no\n'`)
	for _, name := range cluster.ToolNames() {
		if _, err := os.Stat(filepath.Join(n.bin, name)); err == nil {
			continue
		}
		if real, err := exec.LookPath(name); err == nil {
			n.tool(name, "exec "+real+` "$@"`)
		} else {
			n.tool(name, "exit 0")
		}
	}
	return n
}

// means is what the doctor is told by a real shell on the node.
func (n *fakeNode) means(shell string) cluster.Means {
	n.t.Helper()
	text := strings.TrimPrefix(doctorText, probeText)
	for _, p := range []string{"/var/opt/chef-backend", "/opt/chef-backend", "/var/log/chef-backend", "/proc/mounts"} {
		text = strings.ReplaceAll(text, p, "\x00"+p)
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "/var\x00/opt", "/var/opt"), "\x00", n.root)
	raw := n.look(shell, text+"PATH="+n.bin+"; look doctor n1 10.0.4.11")
	f, ok := parseFrame(raw, "n1")
	if !ok {
		n.t.Fatalf("no frame: %s", raw)
	}
	for name, s := range f.sections {
		s.body = []byte(strings.ReplaceAll(string(s.body), n.root, ""))
		f.sections[name] = s
	}
	return (&look{frame: f, node: "be2", at: someTime, ended: someTime, absentReason: "the answer was cut off"}).means()
}

func TestDoctorOnRealShells(t *testing.T) {
	shells(t, func(t *testing.T, shell string) {
		n := doctorNode(t)
		m := n.means(shell)
		if b := m.Tools; !b.Known || b.Value.At["flock"] == "" || b.Value.At["psql"] == "" || b.Value.Tried["setsid"] != 0 {
			t.Errorf("tools: %+v", b)
		}
		if f := m.Folders; !f.Known || len(f.Value.Missing)+len(f.Value.Closed)+len(f.Value.NoLog) != 0 {
			t.Errorf("folders: %+v", f)
		}
		if o := m.Own; !o.Known || !strings.HasPrefix(o.Value.Mode, "drwx") || o.Value.Refused != "" || o.Value.Free != 800000<<10 || o.Value.Inodes != 600 || o.Value.ReadOnly {
			t.Errorf("own folder: %+v", o)
		}
		if s := m.SSHD; !s.Known || s.Value != (cluster.SSHD{MaxSessions: 1, MaxStartups: "2:30:100", NoTerminal: true}) {
			t.Errorf("sshd: %+v", s)
		}

		n.file("/proc/mounts", "/dev/sda1 / ext4 ro,relatime 0 0\n")
		n.tool("setsid", "exit 1")
		n.tool("sshd", `echo "sshd: no hostkeys available -- exiting." >&2; exit 1`)
		for _, gone := range []string{"/bin/flock", "/bin/chef-backend-ctl", "/var/log/chef-backend/etcd/current"} {
			if err := os.Remove(filepath.Join(n.root, gone)); err != nil {
				t.Fatal(err)
			}
		}
		for _, gone := range []string{"/opt/chef-backend/service", "/var/opt/chef-backend-cockpit"} {
			if err := os.RemoveAll(filepath.Join(n.root, gone)); err != nil {
				t.Fatal(err)
			}
		}
		m = n.means(shell)
		if b := m.Tools.Value; !m.Tools.Known || b.At["chef-backend-ctl"] != "" || b.Tried["setsid"] != 1 {
			t.Errorf("tools: %+v", m.Tools)
		}
		if f := m.Folders.Value; len(f.Missing) != 1 || f.Missing[0] != "/opt/chef-backend/service" || len(f.NoLog) != 1 || f.NoLog[0] != "etcd" {
			t.Errorf("folders: %+v", m.Folders)
		}
		if o := m.Own.Value; o.Mode != "" || o.Nearest != "/var/opt" || !o.ReadOnly {
			t.Errorf("own folder: %+v", m.Own)
		}
		if s := m.SSHD; s.Known || !strings.Contains(s.Reason, "no hostkeys") {
			t.Errorf("sshd: %+v", s)
		}
		n.file("/var/opt/chef-backend-cockpit", "a file\n")
		if o := n.means(shell).Own.Value; o.NoFolder != "/var/opt/chef-backend-cockpit" {
			t.Errorf("a file in the way: %+v", o)
		}
	})
}

// Nothing is written: the tree that the doctor looked at is the same after it.
func TestDoctorWritesNothing(t *testing.T) {
	n := doctorNode(t)
	tree := func() string {
		var b strings.Builder
		err := filepath.Walk(n.root, func(path string, info os.FileInfo, err error) error {
			if err == nil {
				b.WriteString(path + info.Mode().String() + info.ModTime().String() + "\n")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	before := tree()
	n.means("dash")
	if after := tree(); after != before {
		t.Errorf("the node changed:\n%s\nwas\n%s", after, before)
	}
}

// What was cut off is unknown: a tool that is not told of is not missing.
func TestDoctorsAnswerCutOff(t *testing.T) {
	l := look{frame: frame{sections: map[string]section{"tools": {body: []byte("tool sh /bin/sh\n"), ended: true}}}, absentReason: "the answer was cut off"}
	m := l.means()
	for name, c := range map[string]struct {
		known  bool
		reason string
	}{
		"tools": {m.Tools.Known, m.Tools.Reason}, "folders": {m.Folders.Known, m.Folders.Reason}, "own": {m.Own.Known, m.Own.Reason},
		"locks": {m.LockList.Known, m.LockList.Reason}, "sshd": {m.SSHD.Known, m.SSHD.Reason},
	} {
		if c.known || c.reason == "" {
			t.Errorf("%s: known %v, reason %q", name, c.known, c.reason)
		}
	}
}

func FuzzDoctor(f *testing.F) {
	sections := []string{"tools", "folders", "own", "mounts", "locks", "sshd"}
	for _, s := range []string{
		"tool flock /usr/bin/flock\ntool su -\ntry flock 999999999999999999999\nshell /bin/dash\n", "folder no /var/log/chef-backend\nlog no etcd\n",
		"own drwx------ /x\nnearest /var/opt\nwritable no /var/opt\nroom\n/dev/a 1000 1 999 1% /\ninodes\n/dev/a 0 0 0 - /\n", "maxsessions -1\nmaxstartups 1:2:3\n",
		"/dev/a / ext4 ro 0 0\n",
	} {
		f.Add([]byte(s), 0)
		f.Add([]byte(s+"\x1b]52;c;aGk=\a\xff\u202e"), 1)
	}
	f.Fuzz(func(t *testing.T, body []byte, exit int) {
		l := look{frame: frame{kind: doctor, done: true, sections: map[string]section{}}, node: "be2", at: someTime, ended: someTime}
		for _, name := range sections {
			l.sections[name] = section{body: body, exit: exit & 0xff, ended: true}
		}
		safeStrings(t, reflect.ValueOf(l.means()), "means")
	})
}
