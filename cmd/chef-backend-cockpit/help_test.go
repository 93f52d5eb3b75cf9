package main

import (
	"strings"
	"testing"
)

// Every topic, failure, procedure and command has a text; anything else is
// refused with a remedy.
func TestHelpHasEveryTopic(t *testing.T) {
	home(t, "")
	c, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"status", "journal", "help"}
	for _, p := range topics() {
		names = append(names, p.name)
	}
	for _, f := range c.Failures {
		names = append(names, f.Name)
	}
	for _, p := range c.Procedures {
		names = append(names, p.Name)
	}
	for _, name := range names {
		code, out, errOut := call(t, "help", name)
		if code != 0 || errOut != "" || len(out) < 100 {
			t.Errorf("help %s: exit %d, %q %q", name, code, out, errOut)
		}
	}
	if _, out, _ := call(t, "help", "keys"); !strings.Contains(out, "| w | why: the evidence |") {
		t.Errorf("help keys:\n%s", out)
	}
	_, failures, _ := call(t, "help", "failures")
	for _, f := range c.Failures {
		if !strings.Contains(failures, "# "+f.Name+", ") {
			t.Errorf("help failures lacks %s", f.Name)
		}
	}
	if code, _, errOut := call(t, "help", "nonsense"); code != 64 || !strings.Contains(errOut, "lists the topics") {
		t.Errorf("help nonsense: exit %d, %q", code, errOut)
	}
	if _, out, _ := call(t, "help"); !strings.Contains(out, "quick-start") || !strings.Contains(out, "status") {
		t.Errorf("help:\n%s", out)
	}
}
