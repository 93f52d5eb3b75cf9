package recovery

import (
	"context"
	"strings"
	"sync"
)

// invented is an operators' lock without nodes: heartbeats would move a clock
// that leaps.
type invented struct {
	mu    sync.Mutex
	lost  []notHeld // what the next questions are answered; then it is held
	taken error     // what taking it comes to
	takes int
	drops int
}

func (l *invented) take(context.Context, string, string, bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.takes++
	return l.taken
}

func (l *invented) held(string, bool) (string, notHeld) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lost) == 0 {
		return "lock1", notHeld{}
	}
	why := l.lost[0]
	l.lost = l.lost[1:]
	return "", why
}

func (l *invented) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drops++
}

func (l *invented) tokens() []string { return []string{"lock1"} }

// carryOut is what a command does to the invented node.
func (w *world) carryOut(node, command string) (exit int, output string) {
	for part, status := range w.exits {
		if strings.Contains(command, part) {
			return status, "invented: it failed\n"
		}
	}
	n := w.nodes[node]
	switch {
	case strings.Contains(command, "stop leaderl"):
		n.down["leaderl"] = true
	case strings.Contains(command, "stop postgresql"):
		n.down["postgresql"], n.ready = true, 2
	case strings.Contains(command, "pgsql-follow"):
		n.ready, n.recovery, n.streams, n.end, n.timeline = 0, true, true, w.nodes["be1"].end, 88
		output = "pg_basebackup: 22437412/63963136 kB (35%), 0/1 tablespace\r\npg_basebackup: base backup completed\n"
	case strings.HasPrefix(command, "mv -n "):
		into := strings.Contains(command, " /var/opt/chef-backend/leaderl/data/") && strings.Contains(command, "mv -n /var/opt/chef-backend-cockpit")
		if strings.Contains(command, "no-start-pgsql") {
			n.noStart = into
		} else {
			n.unsynced = into
		}
	case strings.Contains(command, " promote "):
		name := command[strings.LastIndexByte(command, ' ')+1:]
		w.nodes[name].role, w.nodes[name].recovery, w.nodes[name].ready = "leader", false, 0
	case strings.Contains(command, " restart "):
		service := command[strings.LastIndexByte(command, ' ')+1:]
		n.down[service] = false
		if service == "postgresql" {
			n.ready = 0
		}
	case strings.HasPrefix(command, "chef-backend-ctl start"):
		n.down = map[string]bool{}
	}
	return 0, output
}
