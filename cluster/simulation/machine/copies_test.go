package machine

import (
	"strings"
	"testing"
)

// What the copies of a node are made with, as on a real one.
func TestCopies(t *testing.T) {
	b := newBench(t)
	b.o.Weight = func(p string) int64 { return int64(len(p)) }
	b.o.Busy = func(p string) []string {
		if p == "/busy" {
			return []string{"/busy/f"}
		}
		return nil
	}
	for _, c := range []struct {
		name, text, out, errOut string
		exit                    int
	}{
		{name: "a tree", text: `umask 077; mkdir -p /a/d; echo x >/a/f; echo y >/a/d/g; chmod 640 /a/f; ln -s f /a/l; tar -C / --numeric-owner --sparse -cf /root/c.tar a && stat -c %a /root/c.tar; tar -tf /root/c.tar`,
			out: "600\na/\na/d/\na/d/g\na/f\na/l\n"},
		{name: "absolute names", text: `tar -czhf /root/c.tgz /a /etc/hostname; tar -tzf /root/c.tgz`, out: "a/\na/d/\na/d/g\na/f\na/l\netc/hostname\n", errOut: "tar: Removing leading `/' from member names\n"},
		{name: "and back", text: `mkdir /b; tar -xpf /root/c.tar -C /b; cat /b/a/f /b/a/l /b/a/d/g; stat -c %a /b/a/f /b/a/d`, out: "x\nx\ny\n640\n700\n"},
		{name: "what is not there", text: `tar -cf /root/n.tar /nothing; echo $?`, out: "2\n", errOut: "tar: Removing leading `/' from member names\n*"},
		{name: "an archive that is cut off", text: `head -c 700 /root/c.tar >/root/cut.tar; tar -tf /root/cut.tar >/dev/null; echo $?; tar -tf /root/none.tar; echo $?`, out: "2\n2\n", errOut: "*"},
		{name: "changed meanwhile", text: `mkdir /busy; echo 1 >/busy/f; tar -cf /root/b.tar -C / /busy; echo $?`, out: "1\n", errOut: "tar: Removing leading `/' from member names\ntar: /busy/f: file changed as we read it\n"},
		{name: "what is not in the archive", text: `tar -tf /root/c.tar a/f a/none; echo $?`, out: "a/f\n2\n", errOut: "tar: a/none: Not found in archive\ntar: Exiting with failure status due to previous errors\n"},
		{name: "excluded", text: `tar -cf - --exclude=a/d -C / a | tar -tf -`, out: "a/\na/f\na/l\n"},
		{name: "verbose list", text: `tar -tvf /root/c.tar a/f | cut -c 1-14`, out: "-rw-r----- 0/0\n"},
		{name: "nothing climbs out", text: `mkdir /x; tar -cf /root/p.tar -C /a/d ../f; tar -xf /root/p.tar -C /x; ls /x`, out: "f\n"},
		{name: "checksums", text: `cd /root; sha256sum /a/f; sha256sum c.tar >c.sum; sha256sum -c c.sum; echo z >>c.tar; sha256sum -c c.sum`,
			out: "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac  /a/f\nc.tar: OK\nc.tar: FAILED\n", exit: 1},
		{name: "cp -a keeps modes, times and links", text: `touch -d @5 /a/f 2>/dev/null; cp -a /a/. /k/ 2>/dev/null || { mkdir /k; cp -a /a/. /k/; }; stat -c '%a %F' /k/f /k/l; [ $(stat -c %Y /k/f) = $(stat -c %Y /a/f) ] && echo same`, out: "640 regular file\n777 symbolic link\nsame\n"},
		{name: "cp -n", text: `echo other >/k/f; cp -an /a/f /k/f; cat /k/f`, out: "other\n"},
		{name: "modes of a tree", text: `chmod -R u=rwX,go= /k; stat -c %a /k /k/f /k/d /k/d/g`, out: "700\n600\n700\n600\n"},
		{name: "compare", text: `cmp -s /a/f /b/a/f && echo same; cmp -s /a/f /k/f || echo other`, out: "same\nother\n"},
		{name: "owners are all the same", text: `chown -R root:root /k && echo done`, out: "done\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errOut, exit := b.run(t.Context(), c.text, "")
			pattern, open := strings.CutSuffix(c.errOut, "*")
			if out != c.out || exit != c.exit || errOut != c.errOut && !(open && strings.HasPrefix(errOut, pattern)) {
				t.Errorf("%s\nout %q exit %d err %q\nwant %q %d %q", c.text, out, exit, errOut, c.out, c.exit, c.errOut)
			}
		})
	}
}
