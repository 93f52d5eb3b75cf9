package recovery

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/assets"
)

// lock holds the operators' lock as a cockpit with the token lock1 would.
func (s *scripted) lock() {
	s.t.Helper()
	dir := filepath.Join(s.base, "lock")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "holder"), []byte("lock1 7f3a0001 - 0 ann@bastion\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("flock", "-n", filepath.Join(dir, "operator"), "sh", "-c", "echo held; exec cat")
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		s.t.Fatal(line, err)
	}
	s.t.Cleanup(func() { in.Close(); cmd.Wait() })
}

// take runs lock.sh for a cockpit.
func (s *scripted) take(token, plan, who, from string) *live {
	l := s.start(assets.MustRead("scripts/lock.sh"), s.base, plan, token, "nonce-"+token, who, from)
	s.t.Cleanup(func() { l.in.Close(); l.cmd.Wait() }) // it ends by itself, before its folder goes
	return l
}

// bare is without anybody's lock. The script waits for a heartbeat as long as
// patience says from the one before on: long at first, since a busy machine
// keeps whoever beats from it.
func bare(t *testing.T, sh []string) *scripted {
	s := &scripted{t: t, base: filepath.Join(t.TempDir(), "state"), bin: t.TempDir(), sh: sh}
	s.tool("timeout", `[ "$1" != 6 ] || { read -r p <`+filepath.Join(s.bin, "patience")+`; shift; set -- "$p" "$@"; }; exec /usr/bin/timeout "$@"`)
	s.patience("60")
	s.tool("chpst", "echo t")
	s.tool("hostname", "echo be3")
	return s
}

func (s *scripted) patience(seconds string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.bin, "patience"), []byte(seconds+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scripted) holder() string {
	data, _ := os.ReadFile(filepath.Join(s.base, "lock", "holder"))
	return strings.TrimSpace(string(data))
}

// One holds it, with heartbeats; another hears who, and gets it when the first
// is silent or gone.
func TestLockIsHeldByOneThatIsHeard(t *testing.T) {
	for _, sh := range shells() {
		t.Run(sh[0], func(t *testing.T) {
			s := bare(t, sh)
			a := s.take("a1", "-", "ann@bastion", "")
			key, _ := a.until("held")
			if words := strings.Fields(s.holder()); len(words) != 5 || words[0] != "a1" || words[2] != key.word || words[4] != "ann@bastion" {
				t.Errorf("holder %q, key %q", s.holder(), key.word)
			}
			if locks, err := os.ReadFile("/proc/locks"); err == nil && !strings.Contains(string(locks), " "+key.word+" ") {
				t.Errorf("%s does not stand in /proc/locks:\n%s", key.word, locks)
			}
			a.say("1")
			if f, _ := a.until("beat"); f.number != 1 {
				t.Errorf("%+v", f)
			}
			if f, _ := s.take("b1", "-", "bob@laptop", "").until("busy"); !strings.HasPrefix(f.text, "a1 - ") || !strings.HasSuffix(f.text, " ann@bastion") {
				t.Errorf("busy %q", f.text)
			}
			s.patience("0.2")
			a.say("2")
			a.until("beat")
			a.cmd.Wait() // silent: it goes by itself
			s.patience("60")
			if s.holder() != "" {
				t.Errorf("left behind: %q", s.holder())
			}
			b := s.take("b2", "-", "bob@laptop", "")
			b.until("held")
			b.in.Close() // the link is gone
			b.cmd.Wait()
			s.take("a2", "-", "ann@bastion", "").until("held")
		})
	}
}

// A take-over ends the holder that was named, at its next heartbeat.
func TestLockIsTakenOver(t *testing.T) {
	for _, sh := range shells() {
		t.Run(sh[0], func(t *testing.T) {
			s := bare(t, sh)
			a := s.take("a1", "-", "ann@bastion", "")
			a.until("held")
			if f, _ := s.take("b1", "-", "bob@laptop", "other").until("busy"); !strings.HasPrefix(f.text, "a1 ") {
				t.Errorf("%+v", f)
			}
			b := s.take("b1", "-", "bob@laptop", "a1")
			for { // until the wish to have it lies there
				if _, err := os.Stat(filepath.Join(s.base, "lock", "leave")); err == nil {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			a.say("1") // as its next heartbeat
			if f, _ := a.until("left"); f.text != "bob@laptop" {
				t.Errorf("%+v", f)
			}
			b.until("held")
		})
	}
}

// A step that runs keeps the lock for its own life, from everybody but its own
// plan; and without the lock none begins.
func TestStepKeepsTheLock(t *testing.T) {
	for _, sh := range shells() {
		t.Run(sh[0], func(t *testing.T) {
			s := bare(t, sh)
			a := s.take("lock1", "7f3a0001", "ann@bastion", "")
			a.until("held")
			flag := filepath.Join(s.bin, "go-on")
			l := s.step("1-copy", "", "while [ ! -e "+flag+" ]; do sleep 0.05; done")
			l.say("go token1 false false recovery lock1")
			l.until("started")
			a.in.Close()
			a.cmd.Wait()
			for _, from := range []string{"", "lock1"} {
				if f, _ := s.take("b1", "-", "bob@laptop", from).until("step"); !strings.HasPrefix(f.text, "7f3a0001 1-copy ") {
					t.Errorf("from %q: %+v", from, f)
				}
			}
			second := s.step("2-next", "", "true")
			second.say("go token1 false false recovery lock1")
			if f, _ := second.until("refused"); !strings.Contains(f.text, "lock is not held here") {
				t.Errorf("%+v", f)
			}
			s.take("lock2", "7f3a0001", "ann@bastion", "").until("held")
			third := s.step("2-next", "", "true")
			third.say("go token1 false false recovery lock2")
			if f, _ := third.until("refused"); !strings.Contains(f.text, "a step is at work") {
				t.Errorf("%+v", f)
			}
			os.WriteFile(flag, nil, 0o600)
			l.until("exit")
		})
	}
}
