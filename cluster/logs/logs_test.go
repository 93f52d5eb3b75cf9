package logs

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Quiet, missing, lost and back again look different, and say why.
func TestStreamsTellQuietFromLost(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	s := newSvlogd(t, dir+"/etcd", 3)
	defer func() { s.file.Close() }()
	h := newShellHost("sh")
	f := follow(t, h, dir, nil)
	defer f.stop()
	stream := func(i int) cluster.StreamState { return f.Streams()[i] }
	f.until(t, "a quiet stream", func() bool { return stream(2).Alive && stream(2).Lines == 0 })
	f.until(t, "a missing file", func() bool { return strings.Contains(stream(0).Reason, "leaderl/current") })
	if st := stream(3); st.Alive || !strings.Contains(st.Reason, "no folder of a version") {
		t.Errorf("postgresql: %+v", st)
	}
	h.setCut(true)
	if st := stream(2); st.Alive || !strings.Contains(st.Reason, "cut the link") {
		t.Errorf("etcd after the cut: %+v", st)
	}
	h.setCut(false)
	pg := newSvlogd(t, dir+"/postgresql/9.5", 3)
	defer func() { pg.file.Close() }()
	pg.write(7)
	s.write(3)
	f.until(t, "both again", func() bool {
		a, b := stream(2), stream(3)
		return a.Alive && a.Lines == 3 && b.Alive && b.Lines == 7 && b.Reason == "" && !b.LastLine.IsZero()
	})
}

// What was written before the cockpit came is read from the last 64 KiB on,
// from the start of a line, rotated files included.
func TestBacklog(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	s := newSvlogd(t, dir+"/etcd", 9)
	defer func() { s.file.Close() }()
	s.write(3000)
	s.rotate()
	s.write(20)
	f := follow(t, newShellHost("sh"), dir, nil)
	defer f.stop()
	f.until(t, "the last line", f.holds("line 3020 of"))
	ns, gaps := f.numbers(t, "etcd")
	const lineBytes = 50
	if len(gaps) != 0 || len(ns) < backlogBytes/lineBytes || len(ns) > backlogBytes/40 {
		t.Fatalf("%d lines, gaps %v", len(ns), gaps)
	}
	for i, n := range ns {
		if n != 3020-len(ns)+1+i {
			t.Fatalf("line %d in place %d of %d", n, i, len(ns))
		}
	}
}

// Two nodes, one of them with a fast clock: lines merge by corrected time;
// signs are counted by node and service, with the newest line as the example.
func TestNodesMergeByCorrectedTime(t *testing.T) {
	defer goleak.VerifyNone(t)
	hosts, dirs := map[string]remote.Host{}, map[string]string{}
	now := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	ahead := map[string]time.Duration{"be1": 0, "be2": 90 * time.Second}
	root := t.TempDir()
	for node, texts := range map[string][]string{
		"be1": {"0 LOG:  first", "2 ERROR:  requested WAL segment 0A has already been removed", "4 LOG:  fifth"},
		"be2": {"1 LOG:  second", "3 FATAL:  the database \x1b[31msystem is starting up", "5 ERROR:  requested WAL segment 0B has already been removed"},
	} {
		dirs[node] = filepath.Join(root, node)
		log := filepath.Join(dirs[node], "postgresql/9.5")
		if err := os.MkdirAll(log, 0o755); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, l := range texts {
			at := now.Add(time.Duration(l[0]-'0') * time.Second).Add(ahead[node])
			b.WriteString(at.Format("2006-01-02_15:04:05.00000 ") + l[2:] + "\n")
		}
		if err := os.WriteFile(log+"/current", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		hosts[node] = inFolder{newShellHost("sh"), root, dirs[node]}
	}
	changed := make(chan struct{}, 1)
	l, err := New(Options{
		Nodes: []cluster.Node{{Name: "be1"}, {Name: "be2"}}, Host: func(n string) remote.Host { return hosts[n] },
		Clock: remote.NewScaled(20), Folder: root, Offset: func(n string) time.Duration { return ahead[n] },
		Signs: []cluster.Sign{{Name: "wal-gone", Services: []string{"postgresql"}, Pattern: `WAL segment \S+ has already been removed`}},
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.opening.until = time.Now().Add(time.Hour) // until both are here, on a busy machine too
	f := &followed{Logs: l, changed: changed}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	f.until(t, "six lines", func() bool { p, _ := f.Page(Query{}, 0, 10); return len(p.Lines) == 6 })
	p, _ := f.Page(Query{}, 0, 10)
	for i, line := range p.Lines {
		if want := []string{"be1", "be2"}[i%2]; line.Node != want || !line.Stamp.Equal(now.Add(time.Duration(i)*time.Second)) || line.Late || line.Seq != firstSeq+uint64(i) {
			t.Errorf("line %d: %+v", i, line)
		}
	}
	if got := p.Lines[3]; got.Text != "FATAL:  the database ^[[31msystem is starting up" || got.Level != cluster.LevelError {
		t.Errorf("%+v", got)
	}
	if p, _ := f.Page(Query{Signs: true}, 0, 10); len(p.Lines) != 2 || p.Lines[0].Sign != "wal-gone" {
		t.Errorf("signs: %+v", p.Lines)
	}
	signs := f.Signs()
	if len(signs) != 2 || signs[0].Node != "be1" || signs[0].Count != 1 || signs[1].Example != "ERROR:  requested WAL segment 0B has already been removed" ||
		!signs[1].Last.Equal(now.Add(5*time.Second)) {
		t.Errorf("%+v", signs)
	}
}

// inFolder is a host that has its files where another folder is: what it is
// asked for below root lies below folder.
type inFolder struct {
	*shellHost
	root, folder string
}

func (h inFolder) Start(ctx context.Context, s remote.Script) (remote.Session, error) {
	x, err := h.shellHost.Start(ctx, s)
	if err != nil {
		return nil, err
	}
	return inFolderSession{x, h}, nil
}

type inFolderSession struct {
	remote.Session
	h inFolder
}

func (x inFolderSession) Stdin() io.WriteCloser { return inFolderInput{x} }
func (x inFolderSession) Stdout() io.Reader     { return inFolderOutput{x} }

type inFolderInput struct{ x inFolderSession }

func (w inFolderInput) Write(b []byte) (int, error) {
	s := strings.ReplaceAll(string(b), w.x.h.root+"/", w.x.h.folder+"/")
	_, err := w.x.Session.Stdin().Write([]byte(s))
	return len(b), err
}

func (w inFolderInput) Close() error { return w.x.Session.Stdin().Close() }

type inFolderOutput struct{ x inFolderSession }

func (r inFolderOutput) Read(b []byte) (int, error) {
	n, err := r.x.Session.Stdout().Read(b)
	return copy(b, strings.ReplaceAll(string(b[:n]), r.x.h.folder+"/", r.x.h.root+"/")), err
}
