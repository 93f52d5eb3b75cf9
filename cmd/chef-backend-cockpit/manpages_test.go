package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every command and every topic has a page that says what it is, and the same
// date gives the same pages.
func TestManPages(t *testing.T) {
	home(t, "")
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	dir, again := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, again} {
		if code, _, errOut := call(t, "man-pages", d); code != 0 {
			t.Fatalf("man-pages: exit %d, %s", code, errOut)
		}
	}
	want := map[string]string{"chef-backend-cockpit.1": "EXIT STATUS", "chef-backend-cockpit-status.1": "--json", "chef-backend-cockpit-journal-show.1": "--follow",
		"chef-backend-cockpit-config.5": "known-hosts", "chef-backend-cockpit.7": "site-catalogue", "chef-backend-cockpit-keys.7": "why: the evidence",
		"chef-backend-cockpit-failures.7": "follower-wal-gap", "chef-backend-cockpit-procedures.7": "rebuild-follower", "chef-backend-cockpit-limits.7": "has \\fBnot\\fP been run"}
	for _, p := range topics() {
		if p.name != "configuration" {
			want["chef-backend-cockpit-"+p.name+".7"] += ""
		}
	}
	shortOf := regexp.MustCompile(`(?m)^\.SH NAME\nchef-backend-cockpit\S* \\?- \S+`)
	for file, says := range want {
		page, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
			continue
		}
		if !shortOf.Match(page) || !strings.Contains(string(page), says) || !strings.Contains(string(page), "Nov 2023") {
			t.Errorf("%s: wants a name, the date and %q:\n%.800s", file, says, page)
		}
		if b, _ := os.ReadFile(filepath.Join(again, file)); string(b) != string(page) {
			t.Errorf("%s differs the second time", file)
		}
	}
	if code, _, errOut := call(t, "man-pages", filepath.Join(dir, "absent")); code == 0 || errOut == "" {
		t.Errorf("a folder that is not there: exit %d, %q", code, errOut)
	}
}
