package remote

import (
	"log/slog"
	"time"
)

// Target says how a host is reached. What is empty comes from the user's own
// ssh configuration, then from the defaults of ssh: the current user, port 22,
// the usual key files, ~/.ssh/known_hosts.
type Target struct {
	Name       string   // the short name; Link errors begin with it
	Address    string   // what to dial: a host name, an IP or an alias of ~/.ssh/config; empty: Name
	User       string   // login name
	Port       int      // 1…65535; 0: not set
	Identity   []string // key files; when set, no other key is offered
	KnownHosts []string // known_hosts files; when set, no other is read
	Jump       string   // as ProxyJump: [user@]host[:port],…; "none": no jump
	// Legacy allows what servers of OpenSSH 5 and 6 need and what is broken by
	// today's knowledge: ssh-rsa (SHA-1) for host keys and logins, key exchanges
	// with SHA-1. It holds for the jumps, too. Link.Legacy tells what was used.
	Legacy bool
}

// Options are the same for all hosts of one run.
type Options struct {
	// Ask puts what a login needs to the operator: the passphrase of a key that
	// the server would take, a second factor, a password. It is called in the
	// first dial of a host and in those after Retry, when somebody is there; a
	// dial that the host makes by itself never asks, its link waits (Link.Waits).
	// nil: nothing can be asked.
	Ask Asker
	// Timings; zero fields take those of DefaultTimings.
	Timings Timings
	// Agent allows the keys of ssh's agent (SSH_AUTH_SOCK, IdentityAgent).
	Agent bool
	// Config are ssh configuration files in order of weight; nil: ~/.ssh/config,
	// then /etc/ssh/ssh_config; empty but not nil: none. Where OpenSSH is installed
	// it reads nil or a single file itself (ssh -G).
	Config []string
	// Warn hears what is odd but does not stop the work, as one safe line: a
	// malformed line of known_hosts, a setting that is not followed. It is called
	// by NewSSH and from the dialling goroutine and must not block; nil: Debug
	// alone hears it.
	Warn func(text string)
	// Debug hears every step of a dial, banners included; nil: nobody does.
	Debug *slog.Logger

	parse bool // for tests: the files are parsed here even where OpenSSH is
}

// Timings are real time, whatever the speed of a simulation.
type Timings struct {
	Dial         time.Duration // one dial whole: names, TCP, banner, key exchange, login, through all jumps
	Connect      time.Duration // the TCP part of the quick dials after a loss: short, that the end of a short cut is noticed
	Quick        time.Duration // for how long after the last sign of life dials are quick
	Keepalive    time.Duration // nothing heard: a sign of life is asked for, and again after as long
	Stale        time.Duration // nothing heard: the link is stale
	Lost         time.Duration // nothing heard: the link is lost and dialled anew
	Open         time.Duration // until a channel is open and its script begun
	Run          time.Duration // bound of Run when its context has none
	BackoffFirst time.Duration // the first pause between dials at most; doubled each time
	BackoffMost  time.Duration // the longest pause between dials
	DialWindow   time.Duration // in which at most eight dials are made
}

// DefaultTimings are those of a real network.
func DefaultTimings() Timings {
	return Timings{
		Dial: 10 * time.Second, Connect: 1500 * time.Millisecond, Quick: 10 * time.Second,
		Keepalive: 1200 * time.Millisecond, Stale: 3 * time.Second, Lost: 6 * time.Second,
		Open: 10 * time.Second, Run: time.Minute,
		BackoffFirst: time.Second, BackoffMost: 30 * time.Second, DialWindow: time.Minute,
	}
}

// filled replaces what is not set by the defaults.
func (t Timings) filled() Timings {
	d := DefaultTimings()
	for _, f := range []struct{ have, def *time.Duration }{
		{&t.Dial, &d.Dial}, {&t.Connect, &d.Connect}, {&t.Quick, &d.Quick}, {&t.Keepalive, &d.Keepalive},
		{&t.Stale, &d.Stale}, {&t.Lost, &d.Lost}, {&t.Open, &d.Open}, {&t.Run, &d.Run},
		{&t.BackoffFirst, &d.BackoffFirst}, {&t.BackoffMost, &d.BackoffMost}, {&t.DialWindow, &d.DialWindow},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return t
}
