package main

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The release, as `make dist` makes it. These tests build it twice and need root
// for the packages, so that they run where CHEF_BACKEND_DIST is set: `make
// test-dist`. Its value is the platforms, or "own" for this machine's.

// distPlatforms are the platforms to build, or the test is skipped.
func distPlatforms(t *testing.T) []string {
	t.Helper()
	value := os.Getenv("CHEF_BACKEND_DIST")
	if value == "" {
		t.Skip("needs CHEF_BACKEND_DIST (make test-dist)")
	}
	if runtime.GOOS != "linux" {
		t.Skip("packages are tried on Linux")
	}
	if value == "own" {
		return []string{"linux/" + runtime.GOARCH}
	}
	return strings.Fields(value)
}

// tool is the path of a program, or the test is skipped.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s", name)
	}
	return path
}

// sh runs a command and returns what it wrote to its output.
func sh(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), env...)
	var errOut bytes.Buffer
	c.Stderr = &errOut
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out, errOut.String())
	}
	return string(out)
}

// dist makes a release of a source tree and returns its files by name.
func dist(t *testing.T, tree, out string, env []string, platforms []string) map[string]string {
	t.Helper()
	sh(t, append(env, "VERSION=1.2.3~test", "COMMIT=0123456789ab", "SOURCE_DATE_EPOCH=1700000000", "CGO_ENABLED=1"),
		"sh", append([]string{filepath.Join(tree, "assets/packaging/dist.sh"), out}, platforms...)...)
	files := map[string]string{}
	all, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		b, err := os.ReadFile(filepath.Join(out, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		files[f.Name()] = hex.EncodeToString(sum[:])
	}
	return files
}

// copyTree copies the sources to another place, with nothing of git.
func copyTree(t *testing.T, to string) {
	t.Helper()
	from, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"assets", "cluster", "cmd", "remote", "tui", "go.mod", "go.sum", "README.md"} {
		sh(t, nil, "cp", "-r", filepath.Join(from, name), to)
	}
}

