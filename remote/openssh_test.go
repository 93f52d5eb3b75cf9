package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestDecisionsAreThoseOfOpenSSH lets OpenSSH's own client and ours try the same
// real sshd with the same configuration, known_hosts, keys and agent: both get
// in, as the same user on the same server, or neither does. Where we are
// stricter by intent the case says so. Besides, the parser has to find the same
// way as ssh -G wherever it understands the configuration.
func TestDecisionsAreThoseOfOpenSSH(t *testing.T) {
	r := newRealSSH(t)
	if _, err := r.openSSH(r.lay(realCase{})); err != nil {
		t.Skipf("OpenSSH itself does not get in here as this user: %v", err)
	}
	var accepted, refused, stricter atomic.Int32
	t.Run("cases", func(t *testing.T) {
		for i, c := range realCases(r) {
			c.number = i + 1
			switch {
			case c.stricter:
				stricter.Add(1)
			case c.in:
				accepted.Add(1)
			default:
				refused.Add(1)
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				r.try(t, c)
			})
		}
	})
	if n := accepted.Load() + refused.Load(); n < 60 {
		t.Errorf("only %d cases", n)
	}
	t.Logf("decisions agree with OpenSSH's in %d cases against a real sshd (%d accepted, %d refused); in %d more we are stricter by intent",
		accepted.Load()+refused.Load(), accepted.Load(), refused.Load(), stricter.Load())
}

// try lets both clients try a case.
func (r *realSSH) try(t *testing.T, c realCase) {
	config := r.lay(c)
	said, err := r.openSSH(config)
	if (err == nil) != c.in {
		t.Fatalf("the case itself is wrong: OpenSSH says %q, %v", said, err)
	}
	if c.stricter {
		config = r.lay(c) // OpenSSH has learnt the key
	}
	hops, where, ours := r.we(t, config)
	switch {
	case c.stricter && ours == nil:
		t.Error("we get in, and should be stricter than OpenSSH")
	case !c.stricter && c.in != (ours == nil):
		t.Errorf("OpenSSH: %v %q; we: %v", err, said, ours)
	case ours == nil && where != said:
		t.Errorf("OpenSSH is on %q, we are on %q", said, where)
	case ours != nil && (ours.Remedy == "" || !strings.Contains(ours.Error(), c.says)):
		t.Errorf("our refusal does not say %q: %v", c.says, ours)
	}
	if !c.own {
		r.parsed(t, config, hops)
	}
}

// realCase is one configuration that both clients try.
type realCase struct {
	name     string
	config   string   // lines before the ordinary ones of "Host *"
	known    []string // lines of known_hosts; nil: all keys of the ordinary server
	server   string   // "" for the ordinary one
	identity string   // file; "" for the ordinary key, "-" for no line at all
	agent    string   // its socket; "" for none
	in       bool     // OpenSSH gets in
	stricter bool     // and we do not, by intent
	says     string   // part of our refusal
	own      bool     // only ssh understands the configuration
	number   int
}

// realSSH is real servers and what is needed to get into them.
type realSSH struct {
	t        *testing.T
	dir      string
	user     string
	servers  map[string]*realServer
	key      ssh.Signer // that the servers let in
	identity string     // its file
	hostCA   ssh.Signer
	userCA   ssh.Signer
}

// realServer answers each connection with an sshd of its own.
type realServer struct {
	port string
	keys map[string]ssh.PublicKey // by type
}

func newRealSSH(t *testing.T) *realSSH {
	t.Helper()
	for _, program := range []string{"/usr/sbin/sshd", "ssh"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	if os.Getuid() == 0 {
		must(t, os.MkdirAll("/run/sshd", 0o755))
	}
	me, err := user.Current()
	must(t, err)
	r := &realSSH{t: t, dir: t.TempDir(), user: me.Username, servers: map[string]*realServer{}}
	r.key, r.identity = newKey(t, "")
	r.hostCA, _ = newKey(t, "")
	r.userCA, _ = newKey(t, "")
	r.begin()
	return r
}

// file writes a file of the bed and returns its path.
func (r *realSSH) file(name string, text []byte) string {
	path := filepath.Join(r.dir, name)
	must(r.t, os.WriteFile(path, text, 0o600))
	return path
}

// serve begins a server with these host keys and further lines for its sshd.
func (r *realSSH) serve(name string, keys []ssh.Signer, files []string, lines string) *realServer {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(r.t, err)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s := &realServer{port: port, keys: map[string]ssh.PublicKey{}}
	config := lines
	for i, k := range keys {
		s.keys[k.PublicKey().Type()] = k.PublicKey()
		config += "\nHostKey " + files[i]
	}
	config += "\nAuthorizedKeysFile " + filepath.Join(r.dir, "authorized_keys") + "\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nKexAlgorithms curve25519-sha256\nLogLevel DEBUG1\n"
	path := r.file("sshd-"+name, []byte(config))
	log := filepath.Join(r.dir, "log-"+name)
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			socket, err := c.(*net.TCPConn).File()
			c.Close()
			if err != nil {
				continue
			}
			sshd := exec.Command("/usr/sbin/sshd", "-i", "-E", log, "-f", path)
			sshd.Stdin, sshd.Stdout = socket, socket
			err = sshd.Start()
			socket.Close()
			if err == nil {
				wait.Go(func() { sshd.Wait() })
			}
		}
	})
	r.t.Cleanup(func() {
		listener.Close()
		wait.Wait()
		if r.t.Failed() {
			text, _ := os.ReadFile(log)
			r.t.Logf("sshd %s: %s", name, text[max(0, len(text)-3000):])
		}
	})
	r.servers[name] = s
	return s
}

