# Runs the command of a step in the foreground of a terminal that was handed to
# the operator. step.sh has made the folder ready, with everything compared, in
# a session of its own; this begins it at most once, and within 10 s.
#
# Arguments: BASE PLAN STEP TOKEN. Exit 97 and 98 as in step.sh: nothing ran.
# Otherwise the command's own status, which also lies in the folder. When the
# terminal is hung up, the command is too, unless it does not mind; then no
# status is written, since what it came to is not known.

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

step_stat=$(cat "/proc/$$/stat" 2>/dev/null)
step_born=unknown
if [ -n "$step_stat" ]; then
	step_stat=${step_stat##*) }
	# shellcheck disable=SC2086
	set -- $step_stat
	[ $# -lt 20 ] || { shift 19; step_born=$1; }
fi
echo "$$ $step_born" >"$step_dir/pid.tmp" && mv "$step_dir/pid.tmp" "$step_dir/pid"

PATH=$PATH:/opt/chef-backend/bin:/opt/chef-backend/embedded/bin:/usr/local/sbin:/usr/sbin:/sbin
export PATH
cd /
# A signal that is caught here is the default again in the command.
step_hung=no
trap 'step_hung=yes' HUP
trap : INT QUIT
sh -c "$(cat "$step_dir/command")"
step_status=$?
if [ "$step_hung" = yes ] && [ "$step_status" -ge 128 ]; then
	exit "$step_status"
fi
echo "$step_status" >"$step_dir/exit.tmp" && mv "$step_dir/exit.tmp" "$step_dir/exit"
exit "$step_status"
