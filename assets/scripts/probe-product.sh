# probe-product.sh: what the slow look asks about the product's folders: what a
# cleanse left, what a join needs, and where a copy of the node could be kept.
# Names, permissions and sizes leave the node, never what a file holds.

# probe_there NAME PATH: "yes" or "no".
probe_there() {
	if [ -e "$2" ] || [ -L "$2" ]; then
		printf '%s yes\n' "$1"
	else
		printf '%s no\n' "$1"
	fi
}

# probe_mode NAME PATH: its permissions as ls writes them, nothing if absent.
probe_mode() {
	[ -e "$2" ] || return
	probe_l=$(ls -ld "$2" 2>/dev/null)
	printf '%s %s %s\n' "$1" "${probe_l%% *}" "$2"
}

# probe_both FOLDER: it holds the two files without which no node can join.
probe_both() {
	[ -s "$1/chef-backend.rb" ] && [ -s "$1/chef-backend-secrets.json" ]
}

# probe_archive ARCHIVE: "unpacked" where a plan unpacked it into a folder that
# has its name with the plan's id in it, and it is no newer than that; else
# "packed". The folder of an archive whose name ends alike has more in its name.
probe_archive() {
	probe_s=${1#/root/chef-backend-cleanse}
	for probe_u in /root/chef-backend-cleanse-*"$probe_s"; do
		[ -d "$probe_u" ] && ! [ "$1" -nt "$probe_u" ] || continue
		probe_p=${probe_u#/root/chef-backend-cleanse-}
		case ${probe_p%"$probe_s"} in
		*[!0-9A-Za-z]*) ;;
		*)
			echo unpacked
			return
			;;
		esac
	done
	echo packed
}

# probe_cleansed: the archives of earlier cleanses, and the folders that hold both
# files. Two of these are compared here, so that nothing of them has to be told.
probe_cleansed() {
	probe_was='' probe_n=0
	for probe_f in /root/chef-backend-cleanse*; do
		[ -f "$probe_f" ] && printf '%s %s\n' "$(probe_archive "$probe_f")" "$probe_f"
	done
	for probe_f in /root/chef-backend-cleanse* /root/chef-backend-cleanse*/* /root/chef-backend-cleanse*/*/*; do
		[ $probe_n -lt 20 ] && probe_both "$probe_f" || continue
		probe_n=$((probe_n + 1))
		printf 'cleansed %s\n' "$probe_f"
		probe_is=$(cat "$probe_f/chef-backend.rb" "$probe_f/chef-backend-secrets.json" 2>/dev/null | head -c 262144)
		[ -z "$probe_was" ] || [ "$probe_was" = "$probe_is" ] || printf 'differs %s\n' "$probe_f"
		probe_was=$probe_is
	done
	probe_is='' probe_was=''
}

# probe_room NAME PATH: df of the nearest folder that is there.
probe_room() {
	probe_f=$2
	while [ -n "$probe_f" ] && [ ! -d "$probe_f" ]; do
		probe_f=${probe_f%/*}
	done
	printf '%s\n' "$1"
	probe_within 2 df -P -k "${probe_f:-/}" 2>&1
}

probe_product() {
	probe_begin product
	probe_there data /var/opt/chef-backend
	probe_there config /etc/chef-backend
	probe_n=0
	for probe_f in /etc/chef-backend/*; do
		[ -e "$probe_f" ] && [ $probe_n -lt 20 ] || continue
		probe_n=$((probe_n + 1))
		probe_mode holds "$probe_f"
	done
	probe_both /etc/chef-backend && printf 'whole yes\n'
	probe_mode secrets /root/chef-backend-secrets.json
	probe_cleansed
	probe_room room-data /var/opt/chef-backend
	probe_room room-copies /var/opt/chef-backend-cockpit/copies
	probe_room room-top /
	probe_end product 0
	probe_begin tree-size
	probe_within 10 du -s -k -L /var/opt/chef-backend /etc/chef-backend 2>/dev/null
	probe_end tree-size "$?"
}
