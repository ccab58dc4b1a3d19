package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/vision"
)

// Pictures are picture files that are looked at when their regions are asked for. Package data's Import makes a store of them, which is read much faster.
type Pictures struct {
	path      string // for errors: the first that was given
	extractor vision.Extractor
	ids       []string
	files     map[string]string // by id
}

var _ Source = (*Pictures)(nil)

// pictureTypes are the ends of picture files' names.
var pictureTypes = []string{".png", ".jpg", ".jpeg"}

// PictureEndings are those that [FindPictures] looks for in a directory, in small letters.
func PictureEndings() []string { return slices.Clone(pictureTypes) }

// FindPictures finds the PNG and JPEG files that paths name: files, and directories with all such files in them, by name, though not those below. An
// image's id is its file's name without its type. The error says that one is not there, or that two have the same id; whether they
// are pictures is seen later.
func FindPictures(extractor vision.Extractor, paths ...string) (*Pictures, error) {
	if len(paths) == 0 {
		return nil, errors.New("no pictures are given")
	}
	p := &Pictures{path: paths[0], extractor: extractor, files: map[string]string{}}
	var errs []error
	for _, path := range paths {
		files, err := picturesAt(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			name := filepath.Base(file)
			id := strings.TrimSuffix(name, filepath.Ext(name))
			if other, ok := p.files[id]; ok {
				errs = append(errs, fmt.Errorf("%s: its id would be %s, as that of %s: rename one", plain(file), plain(id), plain(other)))
				continue
			}
			p.files[id] = file
			p.ids = append(p.ids, id)
		}
	}
	return p, errors.Join(errs[:min(len(errs), 20)]...)
}

// picturesAt are the pictures in a directory, or the one file.
func picturesAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(pictureTypes, strings.ToLower(filepath.Ext(e.Name()))) {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: found no pictures in it, want files that end in %s", path, strings.Join(pictureTypes, ", "))
	}
	return files, nil
}

// Path is the first of the paths given.
func (p *Pictures) Path() string { return p.path }

// Len is the number of pictures.
func (p *Pictures) Len() int { return len(p.ids) }

// IDs are the pictures' ids, in the order of the paths.
func (p *Pictures) IDs() []string { return slices.Clone(p.ids) }

// File is the file of a picture, "" if there is none of that id.
func (p *Pictures) File(id string) string { return p.files[id] }

// Get decodes a picture and finds its regions. Errors name its file.
func (p *Pictures) Get(id string) (vision.Regions, error) {
	file, ok := p.files[id]
	if !ok {
		return vision.Regions{}, &NotFoundError{Path: p.path, ID: id, among: p}
	}
	img, err := vision.DecodeFile(file)
	if err != nil {
		return vision.Regions{}, err
	}
	regions, err := p.extractor.Extract(context.Background(), img)
	if err != nil {
		return vision.Regions{}, fmt.Errorf("%s: %w", file, err)
	}
	return regions, nil
}

// All goes through the pictures in the order of IDs.
func (p *Pictures) All() iter.Seq2[Record, error] { return allOf(p) }

// Close does nothing: files are open while they are read.
func (p *Pictures) Close() error { return nil }
