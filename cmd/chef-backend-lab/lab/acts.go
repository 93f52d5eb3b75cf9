//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// An act is one thing that goes wrong on one host or link, written
// VERB[:WHAT]@HOST: power-off@be3, stop:etcd@be2, cut:be1@operator. Faults are
// made of acts, and the state notes those that can be undone.
type act struct {
	what string // of the help text: what may stand behind the colon
	text string
	do   func(ctx context.Context, l *Lab, h *Host, what string) error
	undo func(ctx context.Context, l *Lab, h *Host, what string) error // nil: it passes by itself
}

// acts are all of them by verb.
var acts = gather(plainActs, serviceActs, machineActs)

var plainActs = map[string]act{
	"power-off": {"", "the host loses its power; its disks stay", powerOffAct, powerOnAct},
	"cut":       {"END", "nothing passes between the host and END, a host or operator; nobody is told", cutAct, joinAct},
	"kill":      {"SERVICE", "SIGKILL; runit starts it again", killAct, nil},
	"stop":      {"SERVICE", "stopped as by sv down", stopAct, upAct},
	"down":      {"SERVICE", "killed and kept down", downAct, upAct},
	"freeze":    {"SERVICE", "its first process stopped: it runs and does nothing", freezeAct, thawAct},
	"slow":      {"SERVICE", "its first process stopped for 0.9 s of every second", slowAct, unslowAct},
	"crash":     {"SERVICE", "something is in the way of every start", crashAct, uncrashAct},
	"starve":    {"", "PostgreSQL receives and does not replay", starveAct, unstarveAct},
	"load":      {"", "PostgreSQL is written to all the time", loadAct, unloadAct},
	"disk-full": {"DISK", "no room on the disk: data or log", fullAct, emptyAct},
	"clock":     {"OFFSET", "faketime on date(1), such as +30s: what tells the time is wrong, the clock is not", clockAct, unclockAct},
}

// parseAct takes an act apart and finds its host.
func (l *Lab) parseAct(text string) (a act, h *Host, what string, err error) {
	head, where, _ := strings.Cut(text, "@")
	verb, what, _ := strings.Cut(head, ":")
	a, ok := acts[verb]
	if !ok {
		return a, nil, "", fmt.Errorf("no such fault: %s", text)
	}
	if (a.what == "") != (what == "") {
		return a, nil, "", fmt.Errorf("%s: write it as %s", text, pattern(verb, a))
	}
	if where == "" {
		where = l.lastFollower().Name
	}
	h, err = l.host(where)
	if err == nil && a.what == "SERVICE" && !slices.Contains(serviceNames, what) {
		err = fmt.Errorf("no service %q; there are %v", what, serviceNames)
	}
	return a, h, what, err
}

var serviceNames = []string{"leaderl", "epmd", "etcd", "postgresql", "elasticsearch"}

func pattern(verb string, a act) string {
	if a.what != "" {
		verb += ":" + a.what
	}
	return verb + "@HOST"
}

func powerOffAct(ctx context.Context, l *Lab, h *Host, _ string) error { return l.powerOff(ctx, h) }

func powerOnAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	if alive(h.PID, h.Start) {
		return nil
	}
	return l.powerOn(ctx, h)
}

func cutAct(ctx context.Context, l *Lab, h *Host, end string) error {
	return l.setLink(ctx, h.Name, end, true)
}

func joinAct(ctx context.Context, l *Lab, h *Host, end string) error {
	return l.setLink(ctx, h.Name, end, false)
}

// control writes to runsv what sv would; sv itself skips what it thinks needless.
func (h *Host) control(ctx context.Context, service, letters string) error {
	text := ""
	for _, c := range letters {
		text += fmt.Sprintf("printf %c >supervise/control\n", c)
	}
	_, err := sh(ctx, h, "cd "+serviceDir+"/"+service+" || exit\n"+text)
	return err
}

func killAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	return h.control(ctx, service, "k")
}

func stopAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	if err := h.control(ctx, service, "d"); err != nil {
		return err
	}
	return h.untilDown(ctx, service)
}

func downAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	// The kill first: what SIGTERM makes a service do on its way out is not to happen.
	if err := h.control(ctx, service, "kd"); err != nil {
		return err
	}
	return h.untilDown(ctx, service)
}

func (h *Host) untilDown(ctx context.Context, service string) error {
	return until(ctx, service+" of "+h.Name+" down", 40*time.Second, []string{h.log(service, "current")}, func(ctx context.Context) error {
		out, err := sh(ctx, h, "sv status "+serviceDir+"/"+service+" || :")
		if err == nil && (!strings.HasPrefix(out, "down:") || strings.Contains(out, "want up")) {
			err = errors.New(out)
		}
		return err
	})
}

func upAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	return h.control(ctx, service, "u")
}

func freezeAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	return h.control(ctx, service, "p")
}

func thawAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	return h.control(ctx, service, "c")
}

