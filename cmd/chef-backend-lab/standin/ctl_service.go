//go:build linux

package standin

import (
	"fmt"
)

// svVerbs are the service commands and what they are for runit's sv.
var svVerbs = map[string]string{
	"start": "start", "stop": "stop", "restart": "restart", "once": "once", "hup": "hup", "term": "term",
	"int": "interrupt", "kill": "kill", "usr1": "1", "usr2": "2",
}

// service is start, stop, restart and the signals, for one service or for
// all. Its exit status is the sum of sv's.
func (c *ctl) service(verb string) error {
	names := serviceNames
	if len(c.args) > 0 {
		names = c.args
	}
	for _, name := range names {
		if !isService(name) {
			fmt.Fprintf(c.err, "Unknown service: %s\n", name)
			return exitWith(exitFailed)
		}
	}
	if verb == "start" || verb == "restart" || verb == "once" {
		// An operator's word is as good as leaderl's.
		if err := allow(); err != nil {
			return err
		}
	}
	sum := 0
	for _, name := range names {
		out, code := sv(c.ctx, svVerbs[verb], name)
		c.printf("%s", out)
		sum += code
	}
	if sum != 0 {
		return exitWith(sum)
	}
	return nil
}

// serviceList lists the services, all enabled.
func (c *ctl) serviceList() error {
	for _, name := range serviceNames {
		c.printf("%s*\n", name)
	}
	return nil
}
