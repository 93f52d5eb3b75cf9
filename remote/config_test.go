package remote

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// readers are the two that read an ssh configuration: OpenSSH, where it is
// installed, and the parser.
func readers(t *testing.T) []string {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Log("OpenSSH is not installed: the parser alone is tried")
		return []string{"parser"}
	}
	return []string{"ssh -G", "parser"}
}

// resolveWith resolves a target with this text as ssh configuration.
func resolveWith(t *testing.T, reader, config string, target Target) (hops []hop, warnings []string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	must(t, os.WriteFile(path, []byte(config), 0o600))
	hops, err = resolve(target, Options{Agent: true, Config: []string{path}, parse: reader == "parser"}, func(w string) { warnings = append(warnings, w) })
	return hops, warnings, err
}

// sshConfigText is invented.
const sshConfigText = `
Host be1 alias
  HostName 10.0.4.11
  User chef
  Port 2222
  IdentityFile ~/.ssh/%h-key
  IdentityFile "/keys/with space"
  IdentitiesOnly yes
  HostKeyAlias Backend-One
  UserKnownHostsFile ~/.ssh/one /etc/two
Host be2
  IdentityAgent none
  ProxyJump ops@bastion:2200,inner
Host inner
  ProxyJump never
Host bastion
  ProxyJump none
Match host be3,be4
  User third
Host *
  GlobalKnownHostsFile none
`

func TestResolve(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "/run/agent")
	home := homeDir()
	for _, reader := range readers(t) {
		hops, warnings, err := resolveWith(t, reader, sshConfigText, Target{Name: "be1"})
		must(t, err)
		h := hops[0]
		if len(hops) != 1 || h.address() != "10.0.4.11:2222" || h.user != "chef" || !h.only || h.known != "backend-one" || h.bare != "" || h.agent != "/run/agent" {
			t.Errorf("%s: %+v", reader, hops)
		}
		if got := strings.Join(h.identities, "|"); got != home+"/.ssh/10.0.4.11-key|/keys/with space" {
			t.Errorf("%s: identities %s", reader, got)
		}
		if got := strings.Join(h.knownHosts, "|"); got != home+"/.ssh/one|/etc/two" || len(warnings) != 0 {
			t.Errorf("%s: known hosts %s, warnings %q", reader, got, warnings)
		}
		hops, _, err = resolveWith(t, reader, sshConfigText, Target{Name: "be2", User: "root", Port: 23, Identity: []string{"/k"}})
		must(t, err)
		if len(hops) != 3 || hops[0].user != "ops" || hops[0].address() != "bastion:2200" || hops[1].host != "inner" || hops[2].agent != "" ||
			hops[2].user != "root" || hops[2].address() != "be2:23" || hops[2].identities[0] != "/k" || !hops[2].only || hops[0].identities[0] != "/k" {
			t.Errorf("%s: %+v", reader, hops)
		}
		hops, _, err = resolveWith(t, reader, sshConfigText, Target{Name: "x", Address: "me@[fd00::4]:24", Jump: "none"})
		must(t, err)
		if hops[0].user != "me" || hops[0].address() != "[fd00::4]:24" || hops[0].known != "[fd00::4]:24" || hops[0].bare != "fd00::4" || hops[0].identities[0] != home+"/.ssh/id_rsa" {
			t.Errorf("%s: %+v", reader, hops)
		}
		if hops, _, _ = resolveWith(t, reader, sshConfigText, Target{Name: "be4"}); hops[0].user != "third" {
			t.Errorf("%s: Match host: %+v", reader, hops)
		}
	}
}

