package data

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// AppendTSVPart opens one part of a TSV for adding, as WritePart does one of a store: PATH.part-00003-of-00008, with its own JSON beside it. When all are
// complete, [AssembleTSV] writes PATH, one part after the other.
//
// The error is AppendTSV's, or says that the TSV was begun with another number of parts or undivided, or that it has been assembled and its
// parts are gone.
func AppendTSVPart(path string, part Part, about TSVAbout) (*TSVFile, error) {
	if err := part.check(); err != nil {
		return nil, err
	}
	if err := part.FitsBeside(path); err != nil {
		return nil, err
	}
	whole, ours, err := readTSVAbout(path)
	if err != nil {
		return nil, err
	}
	_, statErr := os.Stat(path)
	_, partErr := os.Stat(PartPath(path, part))
	switch {
	case statErr == nil && (!ours || whole.Parts == 0):
		return nil, fmt.Errorf("%s: found a TSV that is not divided, want none or one of %d parts: take another name", path, part.Of)
	case statErr == nil && whole.Parts != part.Of:
		return nil, fmt.Errorf("%s: found a TSV of %d parts, want part %v: the number of parts must stay; take another name", path, whole.Parts, part)
	case statErr == nil && errors.Is(partErr, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: it has been assembled, and %s is no longer there: there is nothing to go on with; take another name", path, PartPath(path, part))
	}
	about.Part, about.Parts = part.Index, part.Of
	t, err := openTSVFile(PartPath(path, part), about)
	if err != nil {
		return nil, err
	}
	if err := part.FitsBeside(path); err != nil { // who may have come in at the same moment
		if t.Len() == 0 {
			os.Remove(t.path)
			os.Remove(t.path + TSVAboutSuffix)
		}
		t.Abandon()
		return nil, err
	}
	return t, nil
}

func (a TSVAbout) partOf() Part { return Part{a.Part, a.Parts} }

// complete says of a part, beside it, whether its writer has come to the end.
func (t *TSVFile) complete(is bool) error {
	if t.about.Parts == 0 || t.about.Complete == is {
		return nil
	}
	t.about.Complete, t.about.Images, t.about.Bytes = is, 0, 0
	if is {
		t.about.Images, t.about.Bytes = len(t.w.seen), t.size
	}
	return t.about.write(t.path)
}

// AssembleTSV writes a TSV of its parts, one after the other, by their numbers; the same bytes whoever does it. The parts stay: remove them when they are
// no longer to be added to. What AssembleTSV finds up to date it leaves alone.
//
// The error is as Assemble's. TSVAbout.Images is how many there are.
func AssembleTSV(path string) (TSVAbout, error) {
	lock, err := waitFor(tsvLock(path))
	if err != nil {
		return TSVAbout{}, err
	}
	defer lock.Release()
	parts, err := PartsBeside(path)
	if err != nil {
		return TSVAbout{}, err
	}
	if len(parts) == 0 {
		return TSVAbout{}, fmt.Errorf("%s: found no parts of it (%s)", path, PartPath(path, Part{0, 8}))
	}
	if err := MissingBeside(path, parts[0].Of); err != nil {
		return TSVAbout{}, err
	}
	about, err := joinTSVs(path, parts)
	if err != nil {
		return TSVAbout{}, err
	}
	if fresh, err := upToDate(path, about, parts); err != nil || fresh {
		return about, err
	}
	if err := about.write(path); err != nil {
		return TSVAbout{}, err
	}
	return about, atomicfile.Write(path, 0o644, func(w io.Writer) error {
		for _, part := range parts {
			if err := copyFile(w, PartPath(path, part)); err != nil {
				return err
			}
		}
		return nil
	})
}

// AssembleTSVAfter is AssembleTSV for who has just completed a part, see [AssembleAfter].
func AssembleTSVAfter(path string, part Part) (about TSVAbout, ok bool, err error) {
	for step := range part.Of {
		of := Part{(part.Index + 1 + step) % part.Of, part.Of}
		about, found, err := readTSVAbout(PartPath(path, of))
		if err != nil || !found || !about.Complete {
			return TSVAbout{}, false, err
		}
	}
	about, err = AssembleTSV(path)
	if _, unfinished := err.(*UnfinishedError); unfinished {
		return TSVAbout{}, false, nil
	}
	return about, err == nil, err
}

// joinTSVs compares parts with each other, and says what they are together.
func joinTSVs(path string, parts []Part) (whole TSVAbout, err error) {
	unfinished := &UnfinishedError{Path: path, Of: parts[0].Of}
	var errs []error
	for i, part := range parts {
		name := PartPath(path, part)
		about, ours, err := readTSVAbout(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !ours || about.partOf() != part {
			errs = append(errs, fmt.Errorf("%s: found no %s that is about part %v", name, name+TSVAboutSuffix, part))
			continue
		}
		if i == 0 {
			whole = about
			whole.Part, whole.Images, whole.Bytes, whole.Complete = 0, 0, 0, false
		}
		if about.Preset != whole.Preset || about.Detector != whole.Detector || about.FeatureWidth != whole.FeatureWidth {
			errs = append(errs, fmt.Errorf("%s: found preset %q, detector %q, features of width %d, want %q, %q, %d as in part %v: "+
				"write it again with the options of the others",
				name, about.Preset, about.Detector, about.FeatureWidth, whole.Preset, whole.Detector, whole.FeatureWidth, parts[0]))
		}
		if !about.Complete {
			unfinished.Incomplete = append(unfinished.Incomplete, part.Index)
			continue
		}
		if info, err := os.Stat(name); err != nil {
			errs = append(errs, err)
		} else if info.Size() != about.Bytes {
			errs = append(errs, fmt.Errorf("%s: found %d bytes, want %d (%s): the file was cut off or replaced",
				name, info.Size(), about.Bytes, filepath.Base(name)+TSVAboutSuffix))
		}
		whole.Images += about.Images
		whole.Bytes += about.Bytes
	}
	switch {
	case len(errs) > 0:
		return TSVAbout{}, errors.Join(errs...)
	case unfinished.Incomplete != nil:
		return TSVAbout{}, unfinished
	case whole.Images == 0:
		return TSVAbout{}, fmt.Errorf("%s: %w in any of its %d parts", path, ErrNoImages, whole.Parts)
	}
	return whole, nil
}

// upToDate says whether a TSV that is there is younger than all its parts, and as long as they are together.
func upToDate(path string, want TSVAbout, parts []Part) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	found, ours, err := readTSVAbout(path)
	switch {
	case err != nil:
		return false, err
	case !ours || found.Parts == 0:
		return false, fmt.Errorf("%s: found parts, but also an undivided TSV: which is meant? Move one of them elsewhere", path)
	case found != want || info.Size() != want.Bytes:
		return false, nil
	}
	for _, part := range parts {
		if p, err := os.Stat(PartPath(path, part)); err != nil || p.ModTime().After(info.ModTime()) {
			return false, err
		}
	}
	return true, nil
}

func copyFile(w io.Writer, path string) error {
	file, err := plainfile.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}
