# One step of a plan, in one session of two phases. It stands behind the text
# of the probe, whose function "look" it calls, and behind step-follow.sh.
#
# Arguments: BASE PLAN STEP NONCE TOKEN HOSTNAME MACHINE-ID BOOT-ID COMMAND
# [terminal]. An empty identity argument is one that the node does not have.
# With "terminal" nothing is started: the folder is made ready for
# step-terminal.sh, which may begin for 10 s.
#
# Phase 1 sends a look at this node and waits for one line of input:
#   go TOKEN NO-START UNSYNCED ROLE LOCK
# It must come within 10 s of the look by this node's own clock. What travels
# with it is what the guards were judged on: whether the two sentinels lie here
# (true, false, unknown) and what PostgreSQL does (recovery, primary, none).
# LOCK is the token of the operators' lock, which has to be held here with it:
# see lock.sh.
# Phase 2 reads the same again, and starts the command only if nothing changed
# and no more than 20 s went by since the look; 3 s more may go by until its own
# process is there, which looks at the time once more.
# Anything else, or the end of the input: exit 97, and nothing ran.
#
# Exit 95: PostgreSQL did not answer the look and answers by now. Nothing ran
# here either; a new look may have the guards hold.
# Exit 98: the step folder is there already, so this step was started before.

step_base=$1
step_plan=$2
step_id=$3
step_nonce=$4
step_token=$5
step_host=$6
step_machine=$7
step_boot=$8
shift 8
step_command=$1
step_mode=${2-}
step_lock=$step_base/lock

step_refuse() {
	step_code=$1
	shift
	step_say "refused $step_code $*"
	exit "$step_code"
}

step_now() { date -u +%s; }

# step_in_time SECONDS WHAT: refuses when more have gone by since the look, or
# when the clock was put back.
step_in_time() {
	step_late=$(($(step_now) - step_asked))
	[ "$step_late" -ge 0 ] && [ "$step_late" -le "$1" ] ||
		step_refuse 97 "$2 $step_late s after the look"
}

# step_is WANTED FOUND…: one of those found is the wanted one.
step_is() {
	step_want=$1
	shift
	for step_found; do
		[ "$step_found" != "$step_want" ] || return 0
	done
	return 1
}

step_identity() {
	if [ -n "$step_host" ]; then
		step_is "$step_host" "$(hostname 2>/dev/null)" "$(uname -n 2>/dev/null)" ||
			step_refuse 97 "the host name is no longer $step_host"
	fi
	if [ -n "$step_machine" ]; then
		step_is "$step_machine" "$(cat /etc/machine-id 2>/dev/null)" \
			"$(cat /var/lib/dbus/machine-id 2>/dev/null)" \
			"$(cat /sys/class/dmi/id/product_uuid 2>/dev/null)" ||
			step_refuse 97 "the machine id is no longer $step_machine"
	fi
	if [ -n "$step_boot" ]; then
		step_is "$step_boot" "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)" ||
			step_refuse 97 "the node was started again since the plan was made"
	fi
}

# step_sentinel NAME WANTED: unknown wants nothing, its guard has been judged.
step_sentinel() {
	step_there=false
	[ ! -e "/var/opt/chef-backend/leaderl/data/$1" ] || step_there=true
	[ "$2" = unknown ] || [ "$2" = "$step_there" ] ||
		step_refuse 97 "sentinel $1 changed since the look: present is now $step_there"
}

# step_psql HOST: asks PostgreSQL there; exit 2 is "no connection".
step_psql() {
	step_sql='select pg_is_in_recovery()'
	step_row=$(PGCONNECT_TIMEOUT=2 chpst -u chef_pgsql psql -X -w -A -t -F '|' -h "$1" -p 5432 -d postgres -c "$step_sql" </dev/null 2>/dev/null)
	step_end=$?
	if [ "$step_end" -eq 126 ] || [ "$step_end" -eq 127 ]; then
		step_row=$(su chef_pgsql -s /bin/sh -c "PGCONNECT_TIMEOUT=2 psql -X -w -A -t -F '|' -h $1 -p 5432 -d postgres -c '$step_sql'" </dev/null 2>/dev/null)
	fi
}

# step_role_now: recovery, primary, or none where PostgreSQL does not answer.
step_role_now() {
	step_psql /tmp
	[ -n "$step_row" ] || step_psql 127.0.0.1
	case $step_row in
	t*) step_role=recovery ;;
	f*) step_role=primary ;;
	*) step_role=none ;;
	esac
}

step_same() {
	step_identity
	step_sentinel no-start-pgsql "$1"
	step_sentinel unsynced "$2"
	step_role_now
	[ "$step_role" != "$3" ] || return 0
	[ "$3" != none ] ||
		step_refuse 95 "PostgreSQL did not answer the look and answers by now: $step_role"
	step_refuse 97 "PostgreSQL changed since the look: $3 then, $step_role now"
}

# step_locked TOKEN: whoever sent the go holds the lock here, and no other step
# is at work.
step_locked() {
	command -v flock >/dev/null 2>&1 || step_refuse 97 "flock is missing on this node: install util-linux"
	step_holder=$(cat "$step_lock/holder" 2>/dev/null)
	if [ "${step_holder%% *}" != "$1" ] || flock -n "$step_lock/operator" true; then
		step_refuse 97 "the operators' lock is not held here by this cockpit"
	fi
	# The process of a step outlives its exit file by a moment.
	step_tries=0
	while ! flock -n "$step_lock/step" true; do
		step_tries=$((step_tries + 1))
		[ "$step_tries" -le 10 ] ||
			step_refuse 97 "a step is at work on this node: $(cat "$step_lock/step" 2>/dev/null)"
		sleep 0.2 2>/dev/null || sleep 1
	done
}