func TestOddConfigurations(t *testing.T) {
	included := filepath.Join(t.TempDir(), "included")
	must(t, os.WriteFile(included, []byte("Match final all\n  Port 1\n"), 0o600))
	for name, c := range map[string]struct{ config, port, warning string }{
		"match exec":  {"Match exec true\n  Port 1\nHost *\n  Port 2\n", "2", `:1: "Match exec`},
		"match final": {"Port 3\nMatch final all\n  Port 1\n", "3", `:2: "Match final all" is not understood`},
		"match two":   {"Match host be1 user x\n  Port 1\n", "22", "not understood"},
		"include":     {"Include " + included + "\nHost *\n  Port 4\n", "4", "included file is left out"},
		"strict":      {"StrictHostKeyChecking accept-new\n", "22", "StrictHostKeyChecking accept-new is not followed"},
		"bind":        {"BindAddress 10.0.0.1\n", "22", "bindaddress of the ssh configuration is not used"},
	} {
		hops, warnings, err := resolveWith(t, "parser", c.config, Target{Name: "be1"})
		if err != nil || hops[0].port != c.port || !strings.Contains(strings.Join(warnings, " "), c.warning) {
			t.Errorf("%s: %+v, %q, %v", name, hops, warnings, err)
		}
	}
	for name, c := range map[string]struct{ config, address string }{
		"port":    {"Port 99999\n", "be1"},
		"circle":  {"Host a\n ProxyJump b\nHost b\n ProxyJump a\n", "a"},
		"name":    {"", "-oProxyCommand=x"},
		"empty":   {"", "user@"},
		"nothing": {"Ciphers aes128-cbc\nMACs umac-64@openssh.com\n", "be1"},
	} {
		for _, reader := range readers(t) {
			_, _, err := resolveWith(t, reader, c.config, Target{Name: "be1", Address: c.address})
			if e, ok := err.(*Error); !ok || e.Remedy == "" || e.Host != "be1" || strings.Contains(e.Error(), "\n") {
				t.Errorf("%s, %s: %v", name, reader, err)
			}
		}
	}
}

func TestCutKeepsRunesWhole(t *testing.T) {
	for most, want := range []string{"…", "a…", "a…", "aé…", "aé…", "aé…", "aé€"} {
		if got := cut("aé€", most); got != want {
			t.Errorf("%d bytes: %q, not %q", most, got, want)
		}
	}
}

// What a node says of the others' names is dialled: nothing in a name reaches the
// shell of a Match exec or a ProxyCommand, nor ssh as an option.
func TestNamesAreOnlyNames(t *testing.T) {
	t.Chdir(t.TempDir())
	const config = "Match exec \"true %h %r\"\n  User x\nHost *\n  ProxyCommand nc %h %p\n"
	for _, reader := range readers(t) {
		for _, target := range []Target{
			{Address: "be1;touch${IFS}hit"}, {Address: "$(touch${IFS}hit)"}, {Address: "`touch${IFS}hit`"}, {Address: "be1|touch${IFS}hit"},
			{Address: "be1&touch${IFS}hit"}, {Address: "a;touch${IFS}hit@be1"}, {Address: "be1", User: "a;touch hit"}, {Address: "be1", User: "a$(touch hit)"},
			{Address: "be1", Jump: "a;touch${IFS}hit"}, {Address: "be1>hit"}, {Address: "be1\vx"}, {Address: "-oUser=x@be1"}, {Address: "be1", User: "-oUser=x"},
			{Address: "-oUser=x"}, {Address: "be1", Jump: "be1,-oUser=x"}, {Address: "be1\\"}, {Address: "be1", User: "a\\"},
		} {
			target.Name = "be2"
			_, _, err := resolveWith(t, reader, config, target)
			if e, ok := err.(*Error); !ok || e.Remedy == "" || e.Error() != Safe([]byte(e.Error())) {
				t.Errorf("%s: %+v: %v", reader, target, err)
			}
		}
		for _, ok := range []Target{{Address: `DOM\user@be-1.example`}, {Address: "fe80::1%eth0"}, {Address: "be1", User: "machine$"}} {
			ok.Name = "be2"
			if _, _, err := resolveWith(t, reader, "", ok); err != nil {
				t.Errorf("%s: %v", reader, err)
			}
		}
	}
	if _, err := os.Stat("hit"); err == nil {
		t.Error("a name was run as a command")
	}
}

// What the configuration says of algorithms counts as far as it is built in,
// and nothing broken is in use unless somebody said so.
func TestAlgorithms(t *testing.T) {
	bad := ssh.InsecureAlgorithms()
	broken := slices.Concat(bad.HostKeys, bad.KeyExchanges, bad.Ciphers, bad.MACs, bad.PublicKeyAuths)
	for _, reader := range readers(t) {
		of := func(config string, legacy bool) algorithms {
			hops, _, err := resolveWith(t, reader, config, Target{Name: "be1", Legacy: legacy})
			must(t, err)
			return hops[0].algorithms
		}
		all := func(a algorithms) []string {
			return slices.Concat(a.hostKeys, a.exchanges, a.ciphers, a.macs, a.signatures, a.authorities)
		}
		if a := of("", false); slices.ContainsFunc(all(a), func(s string) bool { return slices.Contains(broken, s) }) || a.hostKeys[0] != ssh.CertAlgoED25519v01 {
			t.Errorf("%s: by default %+v", reader, a)
		}
		if a := of("", true); !slices.Contains(a.hostKeys, "ssh-rsa") || !slices.Contains(a.exchanges, "diffie-hellman-group14-sha1") || !slices.Contains(a.signatures, "ssh-rsa") {
			t.Errorf("%s: legacy %+v", reader, a)
		}
		a := of("HostKeyAlgorithms +ssh-rsa\nPubkeyAcceptedAlgorithms -ssh-ed25519*\nCiphers aes256-ctr,aes128-cbc\nKexAlgorithms ^diffie-hellman-group1-sha1\nMACs hmac-sha2-256\n", false)
		if a.hostKeys[len(a.hostKeys)-1] != "ssh-rsa" || slices.Contains(a.signatures, "ssh-ed25519") || !slices.Equal(a.ciphers, []string{"aes256-ctr", "aes128-cbc"}) ||
			a.exchanges[0] != "diffie-hellman-group1-sha1" || !slices.Equal(a.macs, []string{"hmac-sha2-256"}) {
			t.Errorf("%s: named %+v", reader, a)
		}
	}
}

