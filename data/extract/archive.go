package extract

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/vision"
)

// wanted says whether an archive's entry is a picture, by its name, divided by slashes: not a file that macOS adds.
func wanted(name string) bool {
	return !strings.HasPrefix(name, "__MACOSX/") && !strings.HasSuffix(name, "/") && isPicture(path.Base(name))
}

// entry is a picture in an archive. Names are hostile, but they only become ids: nothing is written to a path.
func entry(archive, name string, ids func(string) (string, error)) picture {
	p := picture{path: archive + ":" + name}
	p.id, p.err = ids(name)
	return p
}

func noPictures(archive string) error {
	return fmt.Errorf("%s: found no pictures in it, want files that end in %s", archive, strings.Join(vision.FileTypes(), ", "))
}

// A tarball is a tar archive, perhaps with gzip, which is read once from its beginning to its end.
type tarball struct {
	path string
	ids  func(path string) (string, error)
}

func (t *tarball) stream() bool { return true }
func (t *tarball) close() error { return nil }

func (t *tarball) each(yield func(picture) bool) error {
	file, err := plainfile.Open(t.path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewReaderSize(file, 1<<18)
	var content io.Reader = buffered
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if content, err = gzip.NewReader(buffered); err != nil {
			return fmt.Errorf("%s: %w", t.path, err)
		}
	}
	entries := tar.NewReader(content)
	last, found := "at its beginning", false
	for {
		header, err := entries.Next()
		switch {
		case err == io.EOF && !found:
			return noPictures(t.path)
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return fmt.Errorf("%s: the archive is damaged or cut off %s: %w", t.path, last, err)
		}
		name := strings.ReplaceAll(header.Name, `\`, "/")
		last = fmt.Sprintf("after entry %q", header.Name)
		if header.Typeflag != tar.TypeReg || !wanted(name) {
			continue
		}
		found = true
		p := entry(t.path, name, t.ids)
		p.stream = true
		p.open = func() (io.ReadCloser, int64, error) { return io.NopCloser(entries), header.Size, nil }
		if !yield(p) {
			return nil
		}
	}
}

// A zipped archive can be read anywhere.
type zipped struct {
	path    string
	archive *zip.ReadCloser
	ids     func(path string) (string, error)
}

// openZip reads the list of what is in the archive: some 300 bytes of memory for each entry.
func openZip(path string, ids func(string) (string, error)) (*zipped, error) {
	file, err := plainfile.Open(path) // first, for a pipe would wait
	if err != nil {
		return nil, err
	}
	file.Close()
	archive, err := zip.OpenReader(path)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	z := &zipped{path: path, archive: archive, ids: ids}
	for _, f := range archive.File {
		if wanted(zipName(f)) {
			return z, nil
		}
	}
	archive.Close()
	return nil, noPictures(path)
}

func zipName(f *zip.File) string { return strings.ReplaceAll(f.Name, `\`, "/") }

func (z *zipped) stream() bool { return false }
func (z *zipped) close() error { return z.archive.Close() }

func (z *zipped) each(yield func(picture) bool) error {
	const encrypted = 1
	for _, f := range z.archive.File {
		if !wanted(zipName(f)) || !f.Mode().IsRegular() {
			continue
		}
		p := entry(z.path, zipName(f), z.ids)
		p.open = func() (io.ReadCloser, int64, error) {
			if f.Flags&encrypted != 0 {
				return nil, 0, errors.New("it is encrypted in the archive, want it unpacked")
			}
			content, err := f.Open()
			return content, int64(min(f.UncompressedSize64, 1<<62)), err
		}
		if !yield(p) {
			return nil
		}
	}
	return nil
}
