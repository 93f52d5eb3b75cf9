package model

import (
	"sort"
	"strings"
)

// ctlCommand is one command of chef-backend-ctl.
type ctlCommand struct {
	begin   func(p *Process, args []string)
	changes bool
}

// ctlCommands are the commands that the model carries out.
var ctlCommands = map[string]ctlCommand{
	"status":               {ctlStatus, false},
	"cluster-status":       {ctlClusterStatus, false},
	"service-list":         {ctlServiceList, false},
	"start":                {ctlService, true},
	"stop":                 {ctlService, true},
	"restart":              {ctlService, true},
	"hup":                  {ctlService, true},
	"int":                  {ctlService, true},
	"term":                 {ctlService, true},
	"kill":                 {ctlService, true},
	"promote":              {ctlPromote, true},
	"demote":               {ctlDemote, true},
	"set-cluster-failover": {ctlSetFailover, true},
	"set-node-failover":    {ctlSetFailover, true},
	"force-leader":         {ctlForceLeader, true},
	"remove-node":          {ctlRemoveNode, true},
	"create-cluster":       {ctlCreateCluster, true},
	"join-cluster":         {ctlJoinCluster, true},
	"cleanse":              {ctlCleanse, true},
	"backup":               {ctlBackup, true},
	"gather-logs":          {ctlGatherLogs, true},
	"once":                 {ctlService, true},
	"usr1":                 {ctlService, true},
	"usr2":                 {ctlService, true},
	"pgsql-follow":         {ctlFollow, true},
}

// ctlElsewhere are documented commands that the model does not carry out.
var ctlElsewhere = []string{
	"show-config", "gen-sample-backend-config", "gen-server-config", "tail", "reconfigure", "restore",
	"upgrade", "down-for-upgrade", "pgsql-promote", "uninstall",
}

// ctl is chef-backend-ctl: what its public dispatcher does, and the commands.
func ctl(p *Process) {
	args := p.argv[1:]
	for len(args) > 0 && (args[0] == "-q" || args[0] == "--quiet" || args[0] == "-V" || args[0] == "--verbose") {
		args = args[1:]
	}
	switch {
	case len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help":
		ctlHelp(p)
		return
	case args[0] == "-v" || args[0] == "--version":
		p.printf("chef-backend %s\n", p.n.version)
		p.end(0)
		return
	}
	c, known := ctlCommands[args[0]]
	if !known {
		ctlUnknown(p, args[0])
		return
	}
	if c.changes {
		p.n.calls = append(p.n.calls, p.call())
	}
	c.begin(p, args)
}

// call is the command as text, with the environment that matters in front.
func (p *Process) call() string {
	text := strings.Join(p.argv, " ")
	if v, set := p.env["PSQL_INTERNAL_OK"]; set {
		text = "PSQL_INTERNAL_OK=" + v + " " + text
	}
	return text
}

func ctlHelp(p *Process) {
	p.printf("Usage: chef-backend-ctl COMMAND [arguments...] [options...]\n\nCommands:\n")
	names := append([]string(nil), ctlElsewhere...)
	for name := range ctlCommands {
		if name != "pgsql-follow" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		if name != "pgsql-promote" {
			p.printf("  %s\n", name)
		}
	}
	p.end(0)
}

func ctlUnknown(p *Process, name string) {
	for _, other := range ctlElsewhere {
		if other == name {
			p.n.calls = append(p.n.calls, p.call())
			p.failed("the simulation does not carry out " + name)
			return
		}
	}
	p.errorf("Unknown command: %s\n", name)
	var near []string
	for other := range ctlCommands {
		if strings.HasPrefix(other, name[:min(3, len(name))]) {
			near = append(near, other)
		}
	}
	sort.Strings(near)
	if len(near) > 0 {
		p.errorf("Did you mean:\n")
	}
	for _, other := range near {
		p.errorf("  %s\n", other)
	}
	p.end(1)
}
