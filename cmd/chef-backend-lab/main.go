//go:build linux

// Command chef-backend-lab makes three hosts on this machine with a real sshd,
// runit, etcd and PostgreSQL, and lets things go wrong there. It is test
// equipment: no user of the cockpit needs it. See package lab.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"chef-backend-cockpit/cmd/chef-backend-lab/lab"
	"chef-backend-cockpit/cmd/chef-backend-lab/standin"
)

const usage = `chef-backend-lab: three real hosts on this machine, for tests. Linux, root.

  up                 make them; wait until three nodes are healthy
  status             what each host and its parts say
  shell NODE [CMD…]  a shell in a host, past its network
  fault NAME         let something go wrong; without a name: what there is
  heal [NAME]        undo a fault from outside; without a name: all
  down               end every process, mount, namespace and file of the lab
`

func main() {
	if code, ok := part(os.Args); ok {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// part runs what the program is on a lab host: a stand-in, PID 1, or what is in
// a service's way. ok is false when it was called for something else.
func part(args []string) (code int, ok bool) {
	if filepath.Base(args[0]) == "lab-standin" {
		args = append([]string{args[0], "standin"}, args[1:]...)
	}
	if len(args) < 2 {
		return 0, false
	}
	switch args[1] {
	case "standin":
		if len(args) < 3 {
			fmt.Fprintln(os.Stderr, "standin needs a name")
			return 64, true
		}
		return standin.Main(args[2], args[3:]), true
	case "occupy":
		return occupy(args[2:]), true
	case "host-init":
		fmt.Fprintln(os.Stderr, "host-init:", lab.Init(args[2:]))
		return 1, true
	}
	return 0, false
}

// occupy is in the way of a service: it listens where that one wants to, and
// answers nobody.
func occupy(args []string) int {
	l, err := net.Listen("tcp", strings.Join(args, ""))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, "here")
	signal.Ignore(syscall.SIGHUP)
	for {
		if _, err := l.Accept(); err != nil {
			return 1
		}
	}
}

// run carries out one subcommand: exit code 0, 1 for a failure, 64 for usage.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(out, usage)
		return 0
	}
	do, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(errOut, "chef-backend-lab: no command %q; see chef-backend-lab help\n", args[0])
		return 64
	}
	rest := args[1:]
	if len(rest) < do.least || do.most >= 0 && len(rest) > do.most {
		fmt.Fprintf(errOut, "chef-backend-lab: usage: chef-backend-lab %s\n", do.usage)
		return 64
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(errOut, "chef-backend-lab: the lab needs root: namespaces, mounts, a bridge")
		return 1
	}
	if err := do.run(ctx, rest, out); err != nil {
		fmt.Fprintln(errOut, "chef-backend-lab:", err)
		return 1
	}
	return 0
}

type subcommand struct {
	usage       string
	least, most int // arguments; most -1: any number
	run         func(ctx context.Context, args []string, out io.Writer) error
}

var commands = map[string]subcommand{
	"up":     {"up", 0, 0, up},
	"down":   {"down", 0, 0, func(ctx context.Context, _ []string, _ io.Writer) error { return lab.Clean(ctx) }},
	"status": {"status", 0, 0, status},
	"shell":  {"shell NODE [COMMAND…]", 1, -1, shell},
	"fault":  {"fault [NAME]", 0, 1, fault},
	"heal":   {"heal [NAME]", 0, 1, heal},
}

func up(ctx context.Context, _ []string, out io.Writer) error {
	l, err := lab.Up(ctx, lab.Options{Say: func(line string) { fmt.Fprintln(out, line) }})
	if err != nil {
		return err
	}
	if err := print(ctx, l, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nssh:     ssh -i %s/id_ed25519 -o UserKnownHostsFile=%s/known_hosts root@%s\ncockpit: chef-backend-cockpit --config %s/cockpit.yaml\n",
		lab.Dir, lab.Dir, l.Nodes()[0].Address, lab.Dir)
	return nil
}

func status(ctx context.Context, _ []string, out io.Writer) error {
	l, err := lab.Open()
	if err != nil {
		return err
	}
	return print(ctx, l, out)
}

// print shows a lab as a table.
func print(ctx context.Context, l *lab.Lab, out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "host\taddress\tpower\tssh\tetcd\tpostgresql\t/leader\tprocesses\tmemory\tfiles")
	var processes int
	var memory, files int64
	for _, s := range l.Status(ctx) {
		power := "off"
		if s.Power {
			power = fmt.Sprintf("on (boot %d)", s.Boots)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d MiB\t%d MiB\n", s.Name, s.Address, power, s.SSH, s.Etcd, s.PostgreSQL, s.Leaderl,
			s.Processes, s.Memory>>20, s.Files>>20)
		processes, memory, files = processes+s.Processes, memory+s.Memory, files+s.Files
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "in all: %d processes, %d MiB of memory, %d MiB of files in memory\n", processes, memory>>20, files>>20)
	if f := l.Faults(); len(f) > 0 {
		fmt.Fprintf(out, "faults: %s\n", strings.Join(f, " "))
	}
	return nil
}

// fault strikes, or lists what there is.
func fault(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, f := range lab.Catalogue() {
			fmt.Fprintf(t, "%s\t%s\n", f[0], f[1])
		}
		return t.Flush()
	}
	l, err := lab.Open()
	if err != nil {
		return err
	}
	return l.StrikeIn(ctx, args[0])
}

func heal(ctx context.Context, args []string, _ io.Writer) error {
	l, err := lab.Open()
	if err != nil {
		return err
	}
	return l.HealIn(ctx, strings.Join(args, ""))
}

func shell(ctx context.Context, args []string, _ io.Writer) error {
	l, err := lab.Open()
	if err != nil {
		return err
	}
	return l.Shell(ctx, args[0], args[1:]...)
}
