package journal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/remote"
)

// Whatever lies in a journal's file: reading it ends, and what is shown of it is
// safe.
func FuzzJournal(f *testing.F) {
	at := time.Date(2026, 11, 23, 2, 41, 5, 0, time.UTC)
	line := func(seq uint64, kind, prev, data string) string {
		r := Record{Seq: seq, At: at, Kind: kind, Prev: prev, Data: json.RawMessage(data)}
		r.Hash = r.sum()
		b, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		return string(b) + "\n"
	}
	opening := line(0, Note, "", `{"format":1,"incident":"20261123T024105Z-abcdef","cluster":"invented"}`)
	for _, s := range []string{
		line(1, Note, "x", `{"text":"a\u001b[31m\u202eb"}`), line(1, Confirm, "", `{"plan":{"ID":"7f3a0001","Steps":[{"ID":"1-stop","Node":"be3"}]},"typed":["be3"]}`),
		line(1, Intent, "", `{"Plan":"7f3a0001","Step":"1-stop","Node":"be3\u0007"}`), line(1, Outcome, "", `{"Plan":"7f3a0001","Step":"1-stop","Status":"done","Bytes":-1}`),
		line(1, Output, "", `{"plan":"7f3a0001","step":"1","lines":["\u009b31m"],"offset":-5,"bytes":9223372036854775807}`), line(1, Finding, "", `{"failure":"x","nodes":["be1"],"evidence":[{}]}`),
		line(1, Snapshot, "", `{"Reports":{"be1":{"Node":"be1","Reach":{"Known":true,"Value":"\u001b"}}}}`), "{\"seq\":", "null\n", line(1, Confirm, "", `{"passed":{"Plan":"7f3a0001"}}`), line(1, "later", "", `[]`),
	} {
		f.Add([]byte(opening + s))
	}
	dir := f.TempDir()
	path := Path(dir, "20261123T024105Z-abcdef")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		shows := func(s string) {
			t.Helper()
			for _, l := range strings.Split(s, "\n") {
				if l != remote.Safe([]byte(l)) {
					t.Errorf("not safe: %q", l)
				}
			}
		}
		Read(path, func(r Record) error { //nolint:errcheck // what is no journal is refused
			shows(Words(r))
			return nil
		})
		if text, err := Report(path); err == nil {
			shows(text)
		}
		if b, err := OpenBook(path); err == nil {
			for i := range b.Marks {
				if r, err := b.Record(i); err == nil {
					Decode(r) //nolint:errcheck // an unknown shape is refused
				}
			}
			b.Close()
		}
		List(dir)                       //nolint:errcheck // a damaged one is listed
		FindUnfinished(dir, "invented") //nolint:errcheck // troubles are told
	})
}
