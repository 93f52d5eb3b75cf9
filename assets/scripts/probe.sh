# probe.sh: one look at a Chef Backend node. POSIX sh functions and nothing
# else: reading this file runs nothing. It changes nothing on the node and
# writes no file. The parts of the slow look are in probe-slow.sh and
# probe-machine.sh.
#
#   look fast NONCE            the fast look
#   look slow NONCE PEER…      the slow look; PEERs are the other nodes' addresses
#   look discover NONCE        who belongs to the cluster
#   look doctor NONCE PEER…    what doctor.sh asks, where that stands behind this
#
# What it prints, every marker at the start of a line of its own:
#
#   @@NONCE look 1 KIND
#   @@NONCE begin NAME UPTIME
#   …what the section's commands said, stdout and stderr…
#   @@NONCE end NAME EXIT UPTIME
#   @@NONCE done
#
# UPTIME is the first word of /proc/uptime: it costs no process, and the
# difference is how long the section took. The nonce keeps what a node says
# from passing for a marker. A section without its end was cut off.
#
# Parts that may have to wait run side by side as `a | { b; cat; }`: b prints
# while a works, then cat passes on what a said. So nothing interleaves, no
# file is needed, and one part that hangs or floods leaves the others whole.
#
# A process list shows this text, so it must never hold, as whole words, what
# the process list is searched for.

# probe_now sets probe_t to the node's uptime in seconds, "-" if it has none.
probe_now() {
	probe_t=
	{ read -r probe_t probe_rest </proc/uptime; } 2>/dev/null
	[ -n "$probe_t" ] || probe_t=-
}

probe_begin() {
	probe_now
	printf '\n@@%s begin %s %s\n' "$probe_nonce" "$1" "$probe_t"
}

probe_end() {
	probe_now
	printf '\n@@%s end %s %s %s\n' "$probe_nonce" "$1" "$2" "$probe_t"
}

# probe_section NAME BYTES COMMAND…: one whole section of at most BYTES.
probe_section() {
	probe_name=$1 probe_bytes=$2
	shift 2
	probe_begin "$probe_name"
	{
		"$@" 2>&1
		probe_end "$probe_name" "$?"
	} | head -c "$probe_bytes"
}

# probe_within SECONDS COMMAND…: the command ends, or is killed.
probe_within() {
	probe_secs=$1
	shift
	if [ "$PROBE_TIMEOUT" = yes ]; then
		timeout -s KILL "$probe_secs" "$@"
	else
		"$@"
	fi
}

# probe_tool NAME sets probe_bin: the product's own binary, else the system's.
probe_tool() {
	for probe_dir in /opt/chef-backend/embedded/bin /opt/chef-backend/bin; do
		probe_bin=$probe_dir/$1
		[ -x "$probe_bin" ] && return
	done
	probe_bin=$1
}

# probe_line FILE sets probe_l to the file's first line, or to nothing.
probe_line() {
	probe_l=
	{ read -r probe_l <"$1"; } 2>/dev/null
	[ -n "$probe_l" ]
}

