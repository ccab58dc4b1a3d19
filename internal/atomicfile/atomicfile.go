// Package atomicfile writes files that are whole or not there: under a temporary name
// beside the target, synced to the disk, then renamed onto it. A crash, a full disk or a
// writer that gives up leaves the old file as it was.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// bufferSize is what small writes are gathered into; a larger write goes straight through.
const bufferSize = 1 << 16

// Write replaces the file at path by what write puts into its argument. The error is
// write's own, or the file system's; either way path is untouched and no temporary file
// remains. After a crash in mid-write a file ".NAME.tmp-…" may stay behind; nothing reads it.
//
// A new file gets the permissions perm, less the process's umask; a replaced one keeps
// those it had. The last element of path may be a symbolic link: the link is replaced,
// what it points to is not touched. A directory, a device or a pipe is refused, for a
// rename would put a plain file in its place.
func Write(path string, perm fs.FileMode, write func(io.Writer) error) error {
	pending, err := Create(path, perm)
	if err != nil {
		return err
	}
	defer pending.Discard()
	if err := write(pending); err != nil {
		return err
	}
	return pending.Commit()
}

// WriteBytes is Write for content that is in memory already.
func WriteBytes(path string, perm fs.FileMode, content []byte) error {
	return Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// A File is a file on its way: it appears under its name at Commit. Most callers want
// Write; a File serves those who must finish several before any may appear.
type File struct {
	target string
	temp   *os.File // nil after Commit or Discard
	buffer *bufio.Writer
	kept   fs.FileMode // permissions of the file to be replaced, 0 if there is none
}

// Create begins a file that Commit will put at path. See Write for permissions and for
// what path may be.
func Create(path string, perm fs.FileMode) (*File, error) {
	var kept fs.FileMode
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is %s, want the name of a plain file to write", path, kind(info.Mode()))
		}
		kept = info.Mode().Perm()
	}
	temp, err := createTemp(path, perm.Perm())
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w", path, err)
	}
	return &File{target: path, temp: temp, buffer: bufio.NewWriterSize(temp, bufferSize), kept: kept}, nil
}

// Write adds p to the file.
func (f *File) Write(p []byte) (int, error) {
	if f.temp == nil {
		return 0, fmt.Errorf("%s: %w", f.target, fs.ErrClosed)
	}
	n, err := f.buffer.Write(p)
	if err != nil {
		err = fmt.Errorf("%s: %w", f.target, err)
	}
	return n, err
}

// Sync puts everything written so far on the disk. Commit does it too; who commits
// several files syncs them all first, so that the renames follow each other closely.
func (f *File) Sync() error {
	if f.temp == nil {
		return fmt.Errorf("%s: %w", f.target, fs.ErrClosed)
	}
	if err := f.buffer.Flush(); err != nil {
		return fmt.Errorf("%s: %w", f.target, err)
	}
	if err := f.temp.Sync(); err != nil {
		return fmt.Errorf("%s: %w", f.target, err)
	}
	return nil
}

// Commit syncs the file and puts it in its place. After an error nothing has changed
// there and the temporary file is gone.
func (f *File) Commit() error {
	defer f.Discard()
	if err := f.Sync(); err != nil {
		return err
	}
	temp := f.temp
	if f.kept != 0 {
		if err := temp.Chmod(f.kept); err != nil {
			return fmt.Errorf("%s: %w", f.target, err)
		}
	}
	if err := temp.Close(); err != nil {
		return fmt.Errorf("%s: %w", f.target, err)
	}
	if err := os.Rename(temp.Name(), f.target); err != nil {
		return fmt.Errorf("%s: %w", f.target, err)
	}
	f.temp = nil
	return SyncDir(filepath.Dir(f.target))
}

// Rename puts a finished and synced file in the place of another, on the disk too: for files that grow
// under a name of their own, such as those that an interrupted program can go on with.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return SyncDir(filepath.Dir(to))
}

// Discard removes the temporary file. After Commit it does nothing, so it can be deferred.
func (f *File) Discard() {
	if f.temp == nil {
		return
	}
	f.temp.Close() // a second Close after a failed rename does no harm
	os.Remove(f.temp.Name())
	f.temp = nil
}

// Sweep removes the temporary files that killed writers left behind in dir, of files whose names are ours. It is for who knows that nobody else is writing
// them now. What cannot be removed stays: nothing reads it.
func Sweep(dir string, ours func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, random, ok := strings.Cut(strings.TrimPrefix(e.Name(), "."), ".tmp-")
		if ok && e.Name()[0] == '.' && len(random) == 8 && e.Type().IsRegular() && ours(name) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	return nil
}

// createTemp makes a new file beside path. Unlike os.CreateTemp it lets the umask decide
// about perm, as it does for any other new file.
func createTemp(path string, perm fs.FileMode) (*os.File, error) {
	dir, name := filepath.Split(path)
	for try := 0; ; try++ {
		temp := filepath.Join(dir, fmt.Sprintf(".%s.tmp-%08x", name, rand.Uint32()))
		file, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm|0o200)
		if !errors.Is(err, fs.ErrExist) || try == 100 {
			return file, err
		}
	}
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no plain file"
}
