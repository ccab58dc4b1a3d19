package extract

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/vision"
)

// files are those of one directory, or any.
type files struct {
	dir    string   // "": names are paths
	within string   // where dir is, seen from where ids begin
	names  []string // in the order of the pictures
	ids    func(path string) (string, error)
}

func (f *files) each(yield func(picture) bool) error {
	for _, name := range f.names {
		if !yield(file(filepath.Join(f.dir, name), path.Join(f.within, filepath.ToSlash(name)), f.ids)) {
			return nil
		}
	}
	return nil
}

func (f *files) stream() bool { return false }
func (f *files) close() error { return nil }

// file is a picture in a file of its own.
func file(name, from string, ids func(string) (string, error)) picture {
	p := picture{path: name}
	p.id, p.err = ids(strings.TrimPrefix(from, filepath.VolumeName(from)))
	p.open = func() (io.ReadCloser, int64, error) {
		content, err := plainfile.Open(name)
		if err != nil {
			return nil, 0, err
		}
		info, err := content.Stat()
		if err != nil {
			content.Close()
			return nil, 0, err
		}
		return content, info.Size(), nil
	}
	return p
}

// directory finds the pictures in a directory, and perhaps in those below it: first its own, then those of each directory in it, all by name.
func (p *Pictures) directory(dir string, recursive bool) ([]source, error) {
	found, err := p.tree(nil, dir, "", recursive)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s: found no pictures in it, want files that end in %s", dir, strings.Join(vision.FileTypes(), ", "))
		if !recursive {
			err = fmt.Errorf("%w; those in directories below it are for --recursive", err)
		}
	}
	return found, err
}

// tree appends the pictures of a directory that is at within, seen from where the search began.
func (p *Pictures) tree(found []source, dir, within string, recursive bool) ([]source, error) {
	var names, below []string
	err := readDir(dir, func(e fs.DirEntry) {
		if e.IsDir() && recursive && e.Name()[0] != '.' { // links are not followed: they may lead in a circle
			below = append(below, e.Name())
		} else if !e.IsDir() && isPicture(e.Name()) {
			names = append(names, e.Name())
		}
	})
	if err != nil {
		return found, err
	}
	if len(names) > 0 {
		slices.Sort(names)
		found = append(found, &files{dir: dir, within: within, names: slices.Clip(names), ids: p.idOf})
	}
	slices.Sort(below)
	for _, name := range below {
		if found, err = p.tree(found, filepath.Join(dir, name), path.Join(within, name), recursive); err != nil {
			return found, err
		}
	}
	return found, nil
}

// readDir goes through a directory a part at a time, in no order: os.ReadDir would hold all of millions of entries.
func readDir(dir string, entry func(fs.DirEntry)) error {
	open, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer open.Close()
	for {
		entries, err := open.ReadDir(1024)
		for _, e := range entries {
			entry(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
