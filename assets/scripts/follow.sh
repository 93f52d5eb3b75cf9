# Reads log files for the cockpit: one per node, driven by requests, so that
# the cursors stay with the cockpit and survive this process.
#
# The first line of input is the mark of the session, a random word that no log
# can hold. Every further line is one request: a number, then commands, split
# by semicolons. Nothing is sent before the answer to the last one has ended.
#   stat FILE...            identity and size of those that are there (globs allowed)
#   read FILE SKIP COUNT    up to COUNT blocks of 4096 bytes, after SKIP blocks
#   unpacked FILE           how many bytes a file packed with gzip holds; before
#                           that "damaged" where these are not all of it
#   unpack FILE SKIP COUNT  up to COUNT bytes of what it holds, after SKIP bytes
# Every part of an answer begins with a line of the mark and the command's name;
# the last is "end NUMBER". An answer is a sign of life, an empty one too.
#
# It ends with its input, and after 60 s without a request where the shell or
# timeout(1) can tell: a channel may be dead without the node's sshd knowing.
# A quiet poll costs one stat; it writes nothing and starts nothing that stays.

LC_ALL=C
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# bash and busybox know read -t; dash does not and says so with status 2.
(read -r -t 1 line) </dev/null >/dev/null 2>&1
if [ $? -eq 1 ]; then
	next() { read -r -t 60 line; }
elif timeout 1 true >/dev/null 2>&1; then
	next() { line=$(timeout 60 head -n 1) && [ -n "$line" ]; }
else
	next() { read -r line; }
fi

if stat -c %i / >/dev/null 2>&1; then
	identify() { stat -c '%i:%s:%Y:%n' "$@" 2>/dev/null; }
else
	identify() { ls -nid "$@" 2>/dev/null; }
fi

# What stat says waits for the end of the answer: a quiet one is a single write,
# so that it travels as one packet.
said=
serve() {
	said="$said
$mark $1
"
	if [ "$1" = stat ]; then
		shift
		found=$(identify "$@")
		[ -z "$found" ] || said="$said$found
"
		return
	fi
	printf '%s' "$said"
	said=
	case $1 in
	read)
		dd if="$2" bs=4096 skip="$3" count="$4" 2>/dev/null
		;;
	unpacked)
		{ { gzip -dc "$2" 2>/dev/null || [ $? -eq 2 ] || echo damaged >&2; } | wc -c; } 2>&1
		;;
	unpack)
		gzip -dc "$2" 2>/dev/null | tail -c +$(($3 + 1)) | head -c "$4"
		;;
	esac
}

next || exit 0
mark=$line
printf '\n%s ready\n' "$mark"

while next; do
	set -f
	IFS=';'
	set -- $line
	IFS=' '
	set +f
	number=$1
	shift
	for command in "$@"; do
		serve $command
	done
	printf '%s\n%s end %s\n' "$said" "$mark" "$number"
	said=
done
exit 0
