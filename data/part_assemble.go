package data

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/filelock"
)

// An UnfinishedError says which parts are not there yet, or not complete.
type UnfinishedError struct {
	Path                string
	Of                  int
	Missing, Incomplete []int
}

func (e *UnfinishedError) Error() string {
	var texts []string
	if n := len(e.Missing); n > 0 {
		texts = append(texts, fmt.Sprintf("%s missing", e.named(e.Missing)))
	}
	if n := len(e.Incomplete); n > 0 {
		texts = append(texts, fmt.Sprintf("%s not complete (at work, or interrupted and to be started again)", e.named(e.Incomplete)))
	}
	return fmt.Sprintf("%s: of %d parts %s", e.Path, e.Of, strings.Join(texts, ", "))
}

// named are the first few parts.
func (e *UnfinishedError) named(parts []int) string {
	const most = 20
	var texts []string
	for _, i := range parts[:min(len(parts), most)] {
		texts = append(texts, Part{i, e.Of}.String())
	}
	text := strings.Join(texts, ", ")
	if more := len(parts) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if len(parts) == 1 {
		return text + " is"
	}
	return text + " are"
}

// Assemble makes a store of the parts in a directory: it writes the manifest, from theirs, part by part. Whoever does it, and however often, gets
// the same bytes. Files of regions are not moved or changed.
//
// The error is an [*UnfinishedError] where parts are missing or incomplete; else it names each part that was written with other options than the rest,
// whose files are cut off or missing, or says that the directory has no parts, those of two divisions, or an undivided store.
func Assemble(dir string) (Manifest, error) {
	lock, err := waitFor(filepath.Join(dir, Part{}.lockName()))
	if err != nil {
		return Manifest{}, err
	}
	defer lock.Release()
	parts, err := partsIn(dir)
	if err != nil {
		return Manifest{}, err
	}
	before, err := ReadManifest(dir)
	switch {
	case len(parts) == 0 && err == nil:
		return Manifest{}, fmt.Errorf("%s: the store is not divided into parts, there is nothing to assemble", dir)
	case len(parts) == 0:
		return Manifest{}, fmt.Errorf("%s: found no parts of a region store (%s)", dir, Part{0, 8}.manifestName())
	case err == nil && before.Parts == 0:
		return Manifest{}, fmt.Errorf("%s: found parts, but also an undivided store: which is meant? Move one of them elsewhere", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return Manifest{}, err
	}
	if err := oneDivision(dir, parts); err != nil {
		return Manifest{}, err
	}
	manifests, err := readParts(dir, parts[0].Of)
	if err != nil {
		return Manifest{}, err
	}
	m, err := JoinParts(dir, manifests)
	if err != nil {
		return Manifest{}, err
	}
	if err := whole(dir, m); err != nil {
		return Manifest{}, err
	}
	content, err := m.Bytes()
	if err != nil {
		return Manifest{}, err
	}
	path := filepath.Join(dir, ManifestName)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return m, nil
	}
	return m, atomicfile.WriteBytes(path, 0o644, content)
}

// AssembleAfter is Assemble for who has just completed a part, perhaps the last: ok is false where others are not complete yet. It reads no more than it
// takes to know that. Of several who come to the end at once each may assemble; the result is the same.
func AssembleAfter(dir string, part Part) (m Manifest, ok bool, err error) {
	for step := range part.Of {
		of := Part{(part.Index + 1 + step) % part.Of, part.Of}
		m, err := readPart(dir, of)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !m.Complete {
			return Manifest{}, false, nil
		}
		if err != nil {
			return Manifest{}, false, err
		}
	}
	m, err = Assemble(dir)
	if _, unfinished := err.(*UnfinishedError); unfinished { // somebody has begun to add to a part
		return Manifest{}, false, nil
	}
	return m, err == nil, err
}

