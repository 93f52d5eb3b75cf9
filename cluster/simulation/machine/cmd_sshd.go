package machine

import (
	"fmt"
	"strconv"
	"strings"
)

// sshdConfig is the configuration of the host's SSH server. Only what stands in
// sshdDefaults is heeded; it need not be there.
const sshdConfig = "/etc/ssh/sshd_config"

var sshdDefaults = [][2]string{{"maxsessions", "10"}, {"maxstartups", "10:30:100"}, {"permittty", "yes"}}

// sshdOption is the effective value of one option.
func (m *Machine) sshdOption(key, otherwise string) string {
	data, err := m.files.Read(sshdConfig)
	if err != nil {
		return otherwise
	}
	for line := range strings.Lines(string(data)) {
		if words := strings.Fields(line); len(words) == 2 && strings.EqualFold(words[0], key) {
			return words[1] // the first one holds, as with the real one
		}
	}
	return otherwise
}

// MaxSessions is how many sessions one connection may have.
func (m *Machine) MaxSessions() int {
	n, err := strconv.Atoi(m.sshdOption("maxsessions", "10"))
	if err != nil || n < 0 {
		return 10
	}
	return n
}

// sshd -T prints the effective configuration; there is nothing else to run.
func sshd(c *call) int {
	o, ok := c.options("TC:f:")
	if !ok || !o.has('T') {
		return c.fail("only -T is known here")
	}
	if c.uid != 0 {
		fmt.Fprintln(c.err, "sshd: no hostkeys available -- exiting.")
		return 1
	}
	for _, d := range sshdDefaults {
		c.printf("%s %s\n", d[0], c.m.sshdOption(d[0], d[1]))
	}
	return 0
}
