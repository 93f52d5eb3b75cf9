//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// serviceActs are what can happen to what runs on a host, beside the plain ones.
var serviceActs = map[string]act{
	"stick":          {"", "leaderl (stand-in) was restarted, and this start gets no further than initializing", stickAct, unstickAct},
	"halt":           {"", "all services stopped, as by chef-backend-ctl stop", haltAct, unhaltAct},
	"unsupervise":    {"", "runsvdir and every runsv of the product killed; what they started goes on", unsuperviseAct, superviseAct},
	"deny":           {"SERVICE", "its data directory belongs to root, and it was killed", denyAct, allowAct},
	"recover-slowly": {"", "PostgreSQL was interrupted, and its recovery waits for an archive that does not answer", recoverSlowlyAct, recoverAct},
	"stall-copy":     {"", "the next pg_basebackup stops in the middle", stallCopyAct, unslowCopyAct},
	"trickle":        {"", "PostgreSQL is written to all the time, 64 kB a second", trickleAct, untrickleAct},
	"clients":        {"", "PostgreSQL has as many clients as it takes but its superuser", clientsAct, unclientsAct},
	"slot":           {"", "a replication slot that nobody uses holds WAL", slotAct, unslotAct},
	"shards":         {"COLOUR", "Elasticsearch (stand-in) tells red, yellow or read-only", shardsAct, unshardsAct},
}

// stickFile makes the next start of the stand-in of leaderl one that sticks.
const stickFile = "/run/lab-leaderl-sticks"

func stickAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	if _, err := sh(ctx, h, "touch "+stickFile); err != nil {
		return err
	}
	return killAct(ctx, l, h, "leaderl")
}

func unstickAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	if _, err := sh(ctx, h, "rm -f "+stickFile); err != nil {
		return err
	}
	return killAct(ctx, l, h, "leaderl")
}

func haltAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	for _, s := range serviceNames {
		stop := stopAct
		if s == "etcd" {
			stop = downAct // without a quorum it does not go when it is asked
		}
		if err := stop(ctx, l, h, s); err != nil {
			return err
		}
	}
	return nil
}

func unhaltAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	return h.ctl(ctx, "start")
}

// productRunsv finds the runsv of the product's services in a host.
const productRunsv = `pgrep -f "^runsv (leaderl|epmd|etcd|postgresql|elasticsearch)$"`

func unsuperviseAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	_, err := sh(ctx, h, "printf d >"+baseDir+`/chef-backend/supervise/control
p=$(pgrep -fo "^runsvdir -P `+serviceDir+`") && kill -9 $p
kill -9 $(`+productRunsv+")")
	return err
}

// superviseAct ends what has lost its supervisor, in order, and gives it
// another.
func superviseAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	_, err := sh(ctx, h, `[ -z "$(`+productRunsv+`)" ] || exit 0
orphans() { ps -o pid=,args= --ppid 1 | grep -E "svlogd|lab-standin|embedded/bin/etcd|bin/postgres -D" | while read -r p rest; do echo "$p"; done; }
pkill -INT -ox postgres
for n in 1 2 3 4 5 6 7 8 9 10; do
	p=$(orphans)
	[ -z "$p" ] && break
	[ "$n" = 1 ] && kill $p; [ "$n" = 9 ] && kill -9 $p
	sleep 0.3
done
printf u >`+baseDir+"/chef-backend/supervise/control")
	return err
}

// owner of the data directory of a service that has one of its own.
var dataOwner = map[string][2]string{"etcd": {etcdData, "chef-backend"}, "postgresql": {dataDir, "chef_pgsql"}}

func denyAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	d, ok := dataOwner[service]
	if !ok {
		return fmt.Errorf("%s has no data directory of its own", service)
	}
	if _, err := sh(ctx, h, "chown root: "+d[0]+" && chmod 700 "+d[0]); err != nil {
		return err
	}
	return h.control(ctx, service, "k")
}

func allowAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	d := dataOwner[service]
	return h.onDisk(ctx, "chown "+d[1]+": "+d[0])
}

// onDisk changes files of a host, which must have its power: an overlay does
// not see what is put below it.
func (h *Host) onDisk(ctx context.Context, text string) error {
	if !alive(h.PID, h.Start) {
		return fmt.Errorf("%s has no power; heal that first", h.Name)
	}
	_, err := sh(ctx, h, text)
	return err
}

