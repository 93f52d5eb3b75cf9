//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ssh/knownhosts"
	"golang.org/x/sys/unix"
)

// The way round: a desk that has no route to the hosts, and a jump host between
// the two, which is an sshd in a network of its own.
const (
	jumpNS      = "cblab-jump"
	deskNS      = "cblab-desk"
	jumpAddress = "10.0.4.2" // in the hosts' network
	jumpInside  = "10.0.5.1" // in the desk's
	deskAddress = "10.0.5.2"
)

// Bastion is a desk behind a jump host.
type Bastion struct {
	l    *Lab
	dir  string
	sshd *exec.Cmd
}

// Bastion makes the way round: from the desk the hosts can be reached through
// the jump host's sshd and in no other way. The sshd ends with Stop or with this
// process; the networks go with the lab, too.
func (l *Lab) Bastion(ctx context.Context) (*Bastion, error) {
	b := &Bastion{l: l, dir: filepath.Join(Dir, "bastion")}
	if err := b.build(ctx); err != nil {
		return nil, errors.Join(err, b.Down(context.WithoutCancel(ctx)))
	}
	return b, nil
}

func (b *Bastion) build(ctx context.Context) error {
	for _, ns := range []string{jumpNS, deskNS} {
		if _, err := command(ctx, "ip", "netns", "add", ns); err != nil {
			return err
		}
	}
	err := ip(ctx, "-n "+jumpNS, `link set lo up
		link add eth0 type veth peer name jump netns `+switchNS+`
		addr add `+jumpAddress+prefixLength+` dev eth0
		link set eth0 up
		-n `+switchNS+` link set jump master `+bridge+` up
		link add eth1 type veth peer name eth0 netns `+deskNS+`
		addr add `+jumpInside+prefixLength+` dev eth1
		link set eth1 up
		-n `+deskNS+` link set lo up
		-n `+deskNS+` addr add `+deskAddress+prefixLength+` dev eth0
		-n `+deskNS+` link set eth0 up`)
	if err != nil {
		return err
	}
	return b.Start(ctx)
}

// Start starts the jump host's sshd, with a host key that stays the same.
func (b *Bastion) Start(ctx context.Context) error {
	if _, err := os.Stat(b.file("lab_host_key")); err != nil {
		if err := b.makeKeys(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		return err
	}
	b.sshd = exec.Command("ip", "netns", "exec", jumpNS, "/usr/sbin/sshd", "-D", "-e", "-f", b.file("sshd_config"))
	b.sshd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL, Setpgid: true}
	log, err := os.OpenFile(b.file("sshd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	b.sshd.Stderr = log
	if err := b.sshd.Start(); err != nil {
		return err
	}
	jump := &Host{Address: jumpAddress}
	return until(ctx, "sshd of the jump host", 10*time.Second, []string{b.file("sshd.log")}, jump.sshAnswers)
}

func (b *Bastion) file(name string) string { return filepath.Join(b.dir, name) }

func (b *Bastion) makeKeys() error {
	public, private, err := newKey("jump")
	if err != nil {
		return err
	}
	operator, err := os.ReadFile(identityFile + ".pub")
	if err != nil {
		return err
	}
	config := "HostKey " + b.file("lab_host_key") + "\nAuthorizedKeysFile " + b.file("authorized_keys") + `
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
StrictModes no
PidFile none
MaxStartups 50:30:100
`
	return writeAll(map[string]string{
		b.file("lab_host_key"):    string(private),
		b.file("authorized_keys"): string(operator),
		b.file("sshd_config"):     config,
		b.file("known_hosts"):     knownhosts.Line([]string{jumpInside}, public) + "\n",
	})
}

// Stop ends the jump host's sshd with every connection through it.
func (b *Bastion) Stop() {
	if b.sshd == nil || b.sshd.Process == nil {
		return
	}
	unix.Kill(-b.sshd.Process.Pid, unix.SIGKILL)
	b.sshd.Wait()
	b.sshd = nil
}

// Desk are the words before a command that runs it at the desk.
func (b *Bastion) Desk() []string { return []string{"ip", "netns", "exec", deskNS} }

// Home writes the ~/.ssh of somebody at the desk: a key, the known hosts, and a
// configuration with ProxyJump.
func (b *Bastion) Home(ssh string) error {
	key, err := os.ReadFile(identityFile)
	if err != nil {
		return err
	}
	hosts, err := os.ReadFile(knownHostsFile)
	if err != nil {
		return err
	}
	jump, err := os.ReadFile(b.file("known_hosts"))
	if err != nil {
		return err
	}
	config := "Host bastion\n  HostName " + jumpInside + "\n  User root\n\nHost be1 be2 be3 10.0.4.*\n  User root\n  ProxyJump bastion\n\n"
	for _, n := range b.l.Nodes() {
		config += fmt.Sprintf("Host %s\n  HostName %s\n\n", n.Name, n.Address)
	}
	return writeAll(map[string]string{
		filepath.Join(ssh, "id_ed25519"): string(key), filepath.Join(ssh, "known_hosts"): string(hosts) + string(jump),
		filepath.Join(ssh, "config"): config,
	})
}

// Down takes the way round away.
func (b *Bastion) Down(ctx context.Context) error {
	b.Stop()
	var errs []error
	for _, ns := range []string{deskNS, jumpNS} {
		if _, err := os.Stat("/run/netns/" + ns); err == nil {
			_, err := command(ctx, "ip", "netns", "del", ns)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
