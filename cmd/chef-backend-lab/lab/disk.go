//go:build linux

package lab

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A host's disks are small file systems in memory, so that a full one is real
// and quick; what is not written takes no memory. They outlive the host's power,
// and end with the lab. leaderl demands 250 MB of the product's
// two, and an archive of the logs 2 GB of theirs.
//
//	disk  what differs from this machine's own files, and /root
//	data  /var/opt/chef-backend
//	log   /var/log/chef-backend
var disks = []struct{ name, size string }{
	{"disk", "2g"}, {"data", "1536m"}, {"log", "3g"},
}

// dir is where a host's files lie on this machine.
func (h *Host) dir(parts ...string) string {
	return filepath.Join(append([]string{Dir, h.Name}, parts...)...)
}

// file is a file of the host by its path there, as this machine reaches it.
func (h *Host) file(path string) string {
	for prefix, disk := range map[string]string{varDir: "data", logDir: "log"} {
		if rest, ok := cutPath(path, prefix); ok {
			return h.dir(disk, rest)
		}
	}
	return h.dir("disk", "upper", path)
}

func cutPath(path, prefix string) (string, bool) {
	if len(path) > len(prefix) && path[:len(prefix)] == prefix && path[len(prefix)] == '/' {
		return path[len(prefix):], true
	}
	return "", path == prefix
}

// makeDisk mounts a host's disks.
func (l *Lab) makeDisk(h *Host) error {
	for _, d := range disks {
		at := h.dir(d.name)
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("cblab-"+h.Name+"-"+d.name, at, "tmpfs", unix.MS_NODEV|unix.MS_NOSUID, "mode=755,size="+d.size); err != nil {
			return fmt.Errorf("mount %s: %w", at, err)
		}
	}
	for _, d := range []string{"root", "disk/upper", "disk/work", "disk/home"} {
		if err := os.MkdirAll(h.dir(d), 0o755); err != nil {
			return err
		}
	}
	return os.Chmod(h.dir("disk/home"), 0o700)
}

// dropDisks unmounts all disks; open files of dead processes do not matter.
func dropDisks() error {
	points, err := mountPoints()
	if err != nil {
		return err
	}
	// The last mount may lie on an earlier one.
	for i := len(points) - 1; i >= 0; i-- {
		if _, ours := cutPath(points[i], Dir); !ours {
			continue
		}
		if err := unix.Unmount(points[i], unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", points[i], err)
		}
	}
	return nil
}

// Fill takes all space of one of a host's disks but so many bytes.
func fill(path string, leave int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Fallocate(int(f.Fd()), 0, 0, max(1, int64(st.Bavail)*st.Bsize-leave))
}
