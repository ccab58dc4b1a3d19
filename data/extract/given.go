package extract

import (
	"io"
	"iter"
)

// A Given picture is one that the caller has found.
type Given struct {
	ID, Path string // Path is for messages
	Err      error  // it is known already that it cannot be looked at: it will be a fault

	// Open is for its bytes, and how many they claim to be; nil opens the file at Path. It is called once at most, by any goroutine, and perhaps for
	// several pictures at once.
	Open func() (io.ReadCloser, int64, error)
}

// Pick makes pictures of those that the caller gives, in their order; for who finds them elsewhere than [Find] does. The second with an id is a fault, and so
// is one whose id cannot be kept.
func Pick(all iter.Seq[Given]) *Pictures {
	return &Pictures{sources: []source{given{all}}, streams: true, seen: map[[16]byte]struct{}{}}
}

type given struct{ all iter.Seq[Given] }

func (g given) stream() bool { return true }
func (g given) close() error { return nil }

func (g given) each(yield func(picture) bool) error {
	for one := range g.all {
		p := file(one.Path, one.Path, func(string) (string, error) { return one.ID, checkID(one.ID) })
		if one.Open != nil {
			p.open = one.Open
		}
		if one.Err != nil {
			p.err = one.Err
		}
		if !yield(p) {
			return nil
		}
	}
	return nil
}

// Each goes through the pictures without looking at them, until yield answers false; err says why one cannot be looked at. The error says why there are no
// more. Lists and tar archives are used up by it.
func (p *Pictures) Each(yield func(id, path string, err error) bool) error {
	return p.each(func(found picture) bool { return yield(found.id, found.path, found.err) })
}

// PictureID is the id of a picture by its path, divided by slashes: the file's name without its type, or with whole the path without it. See [Find].
func PictureID(path string, whole bool) (string, error) {
	return (&Pictures{pathIDs: whole}).idOf(path)
}

// IsPicture says whether a file is a picture by the end of its name.
func IsPicture(name string) bool { return name != "" && isPicture(name) }
