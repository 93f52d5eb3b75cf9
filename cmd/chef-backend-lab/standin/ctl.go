//go:build linux

package standin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// ctl is one call of chef-backend-ctl.
type ctl struct {
	*host
	ctx      context.Context
	args     []string // behind the command
	out, err io.Writer
	in       *bufio.Reader
	tty      bool
	internal bool // PSQL_INTERNAL_OK=true
}

// Exit statuses that the product documents, beside what commands return.
const (
	exitFailed   = 1
	exitCanceled = 4
)

var errCanceled = errors.New("canceled") // the command has said so already

// exitWith is a command's own exit status, without a message.
type exitWith int

func (e exitWith) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

type ctlCommand struct {
	run      func(*ctl) error
	internal bool // not listed
}

func ctlCommands() map[string]ctlCommand {
	all := map[string]ctlCommand{
		"status":               {run: (*ctl).status},
		"cluster-status":       {run: (*ctl).clusterStatus},
		"service-list":         {run: (*ctl).serviceList},
		"promote":              {run: (*ctl).promote},
		"demote":               {run: (*ctl).demote},
		"force-leader":         {run: (*ctl).forceLeader},
		"set-cluster-failover": {run: (*ctl).setClusterFailover},
		"set-node-failover":    {run: (*ctl).setNodeFailover},
		"remove-node":          {run: (*ctl).removeNode},
		"cleanse":              {run: (*ctl).cleanse},
		"join-cluster":         {run: (*ctl).joinCluster},
		"create-cluster":       {run: (*ctl).createCluster},
		"backup":               {run: (*ctl).backup},
		"gather-logs":          {run: (*ctl).gatherLogs},
		"pgsql-follow":         {run: (*ctl).pgsqlFollow, internal: true},
	}
	for verb := range svVerbs {
		all[verb] = ctlCommand{run: func(c *ctl) error { return c.service(verb) }}
	}
	return all
}

// ctlElsewhere are documented commands that this stand-in does not carry out.
var ctlElsewhere = []string{
	"show-config", "gen-sample-backend-config", "gen-server-config", "tail", "reconfigure", "restore", "upgrade",
	"down-for-upgrade", "pgsql-promote", "uninstall",
}

// ctlMain is `standin ctl ARGS`.
func ctlMain(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	c := &ctl{
		ctx: ctx, out: os.Stdout, err: os.Stderr, in: bufio.NewReader(os.Stdin),
		tty: term.IsTerminal(int(os.Stdin.Fd())), internal: os.Getenv("PSQL_INTERNAL_OK") == "true",
	}
	if err := noteCall(args, os.LookupEnv); err != nil {
		// Without the note the lab could not tell what was done.
		fmt.Fprintln(c.err, "the call could not be noted:", err)
		return exitFailed
	}
	return c.dispatch(args)
}

// noteCall appends a call to the log that tells the lab what was asked here.
func noteCall(args []string, env func(string) (string, bool)) error {
	if err := os.MkdirAll(logDir, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(callsFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(callLine(args, env) + "\n")
	return errors.Join(err, f.Close())
}

// callLine is a call as text, with the environment that matters in front.
func callLine(args []string, env func(string) (string, bool)) string {
	words := append([]string{"chef-backend-ctl"}, args...)
	if v, set := env("PSQL_INTERNAL_OK"); set {
		words = append([]string{"PSQL_INTERNAL_OK=" + v}, words...)
	}
	return strings.ReplaceAll(strings.Join(words, " "), "\n", "\\n")
}

// dispatch is what the product's public dispatcher does.
func (c *ctl) dispatch(args []string) int {
	for len(args) > 0 && (args[0] == "-q" || args[0] == "--quiet" || args[0] == "-V" || args[0] == "--verbose") {
		args = args[1:]
	}
	switch {
	case len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help":
		c.help()
		return 0
	case args[0] == "-v" || args[0] == "--version":
		raw, _ := os.ReadFile(optDir + "/version-manifest.txt")
		line, _, _ := strings.Cut(string(raw), "\n")
		fmt.Fprintln(c.out, line)
		return 0
	}
	command, known := ctlCommands()[args[0]]
	if !known {
		return c.unknown(args[0])
	}
	if c.host == nil {
		h, err := newHost()
		if err != nil {
			return c.outcome(err)
		}
		c.host = h
	}
	c.args = args[1:]
	return c.outcome(command.run(c))
}

// outcome turns what a command returned into its exit status.
func (c *ctl) outcome(err error) int {
	var exit exitWith
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errCanceled):
		return exitCanceled
	case errors.As(err, &exit):
		return int(exit)
	}
	fmt.Fprintf(c.err, "An unexpected error occurred:\n  %v\nFor more information run the command with the --verbose flag.\n", err)
	return exitFailed
}

func (c *ctl) help() {
	fmt.Fprint(c.out, "Usage: chef-backend-ctl COMMAND [arguments...] [options...]\n\nCommands:\n")
	for _, name := range commandNames() {
		fmt.Fprintf(c.out, "  %s\n", name)
	}
}

func commandNames() []string {
	var names []string
	for name, command := range ctlCommands() {
		if !command.internal {
			names = append(names, name)
		}
	}
	for _, name := range ctlElsewhere {
		if name != "pgsql-promote" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func (c *ctl) unknown(name string) int {
	for _, other := range ctlElsewhere {
		if other == name {
			return c.outcome(fmt.Errorf("the lab's stand-in does not carry out %s", name))
		}
	}
	fmt.Fprintf(c.err, "Unknown command: %s\n", name)
	var near []string
	for _, other := range commandNames() {
		if strings.HasPrefix(other, name[:min(3, len(name))]) {
			near = append(near, other)
		}
	}
	if len(near) > 0 {
		fmt.Fprintf(c.err, "Did you mean:\n  %s\n", strings.Join(near, "\n  "))
	}
	return exitFailed
}

func (c *ctl) printf(format string, a ...any) { fmt.Fprintf(c.out, format, a...) }
