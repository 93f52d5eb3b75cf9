# Holds the operators' lock on this node for as long as it hears of its holder.
# POSIX sh; it needs flock(1) and timeout(1).
#
# Arguments: BASE PLAN TOKEN NONCE WHO [FROM]. PLAN is the plan that the lock is
# taken for, "-" for none; TOKEN is new for every taking; WHO is user@host.
# FROM is the token of a holder who is to give it up first: a take-over.
#
# In BASE/lock lie "operator", which is locked while somebody holds the lock,
# "step", which every step's own process keeps locked for its own life, and
# "holder", a line TOKEN PLAN KEY SINCE WHO, empty while nobody holds it. KEY is
# how /proc/locks names the locked file, so that a look can tell whether it is
# held without trying. "leave" names a token whose holder has to go.
#
# To take the lock needs both files: a step that runs keeps it, whoever began
# it and wherever he is; only a step of PLAN itself does not stand in the way.
# A step checks the token once it has its file, this checks the file once it
# has written the token: one of the two sees the other.
#
# Frames as in step-follow.sh:
#   held KEY           the lock is held from now on
#   beat LINE          LINE came as a heartbeat, and the lock is still held
#   left 0 WHO         WHO took it over
#   busy 0 HOLDER      somebody else holds it: the line of "holder"
#   step 0 PLAN STEP…  a step is at work here: the line of "step"
#   refused 97 TEXT    it cannot be held here
# It ends 6 s after the last line of its input, and at the end of that.

lock_dir=$1/lock
lock_nonce=$4

lock_say() {
	printf 'cockpit-step:%s %s\n' "$lock_nonce" "$*" || exit 0
}

lock_line() {
	lock_l=
	{ read -r lock_l <"$lock_dir/$1"; } 2>/dev/null
}

lock_refuse() {
	lock_say "refused 97 $*"
	exit 97
}

# What holds the lock. What it prints with say is for the cockpit.
lock_keep='
dir=$1 nonce=$2 token=$3 plan=$4 who=$5
say() { printf "cockpit-step:%s %s\n" "$nonce" "$*" || exit 0; }
key=-
while read -r id type advice rw pid file rest; do
	case "$type $pid" in "FLOCK $PPID" | "FLOCK $$") key=$file ;; esac
done </proc/locks 2>/dev/null
printf "%s %s %s %s %s\n" "$token" "$plan" "$key" "$(date -u +%s)" "$who" >"$dir/holder" || {
	say "refused 97 cannot write in $dir"
	exit 0
}
if ! flock -n "$dir/step" true; then
	doing=
	read -r doing <"$dir/step"
	case $doing in
	"$plan "*) ;;
	*)
		: >"$dir/holder"
		say "step 0 $doing"
		exit 0
		;;
	esac
fi
say "held $key"
while line=$(timeout 6 head -n 1) && [ -n "$line" ]; do
	left=
	{ read -r left <"$dir/leave"; } 2>/dev/null
	case $left in
	"$token "*)
		: >"$dir/holder"
		say "left 0 ${left#* }"
		exit 0
		;;
	esac
	say "beat $line"
done
: >"$dir/holder"
exit 0'

# What makes a holder go: it is asked to with its next heartbeat, or is silent
# and gone 6 s later. No step can begin meanwhile, since its file is taken.
lock_evict='
dir=$1 from=$2 who=$3
now=
read -r now <"$dir/holder"
case $now in "" | "$from "*) ;; *) exit 0 ;; esac
printf "%s %s\n" "$from" "$who" >"$dir/leave.tmp" && mv "$dir/leave.tmp" "$dir/leave"
tries=0
while [ "$tries" -lt 30 ] && ! flock -n "$dir/operator" true; do
	tries=$((tries + 1))
	sleep 0.3 2>/dev/null || sleep 1
done
exit 0'

PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export PATH
umask 077 2>/dev/null
mkdir -p "$lock_dir" 2>/dev/null || lock_refuse "cannot make $lock_dir"
chmod 0700 "$1" "$lock_dir" 2>/dev/null
command -v flock >/dev/null 2>&1 || lock_refuse "flock is missing on this node: install util-linux"
timeout 5 true >/dev/null 2>&1 || lock_refuse "timeout is missing on this node: install coreutils"

if [ -n "${6-}" ]; then
	flock -n "$lock_dir/step" sh -c "$lock_evict" cockpit-lock "$lock_dir" "$6" "$5" </dev/null >/dev/null 2>&1 || {
		lock_line step
		lock_say "step 0 $lock_l"
		exit 0
	}
fi
flock -n "$lock_dir/operator" sh -c "$lock_keep" cockpit-lock "$lock_dir" "$4" "$3" "$2" "$5" || {
	# Who has just locked it takes a moment to write down who he is.
	lock_tries=0
	lock_line holder
	while [ -z "$lock_l" ] && [ "$lock_tries" -lt 5 ]; do
		lock_tries=$((lock_tries + 1))
		sleep 0.2 2>/dev/null || sleep 1
		lock_line holder
	done
	lock_say "busy 0 $lock_l"
}
exit 0
