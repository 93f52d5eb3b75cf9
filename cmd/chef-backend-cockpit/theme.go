package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/tui"
)

// themeFlags are the flags that choose the colours.
func (e *env) themeFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&e.themeName, "theme", "", "colours: `NAME` is "+strings.Join(tui.Themes, ", ")+" (default: as COLORFGBG says, else dark)")
	f.BoolVar(&e.noColor, "no-color", false, "leave colour away (so does NO_COLOR in the environment)")
	if err := root.RegisterFlagCompletionFunc("theme", cobra.FixedCompletions(tui.Themes, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag stands two lines above
	}
}

// checkThemeFlag refuses a theme that there is none of, whatever is called.
func (e *env) checkThemeFlag() error {
	if e.themeName == "" {
		return nil
	}
	if err := checkTheme(e.themeName); err != nil {
		return usage("--theme: %w", err)
	}
	return nil
}

// theme is what the screen is painted in; the terminal is never asked. A flag
// goes before the environment (https://no-color.org), that before the
// configuration.
func (e *env) theme(configured string) string {
	switch {
	case e.noColor:
		return "none"
	case e.themeName != "":
		return e.themeName
	case os.Getenv("NO_COLOR") != "":
		return "none"
	case configured != "":
		return configured
	}
	return background(os.Getenv("COLORFGBG"))
}

// checkTheme refuses what is no theme.
func checkTheme(s string) error {
	if slices.Contains(tui.Themes, s) {
		return nil
	}
	return fmt.Errorf("%q is no theme; use one of %s", s, strings.Join(tui.Themes, ", "))
}

// background is the theme that fits COLORFGBG, which some terminals set: the
// numbers of foreground and background, with another word between them in rxvt.
func background(colours string) string {
	parts := strings.Split(colours, ";")
	switch parts[len(parts)-1] {
	case "7", "15":
		return "light"
	}
	return "dark"
}

// titles says whether the terminal's window can have a title: the console of
// Linux and what calls itself dumb would print it.
func titles(term string) bool {
	return !slices.Contains([]string{"", "dumb", "linux", "unknown"}, term)
}