// readParts reads the manifests of all parts.
func readParts(dir string, n int) ([]PartManifest, error) {
	unfinished := &UnfinishedError{Path: dir, Of: n}
	var manifests []PartManifest
	var errs []error
	for i := range n {
		m, err := readPart(dir, Part{i, n})
		switch {
		case errors.Is(err, fs.ErrNotExist):
			unfinished.Missing = append(unfinished.Missing, i)
		case err != nil:
			errs = append(errs, err)
		case !m.Complete:
			unfinished.Incomplete = append(unfinished.Incomplete, i)
		}
		manifests = append(manifests, m)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if len(unfinished.Missing)+len(unfinished.Incomplete) > 0 {
		return nil, unfinished
	}
	return manifests, nil
}

// JoinParts makes the manifest of a store from those of all its parts, in any order; for who keeps their files elsewhere than in a directory, as path
// calls it. See [Assemble] for the error.
func JoinParts(path string, parts []PartManifest) (Manifest, error) {
	if len(parts) == 0 {
		return Manifest{}, fmt.Errorf("%s: found no parts", path)
	}
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b PartManifest) int { return comparePart(a.part(), b.part()) })
	var errs []error
	unfinished := &UnfinishedError{Path: path, Of: parts[0].Parts}
	next := 0
	for _, p := range parts {
		if p.Parts != parts[0].Parts || p.Part < next {
			errs = append(errs, fmt.Errorf("%s: found part %v after part %d/%d, want each part of one division once", path, p.part(), next-1, parts[0].Parts))
			continue
		}
		for ; next < p.Part; next++ {
			unfinished.Missing = append(unfinished.Missing, next)
		}
		if next++; !p.Complete {
			unfinished.Incomplete = append(unfinished.Incomplete, p.Part)
		}
	}
	for ; next < parts[0].Parts; next++ {
		unfinished.Missing = append(unfinished.Missing, next)
	}
	if len(unfinished.Missing)+len(unfinished.Incomplete) > 0 {
		errs = append(errs, unfinished)
	}
	m, err := join(path, parts)
	return m, errors.Join(append(errs, err)...)
}

// join puts together parts that are sorted, each of which must agree with the first that has images.
func join(path string, parts []PartManifest) (Manifest, error) {
	first := parts[0]
	for _, p := range parts {
		if p.Images > 0 {
			first = p
			break
		}
	}
	m := first.Manifest
	m.Format, m.Images, m.Regions, m.Shards = storeFormat, 0, 0, []Shard{}
	var errs []error
	for _, p := range parts {
		differ := func(what, found, want any) {
			errs = append(errs, fmt.Errorf("%s: part %v has %s %v, want %v as part %v: write it again with the options of the others",
				path, p.part(), what, found, want, first.part()))
		}
		if p.Preset != m.Preset && (p.Images > 0 || p.Preset != "") {
			differ("preset", fmt.Sprintf("%q", p.Preset), fmt.Sprintf("%q", m.Preset))
		}
		if p.Detector != m.Detector {
			differ("detector", fmt.Sprintf("%q", p.Detector), fmt.Sprintf("%q", m.Detector))
		}
		if p.DType != m.DType {
			differ("features of type", p.DType, m.DType)
		}
		if p.FeatureWidth != m.FeatureWidth && p.Images > 0 {
			differ("features of width", p.FeatureWidth, m.FeatureWidth)
		}
		m.Images += p.Images
		m.Regions += p.Regions
		m.Shards = append(m.Shards, p.Shards...)
	}
	if len(errs) == 0 && m.Images == 0 {
		errs = append(errs, fmt.Errorf("%s: %w in any of its %d parts", path, ErrNoImages, first.Parts))
	}
	return m, errors.Join(errs...)
}

// ErrNoImages is the answer of Assemble to parts that are all empty: there is no store without an image.
var ErrNoImages = errors.New("there are no images")

// whole checks that the files are there, as long as the manifest says.
func whole(dir string, m Manifest) error {
	var errs []error
	for _, about := range m.Shards {
		shard, err := openShard(dir, m, about)
		if err != nil {
			errs = append(errs, fmt.Errorf("part %d/%d: %w", about.Part, m.Parts, err))
			continue
		}
		shard.close()
	}
	return errors.Join(errs...)
}

// partsIn are the parts that have been begun in a directory, by number; those of several divisions by these.
func partsIn(dir string) ([]Part, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var parts []Part
	for _, e := range entries {
		if p := partOfFile(e.Name()); !p.IsZero() && !slices.Contains(parts[max(0, len(parts)-1):], p) {
			parts = append(parts, p)
		}
	}
	slices.SortFunc(parts, comparePart)
	return slices.Compact(parts), nil
}

func comparePart(a, b Part) int { return cmp.Or(a.Of-b.Of, a.Index-b.Index) }

// longestAssembly is how long one waits for another who assembles: it reads a small file for each part.
const longestAssembly = time.Minute

// waitFor takes a lock that others hold for a moment.
func waitFor(path string) (*filelock.Lock, error) {
	for end := time.Now().Add(longestAssembly); ; time.Sleep(20 * time.Millisecond) {
		lock, err := filelock.Acquire(path)
		if !errors.Is(err, filelock.ErrHeld) {
			return lock, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%s: another program is writing this store or assembling it: %w", filepath.Dir(path), err)
		}
	}
}
