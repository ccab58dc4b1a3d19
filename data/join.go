package data

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/go-lxmert/lxmert/vision"
)

// Join makes one source of several; it closes them all. Pre-training has its pictures in three. An image that is in two of them is an error,
// for nobody could say which is meant.
func Join(sources ...Source) (Source, error) {
	if len(sources) == 1 {
		return sources[0], nil
	}
	j := &joined{sources: sources, of: map[string]int{}}
	for i, s := range sources {
		for _, id := range s.IDs() {
			if first, ok := j.of[id]; ok && first != i {
				return nil, fmt.Errorf("image %.100q is in %s and in %s, want each image once", id, sources[first].Path(), s.Path())
			}
			j.of[id] = i
			j.ids = append(j.ids, id)
		}
	}
	return j, nil
}

// joined are sources side by side.
type joined struct {
	sources []Source
	ids     []string
	of      map[string]int // the source that an image is in
}

func (j *joined) Path() string {
	paths := make([]string, len(j.sources))
	for i, s := range j.sources {
		paths[i] = s.Path()
	}
	return strings.Join(paths, ", ")
}

func (j *joined) Len() int      { return len(j.ids) }
func (j *joined) IDs() []string { return j.ids }

func (j *joined) Get(id string) (vision.Regions, error) {
	i, ok := j.of[id]
	if !ok {
		return vision.Regions{}, &NotFoundError{j.Path(), id, j}
	}
	return j.sources[i].Get(id)
}

func (j *joined) All() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, s := range j.sources {
			for record, err := range s.All() {
				if !yield(record, err) {
					return
				}
			}
		}
	}
}

func (j *joined) Close() error {
	var errs []error
	for _, s := range j.sources {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
