package logs

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// besideLines is how many lines the comparison is made with.
const besideLines = 1_000_000

// BenchmarkBeside recognises the lines of one file beside ripgrep -f and
// grep -E -f (Debian's packages), with the same patterns, one core each, in one
// run; it prints the ratios. Ours says for each line which sign it is, theirs
// only whether there is any. A tool that is missing is left out by name.
func BenchmarkBeside(b *testing.B) {
	signs := catalogueSigns(b)
	m, err := NewMatcher(signs)
	if err != nil {
		b.Fatal(err)
	}
	lines := plainLines(b, m)
	var text bytes.Buffer
	for i := range besideLines {
		if i%100 == 0 {
			text.WriteString("ERROR:  requested WAL segment 000000010000000000000005 has already been removed\n")
			continue
		}
		text.Write(lines[i%len(lines)])
		text.WriteByte('\n')
	}
	dir := b.TempDir()
	var patterns strings.Builder
	for _, s := range signs {
		patterns.WriteString(s.Pattern + "\n")
	}
	for name, data := range map[string][]byte{"/lines": text.Bytes(), "/patterns": []byte(patterns.String())} {
		if err := os.WriteFile(dir+name, data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	best := map[string]time.Duration{}
	for range 3 { // side by side, so that the machine's mood is everybody's
		began := time.Now()
		hits := countSigns(m, text.Bytes())
		note(best, "ours", time.Since(began))
		if hits < besideLines/100 {
			b.Fatalf("%d hits", hits)
		}
		for name, args := range map[string][]string{"ripgrep": {"rg", "-j1", "-c", "-f"}, "grep": {"grep", "-E", "-c", "-f"}} {
			if _, err := exec.LookPath(args[0]); err != nil {
				b.Logf("%s is not on this machine", name)
				continue
			}
			cmd := exec.Command("taskset", append(append([]string{"-c", "0"}, args...), dir+"/patterns", dir+"/lines")...)
			if _, err := exec.LookPath("taskset"); err != nil {
				cmd = exec.Command(args[0], append(append([]string{}, args[1:]...), dir+"/patterns", dir+"/lines")...)
			}
			cmd.Env = append(os.Environ(), "LC_ALL=C")
			began := time.Now()
			out, err := cmd.CombinedOutput()
			if err != nil {
				b.Logf("%s does not take these patterns: %v %.200s", name, err, out)
				continue
			}
			note(best, name, time.Since(began))
		}
	}
	for range b.N {
	}
	for name, took := range best {
		b.ReportMetric(besideLines/took.Seconds(), name+"-lines/s")
		if name != "ours" {
			b.ReportMetric(took.Seconds()/best["ours"].Seconds(), "ours/"+name)
		}
	}
}

func note(best map[string]time.Duration, name string, took time.Duration) {
	if was, ok := best[name]; !ok || took < was {
		best[name] = took
	}
}

// countSigns goes through a buffer as the stream does.
func countSigns(m *Matcher, buffer []byte) (hits int) {
	for from := 0; from < len(buffer); {
		next := m.Next(buffer, from)
		if next > len(buffer) {
			return hits
		}
		start := bytes.LastIndexByte(buffer[:next], '\n') + 1
		end := next + max(0, bytes.IndexByte(buffer[next:], '\n'))
		if m.Match("postgresql", buffer[start:end]) >= 0 {
			hits++
		}
		from = end + 1
	}
	return hits
}
