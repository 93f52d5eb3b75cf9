package logs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A folder of CHEF_BACKEND_BIG bytes (make soak) is read as diagnose --logs
// does, in bounded memory; the rate beside ripgrep's over the same files and
// patterns is printed. The files are one, linked many times: the disk needs
// 64 MiB.
func TestBigFolder(t *testing.T) {
	size, err := strconv.ParseInt(os.Getenv("CHEF_BACKEND_BIG"), 10, 64)
	if err != nil {
		t.Skip("CHEF_BACKEND_BIG names no size")
	}
	signs := catalogueSigns(t)
	m, err := NewMatcher(signs)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder := dir + "/be1/var/log/chef-backend/postgresql"
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	lines := plainLines(t, m)
	for i := 0; text.Len() < 64<<20; i++ {
		fmt.Fprintf(&text, "2026-11-23_11:34:39.45706 %s\n", lines[i%len(lines)])
	}
	if err := os.WriteFile(folder+"/current", text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var patterns strings.Builder
	for _, s := range signs {
		patterns.WriteString(s.Pattern + "\n")
	}
	if err := os.WriteFile(dir+"/patterns", []byte(patterns.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	files := max(size/int64(text.Len()), 1)
	for n := range files - 1 {
		if err := os.Link(folder+"/current", fmt.Sprintf("%s/@4000000060000000%08x.s", folder, n)); err != nil {
			t.Fatal(err)
		}
	}
	each := int64(text.Len())
	text = bytes.Buffer{}
	base, most, began := heapNow(), watchHeap(), time.Now()
	got, err := ReadCollected(t.Context(), dir, m, nil)
	took, high := time.Since(began), most()
	if err != nil || int64(got.Bytes) != files*each {
		t.Fatalf("%d of %d bytes, %v", got.Bytes, files*each, err)
	}
	mb := float64(files*each) / 1e6
	t.Logf("%.0f MB, %d lines: %.0f MB/s, the heap grew by %d MiB at most", mb, got.Lines, mb/took.Seconds(), (int64(high)-int64(base))>>20)
	if int64(high)-int64(base) > 64<<20 {
		t.Errorf("the heap went from %d to %d bytes", base, high)
	}
	if _, err := exec.LookPath("rg"); err != nil {
		t.Log("ripgrep is not on this machine")
		return
	}
	began = time.Now()
	cmd := exec.Command("rg", "-j1", "-c", "-f", dir+"/patterns", folder)
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %.300s", err, out)
	}
	t.Logf("ripgrep -j1: %.0f MB/s", mb/time.Since(began).Seconds())
}
