package logs

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/remote"
)

// uglyFile writes a log with everything that a log should not hold, among it a
// line of so many bytes and a little more, which it gives back.
func uglyFile(t *testing.T, name string, size int) (line int) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	stamp := stampNow()
	fmt.Fprintf(w, "%s begin\n", stamp)
	fmt.Fprintf(w, "%s nul \x00\x00 and escape \x1b[2J\n", stamp)
	fmt.Fprintf(w, "%s torn \xc3\n%s \xb6 rune\n", stamp, stamp)
	fmt.Fprintf(w, "%s 10%%\r20%%\r100%%\r\n", stamp)
	fmt.Fprintf(w, "%s ", stamp)
	piece := strings.Repeat("long ", 1<<18)
	for ; line < size; line += len(piece) {
		w.WriteString(piece)
	}
	fmt.Fprintf(w, "\n%s after\n%s no end of line", stamp, stamp)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return line
}

// An ugly log passes the real reader under every shell in bounded memory, with
// a line of 200 MiB under one of them; what was cut off is said.
func TestUglyFileThroughTheReader(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"/etcd", "/leaderl"} {
		if err := os.Mkdir(dir+name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	size := 200 << 20
	for name, shell := range shells(t) {
		line := uglyFile(t, dir+"/ugly", size)
		size = 10 << 20
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			log := dir + "/etcd/current"
			if err := os.WriteFile(log, []byte(stampNow()+" first\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(log)
			h := newShellHost(shell...)
			f := followWith(t, Options{Host: func(string) remote.Host { return h }, Folder: dir})
			defer f.stop()
			f.until(t, "the first line", f.holds("first"))
			base := heapNow()
			most := watchHeap()
			appendFile(t, log, dir+"/ugly")
			f.until(t, "the last line", f.holds("no end of line"))
			if grown := int64(most()) - int64(base); grown > 48<<20 && !underRace {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
			p, err := f.Page(Query{Services: []string{"etcd"}}, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range p.Lines {
				got = append(got, fmt.Sprintf("%.30s|%d", l.Text, l.Cut))
			}
			want := []string{"first|0", "begin|0", "nul ^@^@ and escape ^[[2J|0", "torn <C3>|0", "<B6> rune|0", "100%|0",
				fmt.Sprintf("%.30s|%d", strings.Repeat("long ", 6), line-maxText), "after|0", "no end of line|0"}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got %q\nwant %q", got, want)
			}
		})
	}
}

// heapNow is what is alive after a collection.
func heapNow() uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// watchHeap looks at the heap until it is asked for the most that was seen.
func watchHeap() (most func() uint64) {
	var high atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			high.Store(max(high.Load(), m.HeapAlloc))
		}
	}()
	return func() uint64 { close(stop); <-done; return high.Load() }
}

func appendFile(t *testing.T, to, from string) {
	t.Helper()
	out, err := exec.Command("sh", "-c", `cat "$1" >>"$2"`, "sh", from, to).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Old tools: no stat(1) with formats, no timeout(1), a shell whose read knows
// no limit; and a login that becomes root by sudo, which hands input and output
// on. The reader finds what it needs, or does without.
func TestReaderWithOldTools(t *testing.T) {
	for _, missing := range [][]string{{"stat"}, {"stat", "timeout"}} {
		t.Run(strings.Join(missing, " and "), func(t *testing.T) {
			defer goleak.VerifyNone(t)
			dir, bin := t.TempDir(), t.TempDir()
			for _, name := range missing {
				if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\nexit 127\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			// As sudo does: another process between the channel and the shell.
			sudo := "#!/bin/sh\nPATH=" + bin + ":$PATH; export PATH; shift; \"$@\"\n"
			if err := os.WriteFile(bin+"/sudo", []byte(sudo), 0o755); err != nil {
				t.Fatal(err)
			}
			s := newSvlogd(t, dir+"/etcd", 1000)
			defer func() { s.file.Close() }()
			s.write(1)
			f := follow(t, newShellHost(bin+"/sudo", "-n", "sh"), dir, nil)
			defer f.stop()
			f.until(t, "the first line", f.holds("line 1 of"))
			for range 10 {
				s.write(100)
				s.rotate()
			}
			s.write(1)
			f.until(t, "the last line", f.holds(fmt.Sprintf("line %d of", s.lines)))
			ns, gaps := f.numbers(t, "etcd")
			if len(ns) != s.lines || len(gaps) != 0 {
				t.Fatalf("%d lines of %d, gaps %v", len(ns), s.lines, gaps)
			}
		})
	}
}

// A channel may be dead without the node knowing: no end of input comes. The
// reader then ends by itself, with all that it started. Its minute is a second
// here.
func TestReaderEndsByItself(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.NewReplacer("-t 60", "-t 1", "timeout 60", "timeout 1").Replace(assets.MustRead("scripts/follow.sh"))
			if strings.Count(text, "-t 1 ") != 2 || strings.Contains(text, "timeout 60") {
				t.Fatal("the script waits otherwise than this test thinks")
			}
			cmd := exec.Command(shell[0], append(append([]string{}, shell[1:]...), "-c", text, "follow")...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			out := &strings.Builder{}
			cmd.Stdout = out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(in, "MARK")
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case err := <-ended:
				if err != nil || !strings.Contains(out.String(), "MARK ready") {
					t.Errorf("%v, %q", err, out)
				}
			case <-time.After(20 * time.Second):
				left := descendants(t, cmd.Process.Pid)
				cmd.Process.Kill()
				<-ended
				t.Errorf("it waits for ever, with %v", left)
			}
		})
	}
}
