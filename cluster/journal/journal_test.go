package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// fixed is a clock that tests move.
type fixed struct{ now time.Time }

func (f *fixed) Now() time.Time { return f.now }

func (f *fixed) After(time.Duration) <-chan time.Time { return nil }

func clock() *fixed { return &fixed{time.Date(2026, 11, 23, 2, 41, 5, 0, time.UTC)} }

// written makes an incident with an intent, its outcome, and a note.
func written(t *testing.T, dir string, c cluster.Clock) string {
	t.Helper()
	j := New(dir, c, "invented")
	for _, err := range []error{
		j.Record(Intent, cluster.Intent{Plan: "7f3a0001", Step: "1-stop", Node: "be3"}),
		j.Record(Outcome, cluster.Outcome{Plan: "7f3a0001", Step: "1-stop", Node: "be3"}),
		j.Record(Note, map[string]string{"text": "the end"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	id := j.ID()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestRecordsAreChainedAndReadBack(t *testing.T) {
	dir := t.TempDir()
	id := written(t, dir, clock())
	path := Path(dir, id)
	if err := Verify(path); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	if err := Read(path, func(r Record) error { kinds = append(kinds, r.Kind); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kinds, " "); got != "note intent outcome note" {
		t.Errorf("records: %s", got)
	}
	all, err := List(dir)
	if err != nil || len(all) != 1 || all[0].Records != 4 || all[0].Cluster != "invented" || len(all[0].OpenIntents) != 0 {
		t.Errorf("list: %+v, %v", all, err)
	}
}

func TestVerifyNamesTheFirstBrokenRecord(t *testing.T) {
	change := map[string]func(lines []string) []string{
		"record 2 was changed":            func(l []string) []string { l[2] = strings.Replace(l[2], `"be3"`, `"be2"`, 1); return l },
		"record 1 has the number 2":       func(l []string) []string { return append(l[:1], l[2:]...) },
		"record 3 has the number 1":       func(l []string) []string { return append(l[:3], l[1], l[3]) },
		"record 0: not a record":          func(l []string) []string { l[0] = "{"; return l },
		"record 1: not a record":          func(l []string) []string { l[1] = `{"seq":1,"other":2}`; return l },
		"record 2 does not follow the on": func(l []string) []string { l[2] = strings.Replace(l[2], `"prev":"`, `"prev":"0`, 1); return l },
	}
	for want, edit := range change {
		dir := t.TempDir()
		path := Path(dir, written(t, dir, clock()))
		raw, _ := os.ReadFile(path)
		lines := edit(strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n"))
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Verify(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestTornLastLineIsLeftOutAndOtherFormatRefused(t *testing.T) {
	dir := t.TempDir()
	path := Path(dir, written(t, dir, clock()))
	raw, _ := os.ReadFile(path)
	os.WriteFile(path, raw[:len(raw)-9], 0o600)
	n := 0
	if err := Read(path, func(Record) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("%d records, %v; want 3 whole ones", n, err)
	}
	os.WriteFile(path, bytes.Replace(raw, []byte(`"format":1`), []byte(`"format":2`), 1), 0o600)
	if err := Read(path, func(Record) error { return nil }); err == nil || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("another format: %v", err)
	}
}

func TestUnwritableFolderIsAClearError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	j := New(filepath.Join(file, "incidents"), clock(), "invented")
	if err := j.Record(Intent, cluster.Intent{}); err == nil || !strings.Contains(err.Error(), "nothing may be carried out") {
		t.Errorf("got %v", err)
	}
	if j.ID() != "" {
		t.Error("an incident is open that could not be written")
	}
}

func TestSnapshotsOnlyOnChange(t *testing.T) {
	dir := t.TempDir()
	j := New(dir, clock(), "invented")
	look := func(seq int, role string) {
		if err := j.Record(Snapshot, map[string]any{"Seq": seq, "At": time.Unix(int64(seq), 0), "role": role}); err != nil {
			t.Fatal(err)
		}
	}
	look(1, "leader")
	look(2, "leader")
	look(3, "follower")
	id := j.ID()
	j.Close()
	n := 0
	Read(Path(dir, id), func(r Record) error {
		if r.Kind == Snapshot {
			n++
		}
		return nil
	})
	if n != 2 {
		t.Errorf("%d snapshots, want 2", n)
	}
}

func TestPasswordsNeverEnter(t *testing.T) {
	for in, want := range map[string]string{
		`postgres://chef:s3cr@t@be1/db`: `postgres://chef:***@be1/db`,
		`say "http://u:p\"w@h/" twice`:  `say "http://u:***@h/" twice`,
		`host=be1 password=abc user=x`:  `host=be1 password=*** user=x`,
		`http://be1:2379/health`:        `http://be1:2379/health`,
		`a\"b\\" PassWord: "x y" \\`:    `a\"b\\" PassWord: *** \\`,
		"PGPASSWORD=\u00fc<&>\n":        "PGPASSWORD=***&>\n",
	} {
		body, _ := json.Marshal(map[string]string{"a": in, "b": "://"})
		var out map[string]string
		if err := json.Unmarshal(redact(body), &out); err != nil || out["a"] != want || out["b"] != "://" {
			t.Errorf("%q became %q (%v), want %q", in, out["a"], err, want)
		}
	}
}

func mustID(t *testing.T, dir string) string {
	t.Helper()
	all, err := List(dir)
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	return all[0].ID
}

func TestRetentionKeepsOpenIntents(t *testing.T) {
	dir, c := t.TempDir(), clock()
	j := New(dir, c, "invented")
	if err := j.Record(Intent, cluster.Intent{Plan: "p", Step: "s"}); err != nil {
		t.Fatal(err)
	}
	open := j.ID()
	j.Close()
	done := written(t, dir, &fixed{c.now.Add(time.Hour)})
	fresh := written(t, dir, &fixed{c.now.Add(2 * time.Hour)})
	if err := prune(dir, time.Now().Add(-time.Minute), fresh, 1); err != nil {
		t.Fatal(err)
	}
	var left []string
	all, _ := List(dir)
	for _, in := range all {
		left = append(left, in.ID)
	}
	if got := strings.Join(left, " "); got != fresh+" "+open {
		t.Errorf("left %s; want %s and %s, without %s", got, fresh, open, done)
	}
	if len(all) == 2 && len(all[1].OpenIntents) != 1 {
		t.Errorf("open intents: %+v", all[1].OpenIntents)
	}
}

// What a demo left open is kept no longer than the rest of it.
func TestRetentionTakesSimulationsForOver(t *testing.T) {
	dir, c := t.TempDir(), clock()
	j := New(dir, c, "invented").Stamped(Simulation + ", DRILL")
	if err := j.Record(Intent, cluster.Intent{Plan: "p", Step: "s"}); err != nil {
		t.Fatal(err)
	}
	j.Close()
	fresh := written(t, dir, &fixed{c.now.Add(time.Hour)})
	if err := prune(dir, time.Now().Add(-time.Minute), fresh, 1); err != nil {
		t.Fatal(err)
	}
	if all, _ := List(dir); len(all) != 1 || all[0].ID != fresh {
		t.Errorf("left %+v", all)
	}
}

// Two cockpits that remove old incidents at once do not trip over each other.
func TestRetentionOfWhatIsGone(t *testing.T) {
	if err := remove(t.TempDir(), "20261123-024105-gone"); err != nil {
		t.Error(err)
	}
}

// A disk that is full takes half a line: it is taken back, and the same
// incident goes on when there is room.
func TestHalfALineOnAFullDiskIsTakenBack(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	dir := t.TempDir()
	j := New(dir, clock(), "invented")
	if err := j.Record(Note, map[string]string{"text": "before"}); err != nil {
		t.Fatal(err)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	tight := was
	tight.Cur = uint64(j.size) + 40
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &tight); err != nil {
		t.Fatal(err)
	}
	err := j.Record(Intent, cluster.Intent{Plan: "7f3a0001"})
	if back := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); back != nil {
		t.Fatal(back)
	}
	if err == nil {
		t.Fatal("an intent that found no room was taken for written")
	}
	if err := errors.Join(j.Record(Intent, cluster.Intent{Plan: "7f3a0002"}), j.Close()); err != nil {
		t.Fatal(err)
	}
	all, err := List(dir)
	if err != nil || len(all) != 1 || all[0].Records != 3 || all[0].Damage != "" || Verify(all[0].Path) != nil {
		t.Errorf("incidents: %+v, %v", all, err)
	}
}

// Where nothing can be taken back, nothing follows: another incident continues.
func TestATornJournalIsContinuedInAnotherIncident(t *testing.T) {
	dir := t.TempDir()
	j := New(dir, clock(), "invented")
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	first := j.ID()
	j.file.Close() // as a disk that has gone: neither to be written nor cut
	if j.Record(Intent, cluster.Intent{}) == nil {
		t.Fatal("written without a file")
	}
	if err := errors.Join(j.Record(Intent, cluster.Intent{}), j.Close()); err != nil {
		t.Fatal(err)
	}
	all, err := List(dir)
	if err != nil || len(all) != 2 || all[0].Damage != "" || all[1].Damage != "" {
		t.Fatalf("incidents: %+v, %v", all, err)
	}
	said := 0
	for _, in := range all {
		_ = Read(in.Path, func(r Record) error {
			if strings.Contains(string(r.Data), `"continues":"`+first) {
				said++
			}
			return nil
		})
	}
	if said != 1 {
		t.Errorf("%d incidents say what they continue", said)
	}
}

// What a cockpit has written is read as it was written: making it safe changes
// only what somebody else has put there.
func TestReadChangesNothingOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	j := New(dir, clock(), "invented").Stamped("PROD")
	begun(t, j, "00000001")
	if err := j.Record(Intent, cluster.Intent{Plan: "00000001", Step: "4-a", Command: "for f in <a> & \"b\\c\"; do\n  echo é …; done"}); err != nil {
		t.Fatal(err)
	}
	var plain []Record
	path := Path(dir, dropped(j))
	if err := asWritten(path, func(r Record) error { plain = append(plain, r); return nil }); err != nil {
		t.Fatal(err)
	}
	err := Read(path, func(r Record) error {
		if w := plain[r.Seq]; w.Hash != r.sum() {
			t.Errorf("%s became %s", w.Data, r.Data)
		}
		return nil
	})
	if err != nil || len(plain) != 9 {
		t.Errorf("%d records, %v", len(plain), err)
	}
}

// The first incident of a machine is not lost with the folders above it: each
// new name is synced in the folder that holds it, and no other is.
func TestFoldersAboveTheIncidentsAreDurable(t *testing.T) {
	home := t.TempDir()
	var synced []string
	sync := func(dir string) error {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
		synced = append(synced, strings.TrimPrefix(dir, home))
		return fs.ErrPermission
	}
	for range 2 {
		if err := makeDir(filepath.Join(home, "state", "cockpit", "incidents"), sync); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(synced, " "); got != "/state/cockpit /state " {
		t.Errorf("synced %q", got)
	}
	if err := makeDir(filepath.Join(home, "other", "incidents"), func(string) error { return syscall.EIO }); !errors.Is(err, syscall.EIO) {
		t.Errorf("a disk that fails: %v", err)
	}
}
