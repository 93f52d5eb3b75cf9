# Follows a step that was started before: the link, the laptop or the cockpit
# may have died meanwhile. It stands behind step-follow.sh and changes nothing.
#
# Arguments: BASE PLAN STEP NONCE OFFSET BOOT-ID [TOKEN]. OFFSET is how many
# bytes of the output are here already; BOOT-ID is the node's when the step
# began; TOKEN is the step's own. A folder with another token or of another
# format is not read, but refused: exit 96.

step_nonce=$4
step_offset=$5
step_dir=$1/steps/$2/$3

step_again=no
step_boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
[ -z "$6" ] || [ -z "$step_boot" ] || [ "$step_boot" = "$6" ] || step_again=yes
if [ ! -d "$step_dir" ]; then
	# A folder that was not yet on the disk goes with the node: then nobody
	# knows whether the step began.
	[ "$step_again" = no ] && step_say absent || step_say rebooted
	exit 0
fi
step_format=$(cat "$step_dir/format" 2>/dev/null)
if [ -n "$step_format" ] && [ "$step_format" != 1 ]; then
	step_say "refused 96 the step folder has format $step_format, this cockpit reads 1"
	exit 96
fi
# A folder without a token was not filled: nothing was begun from it.
step_token=$(cat "$step_dir/token" 2>/dev/null)
if [ -n "${7-}" ] && [ -n "$step_token" ] && [ "$step_token" != "$7" ]; then
	step_say "refused 96 the step folder was made by somebody else: it has another token"
	exit 96
fi
if [ -e "$step_dir/ready" ] && [ ! -e "$step_dir/taken" ]; then
	# Made ready for a terminal that never began. It cannot begin any more, or
	# not for long: the cockpit asks again until it is sure.
	[ "$step_again" = no ] && step_say absent || step_say rebooted
	exit 0
fi
if [ -s "$step_dir/exit" ]; then
	step_follow "$step_dir"
	exit 0
fi
if [ "$step_again" = yes ]; then
	step_output "$step_dir"
	step_say rebooted
	exit 0
fi
step_who=$(cat "$step_dir/pid" 2>/dev/null)
[ -z "$step_who" ] || step_say "started ${step_who%% *}"
step_follow "$step_dir"
