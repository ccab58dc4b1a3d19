package data

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/vision"
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

// Stats are figures about the regions in a store or a TSV.
type Stats struct {
	Images         int     `json:"images"`
	Skipped        int     `json:"skipped"` // images that could not be read
	Regions        int     `json:"regions"`
	MinRegions     int     `json:"min_regions"` // of an image
	MaxRegions     int     `json:"max_regions"`
	FeatureWidth   int     `json:"feature_width"`
	Preset         string  `json:"preset"`
	MinFeature     float32 `json:"min_feature"`
	MaxFeature     float32 `json:"max_feature"`
	MeanFeature    float64 `json:"mean_feature"` // over all numbers
	ZeroShare      float64 `json:"zero_share"`   // of all numbers, those that are exactly 0
	MeanArea       float64 `json:"mean_area"`    // of a box, as a share of its picture
	WithSize       int     `json:"with_size"`    // images
	WithObjects    int     `json:"with_objects"`
	WithAttributes int     `json:"with_attributes"`
	MeanObject     float64 `json:"mean_object_confidence"`
	MeanAttribute  float64 `json:"mean_attribute_confidence"`
}

// Measure reads all of a source. The error names the first image that cannot be read; with skipBad such are counted.
func Measure(ctx context.Context, source Source, skipBad bool) (Stats, error) {
	var s Stats
	var features, zeros, sum, area, objects, attributes float64
	var objectCount, attributeCount int
	for record, err := range source.All() {
		if ctx.Err() != nil {
			return s, ctx.Err()
		}
		if err != nil {
			if s.Skipped++; skipBad {
				continue
			}
			return s, err
		}
		r := record.Regions
		n := r.Len()
		if s.Images == 0 {
			s.MinRegions, s.MinFeature, s.MaxFeature = n, r.Features[0], r.Features[0]
			s.FeatureWidth, s.Preset = r.FeatureWidth, r.Preset
		}
		s.Images++
		s.Regions += n
		s.MinRegions, s.MaxRegions = min(s.MinRegions, n), max(s.MaxRegions, n)
		for _, v := range r.Features {
			if v == 0 {
				zeros++
			}
			sum += float64(v)
			s.MinFeature, s.MaxFeature = min(s.MinFeature, v), max(s.MaxFeature, v)
		}
		features += float64(len(r.Features))
		for i := range n {
			b := r.Box(i)
			area += float64(b[2]-b[0]) * float64(b[3]-b[1])
		}
		if r.Size != (vision.Size{}) {
			s.WithSize++
		}
		if len(r.Objects) > 0 {
			s.WithObjects++
			objectCount += n
			objects += confidence(r.Objects)
		}
		if len(r.Attributes) > 0 {
			s.WithAttributes++
			attributeCount += n
			attributes += confidence(r.Attributes)
		}
	}
	s.MeanFeature, s.ZeroShare = sum/max(features, 1), zeros/max(features, 1)
	s.MeanArea = area / float64(max(s.Regions, 1))
	s.MeanObject, s.MeanAttribute = objects/float64(max(objectCount, 1)), attributes/float64(max(attributeCount, 1))
	return s, nil
}

func confidence(labels []vision.Label) (sum float64) {
	for _, l := range labels {
		sum += float64(l.Confidence)
	}
	return sum
}
