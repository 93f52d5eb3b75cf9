package logs

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Whatever the logs hold, however the bytes are torn on the way: parts come
// out as they went in.
func TestAnswersAreBinarySafe(t *testing.T) {
	nasty := "\nMARK\n\x00\xff\r\n\nMARKread\n\n\nWRONG end 1\n\x1b]52;c;x\a"
	stream := "motd of a noisy shell\nMARK\n\nMARK ready\n" +
		"\nMARK read\n" + nasty + "\nMARK stat\n7:30:0:/l/etcd/current\n\nMARK read\n\nMARK end 1\n" +
		"\nMARK stat\n\nMARK end 2\n"
	for name, r := range map[string]io.Reader{
		"at once":      strings.NewReader(stream),
		"byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
	} {
		a := newAnswers(r, "MARK", func() {})
		if err := a.ready(); err != nil {
			t.Fatal(name, err)
		}
		parts, err := a.next(1)
		if err != nil || len(parts) != 3 {
			t.Fatal(name, parts, err)
		}
		if string(parts[0].data) != nasty || string(parts[1].data) != "7:30:0:/l/etcd/current\n" || len(parts[2].data) != 0 {
			t.Fatalf("%s: %q", name, parts)
		}
		if parts, err = a.next(2); err != nil || len(parts) != 1 || len(parts[0].data) != 0 {
			t.Fatal(name, parts, err)
		}
		if _, err = a.next(3); err == nil {
			t.Fatal(name, "the end passed for an answer")
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	noise := newAnswers(io.LimitReader(zeros{}, 64<<20), "MARK", func() {})
	if err := noise.ready(); err == nil || len(noise.buf) > 128<<10 {
		t.Fatalf("noise: %v, %d bytes held", err, len(noise.buf))
	}
	endless := newAnswers(io.MultiReader(strings.NewReader("\nMARK ready\n\nMARK read\n"), zeros{}), "MARK", func() {})
	if err := endless.ready(); err != nil {
		t.Fatal(err)
	}
	if _, err := endless.next(1); err == nil || len(endless.buf) > maxAnswer {
		t.Fatalf("endless: %v, %d bytes held", err, len(endless.buf))
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestParseStat(t *testing.T) {
	got := parseStat([]byte("12:345:1600000000:/l/a:b/current\nstat: no such file\n" +
		"  99 -rw-r--r-- 1 0 0 4096 Nov 23 12:00 /l/etcd/current\n0:1:2:x\n1:-5:2:x\n"))
	if len(got) != 2 || got[0].name != "/l/a:b/current" || got[0].id != 12 || got[0].size != 345 ||
		got[1].name != "/l/etcd/current" || got[1].id != 99 || got[1].size != 4096 {
		t.Fatalf("%+v", got)
	}
	for name, want := range map[string]bool{
		"@4000000060000000000000dc.s": true, "@4000000060000000000000dc.u": true, "@4000000060000000000000dc.t": false,
		"@4000000060000000000000dc.s;rm": false, "@400000006000000000000 dc.s": false, "current": false,
	} {
		if rotatedName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	if v := newestVersion([]file{{name: "/l/pg/9.5/current"}, {name: "/l/pg/10/current"}, {name: "/l/pg/9.6/other"}, {name: "/l/pg/x/current"}}, "/l/pg/"); v != "/l/pg/10" {
		t.Errorf("newest version %q", v)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\nMARK ready\n\nMARK stat\n1:2:3:x\n\nMARK end 1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := newAnswers(bytes.NewReader(b), "MARK", func() {})
		if a.ready() == nil {
			parts, _ := a.next(1)
			for _, p := range parts {
				parseStat(p.data)
			}
		}
	})
}
