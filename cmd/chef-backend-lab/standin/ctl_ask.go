//go:build linux

package standin

import (
	"fmt"
	"strings"
)

// options are a command's words, sorted: flags by name, and the rest.
type options struct {
	flags map[string]string // a flag without a value has ""
	words []string
}

func (o options) has(names ...string) bool {
	for _, n := range names {
		if _, ok := o.flags[n]; ok {
			return true
		}
	}
	return false
}

func (o options) value(names ...string) string {
	for _, n := range names {
		if v, ok := o.flags[n]; ok {
			return v
		}
	}
	return ""
}

// parseOptions sorts the words of a command. plain are the flags that stand
// alone, valued those that take a value, in the next word or after `=`.
func parseOptions(args []string, plain, valued []string) (options, error) {
	o := options{flags: map[string]string{}}
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		switch {
		case !strings.HasPrefix(name, "-"):
			o.words = append(o.words, args[i])
		case contains(plain, name) && !joined:
			o.flags[name] = ""
		case contains(valued, name) && joined:
			o.flags[name] = value
		case contains(valued, name) && i+1 < len(args):
			i++
			o.flags[name] = args[i]
		case contains(valued, name):
			return o, fmt.Errorf("missing argument: %s", name)
		default:
			return o, fmt.Errorf("invalid option: %s", args[i])
		}
	}
	return o, nil
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}

// proceed asks for the word, as the product's dispatcher does. assured: --yes
// was given.
func (c *ctl) proceed(warning string, assured bool) error {
	switch {
	case assured:
		return nil
	case !c.tty:
		return vendorText("To run this command non-interactively, you must pass in the parameter --yes to force it to continue.")
	}
	return c.ask(warning)
}

// explicit asks a terminal only: no flag answers for the operator.
func (c *ctl) explicit(warning string) error {
	if !c.tty {
		return vendorText("This command requires explicit approval to continue and must be run interactively.")
	}
	return c.ask(warning)
}

func (c *ctl) ask(warning string) error {
	c.printf("%s\n\nAre you sure you wish to proceed? Type 'proceed' to continue, anything else to cancel.\n", warning)
	answer, _ := c.in.ReadString('\n') // the end of the input is no approval
	if strings.TrimSpace(answer) != "proceed" {
		c.printf("Canceling operation\n")
		return errCanceled
	}
	return nil
}

// license wants the licence accepted once on a node; the caller notes it.
func (c *ctl) license(accepted bool) error {
	switch {
	case accepted || exists(licenseFile):
		return nil
	case !c.tty:
		fmt.Fprintln(c.err, "Please view and accept the software license agreement, or pass --accept-license.")
		return exitWith(exitFailed)
	}
	c.printf("Type 'yes' to accept the software license agreement, or anything else to cancel.\n")
	if answer, _ := c.in.ReadString('\n'); strings.TrimSpace(answer) != "yes" {
		fmt.Fprintln(c.err, "Please view and accept the software license agreement, or pass --accept-license.")
		return exitWith(exitFailed)
	}
	return nil
}

// vendorText is an error in the words that the vendor's dispatcher prints.
type vendorText string

func (t vendorText) Error() string { return string(t) }
