package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
)

// planted are secrets as they get into logs, configuration and journals; all
// are invented. None of them may leave the machine in a bundle.
var planted = []string{"hunter2-in-a-url", "hunter2-in-json", "hunter2-in-ruby", "hunter2InAKey", "hunter2-in-a-comment", "hunter2-in-output", "hunter2-of-the-file"}

const plantedLines = `LOG:  connection to postgres://chef:hunter2-in-a-url@10.0.4.11/opscode failed
I {"db_superuser_password": "hunter2-in-json", "port": 5432}
I postgresql['db_superuser_password'] = 'hunter2-in-ruby'
-----BEGIN RSA PRIVATE KEY-----
hunter2InAKey
-----END RSA PRIVATE KEY-----
I the line after the key
`

// plant writes secrets to where the product, the operator and the cockpit have them.
func plant(t *testing.T, s site) {
	t.Helper()
	text := "printf '%s' \"$1\" >>/var/log/chef-backend/leaderl/current; printf '{\"x\":\"hunter2-of-the-file\"}' >/etc/chef-backend/chef-backend-secrets.json"
	if _, err := s.Host("be2").Run(t.Context(), remote.Script{Name: "plant", Text: text, Args: []string{plantedLines}}); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(s.config)
	if err == nil {
		err = os.WriteFile(s.config, append(config, "# the old password: hunter2-in-a-comment\n"...), 0o600)
	}
	dir, dirErr := journal.DefaultDir()
	j := journal.New(dir, remote.System{}, "sim")
	err = errors.Join(err, dirErr,
		j.Record(journal.Finding, cluster.Finding{Failure: "leaderl-down", Node: "be3", Priority: cluster.P2, Title: "leaderl is down on be3"}),
		j.Record(journal.Output, journal.OutputData{Plan: "7f3a0001", Step: "1-stop", Node: "be3", Lines: []string{"PGPASSWORD=hunter2-in-output psql"}}),
		j.Close())
	if err != nil {
		t.Fatal(err)
	}
}

// unpacked reads an archive and holds what every entry must be.
func unpacked(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		name, inside := strings.CutPrefix(h.Name, strings.TrimSuffix(filepath.Base(path), ".tar.gz")+"/")
		text, err := io.ReadAll(r)
		if err != nil || !inside || h.Mode != 0o600 || !filepath.IsLocal(h.Name) {
			t.Errorf("%s: mode %o, %v", h.Name, h.Mode, err)
		}
		files[name] = string(text)
	}
}

func TestSupportBundleHoldsWhatIsNeededAndNoSecret(t *testing.T) {
	s := newSite(t, "", nil)
	plant(t, s)
	t.Chdir(t.TempDir())
	code, out, errOut := call(t, "--config", s.config, "support-bundle")
	path := strings.TrimSpace(out)
	info, err := os.Stat(path)
	if code != 0 || err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(path, "chef-backend-cockpit-support-sim-") {
		t.Fatalf("exit code %d, %q, %q, %v %v", code, out, errOut, info, err)
	}
	files := unpacked(t, path)
	var incident string
	for name, text := range files {
		for _, secret := range planted {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %s", name, secret)
			}
		}
		if filepath.Base(name) == journal.FileName {
			incident = filepath.Dir(name)
		}
	}
	for name, holds := range map[string]string{
		incident + "/journal.jsonl": "leaderl-down", incident + "/report.md": "# Incident ", incident + "/timeline.txt": "leaderl is down on be3",
		"status.json": `"cluster": "sim"`, "diagnose.json": `"findings"`, "config.yaml": "clusters:", "version.txt": "chef-backend-cockpit",
		"nodes/be2/var/log/chef-backend/leaderl/current":        "the line after the key",
		"nodes/be1/var/log/chef-backend/postgresql/9.5/current": "LOG:",
	} {
		if !strings.Contains(files[name], holds) {
			t.Errorf("%s does not hold %q: %.200q", name, holds, files[name])
		}
	}
	for _, name := range []string{"status.json", "diagnose.json"} {
		if !json.Valid([]byte(files[name])) {
			t.Errorf("%s is no JSON", name)
		}
	}
	if err := os.WriteFile("journal.jsonl", []byte(files[incident+"/journal.jsonl"]), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := journal.Verify("journal.jsonl"); err != nil {
		t.Errorf("the journal in the bundle: %v", err)
	}
}