# step_begin: the folder first, since making it is what can be done only once.
# A folder that cannot be filled stays, without a pid: nothing ran for it.
step_begin() {
	step_umask=$(umask 2>/dev/null)
	umask 077 2>/dev/null
	step_dir=$step_base/steps/$step_plan/$step_id
	mkdir -p "$step_base/steps/$step_plan" "$step_base/aside/$step_plan" ||
		step_refuse 97 "cannot make $step_base/steps/$step_plan"
	chmod 0700 "$step_base" "$step_base/steps" "$step_base/aside" \
		"$step_base/steps/$step_plan" "$step_base/aside/$step_plan" 2>/dev/null
	[ ! -e "$step_dir" ] || step_refuse 98 "step $step_id of plan $step_plan was started before"
	mkdir "$step_dir" || step_refuse 98 "cannot make $step_dir: started before, or no room"
	{
		echo 1 >"$step_dir/format" &&
			printf '%s\n' "$step_command" >"$step_dir/command" &&
			printf '%s\n' "$step_token" >"$step_dir/token" &&
			printf '%s\n' "$step_held" >"$step_dir/lock" && : >"$step_dir/output"
	} || step_refuse 97 "cannot write in $step_dir"
	cat /proc/sys/kernel/random/boot_id >"$step_dir/boot" 2>/dev/null
}

# The wrapper is what setsid runs. $1 is the folder, $2 the command, byte for
# byte what the plan shows, $3 the file mode mask that the command is to have,
# $4 the folder of the lock, $5 its token, $6 plan and step, $7 when the look was.
# It has the step's file of the lock, and gives up if somebody else holds the
# other one by now, if a disk has held it up, or if nobody could follow it.
step_wrapper='
key=-
while read -r id type advice rw pid file rest; do
	case "$type $pid" in "FLOCK $PPID" | "FLOCK $$") key=$file ;; esac
done </proc/locks 2>/dev/null
echo "$6 $key $5" >"$4/step"
held=$(cat "$4/holder" 2>/dev/null)
if [ "${held%% *}" != "$5" ]; then
	echo "the operators lock was taken by $held" >"$1/refused"
	exit 0
fi
late=$(($(date -u +%s) - $7))
if [ "$late" -lt 0 ] || [ "$late" -gt 23 ]; then
	echo "its process began $late s after the look" >"$1/refused"
	exit 0
fi
stat=$(cat "/proc/$$/stat" 2>/dev/null)
born=unknown
if [ -n "$stat" ]; then
	dir=$1 command=$2 mask=$3
	set -- ${stat##*) }
	[ $# -lt 20 ] || { shift 19; born=$1; }
	set -- "$dir" "$command" "$mask"
fi
{ echo "$$ $born" >"$1/pid.tmp" && mv "$1/pid.tmp" "$1/pid"; } || {
	echo "cannot write in $1" >"$1/refused"
	exit 0
}
cd /
(
	[ -z "$3" ] || umask "$3"
	sh -c "$2"
) >"$1/output" 2>&1 </dev/null
echo $? >"$1/exit.tmp" && mv "$1/exit.tmp" "$1/exit"'

PATH=$PATH:/opt/chef-backend/bin:/opt/chef-backend/embedded/bin:/usr/local/sbin:/usr/sbin:/sbin
export PATH

step_asked=$(step_now)
look fast "$step_nonce"
step_say ready

read -r step_line || step_refuse 97 "the input ended before a go came"
# shellcheck disable=SC2086
set -- $step_line
[ $# -eq 6 ] && [ "$1" = go ] && [ "$2" = "$step_token" ] ||
	step_refuse 97 "what came is no go for this step"
step_held=$6
step_in_time 10 "the go came"
setsid true </dev/null >/dev/null 2>&1 ||
	step_refuse 97 "setsid is missing on this node: install util-linux"
step_same "$3" "$4" "$5"
step_locked "$step_held"
# Comparing can hang, in a database that does not answer. The cockpit takes a
# step without a folder for one that never starts 25 s after its go was sent.
step_in_time 20 "comparing was done"
step_begin
if [ "$step_mode" = terminal ]; then
	step_now >"$step_dir/ready" || step_refuse 97 "cannot write in $step_dir"
	step_say prepared
	exit 0
fi
# What the command starts and leaves behind must not keep the lock, so flock
# closes the file for it, where it knows how to.
step_own=-n
flock -o -n "$step_lock/step" true 2>/dev/null && step_own='-o -n'
# shellcheck disable=SC2086
{
	setsid flock $step_own "$step_lock/step" sh -c "$step_wrapper" cockpit-step "$step_dir" "$step_command" \
		"$step_umask" "$step_lock" "$step_held" "$step_plan $step_id" "$step_asked" ||
		[ -e "$step_dir/pid" ] || echo "a step is at work on this node" >"$step_dir/refused"
} </dev/null >/dev/null 2>&1 &
# The pid file is the wrapper's first act; a slow node gets 2 s for it.
step_tries=0
while [ ! -s "$step_dir/pid" ] && [ ! -s "$step_dir/exit" ] && [ ! -s "$step_dir/refused" ] && [ "$step_tries" -lt 10 ]; do
	step_tries=$((step_tries + 1))
	sleep 0.2 2>/dev/null || sleep 1
done
step_who=$(cat "$step_dir/pid" 2>/dev/null)
[ -s "$step_dir/refused" ] || step_say "started ${step_who%% *}"
step_offset=0
step_follow "$step_dir"
