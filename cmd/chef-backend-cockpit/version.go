package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and commit are set by the linker for a release.
var version, commit = "dev", ""

// versionCommand prints the version and what it was built from.
func versionCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(e.out, versionText())
			return err
		},
	}
}

// versionText is the version and what it was built from.
func versionText() string {
	text := "chef-backend-cockpit " + version
	if commit != "" {
		return text + " " + runtime.Version() + " " + commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		text += " " + info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				text += " " + s.Value[:12]
			}
		}
	}
	return text
}