// hostFile writes a server's private key, and its certificate if there is one.
func (r *realSSH) hostFile(name string, key any, cert *ssh.Certificate) (ssh.Signer, string) {
	block, err := ssh.MarshalPrivateKey(key, "")
	must(r.t, err)
	signer, err := ssh.NewSignerFromKey(key)
	must(r.t, err)
	path := r.file(name, pem.EncodeToMemory(block))
	if cert != nil {
		r.file(name+"-cert.pub", ssh.MarshalAuthorizedKey(cert))
	}
	return signer, path
}

// certify makes a certificate.
func (r *realSSH) certify(ca ssh.Signer, key ssh.PublicKey, kind uint32, until time.Time, principals ...string) *ssh.Certificate {
	c := &ssh.Certificate{Key: key, CertType: kind, KeyId: "test", ValidPrincipals: principals, ValidAfter: uint64(time.Now().Add(-48 * time.Hour).Unix()), ValidBefore: uint64(until.Unix())}
	must(r.t, c.SignCert(rand.Reader, ca))
	return c
}

// rsaKey makes a key of the kind that old servers have.
func rsaKey(t *testing.T) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return k
}

// line is a line of known_hosts: a marker or "", the hosts, a key.
func line(marker, hosts string, key ssh.PublicKey) string {
	return strings.TrimSpace(marker + " " + hosts + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))))
}

// server is that of a case.
func (r *realSSH) server(c realCase) *realServer { return r.servers[c.serverName()] }

func (c realCase) serverName() string { return first(c.server, "ordinary") }

// lay writes a case's configuration and known_hosts; the file of the former.
func (r *realSSH) lay(c realCase) (config string) {
	if c.known == nil {
		for _, k := range r.server(c).keys {
			c.known = append(c.known, line("", "[127.0.0.1]:"+r.server(c).port, k))
		}
	}
	known := r.file(fmt.Sprintf("known_hosts-%d", c.number), []byte(strings.Join(c.known, "\n")+"\n"))
	identity := "\n  IdentityFile " + first(c.identity, r.identity)
	if c.identity == "-" {
		identity = "\n  IdentityFile none"
	}
	path := filepath.Join(r.dir, fmt.Sprintf("config-%d", c.number))
	text := strings.ReplaceAll(c.config, "CONFIG", path) + "\nHost *\n  HostName 127.0.0.1\n  Port " + r.server(c).port + "\n  User " + r.user + identity +
		"\n  UserKnownHostsFile " + known + "\n  GlobalKnownHostsFile none\n  IdentityAgent " + first(c.agent, "none") + "\n"
	must(r.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// where is what both clients run: it tells the user and the connection, of which
// serverOf keeps the server's address and port.
const where = `echo $USER $SSH_CONNECTION`

func serverOf(said []byte) string {
	words := strings.Fields(string(said))
	if len(words) != 5 {
		return string(said)
	}
	return strings.Join([]string{words[0], words[3], words[4]}, " ")
}

// openSSH lets OpenSSH's client try.
func (r *realSSH) openSSH(config string) (said string, err error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "ssh", "-F", config, "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "be1", where)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, &stderr)
	}
	return serverOf(out), err
}

// we try with our own.
func (r *realSSH) we(t *testing.T, config string) (hops []hop, said string, refusal *Error) {
	hops, err := resolve(Target{Name: "be1"}, Options{Agent: true, Config: []string{config}}, func(string) {})
	if err != nil {
		return nil, "", err.(*Error)
	}
	d := dialer{name: "be1", hops: hops, warn: func(string) {}}
	conn, refusal := d.dial(t.Context(), 30*time.Second, 30*time.Second, nil)
	if refusal != nil {
		return hops, "", refusal
	}
	defer conn.close()
	session, err := conn.client.NewSession()
	must(t, err)
	out, err := session.Output(where)
	must(t, err)
	return hops, serverOf(out), nil
}

// parsed checks that the parser finds the same way as ssh -G. Of algorithms it
// finds what is built in, where OpenSSH knows more.
func (r *realSSH) parsed(t *testing.T, config string, hops []hop) {
	again, err := resolve(Target{Name: "be1"}, Options{Agent: true, Config: []string{config}, parse: true}, func(string) {})
	must(t, err)
	for _, list := range [][]hop{hops, again} {
		for i := range list {
			slices.Sort(list[i].algorithms.hostKeys)
			list[i].algorithms = algorithms{hostKeys: list[i].algorithms.hostKeys}
		}
	}
	if got, want := fmt.Sprintf("%+v", again), fmt.Sprintf("%+v", hops); got != want {
		t.Errorf("ssh -G: %s\nparser: %s", want, got)
	}
}
