# probe-machine.sh: what the slow look asks of the machine and its files. Each
# part is bounded; what a node has no tool or no right for is said, not guessed.

# probe_disks: room and files left, and mounts, which tell what is read-only.
probe_disks() {
	probe_begin disks
	for probe_f in /var/opt/chef-backend /var/opt/chef-backend/postgresql /var/log/chef-backend; do
		printf 'path %s\n' "$probe_f"
		probe_within 2 df -P -k "$probe_f" 2>&1
	done
	for probe_f in /var/opt/chef-backend /var/log/chef-backend; do
		printf 'inodes %s\n' "$probe_f"
		probe_within 2 df -P -i "$probe_f" 2>&1
	done
	probe_end disks 0
	probe_section mounts 262144 probe_within 2 cat /proc/mounts
	probe_begin version
	probe_line /opt/chef-backend/version-manifest.txt
	printf '%s\n' "$probe_l"
	probe_end version 0
	probe_addresses
}

# probe_lines: from here on `for` splits at the ends of lines and nowhere else;
# splitting a whole text costs far less than reading it line by line.
probe_lines() {
	IFS='
'
	set -f
}

probe_words() {
	unset IFS
	set +f
}

# probe_killed: how many processes the kernel killed for want of memory, and
# the newest line about it. Newer kernels count them, which saves their log.
probe_killed() {
	probe_begin oom
	probe_kills=
	probe_lines
	for probe_l in $(cat /proc/vmstat 2>/dev/null); do
		case $probe_l in
		'oom_kill '*) probe_kills=${probe_l#* } ;;
		esac
	done
	probe_words
	[ -n "$probe_kills" ] && printf 'counted %s\n' "$probe_kills"
	[ "$probe_kills" = 0 ] || probe_kernel
	probe_end oom 0
}

# probe_kernel: the kernel's log by whichever way this node allows. A file in
# /var/log may hold lines of before the boot, so it is named.
probe_kernel() {
	probe_from=dmesg
	probe_said=$(probe_within 2 dmesg 2>/dev/null | tail -n 2000)
	if [ -z "$probe_said" ]; then
		probe_from=journal
		probe_said=$(probe_within 2 journalctl -k -b -q --no-pager -o short-monotonic -n 2000 2>/dev/null | tail -n 2000)
	fi
	if [ -z "$probe_said" ]; then
		probe_from=file
		probe_said=$(tail -n 2000 /var/log/kern.log 2>/dev/null)
	fi
	[ -n "$probe_said" ] || return
	probe_n=0 probe_l=
	probe_lines
	for probe_f in $probe_said; do
		case $probe_f in
		*'Killed process '*) probe_n=$((probe_n + 1)) probe_l=$probe_f ;;
		esac
	done
	probe_words
	printf 'from %s\nlines %s\nlast %s\n' "$probe_from" "$probe_n" "$probe_l"
}

# probe_certificates: when those of the product end. Nothing of a key leaves
# the node: openssl is asked for one date and prints no more.
probe_certificates() {
	probe_tool openssl
	probe_begin certificates
	probe_code=0 probe_n=0
	for probe_f in /var/opt/chef-backend/ssl/*.crt /var/opt/chef-backend/ssl/*.pem /var/opt/chef-backend/ssl/*/*.crt \
		/var/opt/chef-backend/postgresql/*/data/server.crt; do
		[ -f "$probe_f" ] && [ $probe_n -lt 6 ] || continue
		probe_n=$((probe_n + 1))
		printf 'file %s\n' "$probe_f"
		probe_within 2 "$probe_bin" x509 -noout -enddate -in "$probe_f" 2>/dev/null
		probe_code=$?
	done
	[ "$probe_code" = 127 ] || probe_code=0 # a file that is no certificate is passed over
	probe_end certificates "$probe_code"
}

# probe_settings: a few numbers of the effective configuration. The file itself
# may hold what must not leave the node.
probe_settings() {
	probe_begin settings
	probe_f=/etc/chef-backend/chef-backend-running.json
	if [ -r "$probe_f" ]; then
		printf 'file yes\n'
		IFS=',{}
'
		set -f
		for probe_l in $(head -c 262144 "$probe_f"); do
			case $probe_l in
			*'"required_active_followers"'*:* | *'"heartbeat_interval"'*:* | *'"leader_ttl_seconds"'*:* | \
				*'"max_bytes_behind_leader"'*:* | *'"disk_min_space_mb"'*:* | *'"wal_keep_segments"'*:*)
				probe_v=${probe_l##*:}
				probe_l=${probe_l#*\"}
				case $probe_v in
				*[0-9]*) printf '%s %s\n' "${probe_l%%\"*}" "$probe_v" ;;
				esac
				;;
			esac
		done
		probe_words
	fi
	probe_end settings 0
}

# probe_etcd_data: whether etcd's own user may write where it must. The kernel
# is asked, nothing is written. "no PATH" names what it may not.
probe_etcd_data() {
	probe_begin etcd-data
	probe_f=/var/opt/chef-backend/etcd
	[ -d "$probe_f/data" ] && probe_f=$probe_f/data
	if [ ! -d "$probe_f" ]; then
		printf 'no such folder\n'
		probe_end etcd-data 1
		return
	fi
	# Where root itself may not write, the file system is read-only and the
	# rights tell nothing.
	if [ ! -w "$probe_f" ]; then
		printf 'the file system is read-only\n'
		probe_end etcd-data 1
		return
	fi
	probe_say='for f; do [ ! -d "$f" ] || [ -w "$f" ] || printf "no %s\n" "$f"; done; echo asked'
	probe_tool chpst
	if [ -x "$probe_bin" ] || command -v chpst >/dev/null 2>&1; then
		probe_within 2 "$probe_bin" -u chef-backend sh -c "$probe_say" sh "$probe_f" "$probe_f/member" "$probe_f/member/wal" 2>&1
	else
		probe_within 2 su chef-backend -s /bin/sh -c "$probe_say" sh "$probe_f" "$probe_f/member" "$probe_f/member/wal" 2>&1
	fi
	probe_end etcd-data "$?"
}

# The connections in use and the replication slots, in one statement: columns
# name, count or slot, limit or active, reserved or position.
probe_use_sql_9="select 'connections', count(*)::text, current_setting('max_connections'), current_setting('superuser_reserved_connections') from pg_stat_activity union all select 'slot', slot_name::text, case when active then 't' else 'f' end, restart_lsn::text from pg_replication_slots"
probe_use_sql_10="select 'connections', count(*)::text, current_setting('max_connections'), current_setting('superuser_reserved_connections') from pg_stat_activity where backend_type = 'client backend' union all select 'slot', slot_name::text, case when active then 't' else 'f' end, restart_lsn::text from pg_replication_slots"

# probe_use: asked after the version, which tells which statement holds.
probe_use() {
	probe_begin pg-version
	probe_num=$(probe_sql "$probe_version_sql" 2>&1)
	probe_code=$?
	printf '%s\n' "$probe_num"
	probe_end pg-version "$probe_code"
	probe_use_sql=$probe_use_sql_9
	case $probe_num in
	*[1-9][0-9][0-9][0-9][0-9][0-9]) probe_use_sql=$probe_use_sql_10 ;;
	esac
	probe_begin pg-use
	if [ "$probe_code" = 0 ]; then
		probe_sql "$probe_use_sql" 2>&1 | head -c 16384
	else
		printf '%s\n' "$probe_num"
	fi
	probe_end pg-use "$probe_code"
}

probe_machine() {
	probe_killed
	probe_certificates
	probe_settings
	probe_etcd_data
}
