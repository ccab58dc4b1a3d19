package data

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-lxmert/lxmert/checkpoint"
)

// A CheckReport is what Check found.
type CheckReport struct {
	Images  int      // that could be read
	Regions int      // of these
	Faults  []error  // the first hundred
	Count   int      // of all faults
	Notes   []string // what is no fault, but worth knowing
}

func (r *CheckReport) fault(err error) {
	const kept = 100
	each(err, func(err error) error {
		r.Count++
		if len(r.Faults) < kept {
			r.Faults = append(r.Faults, err)
		}
		return err
	})
}

// Check reads everything in a store, a TSV or another file of features: every image's boxes, labels and features (vision.Regions.Check).
// Of a store it also compares each file with its hash and each index with the header it follows from, and finds
// images that are in two shards. wanted are ids that must be there, perhaps none. progress, unless nil, hears
// how many images are done.
//
// The error is ctx's, or that of opening; faults are in the report.
func Check(ctx context.Context, path string, wanted []string, progress func(done, of int)) (*CheckReport, error) {
	source, err := OpenForeign(path, HDF5Options{})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	report := &CheckReport{}
	if store, ok := source.(*Store); ok {
		if err := store.check(ctx, report); err != nil {
			return nil, err
		}
	}
	done, width := 0, 0
	for record, err := range source.All() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		found := record.Regions.FeatureWidth
		if err == nil && width != 0 && found != width {
			err = fmt.Errorf("%s: image %s: features are %d numbers wide, want %d as in the images before", path, plain(record.ID), found, width)
		}
		if err != nil {
			report.fault(err)
		} else {
			width = found
			report.Images++
			report.Regions += record.Regions.Len()
		}
		if done++; progress != nil {
			progress(done, source.Len())
		}
	}
	report.missing(source, wanted)
	return report, nil
}

// missing finds those of the ids that the source does not have.
func (r *CheckReport) missing(source Source, wanted []string) {
	if len(wanted) == 0 {
		return
	}
	have := map[string]bool{}
	for _, id := range source.IDs() {
		have[id] = true
	}
	for _, id := range wanted {
		if !have[id] {
			have[id] = true // said once
			r.fault(fmt.Errorf("%s: image %s is missing", source.Path(), plain(id)))
		}
	}
}

// check looks at a store's files.
func (s *Store) check(ctx context.Context, report *CheckReport) error {
	known := map[string]bool{ManifestName: true, ".lock": true}
	in := map[string]string{} // which shard an image is in
	for _, shard := range s.shards {
		known[shard.about.File], known[shard.about.Index] = true, true
		if ctx.Err() != nil {
			return ctx.Err()
		}
		shard.check(s.path, report)
		for _, id := range s.idsOf(shard) {
			if other, ok := in[id]; ok {
				report.fault(fmt.Errorf("%s: image %s is in %s too, want each once", shard.file.Path(), plain(id), other))
			}
			in[id] = shard.about.File
			if part := (Part{shard.about.Part, s.manifest.Parts}); !part.Has(id) {
				report.fault(fmt.Errorf("%s: image %s belongs to part %d/%d, found it in %v", shard.file.Path(), plain(id), PartOf(id, part.Of), part.Of, part))
			}
		}
	}
	images := make([]int, s.manifest.Parts)
	for _, shard := range s.shards {
		if s.manifest.Parts > 0 {
			images[shard.about.Part] += shard.about.Images
		}
	}
	for i := range images {
		part := Part{i, s.manifest.Parts}
		known[part.manifestName()] = true
		if m, err := readPart(s.path, part); err == nil && (!m.Complete || m.Images != images[i]) {
			report.Notes = append(report.Notes, fmt.Sprintf("part %v has changed since the store was assembled: lxmert data assemble brings it up to date", part))
		}
	}
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, checkpoint.PartialSuffix) {
			report.Notes = append(report.Notes, fmt.Sprintf("%s is not complete: its writer is at work, or was interrupted and can be started again", name))
		} else if !known[name] && !strings.HasSuffix(name, ".journal") && name[0] != '.' {
			report.Notes = append(report.Notes, fmt.Sprintf("%s is none of the store's files", plain(name)))
		}
	}
	return nil
}

// check compares a shard's files with their hashes, and its index with its header.
func (shard *storeShard) check(dir string, report *CheckReport) {
	for name, want := range map[string]string{shard.about.File: shard.about.SHA256, shard.about.Index: shard.about.IndexSHA256} {
		path := filepath.Join(dir, name)
		if found, err := sha256File(path); err != nil {
			report.fault(err)
		} else if found != want {
			report.fault(fmt.Errorf("%s: SHA-256 is %s, want %s (%s): the file has changed", path, found, want, ManifestName))
		}
	}
	parts, _, err := shard.file.Parts()
	if err != nil {
		report.fault(err)
		return
	}
	images, err := indexOf(parts, shard.width, shard.dtype)
	if err != nil {
		report.fault(fmt.Errorf("%s: %w", shard.file.Path(), err))
		return
	}
	if len(images) != shard.index.len() {
		report.fault(fmt.Errorf("%s: %d images, but the shard has %d", shard.index.path, shard.index.len(), len(images)))
	}
	for i, want := range images {
		if found, ok := shard.index.find(idHash(want.id), want.id); !ok || found != want {
			report.fault(fmt.Errorf("%s: image %s (number %d of the shard) is not where the shard has it", shard.index.path, plain(want.id), i))
		}
	}
}