// Without a node the bundle holds what lies here, and says what it lacks; it
// never takes a name that is there, nor a disk that cannot hold it, and one
// that is interrupted leaves nothing.
func TestSupportBundleIsMadeWholeOrNotAtAll(t *testing.T) {
	home(t, "")
	t.Chdir(t.TempDir())
	code, out, errOut := call(t, "support-bundle")
	if files := unpacked(t, strings.TrimSpace(out)); code != 0 || !strings.Contains(files["lacks.txt"], "no host given") || !strings.Contains(errOut, "there is no incident") {
		t.Errorf("exit code %d, %q, %q, %q", code, out, errOut, files)
	}
	t.Chdir(t.TempDir())
	at := time.Date(2026, 11, 23, 2, 41, 5, 0, time.UTC)
	if err := os.WriteFile("there.tar.gz", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newBundleFile(".", "there", at); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a name that is there: %v", err)
	}
	if err := room(".", 1<<60); err == nil || !strings.Contains(err.Error(), "more room") {
		t.Errorf("no room: %v", err)
	}
	b, err := newBundleFile(".", "half", at)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.add("version.txt", []byte("x")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.finish(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("finished all the same: %v", err)
	}
	b.drop()
	if left, _ := filepath.Glob("*"); len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
	if left, _ := filepath.Glob(".*"); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Where no node answers, the very outage that support is asked about, what lies
// here is packed, and what is missing is said; a wrong call still packs nothing.
func TestSupportBundleOfAClusterThatDoesNotAnswer(t *testing.T) {
	home(t, "clusters:\n  dead: {jump: none, nodes: [{host: '127.0.0.1:1'}, {host: '127.0.0.1:2'}, {host: '127.0.0.1:3'}]}\n")
	dir, err := journal.DefaultDir()
	j := journal.New(dir, remote.System{}, "dead")
	err = errors.Join(err, j.Record(journal.Note, map[string]string{"text": "be1 has gone"}), j.Close())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	code, out, errOut := call(t, "support-bundle")
	if code != exitNothing || !strings.HasPrefix(out, "chef-backend-cockpit-support-dead-") || !strings.Contains(errOut, "the cluster could not be looked at: ") || !strings.Contains(errOut, "no node could be reached") || !strings.Contains(errOut, "holds only what lies here") {
		t.Fatalf("exit code %d, %q, %q", code, out, errOut)
	}
	files := unpacked(t, strings.TrimSpace(out))
	timeline := ""
	for name, text := range files {
		if filepath.Base(name) == "timeline.txt" {
			timeline = text
		}
	}
	if !strings.Contains(timeline, "be1 has gone") || !strings.Contains(files["lacks.txt"], "refused") || !strings.Contains(files["config.yaml"], "dead") {
		t.Errorf("%q", files)
	}
	t.Chdir(t.TempDir())
	if code, out, _ := call(t, "--cluster", "other", "support-bundle"); code != exitUsage || out != "" {
		t.Errorf("a cluster that is none: exit code %d, %q", code, out)
	}
}

// A node that is up while neither cluster-status nor etcd answer was reached: its
// logs are packed, and why the cluster is not known is said.
func TestSupportBundleOfANodeThatDoesNotKnowItsCluster(t *testing.T) {
	s := newSite(t, "cluster-down", func(text string) string {
		lines := strings.SplitAfter(text, "\n")
		return strings.Join(lines[:len(lines)-3], "") // be1 alone
	})
	t.Chdir(t.TempDir())
	code := 0
	for end := time.Now().Add(patience); time.Now().Before(end) && code != exitNothing; { // the services stop after some seconds
		code, _, _ = call(t, "--config", s.config, "status")
	}
	code, out, errOut := call(t, "--config", s.config, "support-bundle")
	if code != exitFailed || !strings.Contains(errOut, "could not be looked at: ") || !strings.Contains(errOut, "name all nodes instead; the bundle holds what lies here and logs of ") || strings.Contains(errOut, "could be reached") {
		t.Fatalf("exit code %d, %q, %q", code, out, errOut)
	}
	files := unpacked(t, strings.TrimSpace(out))
	if _, looked := files["status.json"]; looked || !strings.Contains(files["lacks.txt"], "nodes: ") || !strings.Contains(files["lacks.txt"], "not known here") {
		t.Errorf("%q", files["lacks.txt"])
	}
	held := ""
	for name := range files {
		held += name + "\n"
	}
	if !strings.Contains(held, "var/log/chef-backend/postgresql/9.5/current\n") {
		t.Errorf("no log of be1 among\n%s", held)
	}
}

// strange is a host that is reached and is no node.
type strange struct{ lockedOut }

func (h strange) Link() remote.Link { return remote.Link{Phase: remote.Live} }

// Only where nothing was reached the bundle says so.
func TestSupportBundleTellsAHostThatIsNoNodeFromSilence(t *testing.T) {
	for _, reached := range []bool{true, false} {
		e, out := onNode(t, nil, "", func(to remote.Target) remote.Host {
			if reached {
				return strange{lockedOut{to.Name}}
			}
			return lockedOut{to.Name}
		})
		e.local = nil
		t.Chdir(t.TempDir())
		err := e.supportBundle(t.Context(), []string{"be1"})
		want := map[bool]int{true: exitFailed, false: exitNothing}[reached]
		if code := exitCode(err); err == nil || code != want || !strings.Contains(err.Error(), "could not be looked at: be1: no key was accepted") ||
			strings.Contains(err.Error(), "no node could be reached") == reached || !strings.Contains(err.Error(), "holds only what lies here") {
			t.Errorf("reached %v: exit code %d, %v, %s", reached, code, err, out)
		}
	}
}

// The newest bytes of each service are taken, current before what was put aside.
func TestNewestLogsAreBounded(t *testing.T) {
	const etcd = nodeLogs + "/etcd/"
	got := newest([]logFile{
		{path: etcd + "@400000005a.s", size: 50}, {path: etcd + "current", size: 30}, {path: etcd + "@400000005b.s", size: 50}, {path: nodeLogs + "/epmd/current", size: 500},
	}, 100)
	want := map[string]int64{etcd + "current": 30, etcd + "@400000005b.s": 50, etcd + "@400000005a.s": 20, nodeLogs + "/epmd/current": 100}
	if len(got) != len(want) {
		t.Errorf("%+v", got)
	}
	for _, f := range got {
		if want[f.path] != f.take {
			t.Errorf("%s: %d bytes, want %d", f.path, f.take, want[f.path])
		}
	}
}

// A demo of this morning is not what support asks for, unless it is named.
func TestBundlePassesOverSimulations(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	dir, err := journal.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	for _, in := range []struct{ cluster, stamp string }{{"chef-prod", "PROD"}, {"chef-demo", journal.Simulation + ", DRILL"}} {
		j := journal.New(dir, fixed(now), in.cluster).Stamped(in.stamp)
		if err := errors.Join(j.Open(), j.Close()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	for named, want := range map[string]string{"": "chef-prod", "chef-demo": "chef-demo"} {
		b := &bundle{at: now, cluster: named}
		if err := b.incidents(); err != nil || b.cluster != want {
			t.Errorf("named %q: %q, %v", named, b.cluster, err)
		}
	}
}

// fixed is a clock that stands still.
type fixed time.Time

func (f fixed) Now() time.Time                       { return time.Time(f) }
func (f fixed) After(time.Duration) <-chan time.Time { return nil }
