package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// With every call the log is begun before anything is done, or the call refused.
func TestDebugHoldsWithEveryCall(t *testing.T) {
	home(t, "")
	calls := map[string]int{ // with the exit code that each has without it
		"version": 0, "help keys": 0, "demo": 64, "demo --list": 0, "replay none": 64, "diagnose --logs absent": 64, "journal list": 0,
		"journal show none": 64, "catalogue check": 64, "catalogue facts": 0, "procedure list": 0, "completion bash": 0, "config check": 64, "status 127.0.0.1:1": 3,
	}
	for words, want := range calls {
		args := strings.Fields(words)
		code, out, errOut := call(t, append(args, "--debug", filepath.Join(t.TempDir(), "none", "log"))...)
		if code != exitUsage || out != "" || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, "--debug: ") || !strings.Contains(errOut, "name a file that can be written") {
			t.Errorf("%s, unwritable: exit code %d, %q, %q", words, code, out, errOut)
		}
		path := filepath.Join(t.TempDir(), "log")
		for range 2 {
			if code, _, errOut = call(t, append(args, "--debug", path)...); code != want {
				t.Errorf("%s: exit code %d, want %d; %s", words, code, want, errOut)
			}
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", words, err)
			continue
		}
		log := string(text)
		if strings.Count(log, "msg=called ") != 2 || strings.Count(log, "msg=ended ") != 2 || !strings.Contains(log, "chef-backend-cockpit "+args[0]) {
			t.Errorf("%s: begun and ended not twice, or without its name:\n%s", words, log)
		}
		if said := strings.TrimSpace(strings.TrimPrefix(errOut, "chef-backend-cockpit: ")); want != 0 && !strings.Contains(strings.ReplaceAll(log, `\"`, `"`), said) {
			t.Errorf("%s: the log lacks its end, %q:\n%s", words, said, log)
		}
		if dialled := strings.Contains(log, "host=127.0.0.1"); dialled != strings.HasPrefix(words, "status") {
			t.Errorf("%s: dials in the log: %v\n%s", words, dialled, log)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", words, info, err)
		}
	}
	if code, _, errOut := call(t, "version", "--debug", ""); code != exitUsage || !strings.Contains(errOut, "--debug") {
		t.Errorf("no name: exit code %d, %q", code, errOut)
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("the rest needs /dev/full")
	}
	if code, out, errOut := call(t, "version", "--debug", "/dev/full"); code != 0 || out == "" || !strings.Contains(errOut, "the log is not whole") {
		t.Errorf("a full disk: exit code %d, %q, %q", code, out, errOut)
	}
}
