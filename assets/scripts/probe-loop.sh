# probe-loop.sh: answers looks over one long-lived channel until its input
# ends. Lines in: look KIND NONCE [PEER…]. It follows probe.sh's functions.
while read -r probe_verb probe_kind probe_nonce probe_peers; do
	[ "$probe_verb" = look ] && look "$probe_kind" "$probe_nonce" $probe_peers
done
