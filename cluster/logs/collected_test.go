package logs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// invented signs and lines: what is tried is the reading.
var inventedSigns = []cluster.Sign{
	{Name: "gone", Services: []string{"postgresql"}, Pattern: `requested WAL segment ([0-9A-F]{24}) has already been removed`},
	{Name: "slow", Services: []string{"etcd"}, Pattern: `failed to send out heartbeat on time`},
	{Name: "leaderless", Services: []string{"ctl"}, Pattern: `leader: 0; waiting: 3`},
}

func inventedMatcher(t testing.TB) *Matcher {
	t.Helper()
	m, err := NewMatcher(inventedSigns)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const removed = "FATAL:  requested WAL segment 00000058000016F30000002D has already been removed"

// write puts a file below a folder; its name may end in .gz.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".gz") {
		text = zipped(text)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

func tarred(files map[string]string) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg})
		io.WriteString(w, files[name])
	}
	w.Close()
	return b.String()
}

// Every shape in which logs are collected gives the same signs, with times
// over all files of a log.
func TestCollectedLogsOfEveryShape(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "be1/var/log/chef-backend/postgresql/9.5/@400000005a.s", "2026-11-20_01:00:00.00000 "+removed+"\n")
	write(t, dir, "be1/var/log/chef-backend/postgresql/9.5/current", "2026-11-22_01:00:00.00000 "+removed+"\r\n2026-11-22_01:00:01.00000 LOG:  fine")
	write(t, dir, "be1/var/log/chef-backend/postgresql/9.5/config", removed)
	write(t, dir, "be1/chef-backend-ctl-status.txt", "leaderl  running (pid 1)  0d 0h 0m 1s  leader: 0; waiting: 3; follower: 0; total: 3\n")
	write(t, dir, "be2/var/log/chef-backend/etcd/@400000005a.u.gz", "2026-11-21_01:00:00.00000 W | etcdserver: failed to send out heartbeat on time\n")
	write(t, dir, "be2/var/log/chef-backend/etcd/@400000005b.s", zipped("2026-11-21_01:30:00.00000 failed to send out heartbeat on time\n"))
	write(t, dir, "be3.tar.gz", tarred(map[string]string{
		"gathered-2026/var/log/chef-backend/etcd/current":    "2026-11-21_02:00:00.00000 failed to send out heartbeat on time\n",
		"gathered-2026/var/log/chef-backend/leaderl/current": removed + "\n",
		"gathered-2026/etc/passwd":                           "failed to send out heartbeat on time\n",
	}))
	if err := os.WriteFile(filepath.Join(dir, "be4.tgz"), []byte("no gzip at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	var last, total int64
	c, err := ReadCollected(t.Context(), dir, inventedMatcher(t), func(d, of int64) { last, total = d, of })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range c.Signs {
		got = append(got, fmt.Sprintf("%s %s/%s %d %s %s", s.Sign, s.Node, s.Service, s.Count, s.First.Format(time.DateOnly), s.Last.Format(time.DateOnly)))
	}
	want := []string{
		"leaderless be1/ctl 1 0001-01-01 0001-01-01",
		"gone be1/postgresql 2 2026-11-20 2026-11-22",
		"slow be2/etcd 2 2026-11-21 2026-11-21",
		"slow be3/etcd 1 2026-11-21 2026-11-21",
	}
	if !slices.Equal(got, want) {
		t.Errorf("signs\n %q, not\n %q", got, want)
	}
	if !slices.Equal(c.Nodes, []string{"be1", "be2", "be3"}) || c.Files != 7 || c.Lines != 8 {
		t.Errorf("nodes %v, %d files, %d lines", c.Nodes, c.Files, c.Lines)
	}
	if len(c.Skipped) != 1 || !strings.Contains(c.Skipped[0], "be4.tgz") || strings.Contains(c.Skipped[0], "^J") {
		t.Errorf("skipped %q", c.Skipped)
	}
	if last != total || total == 0 {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	if one, err := ReadCollected(t.Context(), filepath.Join(dir, "be3.tar.gz"), inventedMatcher(t), nil); err != nil || len(one.Signs) != 1 {
		t.Errorf("one tarball: %v, %v", one.Signs, err)
	}
	if one, err := ReadCollected(t.Context(), filepath.Join(dir, "be1"), inventedMatcher(t), nil); err != nil || len(one.Signs) != 2 || one.Nodes[0] != "be1" {
		t.Errorf("one node's folder: %v, %v", one, err)
	}
}

func TestCollectedLogsThatAreNone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "readme.txt", removed)
	if _, err := ReadCollected(t.Context(), dir, inventedMatcher(t), nil); err == nil || !strings.Contains(err.Error(), "gather-logs") {
		t.Errorf("a folder without logs: %v", err)
	}
	if _, err := ReadCollected(t.Context(), filepath.Join(dir, "absent"), inventedMatcher(t), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := ReadCollected(t.Context(), filepath.Join(dir, "readme.txt"), inventedMatcher(t), nil); err == nil || !strings.HasSuffix(err.Error(), "no tar archive") {
		t.Errorf("a text: %v", err)
	}
	write(t, dir, "be1/var/log/chef-backend/etcd/current", "x\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadCollected(ctx, dir, inventedMatcher(t), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Wherever the buffer ends, each line is asked once.
func TestScanOverBufferEnds(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	var text bytes.Buffer
	want := uint64(0)
	lines := uint64(0)
	for text.Len() < 3*scanBuffer {
		switch rng.Intn(4) {
		case 0:
			text.WriteString(removed + "\n")
			want++
		case 1:
			text.WriteString(strings.Repeat("x", rng.Intn(300)) + "\n")
		case 2: // a sign right at the end of the longest line that is looked at whole
			text.WriteString(strings.Repeat("y", scanLine-len(removed)) + removed + "\n")
			want++
		case 3:
			text.WriteString(strings.Repeat("requested WAL segment ", 20000) + "\n") // too long: its rest is passed over
		}
		lines++
	}
	c := &collector{ctx: t.Context(), m: inventedMatcher(t), seen: map[seenKey]*cluster.SignSeen{}, buf: make([]byte, scanBuffer)}
	if err := c.scan(place{"be1", "postgresql"}, &text); err != nil {
		t.Fatal(err)
	}
	if got := c.seen[seenKey{0, "be1", "postgresql"}].Count; got != want {
		t.Errorf("%d signs, not %d", got, want)
	}
	if c.out.Lines != lines {
		t.Errorf("%d lines, not %d", c.out.Lines, lines)
	}
}

// endless is one line of n bytes.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n := min(e.n, len(b))
	for i := range b[:n] {
		b[i] = 'z'
	}
	e.n -= n
	return n, nil
}

// A line of 200 MiB takes no more memory than one of a few bytes.
func TestScanOfOneEndlessLine(t *testing.T) {
	c := &collector{ctx: t.Context(), m: inventedMatcher(t), seen: map[seenKey]*cluster.SignSeen{}, buf: make([]byte, scanBuffer)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := c.scan(place{"be1", "postgresql"}, &endless{200 << 20}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
	if c.out.Bytes != 200<<20 {
		t.Errorf("%d bytes read", c.out.Bytes)
	}
}
