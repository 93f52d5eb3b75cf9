# probe-slow.sh: what the slow look of probe.sh asks, and what tells the nodes
# of the cluster; what it asks of the machine is in probe-machine.sh,
# of the product's folders in probe-product.sh.
# chef-backend-ctl starts Ruby, a second of CPU each time, so its two commands
# never run at once.

# probe_cluster: JSON where this release prints any, else the table.
probe_cluster() {
	probe_tool chef-backend-ctl
	probe_begin cluster-status
	probe_out=$(probe_within 10 "$probe_bin" cluster-status --json 2>/dev/null | head -c 262144)
	case $probe_out in
	*[\{\[]*\"*:* | *Name*IP*)
		printf '%s\n' "$probe_out"
		probe_end cluster-status 0
		;;
	*)
		{
			probe_within 10 "$probe_bin" cluster-status 2>&1
			probe_end cluster-status "$?"
		} | head -c 262144
		;;
	esac
}

probe_ctl() {
	probe_tool chef-backend-ctl
	probe_section status 262144 probe_within 10 "$probe_bin" status
	probe_cluster
}

# probe_ports are those of a node that its peers must reach.
probe_ports='22 2379 2380 5432 7331 9300'

# probe_dial is for bash, which reaches a port without a process of its own for
# each. What fails says so on stderr, with the port.
probe_dial='for p; do for n in $ports; do
{ : 3<>"/dev/tcp/$p/$n" && echo "open $p $n."; } &
done; done; wait'

# probe_by_bash ADDRESS…: a line for each port; false where bash cannot tell.
# What is not answered when its time is over is silence, and no other end is.
probe_by_bash() {
	[ "$PROBE_TIMEOUT" = yes ] && command -v bash >/dev/null 2>&1 || return 1
	probe_said=$(
		ports=$probe_ports timeout -s KILL 2 bash -c "$probe_dial" bash "$@" 2>&1
		printf 'exit %s' "$?"
	)
	case $probe_said in
	*': No such file or directory'* | *'exit 12'[5-7]) return 1 ;; # one that knows no /dev/tcp, none that runs
	esac
	for probe_peer; do
		for probe_n in $probe_ports; do
			probe_at=/dev/tcp/$probe_peer/$probe_n:
			case $probe_said in
			*"open $probe_peer $probe_n."*) probe_is=open ;;
			*"$probe_at Connection refused"*) probe_is=refused ;;
			*"$probe_at Connection timed out"* | *"$probe_at No route to host"* | *"$probe_at Network is unreachable"*) probe_is=timeout ;;
			*"$probe_at"*) probe_is='?' ;;
			*'exit 137' | *'exit 124') probe_is=timeout ;;
			*) probe_is='?' ;;
			esac
			printf '%s %s %s\n' "$probe_peer" "$probe_n" "$probe_is"
		done
	done
}

# probe_port ADDRESS PORT: one line, in one write, so that many can run at once.
# Only what says so is silence; whatever else goes wrong with curl is no answer.
probe_port() {
	case $1 in
	*:*) probe_url="telnet://[$1]:$2" ;;
	*) probe_url="telnet://$1:$2" ;;
	esac
	probe_said=$(
		"$probe_bin" -q --noproxy '*' -sv -o /dev/null -m 1.2 --connect-timeout 1 "$probe_url" </dev/null 2>&1
		printf 'exit %s' "$?"
	)
	case $probe_said in
	*'Connected to'*) printf '%s %s open\n' "$1" "$2" ;;
	*[Cc]'onnection refused'*) printf '%s %s refused\n' "$1" "$2" ;;
	*'exit 28' | *'imed out'* | *'o route to host'* | *'is unreachable'*) printf '%s %s timeout\n' "$1" "$2" ;;
	*) printf '%s %s ?\n' "$1" "$2" ;; # no curl, one without telnet, no process to be had
	esac
}

probe_by_curl() {
	probe_tool curl
	for probe_peer; do
		for probe_n in $probe_ports; do
			probe_port "$probe_peer" "$probe_n" &
		done
	done
	wait
}

# probe_peers ADDRESS…: how the other nodes' ports answer from here.
probe_peers() {
	probe_begin peers
	probe_by_bash "$@" || probe_by_curl "$@"
	probe_end peers 0
}

# probe_network ADDRESS…: what the services of nodes that cannot be looked at
# answer over the network. Their answers are theirs alone, no look at the node.
probe_network() {
	for probe_peer; do
		case $probe_peer in
		*:*) probe_at=http://[$probe_peer] ;;
		*) probe_at=http://$probe_peer ;;
		esac
		probe_http "etcd@$probe_peer" 1 "$probe_at:2379/v2/members/leader" "$probe_at:2379/v2/stats/self" "$probe_at:2379/v2/keys/" "$probe_at:2379/health"
		probe_http "leaderl@$probe_peer" 1 "$probe_at:7331/leader"
		probe_http "elasticsearch@$probe_peer" 1 "$probe_at:9200/_cluster/health?local=true"
	done
}

