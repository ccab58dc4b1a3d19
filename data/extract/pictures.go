package extract

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/vision"
)

// FindOptions say which pictures are meant and how they are called.
type FindOptions struct {
	Recursive bool // a directory stands for the pictures in all directories below it, too
	PathIDs   bool // ids are paths: see Find

	// Part leaves the pictures of other parts alone: of those nothing is opened. The zero Part has all.
	Part data.Part

	Stdin io.Reader // what the path "-" reads
	Lists []string  // files with the paths of more pictures; "-" is Stdin
	Null  bool      // paths in lists end with a NUL byte instead of a line
}

// Pictures are what there is to look at, in an order that depends on nothing but what they were found by. Of a picture in a directory its name is kept and
// 16 bytes of its id's hash, of one in a stream (a list, a tar archive) the hash alone.
type Pictures struct {
	sources []source
	pathIDs bool
	part    data.Part
	counted int // pictures of the part that are known before they are gone through
	streams bool
	seen    map[[16]byte]struct{} // hashes of ids
}

// A source is where pictures come from.
type source interface {
	// each gives pictures to yield until that answers false. The error says why there are no more of them than were given.
	each(yield func(picture) bool) error

	// stream says that pictures can be gone through only once, and are not known beforehand.
	stream() bool

	close() error
}

// A picture is one that nobody has looked at yet.
type picture struct {
	id, path string // path is for messages: in archives ARCHIVE:ENTRY
	err      error  // it is known already that it cannot be read

	// open is for its bytes, and how many they claim to be. Those of a picture in a stream must be read before the next is asked for.
	open   func() (io.ReadCloser, int64, error)
	stream bool
}

// Find finds pictures. A path is one of
//
//	a file        whatever it is called
//	a directory   the pictures in it, by name; with Recursive also in those below it
//	a pattern     with * ? [ ] and ** for any number of directories, if there is no file of this name
//	an archive    .tar, .tar.gz, .tgz or .zip: the pictures in it
//	-             a list of files, on Stdin
//
// In directories, archives and patterns pictures are known by the ends of their names ([vision.FileTypes]), and what begins with a dot is passed over.
// Archives are read where they are, nothing is unpacked onto the disk.
//
// An image's id is its file's name without its type. With PathIDs it is its path without the type, divided by slashes: from the directory or the archive
// on, for a pattern from its last directory that is spelt out; for single files and those in lists as given, without "/", "." and ".." before it.
//
// The error says that something is not there, or which two pictures have the same id. Pictures in streams, lists and tar archives, are looked for later,
// while others are worked on; there the second of an id is a [Fault].
func Find(paths []string, o FindOptions) (*Pictures, error) {
	p := &Pictures{pathIDs: o.PathIDs, part: o.Part, seen: map[[16]byte]struct{}{}}
	stdin := false
	list := func(name string) error {
		if name != "-" {
			p.sources = append(p.sources, &list{name: name, null: o.Null, ids: p.idOf, open: func() (io.ReadCloser, error) { return os.Open(name) }})
			_, err := os.Stat(name)
			return err
		}
		if stdin || o.Stdin == nil {
			return errors.New("-: want standard input once")
		}
		stdin = true
		open := func() (io.ReadCloser, error) { return io.NopCloser(o.Stdin), nil }
		p.sources = append(p.sources, &list{name: "standard input", null: o.Null, ids: p.idOf, open: open})
		return nil
	}
	for _, path := range paths {
		var err error
		if path == "-" {
			err = list(path)
		} else {
			err = p.add(path, o.Recursive)
		}
		if err != nil {
			p.Close()
			return nil, err
		}
	}
	for _, name := range o.Lists {
		if err := list(name); err != nil {
			p.Close()
			return nil, err
		}
	}
	if len(p.sources) == 0 {
		return nil, errors.New("no pictures are given")
	}
	if err := p.count(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// add finds the pictures of one path.
func (p *Pictures) add(path string, recursive bool) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && isPattern(path):
		found, err := p.pattern(path, recursive)
		p.sources = append(p.sources, found...)
		return err
	case err != nil:
		return err
	case info.IsDir():
		found, err := p.directory(path, recursive)
		p.sources = append(p.sources, found...)
		return err
	}
	switch name := strings.ToLower(path); {
	case strings.HasSuffix(name, ".tar"), strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		p.sources = append(p.sources, &tarball{path: path, ids: p.idOf})
		return nil
	case strings.HasSuffix(name, ".zip"):
		archive, err := openZip(path, p.idOf)
		if err == nil {
			p.sources = append(p.sources, archive)
		}
		return err
	}
	if last, ok := lastOf(p.sources).(*files); ok && last.dir == "" { // so that many single files are one source
		last.names = append(last.names, path)
	} else {
		p.sources = append(p.sources, &files{names: []string{path}, ids: p.idOf})
	}
	return nil
}

