//go:build linux

package lab

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// postgresConf differs from the product's in three ways. The disk is small, so
// little WAL is kept; a dead partner is noticed within 10 s, not 60; and nothing is forced to the disk, which is
// memory: a power cut of a host loses no page that the kernel had.
const postgresConf = `
listen_addresses = '*'
unix_socket_directories = '/tmp'
log_line_prefix = ''
log_destination = 'stderr'
logging_collector = off
log_timezone = 'UTC'
wal_level = replica
wal_log_hints = on
hot_standby = on
max_wal_senders = 12
max_connections = 100
wal_keep_size = 48MB
max_wal_size = 64MB
min_wal_size = 32MB
shared_buffers = 32MB
wal_retrieve_retry_interval = 1s
wal_receiver_timeout = 10s
wal_sender_timeout = 10s
fsync = off
`

// foundDatabase makes the first host's database and copies it to the others,
// one after the other: the checkpoint that a second copy begins with could
// remove WAL that the first one still needs.
func (l *Lab) foundDatabase(ctx context.Context) error {
	first := &l.state.Hosts[0]
	if err := l.initialise(ctx, first); err != nil {
		return err
	}
	for i := range l.state.Hosts[1:] {
		if err := l.copyDatabase(ctx, first, &l.state.Hosts[1+i]); err != nil {
			return err
		}
	}
	err := until(ctx, "two followers stream from "+first.Name, 40*time.Second, []string{first.log("postgresql", "current")},
		func(ctx context.Context) error {
			n, err := l.sql(ctx, first, "select count(*) from pg_stat_replication where state = 'streaming'")
			if err == nil && n != "2" {
				err = fmt.Errorf("%s stream", n)
			}
			return err
		})
	if err != nil {
		return err
	}
	// A follower is open for reading once it has heard which transactions run: an
	// idle primary tells that every 15 seconds, and with each checkpoint.
	if _, err := l.sql(ctx, first, "checkpoint"); err != nil {
		return err
	}
	for i := range l.state.Hosts[1:] {
		h := &l.state.Hosts[1+i]
		err := until(ctx, "PostgreSQL of "+h.Name+" is open for reading", 30*time.Second, []string{h.log("postgresql", "current")}, func(ctx context.Context) error {
			_, err := l.sql(ctx, h, "select 1")
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// initialise makes the database of the host that will lead.
func (l *Lab) initialise(ctx context.Context, h *Host) error {
	access := "host all chef_pgsql " + network + " trust\n" +
		"host all replicator " + network + " scram-sha-256\n" +
		"host replication replicator " + network + " scram-sha-256\n"
	_, err := sh(ctx, h, `set -e
chpst -u chef_pgsql initdb -D `+dataDir+` -A trust -k --no-sync -E UTF8 --locale C >/dev/null
cat >>`+dataDir+`/postgresql.conf <<'END'`+postgresConf+`END
cat >>`+dataDir+`/pg_hba.conf <<'END'
`+access+`END
`)
	if err != nil {
		return err
	}
	if err := h.startDatabase(ctx); err != nil {
		return err
	}
	_, err = l.sql(ctx, h, "create role replicator login replication password '"+l.state.Password+"'; create table lab_writes (n bigserial, filler text)")
	return err
}

// copyDatabase makes a follower by a base backup.
func (l *Lab) copyDatabase(ctx context.Context, from, h *Host) error {
	_, err := sh(ctx, h, "export PGPASSWORD="+l.state.Password+`
exec chpst -u chef_pgsql pg_basebackup --no-sync -D `+dataDir+` -R -X stream -c fast -d 'host=`+from.Address+` port=5432 user=replicator application_name=`+h.Name+"'")
	if err != nil {
		return err
	}
	return h.startDatabase(ctx)
}

// startDatabase starts a database for the first time, before leaderl runs: so
// its word, for which the run script waits on every later boot, is given here.
func (h *Host) startDatabase(ctx context.Context) error {
	if _, err := sh(ctx, h, "mkdir -p /run/chef-backend && touch /run/chef-backend/postgresql-may-start"); err != nil {
		return err
	}
	if err := h.firstStart(ctx, "postgresql"); err != nil {
		return err
	}
	return until(ctx, "PostgreSQL of "+h.Name, 40*time.Second, []string{h.log("postgresql", "current")}, func(ctx context.Context) error {
		_, err := sh(ctx, h, "pg_isready -h /tmp -U chef_pgsql")
		return err
	})
}

// sql asks a host's database as its superuser and returns what psql printed.
func (l *Lab) sql(ctx context.Context, h *Host, text string) (string, error) {
	c, err := inside(ctx, h, embedded+"/psql", "-X", "-w", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "/tmp", "-U", "chef_pgsql", "-d", "postgres", "-c", text)
	if err != nil {
		return "", err
	}
	out, err := output(c)
	return strings.TrimSpace(string(out)), err
}
