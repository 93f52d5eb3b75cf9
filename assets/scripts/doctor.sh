# doctor.sh: what watching and acting need of a node and no look asks: tools,
# folders, the cockpit's own folder, and what sshd allows. POSIX sh functions
# that stand behind probe.sh, whose look calls them as KIND doctor. They change
# nothing and write nothing: what only a write can tell stays untold.
#
# The caller sets, as lists split by blanks:
#   doctor_tools   names of commands
#   doctor_paths   folders that have to be there
#   doctor_logs    the folder that holds a folder for each service's log
#   doctor_base    the cockpit's own folder, which may not be there yet

# doctor_find NAME sets probe_bin to where the scripts would find a command,
# and to "-" where they would not.
doctor_find() {
	probe_tool "$1"
	[ -x "$probe_bin" ] || probe_bin=$(command -v "$1" 2>/dev/null)
	[ -n "$probe_bin" ] || probe_bin=-
}

# doctor_try NAME COMMAND…: its exit status, told only where the tool is there.
doctor_try() {
	doctor_find "$1"
	probe_name=$1
	shift
	[ "$probe_bin" != - ] || return
	probe_within 5 "$@" </dev/null >/dev/null 2>&1
	printf 'try %s %s\n' "$probe_name" "$?"
}

# doctor_look_tools: where each is; and for those that come in kinds, whether this
# kind knows what is asked of it. The lock that flock tries is one that is
# shared, of nobody's file, and over at once.
doctor_look_tools() {
	probe_begin tools
	for probe_f in $doctor_tools; do
		doctor_find "$probe_f"
		printf 'tool %s %s\n' "$probe_f" "$probe_bin"
	done
	probe_bin=$(command -v readlink >/dev/null 2>&1 && readlink -f /bin/sh 2>/dev/null)
	printf 'shell %s\n' "${probe_bin:-/bin/sh}"
	doctor_try timeout timeout -s KILL 5 true
	doctor_try setsid setsid true
	doctor_try flock flock -n -s /dev/null true
	doctor_try head head -c 1
	doctor_try tail tail -c +1
	doctor_try date date -u +%s
	probe_end tools 0
}

# doctor_folders: whether what is watched is there and can be looked into.
doctor_folders() {
	probe_begin folders
	for probe_f in $doctor_paths; do
		if [ -d "$probe_f" ] && [ -r "$probe_f" ] && [ -x "$probe_f" ]; then
			printf 'folder yes %s\n' "$probe_f"
		elif [ -d "$probe_f" ]; then
			printf 'folder closed %s\n' "$probe_f"
		else
			printf 'folder no %s\n' "$probe_f"
		fi
	done
	for probe_f in leaderl epmd etcd postgresql elasticsearch; do
		probe_v=no
		# PostgreSQL's lies in a folder of its version.
		for probe_l in "$doctor_logs/$probe_f/current" "$doctor_logs/$probe_f"/*/current; do
			[ ! -r "$probe_l" ] || probe_v=yes
		done
		printf 'log %s %s\n' "$probe_v" "$probe_f"
	done
	probe_end folders 0
}

# doctor_own: the cockpit's own folder, or the nearest one above it that is
# there. -w asks the kernel, which answers for rights and for a file system
# that is mounted read-only.
doctor_own() {
	probe_begin own
	probe_mode own "$doctor_base"
	probe_f=$doctor_base
	while [ -n "$probe_f" ] && [ ! -e "$probe_f" ]; do
		probe_f=${probe_f%/*}
	done
	printf 'nearest %s\n' "${probe_f:-/}"
	for probe_dir in "${probe_f:-/}" "$doctor_base/steps" "$doctor_base/lock"; do
		[ -e "$probe_dir" ] || continue
		if [ ! -d "$probe_dir" ]; then
			printf 'no-folder %s\n' "$probe_dir"
		elif [ -w "$probe_dir" ]; then
			printf 'writable yes %s\n' "$probe_dir"
		else
			printf 'writable no %s\n' "$probe_dir"
		fi
	done
	printf 'room\n'
	probe_within 2 df -P -k "${probe_f:-/}" 2>&1
	printf 'inodes\n'
	probe_within 2 df -P -i "${probe_f:-/}" 2>&1
	probe_end own 0
	probe_section mounts 262144 probe_within 2 cat /proc/mounts
	probe_begin locks
	[ -r /proc/locks ] && printf 'locks yes\n'
	probe_end locks 0
}

# doctor_sshd: three lines of the server's effective configuration, for who is
# logged in here; old servers want to be told who that is, older ones refuse it.
doctor_sshd() {
	probe_begin sshd
	doctor_find sshd
	if [ "$probe_bin" = - ]; then
		printf 'no sshd found\n'
		probe_end sshd 127
		return
	fi
	probe_v=${SSH_CONNECTION%% *}
	probe_v=${probe_v:-127.0.0.1}
	probe_said=$(probe_within 2 "$probe_bin" -T -C "user=${SUDO_USER:-root},host=$probe_v,addr=$probe_v" 2>&1)
	probe_code=$?
	if [ "$probe_code" != 0 ]; then
		probe_said=$(probe_within 2 "$probe_bin" -T 2>&1)
		probe_code=$?
	fi
	probe_lines
	for probe_l in $probe_said; do
		case $probe_l in
		[Mm]ax[Ss]essions\ * | [Mm]ax[Ss]tartups\ * | [Pp]ermit[Tt][Tt][Yy]\ *) printf '%s\n' "$probe_l" ;;
		*) [ "$probe_code" = 0 ] || printf '%s\n' "$probe_l" ;;
		esac
	done | head -c 4096
	probe_words
	probe_end sshd "$probe_code"
}

# doctor PEER…: all of it, and the one port that no look asks of the others.
doctor() {
	doctor_look_tools
	doctor_folders
	doctor_own
	doctor_sshd
	probe_ports=9200
	probe_peers "$@"
}
