package machine

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// Files is the file system of a machine: a folder that nothing leaves, neither
// by "..", nor by a symbolic link, nor by an absolute path. It is safe for
// concurrent use. Paths are absolute and slash-separated. It is also what the
// model writes to: there a missing file is no error of Remove and RemoveAll,
// and Write makes missing parents.
type Files struct{ root *os.Root }

// OpenFiles takes an existing folder as the root of a file system.
func OpenFiles(dir string) (*Files, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Files{root}, nil
}

// Close gives the folder back. Files that are open stay open.
func (f *Files) Close() error { return f.root.Close() }

// inside is a path as the root wants it.
func inside(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+p), "/")
	if p == "" {
		return "."
	}
	return p
}

// as puts the path that was asked for into an error, in place of the one
// inside the folder, and gives the error the shape that the shell prints.
func as(op, p string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: p, Err: cause(err)}
}

// cause is what went wrong, without the path.
func cause(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	for {
		switch {
		case errors.As(err, &pe):
			err = pe.Err
		case errors.As(err, &le):
			err = le.Err
		default:
			return err
		}
	}
}

// OpenFile opens as os.OpenFile does.
func (f *Files) OpenFile(p string, flag int, perm fs.FileMode) (*os.File, error) {
	file, err := f.root.OpenFile(inside(p), flag, perm)
	return file, as("open", p, err)
}

// Write replaces a file. It never shows a reader an empty file in between:
// sentinels and identities are read while the model writes.
func (f *Files) Write(p string, data []byte) error {
	file, err := f.create(p, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(data, 0)
	return as("write", p, errors.Join(err, file.Truncate(int64(len(data))), file.Close()))
}

// Append adds to a file, which it makes where it is missing.
func (f *Files) Append(p string, data []byte) error {
	file, err := f.create(p, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return as("write", p, errors.Join(err, file.Close()))
}

func (f *Files) create(p string, flag int) (*os.File, error) {
	file, err := f.OpenFile(p, flag, 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.Mkdir(path.Dir(p)); err != nil {
			return nil, err
		}
		file, err = f.OpenFile(p, flag, 0o644)
	}
	return file, err
}

// Read is a whole file.
func (f *Files) Read(p string) ([]byte, error) {
	data, err := f.root.ReadFile(inside(p))
	return data, as("read", p, err)
}

// Remove takes away a file or an empty folder, if it is there.
func (f *Files) Remove(p string) error {
	if err := f.root.Remove(inside(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return as("remove", p, err)
	}
	return nil
}

// RemoveAll takes away a file or a folder with all that is in it.
func (f *Files) RemoveAll(p string) error {
	return as("remove", p, f.root.RemoveAll(inside(p)))
}

// Exists says whether something is there.
func (f *Files) Exists(p string) bool {
	_, err := f.root.Lstat(inside(p))
	return err == nil
}

// List is the sorted names in a folder; none where there is no folder.
func (f *Files) List(dir string) ([]string, error) {
	entries, err := f.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// ReadDir is what lies in a folder, sorted by name.
func (f *Files) ReadDir(dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.root.FS(), inside(dir))
	return entries, as("open", dir, err)
}

// Mkdir makes a folder and its parents.
func (f *Files) Mkdir(p string) error { return as("mkdir", p, f.root.MkdirAll(inside(p), 0o755)) }

// Symlink makes a symbolic link. One that leaves the folder can be made, as on
// any host, but never followed.
func (f *Files) Symlink(to, link string) error {
	return as("symlink", link, f.root.Symlink(to, inside(link)))
}

// Chtimes sets when a file or folder was written, as seen on the machine.
func (f *Files) Chtimes(p string, at time.Time) error {
	return as("touch", p, f.root.Chtimes(inside(p), at, at))
}

// Chmod changes the mode of a file or folder.
func (f *Files) Chmod(p string, mode fs.FileMode) error {
	return as("chmod", p, f.root.Chmod(inside(p), mode))
}

// Stat follows symbolic links, Lstat does not.
func (f *Files) Stat(p string) (fs.FileInfo, error) {
	info, err := f.root.Stat(inside(p))
	return info, as("stat", p, err)
}

// Lstat is about the link itself.
func (f *Files) Lstat(p string) (fs.FileInfo, error) {
	info, err := f.root.Lstat(inside(p))
	return info, as("lstat", p, err)
}

// install puts the file of a command in its place.
func (f *Files) install(p string) error {
	if err := f.Write(p, []byte(stub)); err != nil {
		return err
	}
	return as("chmod", p, f.root.Chmod(inside(p), 0o755))
}

// Rename moves a file or folder, over what is there.
func (f *Files) Rename(from, to string) error {
	return as("rename", from, f.root.Rename(inside(from), inside(to)))
}