// TestDist makes the release twice, from two places, and tries what came of it.
func TestDist(t *testing.T) {
	platforms := distPlatforms(t)
	here, other := t.TempDir(), t.TempDir()
	first := dist(t, "../..", here, nil, platforms)
	copyTree(t, other)
	elsewhere := []string{"TZ=Asia/Tokyo", "LANG=de_DE.UTF-8", "GOFLAGS=-mod=mod", "TMPDIR=" + t.TempDir()}
	second := dist(t, other, filepath.Join(other, "out"), elsewhere, platforms)
	if !maps.Equal(first, second) {
		t.Errorf("the release differs when it is made again:\n%v\n%v", first, second)
	}

	t.Run("sums", func(t *testing.T) {
		sums, err := os.ReadFile(filepath.Join(here, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		said := map[string]string{}
		for _, row := range strings.Split(strings.TrimSpace(string(sums)), "\n") {
			f := strings.Fields(row)
			said[f[1]] = f[0]
		}
		delete(first, "SHA256SUMS")
		want := 0
		for _, p := range platforms {
			want += map[bool]int{true: 3, false: 1}[strings.HasPrefix(p, "linux/")]
		}
		if !maps.Equal(said, first) || len(said) != want {
			t.Errorf("SHA256SUMS says\n%v\nand there are %d of %d files\n%v", said, len(first), want, first)
		}
	})
	binary := filepath.Join(here, "chef-backend-cockpit-1.2.3~test-linux-"+runtime.GOARCH)
	t.Run("static", func(t *testing.T) { static(t, binary) })
	t.Run("deb", func(t *testing.T) { debPackage(t, glob(t, here, "*_"+runtime.GOARCH+".deb"), binary) })
	t.Run("rpm", func(t *testing.T) { rpmPackage(t, glob(t, here, "*."+rpmArch()+".rpm"), binary) })
}

func rpmArch() string {
	return map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
}

func glob(t *testing.T, dir, pattern string) string {
	t.Helper()
	all, _ := filepath.Glob(filepath.Join(dir, pattern))
	if len(all) != 1 {
		t.Fatalf("%s: %q", pattern, all)
	}
	return all[0]
}

// static holds that a binary needs no loader and no library, and says what it is.
func static(t *testing.T, binary string) {
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil || len(libraries) > 0 {
		t.Errorf("libraries: %q, %v", libraries, err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is not static: %v", p.Type)
		}
	}
	if out := sh(t, nil, binary, "version"); !strings.HasPrefix(out, "chef-backend-cockpit 1.2.3~test go") || !strings.Contains(out, "0123456789ab") {
		t.Errorf("version: %q", out)
	}
}

// debPackage installs and removes the package in a root of its own.
func debPackage(t *testing.T, file, binary string) {
	dpkg := tool(t, "dpkg")
	needRoot(t)
	root := bareRoot(t)
	for _, d := range []string{"info", "updates", "triggers"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	before := tree(t, root)
	path := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	// A machine may be set up to leave manual pages out; this root is not.
	sh(t, path, dpkg, "--root="+root, "--path-include=/usr/*", "-i", file)
	installed(t, root, binary, "usr/share/zsh/vendor-completions/_chef-backend-cockpit")
	if out := sh(t, path, dpkg, "--root="+root, "--verify", "chef-backend-cockpit"); out != "" {
		t.Errorf("dpkg --verify: %s", out)
	}
	sh(t, path, dpkg, "--root="+root, "--purge", "chef-backend-cockpit")
	nothingLeft(t, root, before)
}

// rpmPackage does the same with rpm.
func rpmPackage(t *testing.T, file, binary string) {
	rpm := tool(t, "rpm")
	needRoot(t)
	root := bareRoot(t)
	run := func(args ...string) string {
		return sh(t, nil, rpm, append([]string{"--root=" + root, "--dbpath=/var/lib/rpm"}, args...)...)
	}
	run("--initdb")
	before := tree(t, root)
	run("--force-debian", "-i", file)
	installed(t, root, binary, "usr/share/zsh/site-functions/_chef-backend-cockpit")
	if out := run("-V", "chef-backend-cockpit"); out != "" {
		t.Errorf("rpm -V: %s", out)
	}
	run("--force-debian", "-e", "chef-backend-cockpit")
	nothingLeft(t, root, before)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
}

// bareRoot is a root with the folders that every system has, and no file.
func bareRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, d := range []string{"usr/bin", "usr/share/man/man1", "usr/share/man/man5", "usr/share/man/man7", "usr/share/doc",
		"usr/share/bash-completion/completions", "usr/share/zsh/vendor-completions", "usr/share/zsh/site-functions", "usr/share/fish/vendor_completions.d"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// tree is everything below a root with its mode, the packagers' own records apart.
func tree(t *testing.T, root string) map[string]fs.FileMode {
	t.Helper()
	all := map[string]fs.FileMode{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if rel == "var" {
			return fs.SkipDir
		}
		i, err := d.Info()
		if err == nil {
			all[rel] = i.Mode()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// installed holds what a user has of the package.
func installed(t *testing.T, root, binary, zsh string) {
	t.Helper()
	now := tree(t, root)
	want := map[string]fs.FileMode{"usr/bin/chef-backend-cockpit": 0o755, "usr/share/doc/chef-backend-cockpit/README.md": 0o644,
		"usr/share/bash-completion/completions/chef-backend-cockpit": 0o644, "usr/share/fish/vendor_completions.d/chef-backend-cockpit.fish": 0o644, zsh: 0o644,
		"usr/share/man/man1/chef-backend-cockpit.1.gz": 0o644, "usr/share/man/man1/chef-backend-cockpit-status.1.gz": 0o644,
		"usr/share/man/man5/chef-backend-cockpit-config.5.gz": 0o644, "usr/share/man/man7/chef-backend-cockpit.7.gz": 0o644,
		"usr/share/man/man7/chef-backend-cockpit-procedures.7.gz": 0o644}
	for path, mode := range want {
		if now[path] != mode {
			t.Errorf("%s: mode %v, want %v", path, now[path], mode)
		}
	}
	for path, mode := range now {
		name := filepath.Base(path)
		if !mode.IsDir() && !strings.Contains(name, "chef-backend-cockpit") && name != "README.md" || mode&0o022 != 0 {
			t.Errorf("%s has no place there, or others may write it: %v", path, mode)
		}
	}
	same(t, filepath.Join(root, "usr/bin/chef-backend-cockpit"), binary)
	if out := sh(t, nil, "chroot", root, "/usr/bin/chef-backend-cockpit", "version"); !strings.Contains(out, "1.2.3~test") {
		t.Errorf("version in the bare root: %q", out)
	}
	t.Run("pages", func(t *testing.T) { pagesRender(t, root) })
	t.Run("completions", func(t *testing.T) { completionsParse(t, root, zsh) })
}

func same(t *testing.T, a, b string) {
	t.Helper()
	x, errX := os.ReadFile(a)
	y, errY := os.ReadFile(b)
	if errX != nil || errY != nil || !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ: %v %v", a, b, errX, errY)
	}
}

// pagesRender shows every page as man(1) does, in an ordinary terminal.
func pagesRender(t *testing.T, root string) {
	man := tool(t, "man")
	all, _ := filepath.Glob(filepath.Join(root, "usr/share/man/man?/*.gz"))
	if len(all) < 35 {
		t.Errorf("only %d pages", len(all))
	}
	for _, page := range all {
		c := exec.Command(man, "--warnings", "-P", "cat", "-l", page)
		c.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8", "MAN_DISABLE_SECCOMP=1")
		var errOut bytes.Buffer
		c.Stderr = &errOut
		out, err := c.Output()
		if err != nil || errOut.Len() > 0 || !bytes.Contains(out, []byte("NAME")) || !bytes.Contains(out, []byte("1.2.3~test")) {
			t.Errorf("%s: %v\n%s%.300s", filepath.Base(page), err, errOut.String(), out)
		}
	}
}

// completionsParse lets each shell that is here read its completion.
func completionsParse(t *testing.T, root, zsh string) {
	for shell, file := range map[string]string{"bash": "usr/share/bash-completion/completions/chef-backend-cockpit",
		"zsh": zsh, "fish": "usr/share/fish/vendor_completions.d/chef-backend-cockpit.fish"} {
		if path, err := exec.LookPath(shell); err == nil {
			sh(t, nil, path, "-n", filepath.Join(root, file))
		}
	}
}

// nothingLeft holds that a root is as it was before.
func nothingLeft(t *testing.T, root string, before map[string]fs.FileMode) {
	t.Helper()
	after := tree(t, root)
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if _, was := before[path]; !was {
			t.Errorf("left behind: %s", path)
		}
	}
}
