package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// outside is a place on this machine that no node may reach, with a file to
// read, a tool that would leave a mark, and a named file in the folder where
// the interpreter would make its pipes.
type outside struct{ dir, secret, tool, mark, fifo string }

const secretText = "the secret of this machine"

func newOutside(t *testing.T) outside {
	o := outside{dir: t.TempDir()}
	o.secret, o.tool, o.mark = filepath.Join(o.dir, "secret"), filepath.Join(o.dir, "tool"), filepath.Join(o.dir, "mark")
	o.fifo = filepath.Join(os.TempDir(), fmt.Sprintf("sh-interp-%d", os.Getpid()))
	for path, text := range map[string]string{o.secret: secretText, o.fifo: secretText, o.tool: "#!/bin/sh\necho ran >" + o.mark + "\necho " + secretText + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Remove(o.fifo) })
	return o
}

// intact fails when anything outside was changed, made or run.
func (o outside) intact(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(o.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder outside has changed: %v %v", entries, err)
	}
	if data, _ := os.ReadFile(o.secret); string(data) != secretText {
		t.Errorf("the secret has changed: %q", data)
	}
	if data, _ := os.ReadFile(o.fifo); string(data) != secretText {
		t.Errorf("the file beside the interpreter's pipes has changed: %q", data)
	}
}

