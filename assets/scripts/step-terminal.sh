# Runs the command of a step in the foreground of a terminal that was handed to
# the operator. step.sh has made the folder ready, with everything compared, in
# a session of its own; this begins it at most once: it has to come within 10 s
# of that, and gives up where the command does not begin within 20 s.
#
# Arguments: BASE PLAN STEP TOKEN. Exit 97 and 98 as in step.sh: nothing ran.
# Otherwise the command's own status, which also lies in the folder. When the
# terminal is hung up, so are this script and the command: then no status is
# written, since nobody knows what it came to. A command that does not mind
# goes on, and its pid in the folder tells.

step_dir=$1/steps/$2/$3

step_refuse() {
	step_code=$1
	shift
	printf '%s\n' "the cockpit's step was refused: $*"
	exit "$step_code"
}

[ -s "$step_dir/ready" ] && [ "$(cat "$step_dir/token" 2>/dev/null)" = "$4" ] ||
	step_refuse 97 "nothing was made ready for this terminal"
# step_in_time SECONDS WHAT: refuses when more have gone by since the last look,
# or when the clock was put back.
step_in_time() {
	step_late=$(($(date -u +%s) - $(cat "$step_dir/ready")))
	[ "$step_late" -ge 0 ] && [ "$step_late" -le "$1" ] ||
		step_refuse 97 "$2 $step_late s after the last look"
}
step_in_time 10 "the terminal came"
# The step's file of the operators' lock is held, as in step.sh, for as long as
# this script or the command lives, by a process that no key of the terminal
# reaches. $1 is the folder of the lock, $2 plan and step, $3 this script's pid,
# $4 the folder of the step.
step_hold='
key=-
while read -r id type advice rw pid file rest; do
	case "$type $pid" in "FLOCK $PPID" | "FLOCK $$") key=$file ;; esac
done </proc/locks 2>/dev/null
token=$(cat "$4/lock" 2>/dev/null)
echo "$2 $key $token" >"$1/step"
held=$(cat "$1/holder" 2>/dev/null)
[ "${held%% *}" = "$token" ] || exit 0
: >"$4/locked"
while [ -e "/proc/$3/stat" ] || { read -r pid rest <"$4/pid" && [ -e "/proc/$pid/stat" ]; } 2>/dev/null; do
	sleep 0.2 2>/dev/null || sleep 1
done'

# What runs in the foreground writes who it is and becomes the command.
step_command='
stat=$(cat "/proc/$$/stat" 2>/dev/null)
dir=$1 born=unknown
if [ -n "$stat" ]; then
	set -- ${stat##*) }
	[ $# -lt 20 ] || { shift 19; born=$1; }
fi
echo "$$ $born" >"$dir/pid.tmp" && mv "$dir/pid.tmp" "$dir/pid"
cd /
exec sh -c "$(cat "$dir/command")"'

PATH=$PATH:/opt/chef-backend/bin:/opt/chef-backend/embedded/bin:/usr/local/sbin:/usr/sbin:/sbin
export PATH
[ ! -e "$step_dir/taken" ] || step_refuse 98 "it was begun before"
step_tries=0
while ! flock -n "$1/lock/step" true; do # the process of a step outlives it by a moment
	step_tries=$((step_tries + 1))
	[ "$step_tries" -le 10 ] || step_refuse 97 "a step is at work on this node"
	sleep 0.2 2>/dev/null || sleep 1
done
setsid flock -n "$1/lock/step" sh -c "$step_hold" cockpit-step "$1/lock" "$2 $3" "$$" "$step_dir" </dev/null >/dev/null 2>&1 &
step_tries=0
while [ ! -e "$step_dir/locked" ]; do
	step_tries=$((step_tries + 1))
	[ "$step_tries" -le 25 ] || step_refuse 97 "another step is at work, or the operators' lock was taken"
	sleep 0.2 2>/dev/null || sleep 1
done
step_in_time 20 "the lock was had"
mkdir "$step_dir/taken" 2>/dev/null || step_refuse 98 "it was begun before"
# Making it may have hung on the disk. Whoever looks finds it from here on.
(step_in_time 23 "it could begin") || {
	echo "the terminal could begin only $(($(date -u +%s) - $(cat "$step_dir/ready"))) s after the last look" >"$step_dir/refused"
	exit 97
}
umask 022 2>/dev/null
# An interrupt is for the command. A signal that is caught here is the default
# again there.
trap : INT QUIT
sh -c "$step_command" cockpit-step "$step_dir"
step_status=$?
[ "$step_status" -ne 129 ] || exit 129 # the command alone was hung up
echo "$step_status" >"$step_dir/exit.tmp" && mv "$step_dir/exit.tmp" "$step_dir/exit"
exit "$step_status"
