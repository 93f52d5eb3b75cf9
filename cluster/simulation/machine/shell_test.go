package machine

import (
	"strings"
	"testing"
)

// Every construct that the cockpit's scripts use, with what a POSIX shell of
// a real node answers.
func TestShell(t *testing.T) {
	for _, c := range []struct {
		name, text, input, out, errOut string
		exit                           int
	}{
		{name: "pipeline into a group", text: `f() { echo a; echo b; }; f | { echo first; head -c 100; }`, out: "first\na\nb\n"},
		{name: "parameters", text: `set -- a 'b c'; shift; printf '%s|%s\n' "$1" "$#"; x=a.b.c; echo ${x%%.*} ${x##*.} ${y:-z}`, out: "b c|1\na c z\n"},
		{name: "input split by semicolons", text: `set -f; IFS=';'; read -r line; set -- $line; IFS=' '; set +f; n=$1; shift; for c in "$@"; do set -- $c; echo "$n:$1:$2"; done`, input: "7;stat /a;read /b 1\n", out: "7:stat:/a\n7:read:/b\n"},
		{name: "read until the end", text: `while read -r a b; do echo "$b-$a"; done`, input: "1 2\n3 4 5\n", out: "2-1\n4 5-3\n"},
		{name: "read -t is unknown, as in dash", text: `(read -r -t 1 line) </dev/null >/dev/null 2>&1; echo $?`, out: "2\n"},
		{name: "a file that is not there", text: `{ read -r x </nowhere; } 2>/dev/null; echo "$?:$x"`, out: "1:\n"},
		{name: "case and glob", text: `touch /tmp/b.history /tmp/a.history; for f in /tmp/*.history; do case $f in *a.*) echo yes ;; *) echo "${f##*/}" ;; esac; done`, out: "yes\nb.history\n"},
		{name: "brackets in a pattern", text: `x='{"a":1}'; case $x in *[\{\[]* | *Name*IP*) echo json ;; esac`, out: "json\n"},
		{name: "here-document", text: "v=1; while read -r l; do echo \"<$l>\"; done <<EOF\n$v a\nb\nEOF", out: "<1 a>\n<b>\n"},
		{name: "arithmetic and hex", text: `n=5; printf '%08X %s\n' $((n + 5)) $(($(echo 4) - 1))`, out: "0000000A 3\n"},
		{name: "jobs and wait", text: `for i in 1 2 3; do (echo "j" >>/tmp/jobs) & done; wait; wc -l </tmp/jobs`, out: "3\n"},
		{name: "a job's status", text: `(exit 4) & p=$!; wait "$p"; echo $?`, out: "4\n"},
		{name: "killing a job", text: `sleep 100 & p=$!; kill -0 $p && kill $p; wait $p; echo $?; kill -0 $p 2>/dev/null || echo gone`, out: "143\ngone\n"},
		{name: "a job does not eat the input", text: `cat >/tmp/eaten & wait; read -r x; echo "$x"`, input: "mine\n", out: "mine\n"},
		{name: "pid of the shell", text: `a=$$; b=$(echo $$); [ $a = $b ] && [ $a -gt 1000 ] && read -r s </proc/$$/stat && set -- $s && [ $1 = $a ] && echo same`, out: "same\n"},
		{name: "parameters of sh -c", text: `sh -c 'echo $0 $1 "$2"' name one 'two  spaces'`, out: "name one two  spaces\n"},
		{name: "options of sh", text: `sh -ec 'false; echo never'; echo $?`, out: "1\n"},
		{name: "script on standard input", text: `sh -s x`, input: "f() { echo \"f $1\"; }\nf $1\nexit 3\n", out: "f x\n", exit: 3},
		{name: "umask", text: `umask 077; mkdir /tmp/d; : >/tmp/d/f; umask; stat -c %a /tmp/d /tmp/d/f`, out: "0077\n700\n600\n"},
		{name: "mv -n keeps", text: `echo a >/tmp/a; echo b >/tmp/b; mv -n /tmp/a /tmp/b; cat /tmp/a /tmp/b`, out: "a\nb\n"},
		{name: "rename keeps the identity", text: `echo a >/tmp/current; set -- $(ls -nid /tmp/current); mv /tmp/current /tmp/@1.s; [ "$(stat -c %i /tmp/@1.s)" = "$1" ] && echo same`, out: "same\n"},
		{name: "dd of blocks", text: `printf 'aaaabbbbcc' >/tmp/f; dd if=/tmp/f bs=4 skip=1 count=2 2>/dev/null; dd if=/tmp/f bs=1 skip=2 count=3 iflag=skip_bytes,count_bytes 2>/dev/null`, out: "bbbbccaab"},
		{name: "tail", text: `printf '1\n2\n3\n' >/tmp/f; tail -n 2 /tmp/f; tail -c +3 /tmp/f | head -c 1`, out: "2\n3\n2"},
		{name: "cut and tr", text: `echo 'a:b:c' | cut -d: -f1,3 | tr a-c A-C`, out: "A:C\n"},
		{name: "timeout", text: `timeout 0.05 sleep 9; echo $?; timeout -s KILL 0.05 sleep 9; echo $?; timeout 5 false; echo $?`, out: "124\n137\n1\n"},
		{name: "timeout on the input", text: `x=$(timeout 5 head -n 1); read -r y; echo "$x-$y"`, input: "a\nb\n", out: "a-b\n"},
		{name: "trap", text: `trap 'echo bye' EXIT; trap '' HUP; echo hi`, out: "hi\nbye\n"},
		{name: "trap of a signal", text: `trap 'echo caught' TERM; kill $$; echo on`, out: "caught\non\n"},
		{name: "eval", text: `f() { eval "$1"; }; f 'x=$$; sleep 0 & wait $!; echo $?'`, out: "0\n"},
		{name: "the model", text: `MARK=x /opt/chef-backend/embedded/bin/sv status a 2>/tmp/e; echo $?; cat /tmp/e`, out: "/opt/chef-backend/embedded/bin/sv status a x\n3\nsaid\n"},
		{name: "through other users", text: `chpst -u chef_pgsql id -un; PATH=$PATH:/opt/chef-backend/embedded/bin; chpst -u chef_pgsql id -un; su chef_pgsql -s /bin/sh -c 'echo "$0 $(id -un)"' q; sudo -n id -u`, out: "chef_pgsql\nq chef_pgsql\n0\n", errOut: "sh: chpst: not found\n"},
		{name: "command -v", text: `f() { :; }; command -v f; command -v cat; command -v printf; command -v awk; echo $?`, out: "f\n/usr/bin/cat\nprintf\n127\n"},
		{name: "unknown command", text: `awk 1`, errOut: "sh: awk: not found\n", exit: 127},
		{name: "command that was taken away", text: `rm /usr/bin/setsid; setsid true`, errOut: "sh: setsid: not found\n", exit: 127},
		{name: "boot id", text: `cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/hostname`, out: "0a1b2c3d-0000-4000-a000-000000000001\nbe1\n"},
		{name: "flock", text: `flock /tmp/l sh -c 'flock -n /tmp/l true || echo busy'; flock -n /tmp/l echo free`, out: "busy\nfree\n"},
		{name: "environment", text: `export A=1; B=2 sh -c 'echo $A$B$C'; C=3; sh -c 'echo "$C."'; echo $HOME; env -i A=9 /bin/sh -c 'echo $A$HOME'`, out: "12\n.\n/root\n9\n"},
		{name: "own script", text: `printf '#!/bin/sh\necho "me $1"\n' >/tmp/s; chmod 755 /tmp/s; /tmp/s x; . /tmp/s`, out: "me x\nme \n"},
		{name: "date", text: `date -u -d @0 +%Y-%m-%dT%H:%M:%SZ; [ $(date -u +%s) -gt 1000000000 ] && echo now`, out: "1970-01-01T00:00:00Z\nnow\n"},
		{name: "bash is no sh", text: `cat <(echo x)`, exit: 2, errOut: "*"},
		{name: "command substitution of a pipe", text: `x=$(printf 'a\nb\n' | tail -n 1 2>&1 | head -c 9); echo "$x"`, out: "b\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errOut, exit := newBench(t).run(t.Context(), c.text, c.input)
			if out != c.out || exit != c.exit || c.errOut != "*" && errOut != c.errOut {
				t.Errorf("%s\nout %q exit %d err %q\nwant %q %d %q", c.text, out, exit, errOut, c.out, c.exit, c.errOut)
			}
			if c.errOut == "*" && !strings.Contains(errOut, "sh: ") {
				t.Errorf("no error is said: %q", errOut)
			}
		})
	}
}
