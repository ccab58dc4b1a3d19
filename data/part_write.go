package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// WritePart opens one part of a store for adding: that of the images whose ids part.Has, in the same directory as all other parts. Each part has files of
// its own, a lock of its own and its own manifest, so that any number of processes write at once, on any number of machines; the directory may
// be one that they share, or their files may be copied together later. A part goes on where it was, as a store does (see WriteStore); its bytes depend on
// its images, their order and the options alone.
//
// Close says that the part is complete, Abandon that somebody will go on. When all parts are, [Assemble] makes them a store.
//
// The error says where the part, or another one that is there, was written with other options or another number of parts, that another writer is at
// work on the part, or that the directory holds an undivided store or something else.
func WritePart(dir string, part Part, options StoreOptions) (*StoreWriter, error) {
	if err := part.check(); err != nil {
		return nil, err
	}
	return openWriter(dir, part, options)
}

// openPart reads what is there already of the part. It leaves a manifest, so that from now on others see into how many parts the store is divided and
// what the options are.
func (w *StoreWriter) openPart() error {
	if err := w.sweep(); err != nil {
		return err
	}
	if err := w.amongOthers(); err != nil {
		return err
	}
	m, err := readPart(w.dir, w.part)
	fresh := errors.Is(err, fs.ErrNotExist)
	switch {
	case fresh:
		if err := w.freshPart(); err != nil {
			return err
		}
		if err := w.amongOthers(); err != nil { // who may have come in at the same moment
			os.Remove(filepath.Join(w.dir, w.part.manifestName()))
			return err
		}
	case err != nil:
		return err
	default:
		w.complete = m.Complete
		if err := w.goOn(m.Manifest); err != nil {
			return err
		}
	}
	return w.resume()
}

// amongOthers says why the part does not fit to what is in the directory.
func (w *StoreWriter) amongOthers() error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	sibling := Part{} // one stands for all: Assemble compares each with each
	foreign, ours := "", false
	for _, e := range entries {
		name := e.Name()
		switch p := partOfFile(name); {
		case name[0] == '.':
		case name == ManifestName:
			ours = true
			m, err := ReadManifest(w.dir)
			if err != nil {
				return err
			}
			if m.Parts != w.part.Of {
				return w.otherParts(m.Parts)
			}
			if err := w.options.agree(w.called(), m); err != nil {
				return err
			}
		case p.Of != 0 && p.Of != w.part.Of:
			return w.otherParts(p.Of)
		case p.Of != 0:
			if ours = true; p != w.part && name == p.manifestName() && sibling.IsZero() {
				sibling = p
			}
		case strings.HasPrefix(name, "regions-"):
			return w.otherParts(0)
		default:
			foreign = name
		}
	}
	if foreign != "" && !ours {
		return fmt.Errorf("%s: found %s: this directory holds something else; want an empty one or a store", w.dir, plain(foreign))
	}
	if sibling.IsZero() {
		return nil
	}
	m, err := readPart(w.dir, sibling)
	if errors.Is(err, fs.ErrNotExist) { // it has given up
		return nil
	}
	if err != nil {
		return err
	}
	return w.options.agree(fmt.Sprintf("%s: part %v", w.dir, sibling), m.Manifest)
}

func (w *StoreWriter) otherParts(n int) error {
	if n == 0 {
		return fmt.Errorf("%s: found a store that is not divided, want none or one of %d parts: take another directory", w.dir, w.part.Of)
	}
	return fmt.Errorf("%s: found a store of %d parts, want part %v: the number of parts must stay; take i/%d, or another directory", w.dir, n, w.part, n)
}

// freshPart begins a part. Shards without the manifest that tells of them are not written over.
func (w *StoreWriter) freshPart() error {
	shards, err := filepath.Glob(filepath.Join(escaped(w.dir), w.part.shardPrefix()+"*.safetensors"))
	if err != nil {
		return err
	}
	for _, path := range shards {
		if _, err := os.Stat(strings.TrimSuffix(path, ".safetensors") + ".journal"); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: found the part's shard %s, but its %s is missing: copy it here, or remove the shard",
				w.dir, filepath.Base(path), w.part.manifestName())
		}
	}
	w.manifest = w.options.manifest(partFormat)
	w.manifest.Parts = w.part.Of
	w.done = &Store{path: w.dir, manifest: w.manifest}
	return w.publish(w.manifest)
}

// reopenPart takes back that the part is complete: something is to be added.
func (w *StoreWriter) reopenPart() error {
	if !w.complete {
		return nil
	}
	w.complete = false
	return w.publish(w.manifest)
}

// finishPart says that the part is complete.
func (w *StoreWriter) finishPart() error {
	if w.part.IsZero() || w.complete {
		return nil
	}
	w.complete = true
	return w.publish(w.manifest)
}

// escaped is a path in which filepath.Glob takes nothing for a pattern.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
