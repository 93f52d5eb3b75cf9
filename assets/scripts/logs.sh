# Lists the product's log files, or reads the end of one, for a support bundle.
# It only reads. Arguments: list FOLDER | read FILE BYTES.

LC_ALL=C
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

case $1 in
list)
	for file in "$2"/*/current "$2"/*/@* "$2"/*/*/current "$2"/*/*/@*; do
		if [ -f "$file" ]; then
			printf '%s %s\n' "$(wc -c <"$file")" "$file"
		fi
	done
	;;
read)
	tail -c "$3" "$2"
	;;
esac
