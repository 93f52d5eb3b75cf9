package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Collected logs suspect what their signs suggest, and never more than that.
func TestDiagnoseCollectedLogs(t *testing.T) {
	home(t, "")
	dir := t.TempDir()
	service := filepath.Join(dir, "be3", "var", "log", "chef-backend", "postgresql", "9.5")
	if err := os.MkdirAll(service, 0o755); err != nil {
		t.Fatal(err)
	}
	const line = "2017-10-20_17:30:29.42242 FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment 00000058000016F30000002D has already been removed\n"
	if err := os.WriteFile(filepath.Join(service, "current"), []byte(strings.Repeat(line, 3)), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := call(t, "diagnose", "--json", "--logs", dir)
	if code != exitAdvice || errOut != "" {
		t.Fatalf("exit %d, %s", code, errOut)
	}
	var d diagnoseJSON
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	if d.Lines != 3 || d.Bytes != uint64(3*len(line)) || len(d.Signs) != 1 || d.Signs[0].Count != 3 || d.Signs[0].First != "2017-10-20T17:30:29Z" {
		t.Errorf("%+v", d)
	}
	named := false
	for _, f := range d.Findings {
		if f.Certainty != "suspected" || len(f.Offers) > 0 {
			t.Errorf("%s is %s and offers %v", f.Failure, f.Certainty, f.Offers)
		}
		named = named || f.Failure == "follower-wal-gap" && f.Node == "be3"
	}
	if !named {
		t.Errorf("no follower-wal-gap on be3 among %+v", d.Findings)
	}
	code, out, _ = call(t, "diagnose", "--logs", filepath.Join(dir, "be3"))
	if code != exitAdvice || !strings.HasPrefix(out, "3 lines, ") || !strings.Contains(out, " in 1 file of be3\n") ||
		!strings.Contains(out, "be3/postgresql, 3 times, 2017-10-20T17:30:29Z\n") || !strings.Contains(out, "follower-wal-gap@be3") || !strings.Contains(out, "suspected") {
		t.Errorf("exit %d\n%s", code, out)
	}
}
