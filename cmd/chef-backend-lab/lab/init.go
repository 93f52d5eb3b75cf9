//go:build linux

package lab

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Init is PID 1 of a host, from the first moment to where runsvdir takes its
// place. It runs in new namespaces and must be called on the main thread, which
// the caller has locked. Arguments: name of the host, its boot id.
//
// It waits for a line of input before it does anything: its maker has then
// noted its PID. The end of the input means that the maker has died.
func Init(args []string) error {
	if len(args) != 2 || os.Getpid() != 1 {
		return errors.New("host-init is started by up, in namespaces of its own")
	}
	runtime.LockOSThread()
	if n, err := os.Stdin.Read(make([]byte, 1)); n != 1 {
		return fmt.Errorf("the lab that started this host has died: %w", err)
	}
	h := &Host{Name: args[0]}
	if err := unix.Sethostname([]byte(h.Name)); err != nil {
		return err
	}
	root, err := h.mountRoot(args[1])
	if err != nil {
		return err
	}
	if err := enter(root); err != nil {
		return err
	}
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := unix.Dup2(int(null.Fd()), 0); err != nil {
		return err
	}
	youngUptime()
	if err := freshPIDs(); err != nil {
		return err
	}
	return unix.Exec("/usr/bin/runsvdir", []string{"runsvdir", "-P", baseDir}, insideEnv)
}

// mount is one mount of a host, below its root.
type mount struct {
	what, at, kind string
	flags          uintptr
	data           string
}

// mountRoot builds the host's tree: this machine's files, read through an
// overlay that takes every write, and above it the disks and system folders.
func (h *Host) mountRoot(boot string) (string, error) {
	root := h.dir("root")
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("private mounts: %w", err)
	}
	bootFile := h.dir("boot_id")
	if err := os.WriteFile(bootFile, []byte(boot+"\n"), 0o444); err != nil {
		return "", err
	}
	if err := h.countKills(0); err != nil {
		return "", err
	}
	const still = unix.MS_NOSUID | unix.MS_NODEV
	mounts := []mount{
		{"overlay", "", "overlay", 0, "lowerdir=/,upperdir=" + h.dir("disk/upper") + ",workdir=" + h.dir("disk/work")},
		{"proc", "proc", "proc", still | unix.MS_NOEXEC, ""},
		{"sysfs", "sys", "sysfs", still | unix.MS_NOEXEC | unix.MS_RDONLY, ""},
		{"tmpfs", "run", "tmpfs", still, "mode=755,size=16m"},
		{"tmpfs", "tmp", "tmpfs", still, "mode=1777,size=64m"},
		{"tmpfs", "dev", "tmpfs", unix.MS_NOSUID, "mode=755,size=1m"},
		{h.dir("data"), varDir, "", unix.MS_BIND, ""},
		{h.dir("log"), logDir, "", unix.MS_BIND, ""},
		// This machine's own /root must not shine through: sshd runs its .bashrc.
		{h.dir("disk/home"), "root", "", unix.MS_BIND, ""},
		{program, embedded + "/lab-standin", "", unix.MS_BIND, ""},
		{bootFile, "proc/sys/kernel/random/boot_id", "", unix.MS_BIND, ""},
		{h.vmstat(), "proc/vmstat", "", unix.MS_BIND, ""},
	}
	for _, m := range mounts {
		at := filepath.Join(root, m.at)
		if _, err := os.Stat(at); err != nil {
			if err := os.MkdirAll(at, 0o755); err != nil {
				return "", err
			}
		}
		if err := unix.Mount(m.what, at, m.kind, m.flags, m.data); err != nil {
			return "", fmt.Errorf("mount %s at %s: %w", m.what, at, err)
		}
	}
	return root, makeDevices(filepath.Join(root, "dev"))
}

// makeDevices fills /dev with what programs need and no more: a host must not
// see this machine's disks.
func makeDevices(dev string) error {
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		at := filepath.Join(dev, name)
		if err := os.WriteFile(at, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("device %s: %w", name, err)
		}
	}
	for _, m := range []mount{
		{"devpts", "pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"},
		{"tmpfs", "shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777,size=128m"},
	} {
		at := filepath.Join(dev, m.at)
		if err := os.Mkdir(at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.what, at, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", at, err)
		}
	}
	for name, to := range map[string]string{
		"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2",
	} {
		if err := os.Symlink(to, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	return nil
}

// enter makes root the root, and lets go of this machine's tree.
func enter(root string) error {
	const old = ".machine"
	if err := os.MkdirAll(filepath.Join(root, old), 0o700); err != nil {
		return err
	}
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", old); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount("/"+old, unix.MNT_DETACH); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return os.Remove("/" + old)
}

// youngUptime lets the host's uptime begin with this boot, by a time namespace
// that runsvdir enters. Kernels before 6.3 do not take it at exec, and some
// have none: then the uptime is this machine's.
func youngUptime() {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil || unix.Unshare(unix.CLONE_NEWTIME) != nil {
		return
	}
	whole, _, _ := strings.Cut(string(text), ".")
	// A file that is refused leaves the clock as it is.
	_ = os.WriteFile("/proc/self/timens_offsets", []byte("boottime -"+whole+" 0\n"), 0)
}

// freshPIDs lets the PIDs of this boot begin somewhere else than those of the
// last one. A host counts from 1, so that PostgreSQL would find the PID in its
// old lock file alive after nearly every power cut, which a real machine does
// after few. Where the kernel cannot, the lock file goes.
func freshPIDs() error {
	var b [2]byte
	rand.Read(b[:]) // it never fails
	begin := 1000 + int(b[0])<<7 + int(b[1])>>1
	if os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(begin)), 0) == nil {
		return nil
	}
	return os.RemoveAll(dataDir + "/postmaster.pid")
}
