package main

import (
	"strings"
	"testing"
)

func TestThemeIsChosenWithoutAskingTheTerminal(t *testing.T) {
	for _, c := range []struct {
		flag       string
		noColor    bool
		env, fgbg  string
		configured string
		want       string
	}{
		{want: "dark"},
		{fgbg: "15;0", want: "dark"},
		{fgbg: "0;15", want: "light"},
		{fgbg: "0;default;15", want: "light"},
		{fgbg: "nonsense", want: "dark"},
		{fgbg: "0;15", configured: "contrast", want: "contrast"},
		{configured: "light", env: "1", want: "none"},
		{flag: "light", env: "1", want: "light"},
		{flag: "contrast", configured: "light", want: "contrast"},
		{flag: "light", noColor: true, want: "none"},
	} {
		t.Setenv("NO_COLOR", c.env)
		t.Setenv("COLORFGBG", c.fgbg)
		e := &env{themeName: c.flag, noColor: c.noColor}
		if got := e.theme(c.configured); got != c.want || e.checkThemeFlag() != nil {
			t.Errorf("%+v: %q", c, got)
		}
	}
	for _, args := range [][]string{{"version"}, {"demo", "--plain"}, {"status", "be1"}} {
		if code, _, errOut := call(t, append(args, "--theme", "pink")...); code != exitUsage || !strings.Contains(errOut, `"pink" is no theme`) {
			t.Errorf("%q: exit code %d, %q", args, code, errOut)
		}
	}
}