// A malformed line costs that line, and every form of a good one is found.
func TestKnownHosts(t *testing.T) {
	good, _ := newKey(t, "")
	other, _ := newKey(t, "")
	line := string(ssh.MarshalAuthorizedKey(good.PublicKey()))
	wrong := string(ssh.MarshalAuthorizedKey(other.PublicKey()))
	hashed := xknownhosts.HashHostname("[be1]:2222") + " " + line
	for name, c := range map[string]struct {
		text string
		kind Kind // "" for accepted
		bad  string
	}{
		"plain":            {text: "[be1]:2222 " + line},
		"hashed":           {text: hashed},
		"second of two":    {text: "[be1]:2222 " + wrong + "[be1]:2222 " + line},
		"wildcard":         {text: "be* " + line},
		"among bad lines":  {text: "nonsense\nbe1 ssh-ed25519 !!!\n" + hashed + "|2|x|y " + line, bad: ":1:|:2:|:4:"},
		"CRLF":             {text: strings.ReplaceAll("# a comment\n\n[be1]:2222 "+line, "\n", "\r\n")},
		"two markers":      {text: "@revoked @revoked * " + line + hashed, bad: ":1:"},
		"huge line":        {text: strings.Repeat("x", 1<<17) + "\n" + hashed, bad: ":1:"},
		"wrong type":       {text: "[be1]:2222 " + strings.Replace(line, "ssh-ed25519", "ssh-rsa", 1), kind: HostKeyUnknown, bad: ":1:"},
		"name alone":       {text: "be1 " + line},
		"other name alone": {text: "be1 " + wrong, kind: HostKeyUnknown},
		"negated":          {text: "[be1]:2222,![be1]:2222 " + line, kind: HostKeyUnknown},
		"none":             {text: "", kind: HostKeyUnknown},
		"changed":          {text: "[be1]:2222 " + wrong, kind: HostKeyChanged},
		"revoked":          {text: hashed + "@revoked * " + line, kind: HostKeyChanged},
		"authority":        {text: "@cert-authority * " + line, kind: HostKeyUnknown},
		"other authority":  {text: "@cert-authority * " + wrong, kind: HostKeyUnknown},
		"authority and ok": {text: "@cert-authority * " + wrong + hashed},
	} {
		path := filepath.Join(t.TempDir(), "known_hosts")
		must(t, os.WriteFile(path, []byte(c.text), 0o600))
		var warnings []string
		h := &hop{alias: "be1", user: "ops", port: "2222", known: "[be1]:2222", bare: "be1", knownHosts: []string{path, path + ".missing"}}
		keys, err := readHostKeys(h, func(w string) { warnings = append(warnings, w) })
		must(t, err)
		err = keys.check(good.PublicKey())
		if e, ok := err.(*Error); c.kind == "" && err != nil || c.kind != "" && (!ok || e.Kind != c.kind || !strings.Contains(e.Text, fingerprint(good.PublicKey()))) {
			t.Errorf("%s: %v", name, err)
		}
		want := 0
		for bad := range strings.SplitSeq(c.bad, "|") {
			if bad != "" {
				want++
			}
			if !strings.Contains(strings.Join(warnings, " "), bad) {
				t.Errorf("%s: warnings %q", name, warnings)
			}
		}
		if len(warnings) != want {
			t.Errorf("%s: warnings %q", name, warnings)
		}
	}
}

