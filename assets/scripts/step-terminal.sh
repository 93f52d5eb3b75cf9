# Runs the command of a step in the foreground of a terminal that was handed to
# the operator. step.sh has made the folder ready, with everything compared, in
# a session of its own; this begins it at most once, and within 10 s.
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
step_late=$(($(date -u +%s) - $(cat "$step_dir/ready")))
[ "$step_late" -ge 0 ] && [ "$step_late" -le 10 ] ||
	step_refuse 97 "the terminal came $step_late s after the last look"
mkdir "$step_dir/taken" 2>/dev/null || step_refuse 98 "it was begun before"
umask 022 2>/dev/null

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
# An interrupt is for the command. A signal that is caught here is the default
# again there.
trap : INT QUIT
sh -c "$step_command" cockpit-step "$step_dir"
step_status=$?
[ "$step_status" -ne 129 ] || exit 129 # the command alone was hung up
echo "$step_status" >"$step_dir/exit.tmp" && mv "$step_dir/exit.tmp" "$step_dir/exit"
exit "$step_status"