func lastOf(all []source) source {
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// count goes through what is known beforehand, and finds ids that come twice.
func (p *Pictures) count() error {
	twice := map[string][]string{} // paths by id
	for _, s := range p.sources {
		if s.stream() {
			p.streams = true
			continue
		}
		err := s.each(func(found picture) bool {
			if p.part.Has(found.id) {
				p.counted++
			}
			if found.err == nil && !p.first(found.id) && len(twice) < 20 {
				twice[found.id] = append(twice[found.id], found.path)
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	if len(twice) == 0 {
		return nil
	}
	var errs []error
	for _, s := range p.sources { // again, for the first of each
		if s.stream() {
			continue
		}
		s.each(func(found picture) bool {
			if others := twice[found.id]; others != nil {
				delete(twice, found.id)
				errs = append(errs, fmt.Errorf("%s: its id would be %s, as that of %s: rename one, or let ids be paths (--id path)", others[0], found.id, found.path))
			}
			return len(twice) > 0
		})
	}
	return errors.Join(errs...)
}

// first takes note of an id, and says whether it has not come before.
func (p *Pictures) first(id string) bool {
	whole := sha256.Sum256([]byte(id))
	hash := [16]byte(whole[:16])
	if _, ok := p.seen[hash]; ok {
		return false
	}
	p.seen[hash] = struct{}{}
	return true
}

// Len is the number of pictures that are known before they are gone through, and whether that is all of them.
func (p *Pictures) Len() (n int, all bool) { return p.counted, !p.streams }

// each gives all pictures of the part to yield until that answers false. Every picture passes here, once. One that has no id is in a part too, and
// its fault is that part's.
func (p *Pictures) each(yield func(picture) bool) error {
	for _, s := range p.sources {
		more := true
		err := s.each(func(found picture) bool {
			if !p.part.Has(found.id) {
				return true
			}
			if s.stream() && found.err == nil && !p.first(found.id) {
				found.err = fmt.Errorf("its id would be %s, as that of a picture before it", found.id)
			}
			more = yield(found)
			return more
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// Close closes archives. Nothing must be read any more.
func (p *Pictures) Close() error {
	var errs []error
	for _, s := range p.sources {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}

// idOf is the id of a picture by its path from where it was looked for, divided by slashes. The error says why it cannot be one.
func (p *Pictures) idOf(path string) (string, error) {
	parts := slices.DeleteFunc(strings.Split(path, "/"), func(part string) bool { return part == "" || part == "." || part == ".." })
	if len(parts) == 0 {
		return "", errors.New("it has no name")
	}
	last := &parts[len(parts)-1]
	if short := strings.TrimSuffix(*last, filepath.Ext(*last)); short != "" {
		*last = short
	}
	id := *last
	if p.pathIDs {
		id = strings.Join(parts, "/")
	}
	return id, checkID(id)
}

// checkID says whether all that regions are kept in can hold the id.
func checkID(id string) error {
	const longest = 1024
	switch {
	case len(id) > longest:
		return fmt.Errorf("its id would have %d bytes, want at most %d", len(id), longest)
	case strings.ToValidUTF8(id, "") != id:
		return fmt.Errorf("its id would be %q, which is not UTF-8 text", id)
	case strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("its id would be %q, which has control characters", id)
	}
	return nil
}

// isPicture says whether a file's name is one of a picture.
func isPicture(name string) bool {
	return name[0] != '.' && slices.Contains(vision.FileTypes(), strings.ToLower(filepath.Ext(name)))
}