# probe_http NAME SECONDS URL…: raw answers with their headers. Several
# addresses share one process; the whole is bounded, since -m counts for each.
# Neither a .curlrc nor a proxy may answer in a node's place.
probe_http() {
	probe_name=$1 probe_secs=$2
	shift 2
	probe_tool curl
	probe_begin "$probe_name"
	if [ $# -gt 1 ]; then
		probe_within "$probe_secs" "$probe_bin" -q --noproxy '*' -N -s -S -i -m "$probe_secs" "$@" 2>&1
	else
		"$probe_bin" -q --noproxy '*' -s -S -i -m "$probe_secs" "$@" 2>&1
	fi
	probe_end "$probe_name" "$?"
}

# probe_data sets probe_d to PostgreSQL's data directory and probe_major to
# what its PG_VERSION says. With several, the one with a pid file, else the last.
probe_data() {
	probe_d='' probe_major=''
	for probe_try in /var/opt/chef-backend/postgresql/*/data; do
		[ -d "$probe_try" ] || continue
		probe_d=$probe_try
		[ -e "$probe_try/postmaster.pid" ] && break
	done
	[ -n "$probe_d" ] || return 1
	probe_line "$probe_d/PG_VERSION" && probe_major=${probe_l%%.*}
	probe_wal=$probe_d/pg_wal
	[ -d "$probe_wal" ] || probe_wal=$probe_d/pg_xlog
}

# probe_sql SQL: asks as the database's own user.
probe_sql() {
	probe_host=127.0.0.1
	[ -S /tmp/.s.PGSQL.5432 ] && probe_host=/tmp
	probe_tool psql
	probe_psql=$probe_bin
	probe_tool chpst
	if [ -x "$probe_bin" ] || command -v chpst >/dev/null 2>&1; then
		probe_within 1 "$probe_bin" -u chef_pgsql "$probe_psql" -X -w -A -t -F '|' -h "$probe_host" -p 5432 -d postgres -c "$1"
	else
		probe_within 1 su chef_pgsql -s /bin/sh -c "exec $probe_psql -X -w -A -t -F '|' -h $probe_host -p 5432 -d postgres -c \"\$0\"" "$1"
	fi
}

# The statements, in the names that versions before and from 10 know. State and
# replicas come in one: each call starts psql here and a process of the server.
probe_version_sql="select current_setting('server_version_num')"
probe_state_sql_9="select case when pg_is_in_recovery() then 't' else 'f' end, pg_last_xlog_receive_location()::text, pg_last_xlog_replay_location()::text, case when pg_is_in_recovery() then null else pg_current_xlog_location()::text end, pg_last_xact_replay_timestamp()::text union all select host(client_addr), state, sent_location::text, replay_location::text, null from pg_stat_replication"
probe_state_sql_10="select case when pg_is_in_recovery() then 't' else 'f' end, pg_last_wal_receive_lsn()::text, pg_last_wal_replay_lsn()::text, case when pg_is_in_recovery() then null else pg_current_wal_lsn()::text end, pg_last_xact_replay_timestamp()::text union all select host(client_addr), state, sent_lsn::text, replay_lsn::text, null from pg_stat_replication"

# probe_postgresql: what SQL answers, and pg_isready where it does not: an
# answer to SQL says more and saves the process.
probe_postgresql() {
	probe_data
	if [ -z "$probe_major" ]; then
		probe_major=9
		probe_num=$(probe_sql "$probe_version_sql" 2>/dev/null | head -c 64)
		case $probe_num in
		[1-9][0-9][0-9][0-9][0-9][0-9]) probe_major=10 ;;
		esac
	fi
	probe_state_sql=$probe_state_sql_9
	[ "$probe_major" -ge 10 ] 2>/dev/null && probe_state_sql=$probe_state_sql_10
	probe_begin pg-state
	probe_sql "$probe_state_sql" 2>&1
	probe_code=$?
	probe_end pg-state "$probe_code"
	[ "$probe_code" = 0 ] && return
	probe_tool pg_isready
	probe_begin pg-ready
	# libpq takes a second for two: the answer "no response" comes after 2.0 s.
	probe_within 3 "$probe_bin" -q -h 127.0.0.1 -p 5432 -t 2 2>&1
	probe_end pg-ready "$?"
}

# probe_sentinel NAME PATH: "yes", "no", or "?" where the folder that should
# hold it cannot be looked into: that it is absent would be a guess.
probe_sentinel() {
	probe_dir=${2%/*}
	if [ -e "$2" ] || [ -L "$2" ]; then
		printf '%s yes\n' "$1"
	elif [ -d "$probe_dir" ] && [ -x "$probe_dir" ]; then
		printf '%s no\n' "$1"
	else
		printf '%s ?\n' "$1"
	fi
}

# probe_host: who this machine is, in "name value" lines, without a process.
probe_host() {
	probe_begin host
	probe_line /proc/sys/kernel/hostname || probe_l=$(hostname 2>/dev/null)
	printf 'hostname %s\n' "$probe_l"
	for probe_f in /etc/machine-id /var/lib/dbus/machine-id /sys/class/dmi/id/product_uuid; do
		if probe_line "$probe_f"; then
			printf 'machine-id %s\n' "$probe_l"
			break
		fi
	done
	probe_line /proc/sys/kernel/random/boot_id && printf 'boot-id %s\n' "$probe_l"
	probe_line /proc/uptime && printf 'uptime %s\n' "${probe_l%% *}"
	if [ -d /opt/chef-backend ]; then
		printf 'installed yes\n'
	else
		printf 'installed no\n'
	fi
	probe_sentinel no-start-pgsql /var/opt/chef-backend/leaderl/data/no-start-pgsql
	probe_sentinel unsynced /var/opt/chef-backend/leaderl/data/unsynced
	probe_end host 0
}

# probe_lock: who holds the operators' lock, and the step that was begun here
# last, without a process and without trying; see lock.sh. The kernel's list is
# read only where somebody is written down: a shell reads it byte by byte.
probe_lock() {
	probe_begin lock
	probe_dir=/var/opt/chef-backend-cockpit
	probe_held=no probe_runs=no probe_key='' probe_own=''
	if probe_line $probe_dir/lock/holder; then
		printf 'holder %s\n' "$probe_l"
		probe_held='?' probe_key=${probe_l#* * } probe_key=${probe_key%% *}
	fi
	if probe_line $probe_dir/lock/step; then
		printf 'step %s\n' "$probe_l"
		probe_own=${probe_l#* * } probe_own=${probe_own%% *}
		probe_step=${probe_l%% *}/ probe_l=${probe_l#* }
		probe_step=$probe_dir/steps/$probe_step${probe_l%% *}
		probe_line "$probe_step/command" && printf 'command %s\n' "$probe_l"
		if probe_line "$probe_step/exit"; then
			printf 'exit %s\n' "$probe_l"
		else
			probe_runs='?'
		fi
	fi
	if [ "$probe_held$probe_runs" != nono ] && [ -r /proc/locks ]; then
		[ "$probe_key" = - ] || probe_held=no
		[ "$probe_own" = - ] || probe_runs=no
		while read -r probe_n probe_of probe_a probe_w probe_pid probe_f probe_rest; do
			[ "$probe_of" = FLOCK ] || continue
			[ "$probe_f" != "$probe_key" ] || probe_held=yes
			[ "$probe_f" != "$probe_own" ] || probe_runs=yes
		done </proc/locks
	fi
	printf 'held %s\nruns %s\n' "$probe_held" "$probe_runs"
	probe_end lock 0
}

# probe_upstream FILE: the host in the last primary_conninfo of the file. Only
# the host leaves the node: the same line may hold a password.
probe_upstream() {
	probe_up=
	while read -r probe_l || [ -n "$probe_l" ]; do
		case $probe_l in
		\#*) ;;
		*primary_conninfo*host=*)
			probe_up=${probe_l#*host=}
			probe_up=${probe_up#"${probe_up%%[A-Za-z0-9/:]*}"}
			probe_up=${probe_up%%[!A-Za-z0-9/:._-]*}
			;;
		*primary_conninfo*) probe_up= ;;
		esac
	done <"$1"
	printf 'upstream %s\n' "$probe_up"
}

# probe_files: what PostgreSQL's directory says, running or not.
probe_files() {
	probe_begin pg-files
	if ! probe_data; then
		printf 'data-directory\n'
		probe_end pg-files 0
		return
	fi
	printf 'data-directory %s\n' "$probe_d"
	printf 'version %s\n' "$probe_major"
	if [ -e "$probe_d/recovery.conf" ]; then
		printf 'standby recovery.conf\n'
		probe_upstream "$probe_d/recovery.conf"
	elif [ -e "$probe_d/standby.signal" ]; then
		printf 'standby standby.signal\n'
		[ -e "$probe_d/postgresql.auto.conf" ] && probe_upstream "$probe_d/postgresql.auto.conf"
	else
		printf 'standby no\n'
	fi
	probe_end pg-files 0

	probe_tool pg_controldata
	probe_begin pg-control
	"$probe_bin" "$probe_d" 2>&1
	probe_end pg-control "$?"
	probe_history
	probe_segments
}

# probe_history: the newest few tell all that the older ones tell.
probe_history() {
	probe_begin pg-history
	set -- "$probe_wal"/*.history
	while [ $# -gt 4 ]; do shift; done
	for probe_f; do
		[ -f "$probe_f" ] || continue
		printf 'file %s\n' "${probe_f##*/}"
		probe_n=0
		while [ $probe_n -lt 500 ] && { read -r probe_l || [ -n "$probe_l" ]; }; do
			probe_n=$((probe_n + 1))
			printf '%s\n' "$probe_l"
		done <"$probe_f" 2>/dev/null
	done
	probe_end pg-history 0
}