// archive is the setting by which a standby asks an archive for WAL first.
const archive = "restore_command = 'sleep 3600; false # lab'"

func recoverSlowlyAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	if _, err := sh(ctx, h, "echo \""+archive+"\" >>"+dataDir+"/postgresql.auto.conf"); err != nil {
		return err
	}
	// Not killed: its recovery would stay, with the shared memory.
	return h.control(ctx, "postgresql", "i")
}

func recoverAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.onDisk(ctx, "sed -i '/# lab/d' "+dataDir+"/postgresql.auto.conf && chown chef_pgsql: "+dataDir+"/postgresql.auto.conf; "+
		"printf i >"+serviceDir+"/postgresql/supervise/control; pkill -KILL -f '^sleep 3600'; :")
}

// oldest is the first process of a base backup: its child receives WAL
// meanwhile and must go on, or the sender would drop it.
const oldest = "pgrep -ox pg_basebackup"

// aMoment lets a base backup work for 20 ms, then rest for so many seconds; one
// that has yet to connect is waited for, as it would give up.
func aMoment(rest string) string {
	return "p=; if [ -d " + dataDir + "/base ] && p=$(" + oldest + "); then kill -STOP $p; sleep " + rest + "; kill -CONT $p; sleep 0.02; else sleep 0.03; fi"
}

// stallCopyAct slows the copy down until there is something of it.
func stallCopyAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.background(ctx, "copy", "n=0; while [ ${n:-0} -lt 8000 ]; do "+aMoment("0.98")+
		"; [ -z \"$p\" ] || n=$(du -sk "+dataDir+" 2>/dev/null | cut -f1); done; kill -STOP $("+oldest+"); sleep 100000")
}

func unslowCopyAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	err := h.endBackground(ctx, "copy")
	_, thawed := sh(ctx, h, "pkill -CONT -x pg_basebackup; :")
	return errors.Join(err, thawed)
}

func trickleAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.background(ctx, "trickle", `while :; do psql -Xq -h /tmp -U chef_pgsql -d postgres -c "`+writing(128<<10)+`" >/dev/null; sleep 2; done`)
}

func untrickleAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.endBackground(ctx, "trickle")
}

// clientsAct takes every place that becomes free, but for those that PostgreSQL
// reserves for its superuser: leaderl goes on.
func clientsAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	const psql = "psql -Xq -h /tmp -U replicator -d postgres -c "
	err := h.background(ctx, "clients", `for i in $(seq 100); do while :; do `+psql+`"select pg_sleep(100000)" >/dev/null 2>&1; sleep 1; done & done; wait`)
	if err != nil {
		return err
	}
	return until(ctx, "PostgreSQL of "+h.Name+" turns clients away", time.Minute, []string{h.log("postgresql", "current")}, func(ctx context.Context) error {
		out, err := sh(ctx, h, psql+"'select 1' 2>&1 || :")
		if err == nil && !strings.Contains(out, "connection slots are reserved") && !strings.Contains(out, "too many clients") {
			err = fmt.Errorf("psql says %s", out)
		}
		return err
	})
}

// unclientsAct ends the clients and what PostgreSQL does for them: it would
// notice only at the end of the query that nobody waits for.
func unclientsAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	if err := h.endBackground(ctx, "clients"); err != nil || !alive(h.PID, h.Start) {
		return err
	}
	_, err := l.sql(ctx, h, "select count(pg_terminate_backend(pid)) from pg_stat_activity where query like 'select pg_sleep(%'")
	if err != nil && strings.Contains(err.Error(), "connection to server") {
		return nil // it is down, and nobody is connected
	}
	return err
}

const slotName = "lab_forgotten"

func slotAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	_, err := l.sql(ctx, h, "select pg_create_physical_replication_slot('"+slotName+"', true)")
	return err
}

func unslotAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	_, err := l.sql(ctx, h, "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '"+slotName+"'")
	return err
}

// shardsFile is read by the stand-in of Elasticsearch with every answer.
const shardsFile = varDir + "/elasticsearch/lab-says"

func shardsAct(_ context.Context, _ *Lab, h *Host, colour string) error {
	if colour != "red" && colour != "yellow" && colour != "read-only" {
		return fmt.Errorf("no colour %q; there are red, yellow and read-only", colour)
	}
	return writeFile(h.file(shardsFile), colour)
}

func unshardsAct(_ context.Context, _ *Lab, h *Host, _ string) error {
	return os.RemoveAll(h.file(shardsFile))
}