probe_addresses() {
	probe_begin addresses
	probe_within 2 hostname -I 2>/dev/null || probe_within 2 ip -o addr 2>&1
	probe_end addresses "$?"
}

# probe_running: whether any database server runs, by the process list; the
# name is put together so that this text itself is no answer.
probe_running() {
	probe_name=postgres COLUMNS=1000
	export COLUMNS
	case $(probe_within 2 ps -e -o args= 2>/dev/null | head -c 524288) in
	'') return 2 ;;
	*"/$probe_name -D "*) return 0 ;;
	esac
	return 1
}

# probe_dump TIMELINE START: the last commit there, and where the log ends.
# The end stands on stderr, which overtakes up to 4 KiB of buffered lines, so
# that the last few lines alone would not do.
probe_dump() {
	probe_tool pg_xlogdump
	[ -x "$probe_bin" ] || command -v pg_xlogdump >/dev/null 2>&1 || probe_tool pg_waldump
	printf 'dump %s %s\n' "$1" "$2"
	probe_within 20 "$probe_bin" -p "$probe_wal" -t "$1" -s "$2" -r Transaction 2>&1 | tail -n 120
}

# probe_end_of_wal: only while the server is down, and only counted if it is
# down afterwards too. From the checkpoint on, timeline after timeline.
probe_end_of_wal() {
	probe_tool pg_controldata
	probe_tli='' probe_redo=''
	probe_cd=$(probe_within 2 "$probe_bin" "$probe_d" 2>/dev/null | head -c 16384)
	while read -r probe_l; do
		case $probe_l in
		*'REDO location:'*) probe_redo=${probe_l##*[: ]} ;;
		*"checkpoint's TimeLineID:"*) probe_tli=${probe_l##*[: ]} ;;
		esac
	done <<EOF
$probe_cd
EOF
	case $probe_tli in
	'' | *[!0-9]*)
		printf 'no timeline in the control data\n'
		return 1
		;;
	esac
	probe_dump "$probe_tli" "$probe_redo"
	probe_hops=0
	while [ $probe_hops -lt 8 ]; do
		probe_hops=$((probe_hops + 1)) probe_tli=$((probe_tli + 1))
		probe_f=$probe_wal/$(printf %08X "$probe_tli").history
		[ -f "$probe_f" ] || break
		probe_sw=
		while read -r probe_parent probe_at probe_rest; do
			case $probe_at in
			*/*) probe_sw=$probe_at ;;
			esac
		done <"$probe_f"
		[ -n "$probe_sw" ] && probe_dump "$probe_tli" "$probe_sw"
	done
}

probe_wal_end() {
	probe_begin wal-end
	probe_data || {
		printf 'no data directory\n'
		probe_end wal-end 1
		return
	}
	probe_running
	probe_code=$?
	printf 'server %s\n' "$probe_code"
	if [ "$probe_code" = 1 ]; then
		probe_end_of_wal
		probe_running
		printf 'server %s\n' "$?"
	fi
	probe_end wal-end 0
	probe_section data-size 4096 probe_within 10 du -s -k -L "$probe_d/" # wherever links lead to
}

# probe_slow [PEER…] [+PEER…]: with a plus, its services are asked too.
probe_slow() {
	probe_seen='' probe_asked=''
	for probe_peer; do
		case $probe_peer in
		+*) probe_asked="$probe_asked ${probe_peer#+}" ;;
		*) probe_seen="$probe_seen $probe_peer" ;;
		esac
	done
	probe_clock clock-1
	probe_host
	probe_disks
	probe_http etcd-members 2 $probe_etcd/v2/members | {
		{
			probe_http elasticsearch-master 2 'http://127.0.0.1:9200/_cat/master?local=true&h=ip,host'
			probe_http elasticsearch-blocks 2 'http://127.0.0.1:9200/_all/_settings/index.blocks.*?local=true&flat_settings=true'
		} | {
			{
				probe_peers $probe_seen
				probe_network $probe_asked
			} | {
				{
					probe_wal_end
					probe_machine
				} | {
					probe_product | {
						probe_use
						probe_ctl
						head -c 65536
					}
					head -c 65536
				}
				head -c 65536
			}
			head -c 65536
		}
		head -c 65536
	}
	probe_clock clock-2
}

# probe_discover: as little as tells the cluster's nodes.
probe_discover() {
	probe_host
	probe_addresses
	probe_http etcd-members 2 $probe_etcd/v2/members | {
		probe_cluster
		head -c 65536
	}
}
