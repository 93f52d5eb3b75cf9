# Functions shared by step.sh and step-attach.sh: they follow the folder of a
# detached step and frame what lies there. POSIX sh, builtins and cat, wc,
# tail, head, sleep only.
#
# Every frame is one line that begins with "cockpit-step:NONCE ". Only "out" is
# followed by more: exactly LENGTH raw bytes and a newline.
#   ready                 the look is over, the script waits for its go
#   refused CODE TEXT     nothing ran
#   prepared              nothing ran yet: a terminal may begin the command
#   started PID           the command runs in a session of its own
#   out OFFSET LENGTH     raw output of the command from OFFSET on
#   alive WORD SIZE       yes, or unknown where the node has no /proc
#   exit CODE SIZE        the command ended
#   gone SIZE             the process is no more and left no exit status
#   rebooted              the node started again since the step began
#   absent                there is no such folder: the step never started

step_say() {
	printf 'cockpit-step:%s %s\n' "$step_nonce" "$*" || exit 0
}

# step_start_time PID: prints the start time of a process in clock ticks since
# boot, so that a pid that was given out again is not taken for the step.
step_start_time() {
	step_stat=$(cat "/proc/$1/stat" 2>/dev/null)
	[ -n "$step_stat" ] || return 1
	step_stat=${step_stat##*) }
	# shellcheck disable=SC2086
	set -- $step_stat
	[ $# -ge 20 ] || return 1
	shift 19
	echo "$1"
}

# step_life DIR: prints yes, no or unknown.
step_life() {
	step_who=$(cat "$1/pid" 2>/dev/null)
	if [ -z "$step_who" ]; then
		echo unknown
		return
	fi
	step_pid=${step_who%% *}
	step_born=${step_who#* }
	if [ "$step_born" = unknown ] || [ -z "$(cat /proc/self/stat 2>/dev/null)" ]; then
		echo unknown
		return
	fi
	if [ "$(step_start_time "$step_pid")" = "$step_born" ]; then
		echo yes
	else
		echo no
	fi
}

step_size() {
	step_bytes=$(wc -c <"$1/output" 2>/dev/null)
	# Some wc pad their number with blanks.
	echo $((${step_bytes:-0} + 0))
}

# step_output DIR: frames what was written since step_offset, 48 KiB a frame.
step_output() {
	step_end=$(step_size "$1")
	while [ "$step_offset" -lt "$step_end" ]; do
		step_len=$((step_end - step_offset))
		[ "$step_len" -le 49152 ] || step_len=49152
		step_say "out $step_offset $step_len"
		tail -c "+$((step_offset + 1))" "$1/output" 2>/dev/null | head -c "$step_len"
		printf '\n' || exit 0
		step_offset=$((step_offset + step_len))
	done
}

# step_follow DIR: follows until the end is known. It is killed by the first
# frame that nobody reads any more; the command itself goes on.
step_follow() {
	step_beat=0
	while :; do
		if [ -s "$1/refused" ]; then
			step_say "refused 97 $(cat "$1/refused")"
			return 0
		fi
		if [ -s "$1/exit" ]; then
			step_output "$1"
			step_say "exit $(cat "$1/exit") $step_offset"
			return 0
		fi
		step_alive=$(step_life "$1")
		step_output "$1"
		if [ "$step_alive" = no ] && [ ! -s "$1/exit" ]; then
			step_output "$1"
			step_say "gone $step_offset"
			return 0
		fi
		step_beat=$((step_beat + 1))
		if [ "$step_beat" -ge 5 ]; then
			step_beat=0
			step_say "alive $step_alive $step_offset"
		fi
		sleep 0.3 2>/dev/null || sleep 1
	done
}
