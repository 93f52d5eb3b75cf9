package remote

import (
	"bufio"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// resolveWith resolves a target with this text as ssh configuration.
func resolveWith(t *testing.T, config string, target Target) (hops []hop, warnings []string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	must(t, os.WriteFile(path, []byte(config), 0o600))
	hops, err = resolve(target, Options{Agent: true, Config: []string{path}}, func(w string) { warnings = append(warnings, w) })
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
	t.Setenv("HOME", "/home/tester")
	t.Setenv("SSH_AUTH_SOCK", "/run/agent")
	hops, warnings, err := resolveWith(t, sshConfigText, Target{Name: "be1"})
	must(t, err)
	h := hops[0]
	if len(hops) != 1 || h.address() != "10.0.4.11:2222" || h.user != "chef" || !h.only || h.knownAs != "backend-one:22" || h.agent != "/run/agent" {
		t.Errorf("%+v", hops)
	}
	if got := strings.Join(h.identities, "|"); got != "/home/tester/.ssh/10.0.4.11-key|/keys/with space" {
		t.Errorf("identities %s", got)
	}
	if got := strings.Join(h.knownHosts, "|"); got != "/home/tester/.ssh/one|/etc/two" || len(warnings) != 0 {
		t.Errorf("known hosts %s, warnings %q", got, warnings)
	}
	hops, _, err = resolveWith(t, sshConfigText, Target{Name: "be2", User: "root", Port: 23, Identity: []string{"/k"}})
	must(t, err)
	if len(hops) != 3 || hops[0].user != "ops" || hops[0].address() != "bastion:2200" || hops[1].host != "inner" || hops[2].agent != "" ||
		hops[2].user != "root" || hops[2].address() != "be2:23" || hops[2].identities[0] != "/k" || !hops[2].only {
		t.Errorf("%+v", hops)
	}
	hops, _, err = resolveWith(t, sshConfigText, Target{Name: "x", Address: "me@[fd00::4]:24", Jump: "none"})
	must(t, err)
	if hops[0].user != "me" || hops[0].address() != "[fd00::4]:24" || hops[0].identities[0] != "/home/tester/.ssh/id_ed25519" {
		t.Errorf("%+v", hops)
	}
	if hops, _, _ = resolveWith(t, sshConfigText, Target{Name: "be4"}); hops[0].user != "third" {
		t.Errorf("Match host: %+v", hops)
	}
}

func TestOddConfigurations(t *testing.T) {
	included := filepath.Join(t.TempDir(), "included")
	must(t, os.WriteFile(included, []byte("Match final all\n  Port 1\n"), 0o600))
	for name, c := range map[string]struct{ config, port, warning string }{
		"match exec":   {"Match exec \"rm -rf /\"\n  Port 1\nHost *\n  Port 2\n", "2", `:1: "Match exec`},
		"match final":  {"Port 3\nMatch final all\n  Port 1\n", "3", `:2: "Match final all" is not understood`},
		"match two":    {"Match host be1 user x\n  Port 1\n", "22", "not understood"},
		"include":      {"Include " + included + "\nHost *\n  Port 4\n", "4", "included file is left out"},
		"proxycommand": {"ProxyCommand nc %h %p\n", "22", "ProxyCommand is not used"},
	} {
		hops, warnings, err := resolveWith(t, c.config, Target{Name: "be1"})
		if err != nil || hops[0].port != c.port || !strings.Contains(strings.Join(warnings, " "), c.warning) {
			t.Errorf("%s: %+v, %q, %v", name, hops, warnings, err)
		}
	}
	for name, c := range map[string]struct{ config, address string }{
		"port":   {"Port http\n", "be1"},
		"circle": {"Host a\n ProxyJump b\nHost b\n ProxyJump a\n", "a"},
		"name":   {"", "-oProxyCommand=x"},
		"empty":  {"", "user@"},
	} {
		_, _, err := resolveWith(t, c.config, Target{Name: "be1", Address: c.address})
		if e, ok := err.(*Error); !ok || e.Remedy == "" || e.Host != "be1" {
			t.Errorf("%s: %v", name, err)
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
		"other port":       {text: "be1 " + line, kind: HostKeyUnknown},
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
		h := &hop{alias: "be1", user: "ops", port: "2222", knownAs: "be1:2222", knownHosts: []string{path, path + ".missing"}}
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
	key, _ := newKey(t, "")
	path := filepath.Join(t.TempDir(), "known_hosts")
	must(t, os.WriteFile(path, []byte("be1 "+string(ssh.MarshalAuthorizedKey(key.PublicKey()))), 0o600))
	keys, err := readHostKeys(&hop{knownAs: "be1:22", knownHosts: []string{path}}, func(string) {})
	must(t, err)
	order := keys.algorithms()
	if order[0] != ssh.KeyAlgoED25519 || len(order) != len(ssh.SupportedAlgorithms().HostKeys) {
		t.Errorf("%q", order)
	}
}

// Whatever passes our check, the library accepts.
func FuzzKnownHosts(f *testing.F) {
	key := "ssh-ed25519 " + base64.StdEncoding.EncodeToString(append([]byte("\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"), make([]byte, 32)...))
	for _, s := range []string{"be1 " + key, "@revoked * " + key, "|1|AA==|AA== " + key, "[a]:b:c " + key, ",!x,[y]:1 " + key, "\t@cert-authority\t*\t" + key + " x\r\nz", "! " + key, "#", "\v be1 " + key} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(dir, "known_hosts")
		must(t, os.WriteFile(path, goodHostLines(path, text, func(string) {}), 0o600))
		if _, err := knownhosts.NewDB(path); err != nil {
			t.Errorf("%q: %v", text, err)
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

// The files that the configuration names hold for several hosts: each expands
// them for itself and leaves the list as it was.
func TestNamedFilesAreExpandedForEachHost(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
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
