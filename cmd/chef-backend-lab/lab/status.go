//go:build linux

package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Status is how one host stands, seen from outside and by its own parts.
type Status struct {
	Host
	Power      bool
	SSH        string // "answers" or what is wrong
	Etcd       string
	PostgreSQL string // primary, streams, follows nobody, or what is wrong
	Leaderl    string // 200, 503, or what is wrong
	Processes  int
	Memory     int64 // bytes of the processes, each shared page counted once
	Files      int64 // bytes on the host's disks, which are memory too
}

// Status looks at every host; it changes nothing and takes some seconds at most.
func (l *Lab) Status(ctx context.Context) []Status {
	l.mu.Lock()
	hosts := append([]Host{}, l.state.Hosts...)
	l.mu.Unlock()
	var all []Status
	for i := range hosts {
		all = append(all, l.look(ctx, &hosts[i]))
	}
	return all
}

// Faults are those that were struck and not healed.
func (l *Lab) Faults() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, f := range l.state.Faults {
		all = append(all, f.Fault)
	}
	return all
}

func (l *Lab) look(ctx context.Context, h *Host) Status {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s := Status{Host: *h, Power: alive(h.PID, h.Start), SSH: "no power", Etcd: "-", PostgreSQL: "-", Leaderl: "-"}
	for _, d := range disks {
		var st unix.Statfs_t
		if unix.Statfs(h.dir(d.name), &st) == nil {
			s.Files += int64(st.Blocks-st.Bfree) * st.Bsize
		}
	}
	if !s.Power {
		return s
	}
	s.SSH = word("answers", h.sshAnswers(ctx))
	s.Processes, s.Memory = memory(h.PID)
	// What follows is asked inside, past the network.
	curl := "curl -s -m 2 -o /dev/null -w '%{http_code}' http://127.0.0.1:"
	s.Etcd = h.says(ctx, "curl -s -m 2 http://127.0.0.1:2379/health")
	s.Leaderl = h.says(ctx, curl+"7331/leader")
	s.PostgreSQL = h.says(ctx, `case $(psql -XAtq -h /tmp -U chef_pgsql -d postgres -c "select pg_is_in_recovery()||' '||(select count(*) from pg_stat_wal_receiver where status = 'streaming')" 2>&1) in
'false 0') echo primary ;; 'true 1') echo streams ;; 'true 0') echo 'follows nobody' ;; *) echo down ;; esac`)
	return s
}

func word(good string, err error) string {
	if err != nil {
		return err.Error()
	}
	return good
}

// says is what a shell text prints in a host, on one line.
func (h *Host) says(ctx context.Context, text string) string {
	out, err := sh(ctx, h, text+" || :")
	if err != nil {
		return "no answer"
	}
	return strings.Join(strings.Fields(out), " ")
}

// memory counts the processes in the PID namespace of a host and adds up their
// proportional shares.
func memory(pid1 int) (processes int, bytesUsed int64) {
	own, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid1))
	if err != nil {
		return 0, 0
	}
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range all {
		if ns, err := os.Readlink(p + "/ns/pid"); err != nil || ns != own {
			continue
		}
		processes++
		rollup, err := os.ReadFile(p + "/smaps_rollup")
		if err != nil {
			continue
		}
		for line := range bytes.Lines(rollup) {
			if rest, ok := bytes.CutPrefix(line, []byte("Pss:")); ok {
				kb, _ := strconv.ParseInt(strings.Fields(string(rest))[0], 10, 64)
				bytesUsed += kb << 10
			}
		}
	}
	return processes, bytesUsed
}