# probe_segments: the names alone, by the shell itself.
probe_segments() {
	probe_begin pg-wal
	probe_code=2
	if [ -d "$probe_wal" ] && [ -r "$probe_wal" ] && [ -x "$probe_wal" ]; then
		probe_code=0
		for probe_f in "$probe_wal"/[0-9A-F]*; do
			printf '%s\n' "${probe_f##*/}"
		done
	else
		printf '%s cannot be looked into\n' "$probe_wal"
	fi
	probe_end pg-wal "$probe_code"
}

# probe_clock NAME: the node's time. The first and the last thing in a look.
probe_clock() {
	probe_begin "$1"
	date -u +%s.%N 2>&1
	probe_end "$1" "$?"
}

# probe_ps: the process list, each row cut: ours alone are as long as their
# scripts, and with some of them the list could not be read to its end.
probe_ps() {
	COLUMNS=1000
	export COLUMNS
	probe_begin ps
	probe_within 2 ps -e -o pid= -o ppid= -o args= 2>&1
	probe_end ps "$?"
}

probe_runit() {
	probe_tool sv
	probe_s=/opt/chef-backend/service
	probe_begin runit
	"$probe_bin" status $probe_s/leaderl $probe_s/epmd $probe_s/etcd $probe_s/postgresql $probe_s/elasticsearch 2>&1
	probe_end runit "$?"
}

