package observe

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"chef-backend-cockpit/cluster"
)

// Whether somebody holds the lock is read from the kernel's list, by the real
// probe, about a file that really is locked; what the list cannot tell is
// unknown, never free.
func TestLookTellsTheLock(t *testing.T) {
	shells(t, func(t *testing.T, shell string) {
		n := newFakeNode(t)
		dir := filepath.Join(n.root, "var/opt/chef-backend-cockpit/lock")
		told := func() cluster.LockClaims { return parse(t, n.look(shell, "look fast n1")).Lock }

		hold := exec.Command("flock", "-n", filepath.Join(dir, "operator"), "sh", "-c",
			`while read -r id type advice rw pid file rest; do [ "$type $pid" != "FLOCK $PPID" ] || echo "$file"; done </proc/locks; exec cat`)
		in, _ := hold.StdinPipe()
		out, _ := hold.StdoutPipe()
		if err := hold.Start(); err != nil {
			t.Fatal(err)
		}
		key, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		key = key[:len(key)-1]
		n.file("/var/opt/chef-backend-cockpit/lock/holder", "t1 7f3a0002 "+key+" 1795431180 ann@bastion\n")
		l := told()
		if !l.Held.Known || !l.Held.Value || l.Holder.Value.Who != "ann@bastion" || l.Holder.Value.Plan != "7f3a0002" || l.Holder.Value.Since.IsZero() {
			t.Errorf("held: %+v", l)
		}
		in.Close()
		hold.Wait()
		if l := told(); !l.Held.Known || l.Held.Value {
			t.Errorf("no longer held: %+v", l.Held)
		}
		n.file("/var/opt/chef-backend-cockpit/lock/holder", "t1 - - 1795431180 ann@bastion\n")
		if l := told(); l.Held.Known || l.Held.Reason == "" {
			t.Errorf("the holder could not find himself in the list: %+v", l.Held)
		}
		os.Remove(filepath.Join(n.root, "var/opt/chef-backend-cockpit/steps/7f3a0001/1-stop/exit"))
		if st := told().Step.Value; st.Running != cluster.False || st.Ended {
			t.Errorf("a step whose process has gone without a status: %+v", st)
		}
	})
}