func TestNothingLeavesTheMachine(t *testing.T) {
	t.Setenv("CANARY", secretText)
	t.Setenv("HOME", "/home/"+secretText)
	o := newOutside(t)
	b := newBench(t)
	// Links that somebody made by other means must not be followed either.
	for name, to := range map[string]string{"absolute": o.dir, "relative": strings.Repeat("../", 20) + o.dir[1:], "file": o.secret} {
		if err := os.Symlink(to, filepath.Join(b.o.Dir, "tmp", name)); err != nil {
			t.Fatal(err)
		}
	}
	up := strings.Repeat("../", 20)
	for _, text := range []string{
		"cat {secret}", "cat " + up + "{secret}", "cat /tmp/../.." + o.secret, "cat <{secret}", "x=$(cat {secret}); echo $x", "x=$(<{secret}); echo $x",
		"cd {dir} && cat secret", "cd /tmp; cd ../../../../../..; cat .{secret}", "cd " + up + "{dir}; cat secret",
		"cat /tmp/absolute/secret", "cat /tmp/relative/secret", "cat /tmp/file", "cat </tmp/file", "head -c 99 /tmp/file", "tail -c +1 /tmp/file",
		"dd if=/tmp/file", "dd if={secret}", "wc -c /tmp/file", "cp /tmp/file /tmp/copy; cat /tmp/copy", "cp -r /tmp/absolute /tmp/all; cat /tmp/all/*",
		"ln -s {dir} /tmp/l; cat /tmp/l/secret", "ln {secret} /tmp/hard; cat /tmp/hard", "mv {secret} /tmp/moved; cat /tmp/moved", "mv /tmp/absolute/secret /tmp/m; cat /tmp/m",
		"echo x >{secret}", "echo x >>/tmp/file", "echo x >/tmp/absolute/new", "touch {dir}/new", "touch /tmp/absolute/new", "mkdir /tmp/relative/new",
		"rm {secret}", "rm -rf {dir}", "rm -rf /tmp/absolute/", "rm -rf /tmp/relative/secret", "rm -rf " + up + "{dir}", "chmod 000 /tmp/file", "mv /tmp/l /tmp/absolute/new",
		"mktemp -p {dir}", "mktemp /tmp/absolute/XXXXXX", "dd if=/dev/null of=/tmp/file",
		"{tool}", "/tmp/absolute/tool", "exec {tool}", "exec /tmp/absolute/tool", "command {tool}", "command -p {tool}", "PATH={dir}; tool", "PATH=/tmp/absolute tool",
		"sh {tool}", "sh -c {tool}", ". {tool}", ". {secret}", "eval {tool}", "sh <{secret}", "env {tool}", "env PATH={dir} tool", "nohup {tool}", "setsid {tool}", "timeout 5 {tool}", "sudo -n {tool}", "chpst -u x {tool}", "su x -c {tool}", "flock /tmp/l {tool}",
		"trap {tool} EXIT", "builtin . {secret}", "source {secret}", "mapfile <{secret}; echo $MAPFILE", "command -v {tool} && cat {secret}", "type {tool}", "hash {tool}; {tool}",
		"cat {fifo}", "cat <{fifo}", "echo x >{fifo}", "eval 'cat <(cat {secret})'", "eval 'cat <(true) {fifo}'", "trap 'cat <(cat {secret})' EXIT", "sh -c 'cat <(cat {secret})'", "eval 'echo >(cat >{secret})'",
		"TMPDIR=/tmp sh -c 'cat {fifo}'", "export TMPDIR={dir}; mktemp; cat {fifo}",
		"for f in {dir}/*; do cat $f; done", "cat /tmp/absolute/*", "ls {dir}", "ls /tmp/absolute", "[ -e {secret} ] && echo SECRET", "test -d {dir} && echo SECRET", "[ -r /tmp/file ] && echo SECRET",
		"stat -c %n {secret}", "ls -l /tmp/absolute/", "readlink -f /tmp/nothing", "while read -r l; do echo $l; done <{secret}",
		"env", "export -p", "echo $CANARY $HOME", "sh -c 'echo $CANARY'", "env -i /bin/sh -c 'echo $HOME'", "unset HOME; cd; pwd; echo ~",
		"cat /proc/self/environ", "cat /proc/1/environ", "cat /proc/self/root/{secret}", "cat /proc/self/cwd/{secret}", "cat /dev/mem", "cat /dev/sda", "dd if=/dev/sda count=1", "echo x >/dev/tty",
		"tar -cf - {secret}", "tar -cf - -C {dir} .", "tar -chf - /tmp/absolute", "tar -chf - /tmp/file", "tar -cf {dir}/new /tmp", "tar -cf /tmp/o.tar -C /tmp ../.." + o.secret,
		"tar -cf - -C /tmp l | tar -xf - -C {dir}", "tar -tf {secret}", "sha256sum {secret} /tmp/file", "sha256sum -c {secret}", "cmp {secret} /etc/hostname", "cp -a {dir} /tmp/all2; cat /tmp/all2/*", "cp -a /tmp/absolute/. /tmp/all3; cat /tmp/all3/*", "chmod -R 000 {dir}", "chmod -R 000 /tmp/absolute/", "chown root {dir}/secret",
		"cat /etc/passwd", "echo ~root ~daemon ~nobody", "cat /sys/class/dmi/id/product_uuid", "ps {tool}", "awk 'BEGIN{system(\"{tool}\")}'", "perl -e 1", "bash -c {tool}", "/bin/bash {tool}", "ssh localhost {tool}",
	} {
		text = strings.NewReplacer("{secret}", o.secret, "{dir}", o.dir, "{tool}", o.tool, "{fifo}", o.fifo).Replace(text)
		out, errOut, _ := b.run(t.Context(), text, "")
		if strings.Contains(out+errOut, secretText) || strings.Contains(out, "SECRET") {
			t.Errorf("%s\nreached this machine: %q %q", text, out, errOut)
		}
		if strings.Contains(out, "/sbin/nologin") || strings.Contains(out, "root:x:") {
			t.Errorf("%s\nread this machine's users: %q", text, out)
		}
		o.intact(t)
		if t.Failed() {
			return
		}
	}
}

// The pids that a script sees are the machine's own.
func TestPidsAreTheMachines(t *testing.T) {
	out, _, _ := newBench(t).run(t.Context(), `echo $$ $PPID; eval 'echo $$'; sh -c 'echo $PPID $$'`, "")
	for _, real := range []int{os.Getpid(), os.Getppid()} {
		for _, word := range strings.Fields(out) {
			if word == fmt.Sprint(real) {
				t.Errorf("%d is a pid of this machine: %q", real, out)
			}
		}
	}
}