// The kinds of key that are known come first, or a server with several shows
// another one.
func TestKnownKindsComeFirst(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	key, err := ssh.NewPublicKey(private.Public())
	must(t, err)
	path := filepath.Join(t.TempDir(), "known_hosts")
	must(t, os.WriteFile(path, []byte("be1 "+string(ssh.MarshalAuthorizedKey(key))), 0o600))
	a, err := newAlgorithms(settings{}, false)
	must(t, err)
	keys, err := readHostKeys(&hop{known: "be1", knownHosts: []string{path}, algorithms: a}, func(string) {})
	must(t, err)
	order := keys.algorithms()
	if order[0] != ssh.CertAlgoECDSA256v01 || order[1] != ssh.KeyAlgoECDSA256 || len(order) != len(a.hostKeys) {
		t.Errorf("%q", order)
	}
}

// Whatever known_hosts holds, reading it ends without a panic, what is said of
// it is safe, and a line that counts names a key.
func FuzzKnownHosts(f *testing.F) {
	key := "ssh-ed25519 " + base64.StdEncoding.EncodeToString(append([]byte("\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"), make([]byte, 32)...))
	for _, s := range []string{"be1 " + key, "@revoked * " + key, "|1|AA==|AA== " + key, "[a]:b:c " + key, ",!x,[y]:1 " + key, "\t@cert-authority\t*\t" + key + " x\r\nz", "! " + key, "#", "\v be1 " + key, "*?*!* " + key} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		k, err := parseKnownLine(line)
		if k != nil && (k.key == nil || k.hosts == "" || err != nil) {
			t.Errorf("%q: %+v, %v", line, k, err)
		}
		if k != nil {
			k.matches("[be1]:2222")
		}
	})
}

// Older releases of x/crypto leave @revoked authorities unchecked, spin on a
// lost link or stall a channel: none older than 0.55 may come in.
func TestCryptoIsNewEnough(t *testing.T) {
	version := cryptoVersion(t)
	minor, _, _ := strings.Cut(strings.TrimPrefix(version, "v0."), ".")
	n, err := strconv.Atoi(minor)
	if !strings.HasPrefix(version, "v0.") || err != nil || n < 55 {
		t.Errorf("golang.org/x/crypto %s is older than v0.55.0", version)
	}
}

// cryptoVersion is the version that this test is built with, or the one that
// go.mod requires where the build information holds no modules.
func cryptoVersion(t *testing.T) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "golang.org/x/crypto" {
				return m.Version
			}
		}
	}
	f, err := os.Open("../go.mod")
	must(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(lines.Text()), "require ")); len(fields) > 1 && fields[0] == "golang.org/x/crypto" {
			return fields[1]
		}
	}
	t.Fatal("go.mod does not name golang.org/x/crypto")
	return ""
}

// A jump keeps the key that the configuration names for it, whatever that is
// called; only where none is named does the cluster's own take its place.
func TestJumpKeepsItsOwnKey(t *testing.T) {
	home := homeDir()
	for _, reader := range readers(t) {
		for file, want := range map[string]string{"": "/k", "IdentityFile ~/.ssh/id_ed25519_sk": "/k",
			"IdentityFile ~/.ssh/id_bastion": home + "/.ssh/id_bastion", "IdentityFile ~/.ssh/id_rsa_old": home + "/.ssh/id_rsa_old"} {
			hops, _, err := resolveWith(t, reader, "Host bastion\n"+file+"\n", Target{Name: "be1", Jump: "bastion", Identity: []string{"/k"}})
			must(t, err)
			if got := hops[0].identities; len(got) != 1 || got[0] != want || hops[1].identities[0] != "/k" {
				t.Errorf("%s: %q: the jump offers %q", reader, file, got)
			}
		}
	}
}

// The files that the configuration names hold for several hosts: each expands
// them for itself and leaves the list as it was.
func TestNamedFilesAreExpandedForEachHost(t *testing.T) {
	home := homeDir()
	target := Target{Name: "be1", Address: "be1.example", Identity: []string{"~/keys/%h"}, KnownHosts: []string{"~/known"}}
	hops, err := resolve(target, Options{Config: []string{}}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	last := hops[len(hops)-1]
	if want := home + "/keys/be1.example"; len(last.identities) != 1 || last.identities[0] != want {
		t.Errorf("identities %q, want %q", last.identities, want)
	}
	if want := home + "/known"; len(last.knownHosts) != 1 || last.knownHosts[0] != want {
		t.Errorf("known hosts %q, want %q", last.knownHosts, want)
	}
	if target.Identity[0] != "~/keys/%h" || target.KnownHosts[0] != "~/known" {
		t.Errorf("the target itself was changed: %+v", target)
	}
}
