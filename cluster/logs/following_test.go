package logs

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// BenchmarkFollowing brings 1,000,000 lines of one log from a real sshd on
// loopback into the rings, beside `ssh cat` of the same file to nowhere, one
// after the other, the best of three; it prints the ratio. Ours finds the file
// by its poll, proves whose bytes they are, takes the lines apart and recognises
// signs on the way.
func BenchmarkFollowing(b *testing.B) {
	d := newSSHDaemon(b)
	dir := b.TempDir()
	m, err := NewMatcher(catalogueSigns(b))
	if err != nil {
		b.Fatal(err)
	}
	var text bytes.Buffer
	lines := plainLines(b, m)
	for i := range besideLines {
		fmt.Fprintf(&text, "2026-11-23_11:34:39.45706 %s\n", lines[i%len(lines)])
	}
	log := dir + "/etcd"
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.Mkdir(log, 0o755); err != nil {
		b.Fatal(err)
	}
	write(log+"/current", stampNow()+" first\n")
	h, err := remote.NewSSH(d.target, remote.Options{Config: []string{}})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Host: func(string) remote.Host { return h }, Clock: remote.System{},
		Signs: catalogueSigns(b), Folder: dir})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	until := func(n uint64) {
		for end := time.Now().Add(2 * time.Minute); l.Streams()[2].Lines < n; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				b.Fatalf("%d lines did not come: %+v", n, l.Streams()[2])
			}
		}
	}
	until(1)
	best := map[string]time.Duration{}
	for n := range 3 {
		write(log+"/next", text.String())
		began := time.Now()
		if err := os.Rename(log+"/current", fmt.Sprintf("%s/@4000000060000000%08x.s", log, n)); err != nil {
			b.Fatal(err)
		}
		if err := os.Rename(log+"/next", log+"/current"); err != nil {
			b.Fatal(err)
		}
		until(uint64(1 + besideLines*(n+1)))
		note(best, "ours", time.Since(began))
		began = time.Now()
		if err := d.command("cat " + log + "/current").Run(); err != nil {
			b.Fatalf("ssh cat: %v", err)
		}
		note(best, "ssh-cat", time.Since(began))
	}
	for range b.N {
	}
	for name, took := range best {
		b.ReportMetric(besideLines/took.Seconds(), name+"-lines/s")
		b.ReportMetric(float64(text.Len())/1e6/took.Seconds(), name+"-MB/s")
	}
	b.ReportMetric(best["ssh-cat"].Seconds()/best["ours"].Seconds(), "ours/ssh-cat")
}

// sshDaemon is a real sshd on loopback that lets one key in.
type sshDaemon struct {
	dir    string
	target remote.Target
}

func newSSHDaemon(b *testing.B) sshDaemon {
	for _, name := range []string{"/usr/sbin/sshd", "ssh"} {
		if _, err := exec.LookPath(name); err != nil {
			b.Skipf("%s is not on this machine", name)
		}
	}
	if _, err := os.Stat("/run/sshd"); err != nil && os.Geteuid() == 0 {
		b.Skip("sshd wants /run/sshd, which is not there")
	}
	d := sshDaemon{dir: b.TempDir()}
	host, own := newKey(b, d.dir+"/host"), newKey(b, d.dir+"/own")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	me, err := user.Current()
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"authorized": string(ssh.MarshalAuthorizedKey(own)),
		"known":      fmt.Sprintf("[127.0.0.1]:%d %s", port, ssh.MarshalAuthorizedKey(host)),
		"config": fmt.Sprintf("ListenAddress 127.0.0.1:%d\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n",
			port, d.dir, d.dir),
	} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", d.dir+"/config")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	d.target = remote.Target{Name: "be1", Address: "127.0.0.1", Port: port, User: me.Username, Identity: []string{d.dir + "/own"}, KnownHosts: []string{d.dir + "/known"}, Jump: "none"}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out, err := d.command("true").CombinedOutput()
		if err == nil {
			return d
		}
		if time.Now().After(end) {
			b.Fatalf("sshd lets nobody in: %s%s", out, said.String())
		}
	}
}

// command runs something there by ssh(1); what it says goes to nobody.
func (d sshDaemon) command(text string) *exec.Cmd {
	return exec.Command("ssh", "-F", "none", "-T", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "UserKnownHostsFile="+d.dir+"/known",
		"-i", d.dir+"/own", "-p", fmt.Sprint(d.target.Port), d.target.User+"@127.0.0.1", text)
}

// newKey writes a new key into a file.
func newKey(b *testing.B, name string) ssh.PublicKey {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
		b.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		b.Fatal(err)
	}
	return key.PublicKey()
}
