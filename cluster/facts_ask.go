package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// aboutNode makes a fact's Ask out of a question about one node. Asked without
// a node it is unknown, never a guess.
func aboutNode(ask func(v *View, node string) Answer) func(*View, Binding) Answer {
	return func(v *View, b Binding) Answer {
		if b.Node == "" {
			return say(Unknown, "no node was named")
		}
		return ask(v, b.Node)
	}
}

// aboutService makes a fact's Ask out of a question about a service of a node.
// The service is the question's first argument, else that of the binding.
func aboutService(ask func(v *View, node, service string) Answer) func(*View, Binding) Answer {
	return func(v *View, b Binding) Answer {
		service := b.Service
		if len(b.Args) > 0 {
			service = b.Args[0]
		}
		if b.Node == "" || service == "" {
			return say(Unknown, "no node or no service was named")
		}
		return ask(v, b.Node, service)
	}
}

// aboutCluster makes a fact's Ask out of a question about the whole cluster.
func aboutCluster(ask func(v *View) Answer) func(*View, Binding) Answer {
	return func(v *View, _ Binding) Answer { return ask(v) }
}

// noArgs is the check of facts that take no arguments.
func noArgs(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("takes no arguments, got %q", strings.Join(args, " "))
	}
	return nil
}

// serviceArg is the check of facts that take the name of a service, or none
// and use that of the plan.
func serviceArg(args []string) error {
	if len(args) > 1 || len(args) == 1 && !slices.Contains(Services, args[0]) {
		return fmt.Errorf("takes one of %s, got %q", strings.Join(Services, ", "), strings.Join(args, " "))
	}
	return nil
}

// serviceAndSeconds is the check of facts that take a service and a number of seconds.
func serviceAndSeconds(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("takes a service and a number of seconds, got %q", strings.Join(args, " "))
	}
	if err := serviceArg(args[:1]); err != nil {
		return err
	}
	_, err := secondsArg(args[1])
	return err
}

// secondsArg reads a number of seconds.
func secondsArg(arg string) (time.Duration, error) {
	n, err := strconv.Atoi(arg)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is not a number of seconds", arg)
	}
	return time.Duration(n) * time.Second, nil
}

// lastLooks are the samples of the newest n looks at a node, oldest first; ok
// is false while there were fewer.
func (v *View) lastLooks(node string, n int) (looks []Sample, ok bool) {
	ss := v.samples(node)
	if len(ss) < n {
		return nil, false
	}
	return ss[len(ss)-n:], true
}
