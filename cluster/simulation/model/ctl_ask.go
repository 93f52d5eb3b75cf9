package model

import (
	"fmt"
	"slices"
	"strings"
)

// RequireApproval makes a command of chef-backend-ctl refuse --yes: it wants
// the word typed at a terminal. The product has such commands; which ones is
// not documented.
func (w *World) RequireApproval(command string, on bool) {
	if w.explicit == nil {
		w.explicit = map[string]bool{}
	}
	w.explicit[command] = on
}

// exitCanceled is the exit status after a refused question.
const exitCanceled = 4

// flags are a command's words, sorted: options by name, and the rest.
type flags struct {
	set   map[string]string // an option without a value has ""
	words []string
}

func (f flags) has(names ...string) bool {
	for _, n := range names {
		if _, ok := f.set[n]; ok {
			return true
		}
	}
	return false
}

func (f flags) value(names ...string) string {
	for _, n := range names {
		if v, ok := f.set[n]; ok {
			return v
		}
	}
	return ""
}

// flags sorts the words of a command. plain are the options that stand alone,
// valued those that take a value, in the next word or after "=". false: the
// command has ended over what is wrong.
func (p *Process) flags(args, plain, valued []string) (flags, bool) {
	f := flags{set: map[string]string{}}
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		switch {
		case !strings.HasPrefix(name, "-"):
			f.words = append(f.words, args[i])
		case slices.Contains(plain, name) && !joined:
			f.set[name] = ""
		case slices.Contains(valued, name) && joined:
			f.set[name] = value
		case slices.Contains(valued, name) && i+1 < len(args):
			i++
			f.set[name] = args[i]
		case slices.Contains(valued, name):
			p.failed("missing argument: " + name)
			return f, false
		default:
			p.failed("invalid option: " + args[i])
			return f, false
		}
	}
	return f, true
}

// proceed asks for the word, as the product's dispatcher does. assured: --yes
// was given. The warnings are invented.
func (p *Process) proceed(warning string, assured bool) stage {
	command := p.argv[1]
	return p.question(warning, func() (asks bool, refusal string) {
		switch {
		case p.w.explicit[command]:
			return true, "This command requires explicit approval to continue and must be run interactively."
		case assured:
			return false, ""
		}
		return true, "To run this command non-interactively, you must pass in the parameter --yes to force it to continue."
	})
}

// explicitly asks a terminal only: no option answers for the operator.
func (p *Process) explicitly(warning string) stage {
	return p.question(warning, func() (bool, string) {
		return true, "This command requires explicit approval to continue and must be run interactively."
	})
}

// question is a stage that ends when the word was typed.
func (p *Process) question(warning string, needed func() (asks bool, refusal string)) stage {
	asked := false
	return func(p *Process) bool {
		if !asked {
			asks, refusal := needed()
			if !asks {
				return true
			}
			if !p.tty {
				p.failed(refusal)
				return true
			}
			asked = true
			p.printf("%s\n\nAre you sure you wish to proceed? Type 'proceed' to continue, anything else to cancel.\n", warning)
		}
		line, came := p.readLine()
		if came && strings.TrimSpace(line) != "proceed" {
			p.printf("Canceling operation\n")
			p.end(exitCanceled)
		}
		return came
	}
}

const licenseFile = varDir + "/.license.accepted"

// license wants the licence accepted once on a node: cleanse deletes the
// guard file, and a new machine has none.
func (p *Process) license(accepted bool) stage {
	asked := false
	return func(p *Process) bool {
		switch {
		case accepted:
			p.n.write(licenseFile, "")
			return true
		case p.n.files.Exists(licenseFile):
			return true
		case !p.tty:
			p.unlicensed()
			return true
		case !asked:
			asked = true
			p.printf("Type 'yes' to accept the software license agreement, or anything else to cancel.\n") // invented
		}
		line, came := p.readLine()
		switch {
		case came && strings.TrimSpace(line) == "yes":
			p.n.write(licenseFile, "")
		case came:
			p.unlicensed()
		}
		return came
	}
}

func (p *Process) unlicensed() {
	p.errorf("Please view and accept the software license agreement, or pass --accept-license.\n")
	p.end(1)
}

// noState is why this node cannot tell the state of its cluster, or "". Both
// texts are invented.
func (n *node) noState() string {
	switch {
	case n.etcd.ring == n.w.none:
		return "this node is not part of a cluster"
	case !n.etcd.healthy():
		return "could not read the cluster state from etcd"
	}
	return ""
}

// barred names the sentinel that is there, or "".
func (n *node) barred() string {
	for _, f := range []string{noStartFile, unsyncedFile} {
		if n.files.Exists(f) {
			return f
		}
	}
	return ""
}

// find is a registered node by name, GUID or address.
func (s *store) find(name string) *node {
	for _, n := range s.registered() {
		if n.name == name || n.guid == name || n.address == name {
			return n
		}
	}
	return nil
}

// say is a stage that prints a line.
func say(format string, a ...any) stage {
	return act(func(p *Process) { p.printf("%s\n", fmt.Sprintf(format, a...)) })
}
