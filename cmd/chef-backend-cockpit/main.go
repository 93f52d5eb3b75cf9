// Command chef-backend-cockpit is a full-screen cockpit for whoever is on call
// for a three-node Chef Backend cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chef-backend-cockpit/remote"
)

func main() {
	if os.Getenv("GOGC") == "" {
		// The rings of the logs are most of the memory and hold no pointers:
		// collecting often costs little, and half of the garbage is not kept.
		debug.SetGCPercent(50)
	}
	e := newEnding()
	ctx := e.listen(context.Background())
	os.Exit(run(ctx, e, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process around it: it returns the exit code and
// writes at most one line to errOut for an error. After a signal the code is
// the signal's, whatever else went wrong.
func run(ctx context.Context, end *ending, args []string, in *os.File, out, errOut io.Writer) int {
	e := &env{in: in, out: out, err: errOut, warnings: &warnings{out: errOut}, ending: end, local: thisMachine, newSSH: remote.NewSSH}
	e.asking = newAsking(e)
	root := rootCommand(e)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	code, text := outcome(ctx, root.ExecuteContext(ctx))
	if text != "" {
		fmt.Fprintln(errOut, "chef-backend-cockpit: "+text)
	}
	if err := e.debug.end(code, text); err != nil {
		fmt.Fprintln(errOut, "chef-backend-cockpit: --debug: the log is not whole: "+oneLine(err.Error()))
	}
	return code
}

// outcome is the exit code that an error comes to, and what is said of it; "" for
// nothing.
func outcome(ctx context.Context, err error) (code int, text string) {
	if err != nil {
		code = exitCode(err)
	}
	came, signalled := errors.AsType[signalled](context.Cause(ctx))
	if signalled && code != exitInternal {
		code = came.code()
	}
	if err == nil || signalled && errors.Is(err, context.Canceled) {
		return code, ""
	}
	return code, oneLine(err.Error())
}

// oneLine makes an error safe and puts it on one line.
func oneLine(s string) string {
	return remote.Safe([]byte(strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")))
}

// Exit codes of the contract; those of status and diagnose are in look.go.
const (
	exitFailed   = 1
	exitNothing  = 3  // no node could be reached, nothing could be looked at
	exitUsage    = 64 // usage or configuration (sysexits.h EX_USAGE)
	exitInternal = 70 // internal error (EX_SOFTWARE)
)

// exitError is an error with its exit code; a nil error prints nothing.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage makes an error of usage or configuration.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// nothingSeen is an error of connecting or reading with its exit code, unless it has
// one, such as that of usage.
func nothingSeen(err error) error {
	if _, ok := errors.AsType[*exitError](err); ok {
		return err
	}
	return &exitError{exitNothing, err}
}

// exitCode is the code that an error asks for.
func exitCode(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return exitFailed
}

// env is what every subcommand shares.
type env struct {
	in       *os.File
	out, err io.Writer
	warnings *warnings
	asking   *asking
	ending   *ending
	local    func() remote.Host // this machine where it may be a node; nil, or nil from it: it is none
	newSSH   func(remote.Target, remote.Options) (remote.Host, error)

	configFile string
	cluster    string
	readOnly   bool
	debugFile  string
	debug      *debugLog // nil: none is kept
	noColor    bool
	themeName  string
	plain      bool // lines instead of a screen
}

// rootCommand builds the command tree; without a subcommand it watches.
func rootCommand(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "chef-backend-cockpit [HOST…]",
		Short: "A cockpit for a three-node Chef Backend cluster",
		Long: `A full-screen cockpit for whoever is on call for a three-node Chef Backend
cluster. It watches the nodes over SSH, names the failure that it recognises,
and carries out the documented recovery step by step.

One HOST is enough: the others come from the cluster.`,
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(c *cobra.Command, args []string) error {
			if err := e.openDebug(c, args); err != nil {
				return err
			}
			return e.checkThemeFlag()
		},
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, hosts []string) error {
			if len(hosts) == 1 {
				if near := c.SuggestionsFor(hosts[0]); len(near) > 0 {
					return usage("no command %q; did you mean %s? A host of that name: watch %s", hosts[0], near[0], hosts[0])
				}
			}
			return e.watch(c.Context(), hosts)
		},
	}
	root.SuggestionsMinimumDistance = 2
	e.plainFlag(root)
	f := root.PersistentFlags()
	f.StringVar(&e.configFile, "config", "", "configuration `FILE` (default ~/.config/chef-backend-cockpit/config.yaml)")
	f.StringVar(&e.cluster, "cluster", "", "`NAME` of a cluster of the configuration")
	f.BoolVar(&e.readOnly, "read-only", false, "watch only: no procedure can be carried out")
	f.StringVar(&e.debugFile, "debug", "", "write a log of the cockpit itself to `FILE`")
	e.themeFlags(root)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		text, _, number := strings.Cut(err.Error(), ": strconv.")
		if number {
			text += ": a number is wanted"
		}
		if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
			if near := flagsLike(c, unknown.GetSpecifiedName()); len(near) > 0 {
				text += " (did you mean --" + strings.Join(near, " or --") + "?)"
			}
		}
		return usage("%s; see %s --help", text, c.CommandPath())
	})
	root.AddCommand(watchCommand(e), demoCommand(e), statusCommand(e), diagnoseCommand(e), doctorCommand(e),
		procedureCommand(e), journalCommand(e), replayCommand(e), bundleCommand(e), catalogueCommand(e), configCommand(e), versionCommand(e))
	root.AddCommand(manPagesCommand(e))
	root.SetHelpCommand(helpCommand(e))
	completions(e, root)
	for _, c := range root.Commands() {
		wrapArgs(c)
	}
	return root
}

// flagsLike are the flags of a command whose names are near to a misspelt one, in
// Cobra's own sense of near, which it offers for commands alone.
func flagsLike(c *cobra.Command, name string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	return names.SuggestionsFor(name)
}

// wrapArgs makes every complaint about arguments an error of usage.
func wrapArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			err := check(c, args)
			_, wants, _ := strings.Cut(c.Use, " ")
			switch {
			case err == nil:
				return nil
			case len(args) == 0 && wants != "":
				return usage("say %[1]s %[2]s; see %[1]s --help", c.CommandPath(), wants)
			}
			return usage("%v; see %s --help", err, c.CommandPath())
		}
	}
	for _, sub := range c.Commands() {
		wrapArgs(sub)
	}
}
