// Package files reads and writes files on Beam's file systems (gs://, s3://, memfs://) and on the machine's own, so that readers find a file whole or not
// at all.
package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// IsLocal says whether a path has no scheme: it is a file of the machine's own, perhaps on a file system that machines share.
func IsLocal(path string) bool { return !strings.Contains(path, "://") }

// Join is the path of a file in a directory.
func Join(dir, name string) string {
	if IsLocal(dir) {
		return filepath.Join(dir, name)
	}
	return strings.TrimSuffix(dir, "/") + "/" + name
}

// Base is the last element of a path.
func Base(path string) string {
	if IsLocal(path) {
		return filepath.Base(path)
	}
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Check says whether there is a file system for a path.
func Check(path string) error {
	if strings.TrimSpace(path) == "" {
		return errors.New("found an empty path")
	}
	if IsLocal(path) {
		return nil
	}
	scheme, _, _ := strings.Cut(path, "://")
	switch scheme {
	case "gs", "s3", "memfs":
		return nil
	}
	return fmt.Errorf("%s: found scheme %q, want gs, s3, or a path of a file system that is mounted", path, scheme)
}

// List is the files that match a pattern, sorted as the file system does. Where * may match a slash depends on the file system: in s3 and gs it does not.
func List(ctx context.Context, pattern string) ([]string, error) {
	if IsLocal(pattern) {
		return filepath.Glob(pattern)
	}
	system, err := filesystem.New(ctx, pattern)
	if err != nil {
		return nil, err
	}
	defer system.Close()
	found, err := system.List(ctx, pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	return found, nil
}

// In is the files in a directory, by their names; none if it is not there.
func In(ctx context.Context, dir, pattern string) ([]string, error) {
	if !IsLocal(dir) {
		return List(ctx, Join(dir, pattern))
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if ok, err := filepath.Match(pattern, e.Name()); err != nil {
			return nil, fmt.Errorf("%s: %w", pattern, err)
		} else if ok {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found, nil
}

// Has says whether there is a file.
func Has(ctx context.Context, path string) (bool, error) {
	if IsLocal(path) {
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	found, err := List(ctx, path)
	return len(found) > 0, err
}

// Size is how many bytes a file has.
func Size(ctx context.Context, path string) (int64, error) {
	if IsLocal(path) {
		info, err := os.Stat(path)
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	system, err := filesystem.New(ctx, path)
	if err != nil {
		return 0, err
	}
	defer system.Close()
	size, err := system.Size(ctx, path)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return size, nil
}

// Open opens a file for reading, and says how many bytes it has. The error satisfies errors.Is(err, fs.ErrNotExist) where the file system tells.
func Open(ctx context.Context, path string) (io.ReadCloser, int64, error) {
	if IsLocal(path) {
		file, err := plainfile.Open(path)
		if err != nil {
			return nil, 0, err
		}
		info, err := file.Stat()
		if err != nil {
			file.Close()
			return nil, 0, err
		}
		return file, info.Size(), nil
	}
	system, err := filesystem.New(ctx, path)
	if err != nil {
		return nil, 0, err
	}
	size, err := system.Size(ctx, path)
	if err == nil {
		var content io.ReadCloser
		if content, err = system.OpenRead(ctx, path); err == nil {
			return closing{content, system}, size, nil
		}
	}
	system.Close()
	return nil, 0, fmt.Errorf("%s: %w", path, err)
}

// closing closes the file system with its file.
type closing struct {
	io.ReadCloser
	system io.Closer
}

func (c closing) Close() error { return errors.Join(c.ReadCloser.Close(), c.system.Close()) }

// Read reads a file of at most so many bytes. The error satisfies errors.Is(err, fs.ErrNotExist) if it is not there.
func Read(ctx context.Context, path string, most int64) ([]byte, error) {
	if ok, err := Has(ctx, path); err != nil || !ok {
		if err == nil {
			err = fmt.Errorf("%s: %w", path, fs.ErrNotExist)
		}
		return nil, err
	}
	file, size, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case int64(len(content)) > most:
		return nil, fmt.Errorf("%s: found %d bytes, want at most %d", path, size, most)
	}
	return content, nil
}

// Write replaces a file.
func Write(ctx context.Context, path string, content []byte) error {
	if IsLocal(path) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return atomicfile.WriteBytes(path, 0o644, content)
	}
	return write(ctx, path, bytes.NewReader(content))
}

// write writes an object, which appears when it is whole: object stores see to that.
func write(ctx context.Context, path string, content io.Reader) (err error) {
	system, err := filesystem.New(ctx, path)
	if err != nil {
		return err
	}
	defer system.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what is half written when an error comes is given up, where the file system heeds it
	file, err := system.OpenWrite(ctx, path)
	if err == nil {
		if _, err = io.Copy(file, content); err == nil {
			err = file.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Put moves a finished file of this machine to where it is to be. It replaces what is there.
func Put(ctx context.Context, from, to string) error {
	if !IsLocal(to) {
		file, err := os.Open(from)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := write(ctx, to, file); err != nil {
			return err
		}
		return os.Remove(from)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return atomicfile.Rename(from, to)
}

// Fetch copies a file to this machine.
func Fetch(ctx context.Context, from, to string) error {
	file, _, err := Open(ctx, from)
	if err != nil {
		return err
	}
	defer file.Close()
	return atomicfile.Write(to, 0o644, func(w io.Writer) error {
		if _, err := io.Copy(w, file); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
		return nil
	})
}

// Remove removes a file, if it is there.
func Remove(ctx context.Context, path string) error {
	if IsLocal(path) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if ok, err := Has(ctx, path); err != nil || !ok {
		return err
	}
	system, err := filesystem.New(ctx, path)
	if err != nil {
		return err
	}
	defer system.Close()
	remover, ok := system.(filesystem.Remover)
	if !ok {
		return fmt.Errorf("%s: this file system cannot remove files", path)
	}
	if err := remover.Remove(ctx, path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
