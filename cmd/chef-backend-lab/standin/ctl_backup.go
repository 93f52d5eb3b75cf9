//go:build linux

package standin

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const backupDir = "/var/opt/chef-backup"

// backup is `backup`: a base backup of the database and the configuration,
// without Elasticsearch, as one archive. On the leader it wants --force.
func (c *ctl) backup() error {
	o, err := parseOptions(c.args, []string{"--force", "-y", "--yes"}, []string{"--timeout"})
	if err != nil {
		return err
	}
	state, err := c.store.read(c.ctx)
	if err != nil {
		return errNoState
	}
	if state.Leader == c.GUID && !o.has("--force") {
		return errors.New("this node is the leader; run the backup on a follower, or pass --force")
	}
	stage, err := os.MkdirTemp("/tmp", "chef-backend-backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	if c.db.cred != nil {
		if err := os.Chown(stage, int(c.db.cred.Uid), int(c.db.cred.Gid)); err != nil {
			return err
		}
	}
	cmd := c.db.command(c.ctx, "pg_basebackup", "--checkpoint=fast", "--wal-method=fetch", "--format=tar", "--gzip",
		"-w", "-D", filepath.Join(stage, "postgresql"), "-d", c.db.here())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %s", strings.TrimSpace(string(out)))
	}
	if err := os.MkdirAll(backupDir, 0o700); err != nil {
		return err
	}
	file := filepath.Join(backupDir, "chef-backup-"+time.Now().UTC().Format("2006-01-02-15-04-05")+".tgz")
	if err := c.tar(file, stage, "postgresql", "-C", "/", strings.TrimPrefix(etcDir, "/")); err != nil {
		return err
	}
	c.printf("Backup written to %s\n", file)
	return nil
}

// gatherLogs is `gather-logs`: the logs and what `status` says, as one archive
// in the current folder.
func (c *ctl) gatherLogs() error {
	stage, err := os.MkdirTemp("/tmp", "chef-backend-logs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	state, err := c.store.read(c.ctx)
	if err != nil {
		state = nil
	}
	text := c.services("", state) + "\n" + c.system(state)
	if err := os.WriteFile(filepath.Join(stage, "chef-backend-ctl-status.txt"), []byte(text), 0o644); err != nil {
		return err
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	file := filepath.Join(here, c.Name+"-"+time.Now().UTC().Format("2006-01-02-15-04-05")+".tgz")
	if err := c.tar(file, stage, "chef-backend-ctl-status.txt", "-C", "/", strings.TrimPrefix(logDir, "/")); err != nil {
		return err
	}
	c.printf("Logs gathered in %s\n", file)
	return nil
}

// tar packs things below a folder. A log that grows meanwhile is no error.
func (c *ctl) tar(file, dir string, what ...string) error {
	args := append([]string{"--warning=no-file-changed", "-czf", file, "-C", dir}, what...)
	out, err := exec.CommandContext(c.ctx, "tar", args...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil
	}
	if err != nil {
		_ = os.Remove(file)
		return fmt.Errorf("tar: %s", strings.TrimSpace(string(out)))
	}
	return os.Chmod(file, 0o600)
}
