package simulation

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster/simulation/machine"
)

// No line is lost over rotations, names rise, ten old files stay; a file that
// the power cut short is put aside as .u.
func TestRotation(t *testing.T) {
	files, err := machine.OpenFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	l := newLoggers(files)
	at := time.Date(2026, 11, 23, 10, 0, 0, 123456789, time.UTC)
	line := strings.Repeat("x", 1000)
	n := 0
	write := func(lines int) {
		for range lines {
			l.write("postgresql", fmt.Sprintf("%06d %s", n, line), at)
			n++
		}
	}
	const dir = logDir + "postgresql/9.5"
	write(3000) // all at one moment: the names must differ nonetheless
	l.lose()
	at = at.Add(time.Minute)
	write(1)
	l.close()
	if l.err != nil {
		t.Fatal(l.err)
	}
	names, err := files.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	rotated := 0
	var all string
	for _, name := range names {
		if strings.HasPrefix(name, "@") || name == "current" {
			data, _ := files.Read(dir + "/" + name)
			all += string(data)
		}
		if regexp.MustCompile(`^@4000000[0-9a-f]{17}\.[su]$`).MatchString(name) {
			rotated++
		}
	}
	if rotated != logKeep || !strings.HasSuffix(names[rotated-1], ".u") {
		t.Errorf("%d rotated files, the last is %s", rotated, names[rotated-1])
	}
	written := strings.Split(strings.TrimSuffix(all, "\n"), "\n")
	first := n - len(written)
	for i, text := range written {
		stamp := "2026-11-23_10:00:00.12345 "
		if first+i == n-1 {
			stamp = "2026-11-23_10:01:00.12345 "
		}
		if want := stamp + fmt.Sprintf("%06d x", first+i); !strings.HasPrefix(text, want) {
			t.Fatalf("line %d is %.40q, not %q", first+i, text, want)
		}
	}
	// The first moment of TAI64N's second half, with the ten leap seconds of 1972.
	if got := tai64n(time.Unix(0, 1)); got != "@400000000000000a00000001" {
		t.Errorf("the epoch is %s", got)
	}
}
