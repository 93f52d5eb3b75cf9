package recovery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// later is a clock that goes on as it should until its n-th reading, and is far
// ahead from then on: something hung just before.
func (s *scripted) later(n string) {
	s.tool("date", "echo >>"+s.base+"-asked; [ $(wc -l <"+s.base+"-asked) -lt "+n+" ] && exec /bin/date -u +%s; echo $(($(/bin/date -u +%s) + 24))")
}

// A step that was held up once its folder was made, by a disk that hung, does
// not begin: the cockpit may have taken it for one that never started. The same
// where it could not be followed.
func TestStepDoesNotBeginLate(t *testing.T) {
	for _, sh := range shells() {
		t.Run(sh[0], func(t *testing.T) {
			s := newScripted(t, sh)
			l := s.step("1-stop", "", "touch "+s.base+"-ran")
			s.later("3") // the go, what was compared, and then the step's own process
			l.say("go token1 false false recovery lock1")
			if f, _ := l.until("refused"); f.number != exitRefused || !strings.Contains(f.text, "s after the look") {
				t.Errorf("it hung: %+v", f)
			}
			if f, _ := s.attach("1-stop", 0, "").until("refused"); f.number != exitRefused {
				t.Errorf("looked up: %+v", f)
			}
			os.Remove(filepath.Join(s.bin, "date"))

			l = s.step("2-stop", "", "touch "+s.base+"-ran")
			s.tool("mv", "exit 1")
			l.say("go token1 false false recovery lock1")
			if f, _ := l.until("refused"); !strings.Contains(f.text, "cannot write") {
				t.Errorf("nobody could follow it: %+v", f)
			}
			if _, err := os.Stat(s.base + "-ran"); err == nil {
				t.Error("it ran")
			}
		})
	}
}

// The same in a terminal.
func TestTerminalDoesNotBeginLate(t *testing.T) {
	for n, want := range map[string]string{"2": "the lock was had", "3": "it could begin"} {
		s := newScripted(t, shells()[0])
		s.ready("2-join", "touch "+s.base+"-ran")
		s.later(n)
		if out, exit := s.terminal("2-join", "token1").end(); exit != exitRefused || !strings.Contains(out, want) {
			t.Errorf("exit %d: %q, want %q", exit, out, want)
		}
		kind := map[string]string{"2": "absent", "3": "refused"}[n]
		s.attach("2-join", 0, "").until(kind)
		if _, err := os.Stat(s.base + "-ran"); err == nil {
			t.Error("it ran")
		}
	}
}
