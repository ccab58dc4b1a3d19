package plainfile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Dir is a directory of plain files: on disk, or in an fs.FS, such as what is embedded in a program.
type Dir struct {
	fsys fs.FS // nil: on disk
	path string
}

// OnDisk is a directory on disk.
func OnDisk(dir string) Dir { return Dir{path: dir} }

// In is the directory of that slash-separated name in a file system, "." for its root.
func In(fsys fs.FS, name string) Dir { return Dir{fsys: fsys, path: name} }

// IsOnDisk says whether the system knows the directory's files by their paths.
func (d Dir) IsOnDisk() bool { return d.fsys == nil }

// String is the directory's path, as errors name it.
func (d Dir) String() string { return d.path }

// Path is the path of the file of that slash-separated name in the directory, as errors name it.
func (d Dir) Path(name string) string {
	if d.IsOnDisk() {
		return filepath.Join(d.path, filepath.FromSlash(name))
	}
	return path.Join(d.path, name)
}

// Stat describes a file.
func (d Dir) Stat(name string) (fs.FileInfo, error) {
	if d.IsOnDisk() {
		return os.Stat(d.Path(name))
	}
	return fs.Stat(d.fsys, d.Path(name))
}

// Entries are the directory's files and directories, by name.
func (d Dir) Entries() ([]fs.DirEntry, error) {
	if d.IsOnDisk() {
		return os.ReadDir(d.path)
	}
	return fs.ReadDir(d.fsys, d.path)
}

// Open opens a plain file, see the function [Open].
func (d Dir) Open(name string) (fs.File, error) {
	if d.IsOnDisk() {
		return Open(d.Path(name))
	}
	if err := plain(d.Path(name), func() (fs.FileInfo, error) { return d.Stat(name) }); err != nil {
		return nil, err
	}
	return d.fsys.Open(d.Path(name))
}

// Read reads a whole plain file of at most limit bytes.
func (d Dir) Read(name string, limit int64) ([]byte, error) {
	file, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file, d.Path(name), limit)
}

// plain is an error if what stat describes is no plain file.
func plain(path string, stat func() (fs.FileInfo, error)) error {
	info, err := stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no plain file (%s)", path, info.Mode())
	}
	return nil
}

func readAll(file io.Reader, path string, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes, which no such file needs", path, limit)
	}
	return content, nil
}
