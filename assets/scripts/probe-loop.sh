# probe-loop.sh: answers looks over one long-lived channel until its input
# ends. Lines in: look KIND NONCE [PEER…] [+PEER…]. It follows probe.sh's functions.
#
# It also ends after two minutes without a look, where the shell or timeout(1)
# can tell: a link may be dead for hours without the node's sshd knowing, and
# every reconnect would leave a shell behind.

# bash and busybox know read -t; dash does not and says so with status 2.
(read -r -t 1 probe_l) </dev/null >/dev/null 2>&1
if [ $? -eq 1 ]; then
	probe_next() { read -r -t 120 probe_l; }
elif timeout 1 true >/dev/null 2>&1; then
	probe_next() { probe_l=$(exec timeout 120 head -n 1) && [ -n "$probe_l" ]; }
else
	probe_next() { read -r probe_l; }
fi
while probe_next; do
	set -f
	set -- $probe_l
	set +f
	[ "$1" = look ] || continue
	shift
	look "$@"
done
