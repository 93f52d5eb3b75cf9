//go:build linux

package lab

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// state is what must be known to end the lab after its maker has died. It is
// written before anything that it names is used.
type state struct {
	Machine  string   // boot id of this machine: after a reboot no PID counts
	Init     []string // arguments that make the program PID 1 of a host
	Hosts    []Host
	Password string   // of PostgreSQL's user replicator
	Faults   []Struck // not healed, in order
	// NetnsMounted says that /run/netns was a mount already: then it stays one.
	NetnsMounted bool
}

const stateFile = Dir + "/state.json"

func newState(init []string) (state, error) {
	s := state{Init: init}
	var err error
	if s.Machine, err = bootID(); err != nil {
		return s, err
	}
	if s.Password, err = randomHex(); err != nil {
		return s, err
	}
	for i, name := range names {
		guid, err := randomHex()
		if err != nil {
			return s, err
		}
		s.Hosts = append(s.Hosts, Host{Name: name, Address: address(i), GUID: guid})
	}
	s.NetnsMounted, err = mounted("/run/netns")
	return s, err
}

// save replaces the state file as a whole.
func (l *Lab) save() error {
	text, err := json.MarshalIndent(l.state, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(stateFile+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(stateFile+".new", stateFile)
}

// loadState reads the state; hosts of an earlier boot of this machine are gone.
func loadState() (state, error) {
	var s state
	if err := owned(); err != nil {
		return s, err
	}
	text, err := os.ReadFile(stateFile)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%s: %w", stateFile, err)
	}
	now, err := bootID()
	if err != nil {
		return s, err
	}
	for i := range s.Hosts {
		if s.Machine != now {
			s.Hosts[i].PID = 0
		}
	}
	return s, nil
}

// owned refuses a Dir that somebody else may have put there: it lies where
// everybody can write, and what it says is acted upon as root.
func owned() error {
	var st unix.Stat_t
	if err := unix.Lstat(Dir, &st); err != nil {
		return &os.PathError{Op: "lstat", Path: Dir, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || st.Uid != 0 || st.Mode&0o022 != 0 {
		return fmt.Errorf("%s is not a folder that only root can write; look at it and remove it by hand", Dir)
	}
	return nil
}

// lock keeps two programs from changing a lab at one time. The kernel drops it
// with the process that holds it.
func lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	// A process that was killed while it started another lives on in that one
	// for a moment, with the lock.
	for end := time.Now().Add(lockWithin); ; time.Sleep(pollEvery) {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
			return func() { f.Close() }, nil
		}
		if time.Now().After(end) {
			f.Close()
			return nil, errors.New("another chef-backend-lab is changing the lab right now; try again when it has ended")
		}
	}
}

// alive says whether the process that was recorded still lives.
func alive(pid int, start uint64) bool {
	if pid <= 0 {
		return false
	}
	now, zombie, err := startTime(pid)
	return err == nil && !zombie && now == start
}

// startTime reads when a process began, in clock ticks since the boot.
func startTime(pid int) (ticks uint64, zombie bool, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false, err
	}
	// The name stands in brackets and may hold anything, brackets too.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return 0, false, fmt.Errorf("process %d: unreadable stat", pid)
	}
	ticks, err = strconv.ParseUint(fields[19], 10, 64)
	return ticks, fields[0] == "Z" || fields[0] == "X", err
}

func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}

func randomHex() (string, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

// mounted says whether a path is a mount point.
func mounted(path string) (bool, error) {
	points, err := mountPoints()
	if err != nil {
		return false, err
	}
	for _, p := range points {
		if p == path {
			return true, nil
		}
	}
	return false, nil
}

// mountPoints are all mount points of this machine, in the order of mounting.
func mountPoints() ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var points []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 {
			points = append(points, f[4])
		}
	}
	return points, nil
}
