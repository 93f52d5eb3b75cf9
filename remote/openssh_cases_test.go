package remote

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// realCases are the cases of TestDecisionsAreThoseOfOpenSSH, with their servers.
func realCases(r *realSSH) []realCase {
	return slices.Concat(r.hostKeyCases(), r.certificateCases(), r.loginCases(), r.configCases(), r.oldCases())
}

func (r *realSSH) begin() {
	_, ed, err := ed25519.GenerateKey(nil)
	must(r.t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(r.t, err)
	k1, f1 := r.hostFile("host-ed25519", ed, nil)
	k2, f2 := r.hostFile("host-ecdsa", ec, nil)
	k3, f3 := r.hostFile("host-rsa", rsaKey(r.t), nil)
	authorized := string(ssh.MarshalAuthorizedKey(r.key.PublicKey()))
	r.file("authorized_keys", []byte(authorized))
	trust := "TrustedUserCAKeys " + r.file("user-ca.pub", ssh.MarshalAuthorizedKey(r.userCA.PublicKey()))
	r.serve("ordinary", []ssh.Signer{k1, k2, k3}, []string{f1, f2, f3}, trust)
	r.serve("no way on", []ssh.Signer{k1}, []string{f1}, "AllowTcpForwarding no")
	r.serve("two factors", []ssh.Signer{k1}, []string{f1}, "KbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive")
	r.serve("old", []ssh.Signer{k3}, []string{f3}, "HostKeyAlgorithms ssh-rsa\nPubkeyAcceptedAlgorithms ssh-rsa,ssh-ed25519\nKexAlgorithms diffie-hellman-group14-sha1")
	for name, until := range map[string]time.Time{"certified": time.Now().Add(time.Hour), "expired": time.Now().Add(-time.Hour)} {
		_, key, err := ed25519.GenerateKey(nil)
		must(r.t, err)
		public, err := ssh.NewPublicKey(key.Public())
		must(r.t, err)
		signer, file := r.hostFile("host-"+name, key, r.certify(r.hostCA, public, ssh.HostCert, until, "be1.example", "127.0.0.1"))
		r.serve(name, []ssh.Signer{signer}, []string{file}, "HostCertificate "+file+"-cert.pub")
	}
}

// hostKeyCases are about the keys of hosts.
func (r *realSSH) hostKeyCases() []realCase {
	s := r.servers["ordinary"]
	at, ed, ec, rs := "[127.0.0.1]:"+s.port, s.keys[ssh.KeyAlgoED25519], s.keys[ssh.KeyAlgoECDSA256], s.keys[ssh.KeyAlgoRSA]
	stranger, _ := newKey(r.t, "")
	wrong := stranger.PublicKey()
	hashed := func(name string, key ssh.PublicKey) string { return line("", xknownhosts.HashHostname(name), key) }
	good := line("", at, ed)
	global := r.file("global", []byte(good+"\n"))
	return []realCase{
		{name: "all kinds known", in: true},
		{name: "only RSA known of three", known: []string{line("", at, rs)}, in: true},
		{name: "only ECDSA known of three", known: []string{line("", at, ec)}, in: true},
		{name: "only Ed25519 known of three", known: []string{good}, in: true},
		{name: "hashed", known: []string{hashed(at, ed)}, in: true},
		{name: "hashed with another port", known: []string{hashed("[127.0.0.1]:9", ed)}, says: "not in known_hosts"},
		{name: "hashed without a port", known: []string{hashed("127.0.0.1", ed)}, in: true},
		{name: "unknown", known: []string{}, says: "not in known_hosts"},
		{name: "changed", known: []string{line("", at, wrong)}, says: "not the one"},
		{name: "changed, the right one second", known: []string{line("", at, wrong), good}, in: true},
		{name: "changed, another kind right", known: []string{line("", at, wrong), line("", at, rs)}, says: "not the one"},
		{name: "changed without a port", known: []string{line("", "127.0.0.1", wrong)}, says: "not in known_hosts"},
		{name: "right without a port, changed with", known: []string{line("", "127.0.0.1", ed), line("", at, wrong)}, says: "not the one"},
		{name: "revoked", known: []string{good, line("@revoked", at, ed)}, says: "revoked"},
		{name: "revoked for all", known: []string{line("@revoked", "*", ed), good}, says: "revoked"},
		{name: "revoked under a hashed name", known: []string{good, line("@revoked", xknownhosts.HashHostname(at), ed)}, says: "revoked"},
		{name: "revoked elsewhere", known: []string{good, line("@revoked", "elsewhere", ed)}, in: true},
		{name: "another key revoked", known: []string{good, line("@revoked", "*", wrong)}, in: true},
		{name: "revoked without a port", known: []string{line("", "127.0.0.1", ed), line("@revoked", "127.0.0.1", ed)}, says: "not in known_hosts"},
		{name: "malformed lines among good ones", known: []string{"nonsense", at + " ssh-ed25519 !!!", "@odd " + good, good, "|2|x|y ssh-ed25519 AAAA"}, in: true},
		{name: "malformed lines alone", known: []string{at + " ssh-ed25519", strings.TrimSuffix(good, good[len(good)-20:])}, says: "not in known_hosts"},
		{name: "wrong kind named", known: []string{strings.Replace(good, "ssh-ed25519 ", "ssh-rsa ", 1)}, says: "not in known_hosts"},
		{name: "comments, blanks and spaces", known: []string{"# " + good, "", "  \t" + strings.Replace(good, " ", " \t ", 1) + " a comment # more"}, in: true},
		{name: "carriage returns", known: []string{good + "\r"}, in: true},
		{name: "any host", known: []string{line("", "*", ed)}, in: true},
		{name: "pattern with a port", known: []string{line("", "[127.0.?.*]:*", ed)}, in: true},
		{name: "pattern without a port", known: []string{line("", "127.0.*", ed)}, in: true},
		{name: "pattern that leaves it out", known: []string{line("", "[127.0.0.1]:*,!"+at, ed)}, says: "not in known_hosts"},
		{name: "list of names", known: []string{line("", "be9,"+at+",10.0.0.1", ed)}, in: true},
		{name: "another port", known: []string{line("", "[127.0.0.1]:9", ed)}, says: "not in known_hosts"},
		{name: "HostKeyAlias", config: "HostKeyAlias Backend-One", known: []string{line("", "backend-one", ed)}, in: true},
		{name: "HostKeyAlias with a port", config: "HostKeyAlias backend-one", known: []string{line("", "[backend-one]:"+s.port, ed)}, says: "not in known_hosts"},
		{name: "HostKeyAlias, the address known", config: "HostKeyAlias backend-one", known: []string{good}, says: "not in known_hosts"},
		{name: "GlobalKnownHostsFile", config: "GlobalKnownHostsFile " + global, known: []string{}, in: true},
		{name: "second UserKnownHostsFile", config: "UserKnownHostsFile /nowhere/known_hosts " + global, known: []string{}, in: true},
		{name: "no known_hosts at all", config: "UserKnownHostsFile /nowhere/known_hosts", says: "not in known_hosts"},
		{name: "HostKeyAlgorithms without the known kind", config: "HostKeyAlgorithms ssh-ed25519", known: []string{line("", at, rs)}},
		{name: "HostKeyAlgorithms with the known kind", config: "HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256", in: true},
		{name: "HostKeyAlgorithms taken away", config: "HostKeyAlgorithms -ssh-ed25519*", in: true},
		{name: "RevokedHostKeys", config: "RevokedHostKeys " + r.file("revoked", ssh.MarshalAuthorizedKey(ed)), says: "revoked"},
		{name: "RevokedHostKeys of others", config: "RevokedHostKeys " + r.file("revoked-others", ssh.MarshalAuthorizedKey(wrong)), in: true},
		{name: "RevokedHostKeys that is missing", config: "RevokedHostKeys /nowhere/revoked", says: "cannot be read"},
		{name: "StrictHostKeyChecking no", config: "StrictHostKeyChecking no", known: []string{}, in: true, stricter: true, says: "not in known_hosts"},
		{name: "StrictHostKeyChecking accept-new", config: "StrictHostKeyChecking accept-new", known: []string{}, in: true, stricter: true, says: "not in known_hosts"},
		{name: "StrictHostKeyChecking yes", config: "StrictHostKeyChecking yes", in: true},
	}
}

// certificateCases are about certificates of hosts.
func (r *realSSH) certificateCases() []realCase {
	s := r.servers["certified"]
	at, own, ca := "[127.0.0.1]:"+s.port, s.keys[ssh.KeyAlgoED25519], r.hostCA.PublicKey()
	old := r.servers["expired"]
	stranger, _ := newKey(r.t, "")
	other := stranger.PublicKey()
	plain := r.servers["ordinary"].keys[ssh.KeyAlgoED25519]
	return []realCase{
		{name: "authority", server: "certified", known: []string{line(authority, at, ca)}, in: true},
		{name: "authority for all", server: "certified", known: []string{line(authority, "*", ca)}, in: true},
		{name: "authority without a port", server: "certified", known: []string{line(authority, "127.0.0.1", ca)}, in: true},
		{name: "authority under a hashed name", server: "certified", known: []string{line(authority, xknownhosts.HashHostname(at), ca)}, in: true},
		{name: "authority for others", server: "certified", known: []string{line(authority, "*.example.com", ca)}, says: "certificate is not accepted"},
		{name: "another authority", server: "certified", known: []string{line(authority, "*", other)}, says: "certificate is not accepted"},
		{name: "another authority, the key known", server: "certified", known: []string{line(authority, "*", other), line("", at, own)}, in: true},
		{name: "the authority's key without its mark", server: "certified", known: []string{line("", at, ca)}},
		{name: "alias that the certificate names", server: "certified", config: "HostKeyAlias be1.example", known: []string{line(authority, "be1.*", ca)}, in: true},
		{name: "alias that it does not name", server: "certified", config: "HostKeyAlias be2.example", known: []string{line(authority, "*", ca)}, says: "be2.example"},
		{name: "alias that it does not name, the key known", server: "certified", config: "HostKeyAlias be2.example", known: []string{line(authority, "*", ca), line("", "be2.example", own)}, in: true},
		{name: "revoked authority", server: "certified", known: []string{line(authority, "*", ca), line(revoked, "*", ca)}, says: "revoked"},
		{name: "revoked key with a good certificate", server: "certified", known: []string{line(authority, "*", ca), line(revoked, "*", own)}, says: "revoked"},
		{name: "expired certificate", server: "expired", known: []string{line(authority, "*", ca)}, says: "expired"},
		{name: "expired certificate, the key known", server: "expired", known: []string{line(authority, "*", ca), line("", "[127.0.0.1]:"+old.port, old.keys[ssh.KeyAlgoED25519])}, in: true},
		{name: "CASignatureAlgorithms without it", server: "certified", config: "CASignatureAlgorithms rsa-sha2-512", known: []string{line(authority, "*", ca)}},
		{name: "authority, a server without a certificate", known: []string{line(authority, "*", ca)}, says: "not in known_hosts"},
		{name: "the host's own key as an authority", known: []string{line(authority, "*", plain)}, says: "not in known_hosts"},
	}
}

// private is the file of a new private key, with a certificate beside it.
func (r *realSSH) private(cert func(ssh.PublicKey) *ssh.Certificate) (path string, key any, c *ssh.Certificate) {
	signer, path := newKey(r.t, "")
	text, err := os.ReadFile(path)
	must(r.t, err)
	key, err = ssh.ParseRawPrivateKey(text)
	must(r.t, err)
	if cert != nil {
		c = cert(signer.PublicKey())
	}
	return path, key, c
}

// holding is an agent with some keys, after a number of strangers.
func (r *realSSH) holding(strangers int, keys ...agent.AddedKey) (socket string) {
	a := agent.NewKeyring()
	for range strangers {
		_, k, err := ed25519.GenerateKey(nil)
		must(r.t, err)
		must(r.t, a.Add(agent.AddedKey{PrivateKey: &k}))
	}
	for _, k := range keys {
		must(r.t, a.Add(k))
	}
	return serveAgent(r.t, a)
}

// loginCases are about keys, the agent and certificates of users.
func (r *realSSH) loginCases() []realCase {
	text, err := os.ReadFile(r.identity)
	must(r.t, err)
	raw, err := ssh.ParseRawPrivateKey(text)
	must(r.t, err)
	ours := agent.AddedKey{PrivateKey: raw}
	public := r.file("key.pub", ssh.MarshalAuthorizedKey(r.key.PublicKey()))
	_, stranger := newKey(r.t, "")
	_, encrypted := newKey(r.t, "open sesame")
	open := r.file("readable", text)
	must(r.t, os.Chmod(open, 0o644))

	hour, ago := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	with := func(until time.Time, names ...string) (path string) {
		path, _, c := r.private(func(k ssh.PublicKey) *ssh.Certificate { return r.certify(r.userCA, k, ssh.UserCert, until, names...) })
		must(r.t, os.WriteFile(path+"-cert.pub", ssh.MarshalAuthorizedKey(c), 0o600))
		return path
	}
	bare, key, cert := r.private(func(k ssh.PublicKey) *ssh.Certificate { return r.certify(r.userCA, k, ssh.UserCert, hour, r.user) })
	elsewhere := r.file("elsewhere-cert.pub", ssh.MarshalAuthorizedKey(cert))
	return []realCase{
		{name: "key that is taken", in: true},
		{name: "key that is not", identity: stranger, says: "none of 1 key accepted"},
		{name: "no key", identity: "-", says: "no key to offer"},
		{name: "file that is missing", identity: "/nowhere/key", says: "no key to offer"},
		{name: "key that others may read", identity: open, says: "no key to offer"},
		{name: "second of two files", config: "IdentityFile " + stranger, in: true},
		{name: "key in the agent", identity: "-", agent: r.holding(0, ours), in: true},
		{name: "key in the agent and IdentitiesOnly", config: "IdentitiesOnly yes", identity: stranger, agent: r.holding(0, ours), says: "none of 1 key accepted"},
		{name: "public half of a key in the agent", config: "IdentitiesOnly yes", identity: public, agent: r.holding(3, ours), in: true},
		{name: "agent with too many keys", identity: "-", agent: r.holding(7, ours), says: "IdentitiesOnly"},
		{name: "agent with too many keys, ours named", identity: public, agent: r.holding(7, ours), in: true},
		{name: "agent that IdentityAgent shuts out", config: "IdentityAgent none", identity: "-", agent: r.holding(0, ours), says: "no key to offer"},
		{name: "encrypted key", identity: encrypted, says: "none of 1 key accepted"},
		{name: "PubkeyAuthentication no", config: "PubkeyAuthentication no"},
		{name: "PreferredAuthentications password", config: "PreferredAuthentications password"},
		{name: "PubkeyAcceptedAlgorithms without ours", config: "PubkeyAcceptedAlgorithms rsa-sha2-512", says: "no key to offer"},
		{name: "another user", config: "User nobody-of-that-name", says: "login as nobody-of-that-name refused"},
		{name: "certificate beside the key", identity: with(hour, r.user), in: true},
		{name: "certificate that expired", identity: with(ago, r.user), says: "expired at"},
		{name: "certificate for another user", identity: with(hour, "somebody"), says: "not for the user"},
		{name: "key without its certificate", identity: bare, says: "none of 1 key accepted"},
		{name: "CertificateFile", config: "CertificateFile " + elsewhere, identity: bare, in: true},
		{name: "CertificateFile of another key", config: "CertificateFile " + elsewhere, identity: stranger, says: "none of 1 key accepted"},
		{name: "CertificateFile and a key in the agent", config: "CertificateFile " + elsewhere, identity: "-", agent: r.holding(0, agent.AddedKey{PrivateKey: key}), in: true},
		{name: "certificate in the agent", identity: "-", agent: r.holding(0, agent.AddedKey{PrivateKey: key, Certificate: cert}), in: true},
		{name: "second factor", server: "two factors", says: "waits for you"},
	}
}

// configCases are about the configuration and the way.
func (r *realSSH) configCases() []realCase {
	ordinary, other, shut := r.servers["ordinary"], r.servers["certified"], r.servers["no way on"]
	included := r.file("included", []byte("Host be1\n  User "+r.user+"\n"))
	var known []string
	for _, s := range []*realServer{ordinary, other, shut} {
		for _, k := range s.keys {
			known = append(known, line("", "[127.0.0.1]:"+s.port, k))
		}
	}
	without := slices.DeleteFunc(slices.Clone(known), func(l string) bool { return strings.Contains(l, ":"+other.port+" ") })
	changed := append(slices.Clone(without), line("", "[127.0.0.1]:"+other.port, r.userCA.PublicKey()))
	j1, j2 := "Host j1\n  Port "+other.port+"\n", "Host j2\n  Port "+ordinary.port+"\n"
	return []realCase{
		{name: "Include", config: "Include " + included + "\nHost *\n  User nobody-of-that-name", in: true},
		{name: "Include after", config: "User nobody-of-that-name\nInclude " + included, says: "login as nobody-of-that-name"},
		{name: "Match host", config: "Match host 127.0.0.1,be1\n  User " + r.user + "\nMatch all\n  User nobody-of-that-name", in: true},
		{name: "Match originalhost", config: "Match originalhost be2\n  User nobody-of-that-name", in: true},
		{name: "Match user", config: "User " + r.user + "\nMatch user " + r.user + "\n  IdentityFile none", in: true, own: true},
		{name: "Match exec that is true", config: "Match exec true\n  User nobody-of-that-name", says: "login as nobody-of-that-name", own: true},
		{name: "Match exec that is false", config: "Match exec false\n  User nobody-of-that-name", in: true, own: true},
		{name: "Host with a pattern that leaves it out", config: "Host * !be1\n  User nobody-of-that-name", in: true},
		{name: "HostName with a token", config: "Host be1\n  HostName %h.invalid", says: "cannot be resolved"},
		{name: "AddressFamily that does not fit", config: "AddressFamily inet6"},
		{name: "keyword that ssh does not know", config: "Nonsense yes", says: "onfiguration option", own: true},
		{name: "Ciphers, MACs and KexAlgorithms", config: "Ciphers aes128-ctr\nMACs hmac-sha2-256\nKexAlgorithms curve25519-sha256", in: true},
		{name: "one jump", config: j1 + "Host be1\n  ProxyJump j1", known: known, in: true},
		{name: "two jumps", config: j1 + j2 + "Host be1\n  ProxyJump j1,j2", known: known, in: true},
		{name: "jump of a jump", config: j1 + j2 + "Host be1\n  ProxyJump j2\nHost j2\n  ProxyJump j1", known: known, in: true},
		{name: "jump with user and port", config: "Host be1\n  ProxyJump " + r.user + "@127.0.0.1:" + other.port, known: known, in: true},
		{name: "jump whose key is unknown", config: j1 + "Host be1\n  ProxyJump j1", known: without, says: "jump host j1: host key"},
		{name: "jump whose key has changed", config: j1 + "Host be1\n  ProxyJump j1", known: changed, says: "jump host j1: host key"},
		{name: "jump that does not let in", config: j1 + "  User nobody-of-that-name\nHost be1\n  ProxyJump j1", known: known, says: "jump host j1: login as"},
		{name: "jump that forwards nothing", config: "Host j3\n  Port " + shut.port + "\nHost be1\n  ProxyJump j3", known: known, says: "allows forwarding"},
		{name: "target unknown behind a jump", config: j1 + "Host be1\n  ProxyJump j1", known: known[len(known)-2:]},
		{name: "ProxyJump none", config: "Host be1\n  ProxyJump none\nHost *\n  ProxyJump j1", in: true},
		{name: "ProxyCommand", config: j1 + "Host be1\n  ProxyCommand ssh -F CONFIG -o BatchMode=yes -W %h:%p j1", known: known, in: true},
		{name: "ProxyCommand that fails", config: "Host be1\n  ProxyCommand false %h %p", says: "ProxyCommand gives no connection"},
		{name: "ProxyCommand none", config: "Host be1\n  ProxyCommand none\nHost *\n  ProxyCommand false", in: true},
	}
}

// oldCases are about a server that speaks with SHA-1 only.
func (r *realSSH) oldCases() []realCase {
	_, file := r.hostFile("old-key", rsaKey(r.t), nil)
	text, err := os.ReadFile(file)
	must(r.t, err)
	signer, err := ssh.ParsePrivateKey(text)
	must(r.t, err)
	authorized, err := os.ReadFile(filepath.Join(r.dir, "authorized_keys"))
	must(r.t, err)
	r.file("authorized_keys", append(authorized, ssh.MarshalAuthorizedKey(signer.PublicKey())...))
	const reach = "KexAlgorithms +diffie-hellman-group14-sha1\nHostKeyAlgorithms +ssh-rsa\n"
	return []realCase{
		{name: "RSA key", identity: file, in: true},
		{name: "old server", server: "old", says: "legacy: true"},
		{name: "old server, its key exchange allowed", server: "old", config: "KexAlgorithms +diffie-hellman-group14-sha1", says: "HostKeyAlgorithms +ssh-rsa"},
		{name: "old server, allowed", server: "old", config: reach, in: true},
		{name: "old server, RSA key without SHA-1", server: "old", config: reach, identity: file},
		{name: "old server, RSA key with SHA-1 only", server: "old", config: reach + "PubkeyAcceptedAlgorithms ssh-rsa", identity: file, in: true},
		{name: "old server, RSA key with SHA-1 before all", server: "old", config: reach + "PubkeyAcceptedAlgorithms ^ssh-rsa", identity: file, in: true},
		{name: "server that claims more than it takes", server: "old", config: reach + "PubkeyAcceptedAlgorithms +ssh-rsa", identity: file},
	}
}
