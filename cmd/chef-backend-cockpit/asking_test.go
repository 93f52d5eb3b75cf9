package main

import (
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// encrypted makes the key of a site one with a passphrase, which the agent of
// the returned listener holds.
func encrypted(t *testing.T, passphrase string) (change func(config string) string, listener net.Listener) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "agent") // a socket's path must be short
	must(err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err = net.Listen("unix", filepath.Join(dir, "s"))
	must(err)
	t.Cleanup(func() { listener.Close() })
	return func(config string) string {
		path := regexp.MustCompile(`identity: \[(.*)\]`).FindStringSubmatch(config)[1]
		text, err := os.ReadFile(path)
		must(err)
		key, err := ssh.ParseRawPrivateKey(text)
		must(err)
		block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
		must(err)
		locked := filepath.Join(dir, "key")
		must(os.WriteFile(locked, pem.EncodeToMemory(block), 0o600))
		keys := agent.NewKeyring()
		must(keys.Add(agent.AddedKey{PrivateKey: key}))
		go func() {
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					agent.ServeAgent(keys, c)
				}()
			}
		}()
		return strings.ReplaceAll(config, path, locked)
	}, listener
}

// The agent is gone when the links are lost: nothing is asked by itself, the
// links wait, and R lets the passphrase be given on the screen, once for all.
func TestALostLinkWaitsForTheOperator(t *testing.T) {
	change, keys := encrypted(t, "open sesame")
	s := newSite(t, "", change)
	screen := openWith(t, 120, 40, []string{"SSH_AUTH_SOCK=" + keys.Addr().String()}, "--config", s.config)
	screen.see("leader be1", "can lose 1")
	keys.Close()
	s.CutOff(true)
	screen.see("lost")
	s.CutOff(false)
	text := screen.see("3 nodes wait for you (R)", "waits for you: the key")
	if strings.Contains(text, "Passphrase") {
		t.Fatalf("it asks by itself:\n%s", text)
	}
	screen.press("R")
	screen.see("This cockpit asks for the passphrase of your key.", "Passphrase for")
	screen.when("the question is live", func(text string) bool { return !strings.Contains(text, "dead until") })
	screen.press("open sesame")
	screen.see("***********")
	screen.press("\r")
	screen.when("all links live", func(text string) bool {
		return strings.Contains(text, "can lose 1") && !strings.Contains(text, " for you (R)") && !strings.Contains(text, "link")
	})
	if strings.Contains(string(screen.sent()), "sesame") {
		t.Error("the passphrase was shown")
	}
}