# probe_here: what needs no answer of a service. The process list comes last:
# it alone may be long, or wait for a process that hangs in the kernel.
probe_here() {
	{
		probe_runit
		probe_files
		probe_ps
	} | head -c 1048576
}

probe_etcd=http://127.0.0.1:2379

probe_fast() {
	probe_clock clock-1
	probe_host
	probe_lock
	# /health comes last: it alone may have to wait.
	probe_http etcd 2 $probe_etcd/v2/members/leader $probe_etcd/v2/stats/self $probe_etcd/v2/stats/leader $probe_etcd/v2/keys/ $probe_etcd/health | {
		probe_http leaderl 2 http://127.0.0.1:7331/leader | {
			probe_http elasticsearch 2 'http://127.0.0.1:9200/_cluster/health?local=true' | {
				probe_postgresql | {
					probe_here
					head -c 131072
				}
				head -c 65536
			}
			head -c 16384
		}
		head -c 65536
	}
	probe_clock clock-2
}

# look KIND NONCE [PEER…] [+PEER…]. What it sets stays inside, PROBE_TIMEOUT excepted:
# whether timeout(1) works here is found out once.
look() {
	if [ -z "$PROBE_TIMEOUT" ]; then
		PROBE_TIMEOUT=no
		timeout -s KILL 5 true >/dev/null 2>&1 && PROBE_TIMEOUT=yes
	fi
	(
		set +e +u +f
		unset IFS
		LC_ALL=C TZ=UTC0 PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
		export LC_ALL TZ PATH
		cd / || :
		probe_kind=$1 probe_nonce=$2
		shift 2
		printf '\n@@%s look 1 %s\n' "$probe_nonce" "$probe_kind"
		case $probe_kind in
		slow) probe_slow "$@" ;;
		discover) probe_discover ;;
		doctor) doctor "$@" ;;
		*) probe_fast ;;
		esac
		printf '\n@@%s done\n' "$probe_nonce"
	) </dev/null
}