// background starts a helper on a host that lives until it is ended by name;
// its PID lies in the host's /run, which ends with the host's power.
func (h *Host) background(ctx context.Context, name, text string) error {
	_, err := sh(ctx, h, "setsid sh -c '"+text+"' </dev/null >/run/lab-"+name+".log 2>&1 &\necho $! >/run/lab-"+name+".pid")
	return err
}

// endBackground ends a helper with everything in its session.
func (h *Host) endBackground(ctx context.Context, name string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	file := "/run/lab-" + name + ".pid"
	_, err := sh(ctx, h, "[ -s "+file+" ] || exit 0\nkill -9 -$(cat "+file+") && rm -f "+file)
	return err
}

func slowAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	control := serviceDir + "/" + service + "/supervise/control"
	return h.background(ctx, "slow-"+service, "while :; do printf p >"+control+"; sleep 2.7; printf c >"+control+"; sleep 0.3; done")
}

func unslowAct(ctx context.Context, l *Lab, h *Host, service string) error {
	return errors.Join(h.endBackground(ctx, "slow-"+service), thawAct(ctx, l, h, service))
}

// starveAct: what the follower receives it keeps, so that it streams on and no
// WAL that it needs can be removed meanwhile.
func starveAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	_, err := l.sql(ctx, h, "select pg_wal_replay_pause()")
	return err
}

func unstarveAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	// One that is down, or leads, replays nothing that could be paused.
	_, err := l.sql(ctx, h, "select case when pg_is_in_recovery() then pg_wal_replay_resume()::text end")
	if err != nil && strings.Contains(err.Error(), "connection to server") {
		return nil
	}
	return err
}

func loadAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.background(ctx, "load", `while :; do psql -Xq -h /tmp -U chef_pgsql -d postgres -c "`+writing(256<<10)+`" >/dev/null; sleep 0.2; done`)
}

func unloadAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.endBackground(ctx, "load")
}

// occupied are the ports that a service cannot start without. PostgreSQL's is
// its lock file instead: a process of its own user that lives.
var occupied = map[string]string{"leaderl": "7331", "epmd": "4369", "etcd": "2380", "elasticsearch": "9200"}

func crashAct(ctx context.Context, l *Lab, h *Host, service string) error {
	if err := downAct(ctx, l, h, service); err != nil {
		return err
	}
	name, file := "way-"+service, "/run/lab-way-"+service+".log"
	occupy := "exec chef-backend-lab occupy 0.0.0.0:" + occupied[service]
	if service == "postgresql" {
		occupy = "echo here; exec chpst -u chef_pgsql sleep 1000000"
	}
	if err := h.background(ctx, name, occupy); err != nil {
		return err
	}
	err := until(ctx, "something in the way of "+service+" of "+h.Name, 5*time.Second, []string{h.dir("console.log")}, func(ctx context.Context) error {
		out, err := sh(ctx, h, "cat "+file)
		if err == nil && out != "here" {
			err = fmt.Errorf("%s holds %q", file, out)
		}
		return err
	})
	if err == nil && service == "postgresql" {
		_, err = sh(ctx, h, "printf '%s\\n"+dataDir+"\\n' $(cat /run/lab-"+name+".pid) >"+dataDir+"/postmaster.pid && chown chef_pgsql: "+dataDir+"/postmaster.pid")
	}
	if err != nil {
		return err
	}
	return h.control(ctx, service, "u")
}

func uncrashAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	return h.endBackground(ctx, "way-"+service)
}

func fillerPath(h *Host, disk string) (string, error) {
	if disk != "data" && disk != "log" {
		return "", fmt.Errorf("no disk %q; there are data and log", disk)
	}
	return h.dir(disk, "lab-filler"), nil
}

func fullAct(_ context.Context, _ *Lab, h *Host, disk string) error {
	path, err := fillerPath(h, disk)
	if err != nil {
		return err
	}
	return fill(path, 0)
}

func emptyAct(_ context.Context, _ *Lab, h *Host, disk string) error {
	path, err := fillerPath(h, disk)
	if err != nil {
		return err
	}
	return os.RemoveAll(path)
}

const fakeDate = "/usr/local/bin/date"

func clockAct(ctx context.Context, _ *Lab, h *Host, offset string) error {
	if _, err := exec.LookPath("faketime"); err != nil {
		return errors.New("missing Debian packages: apt-get install --no-install-recommends faketime")
	}
	d, err := time.ParseDuration(offset)
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	// Written on the host: an overlay does not see what is put below it.
	_, err = sh(ctx, h, fmt.Sprintf("printf '#!/bin/sh\nexec faketime -f %+.3fs /usr/bin/date \"$@\"\n' >%s && chmod 755 %s", d.Seconds(), fakeDate, fakeDate))
	return err
}

func unclockAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	if !alive(h.PID, h.Start) {
		return fmt.Errorf("%s has no power; heal that first", h.Name)
	}
	_, err := sh(ctx, h, "rm -f "+fakeDate)
	return err
}
