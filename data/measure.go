package data

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/go-lxmert/lxmert/vision"
)

// Stats are figures about the regions in a store or a TSV.
type Stats struct {
	Images         int     `json:"images"`
	Skipped        int     `json:"skipped"` // images that could not be read
	Regions        int     `json:"regions"`
	MinRegions     int     `json:"min_regions"` // of an image
	MedianRegions  int     `json:"median_regions"`
	MaxRegions     int     `json:"max_regions"`
	FeatureWidth   int     `json:"feature_width"`
	Preset         string  `json:"preset"`
	MinFeature     float32 `json:"min_feature"`
	MaxFeature     float32 `json:"max_feature"`
	MeanFeature    float64 `json:"mean_feature"` // over all numbers
	StdFeature     float64 `json:"std_feature"`  // standard deviation, likewise
	ZeroShare      float64 `json:"zero_share"`   // of all numbers, those that are exactly 0
	MeanArea       float64 `json:"mean_area"`    // of a box, as a share of its picture
	MeanWidth      float64 `json:"mean_width"`   // likewise
	MeanHeight     float64 `json:"mean_height"`
	SmallBoxes     float64 `json:"small_boxes"` // of all boxes, those below SmallArea
	LargeBoxes     float64 `json:"large_boxes"` // and those above LargeArea
	WithSize       int     `json:"with_size"`   // images
	WithObjects    int     `json:"with_objects"`
	WithAttributes int     `json:"with_attributes"`
	MeanObject     float64 `json:"mean_object_confidence"`
	MeanAttribute  float64 `json:"mean_attribute_confidence"`

	// How often each label is there, by its id.
	Objects    LabelCounts `json:"-"`
	Attributes LabelCounts `json:"-"`
}

// Boxes that Stats count as small and large, as shares of their picture.
const (
	SmallArea = 0.01
	LargeArea = 0.5
)

// LabelCounts say how many regions have a label, by its id.
type LabelCounts map[int]int

// A LabelCount is one of them.
type LabelCount struct{ ID, Count int }

// Most are the n most frequent labels, the first first, and of equals the one with the lower id.
func (c LabelCounts) Most(n int) []LabelCount {
	all := make([]LabelCount, 0, len(c))
	for id, count := range c {
		all = append(all, LabelCount{id, count})
	}
	slices.SortFunc(all, func(a, b LabelCount) int { return cmp.Or(b.Count-a.Count, a.ID-b.ID) })
	return all[:min(max(n, 0), len(all))]
}

// A measure adds up what Stats are made of.
type measure struct {
	Stats
	features, zeros, sum, squares float64
	area, width, height           float64
	small, large                  int
	objects, attributes           float64
	objectCount, attributeCount   int
	ofRegions                     map[int]int // images, by how many regions they have
}

// Measure reads all of a source, or a [Sample] of one. The error names the first image that cannot be read; with skipBad such are counted.
// progress, unless nil, hears how many images are done.
func Measure(ctx context.Context, source Source, skipBad bool, progress func(done, of int)) (Stats, error) {
	m := measure{ofRegions: map[int]int{}}
	m.Objects, m.Attributes = LabelCounts{}, LabelCounts{}
	done := 0
	for record, err := range source.All() {
		if ctx.Err() != nil {
			return m.Stats, ctx.Err()
		}
		if err == nil {
			m.add(record.Regions)
		} else if m.Skipped++; !skipBad {
			return m.Stats, err
		}
		if done++; progress != nil {
			progress(done, source.Len())
		}
	}
	return m.stats(), nil
}

func (m *measure) add(r vision.Regions) {
	n := r.Len()
	if m.Images == 0 {
		m.MinRegions, m.MinFeature, m.MaxFeature = n, r.Features[0], r.Features[0]
		m.FeatureWidth, m.Preset = r.FeatureWidth, r.Preset
	}
	m.Images++
	m.Regions += n
	m.ofRegions[n]++
	m.MinRegions, m.MaxRegions = min(m.MinRegions, n), max(m.MaxRegions, n)
	for _, v := range r.Features {
		if v == 0 {
			m.zeros++
		}
		m.sum += float64(v)
		m.squares += float64(v) * float64(v)
		m.MinFeature, m.MaxFeature = min(m.MinFeature, v), max(m.MaxFeature, v)
	}
	m.features += float64(len(r.Features))
	for i := range n {
		b := r.Box(i)
		width, height := float64(b[2]-b[0]), float64(b[3]-b[1])
		m.width += width
		m.height += height
		m.area += width * height
		switch {
		case width*height < SmallArea:
			m.small++
		case width*height > LargeArea:
			m.large++
		}
	}
	if r.Size != (vision.Size{}) {
		m.WithSize++
	}
	if len(r.Objects) > 0 {
		m.WithObjects++
		m.objectCount += n
		m.objects += m.Objects.add(r.Objects)
	}
	if len(r.Attributes) > 0 {
		m.WithAttributes++
		m.attributeCount += n
		m.attributes += m.Attributes.add(r.Attributes)
	}
}

// add counts labels, and returns the sum of their confidences.
func (c LabelCounts) add(labels []vision.Label) (sum float64) {
	for _, l := range labels {
		c[l.ID]++
		sum += float64(l.Confidence)
	}
	return sum
}

func (m *measure) stats() Stats {
	numbers, regions := max(m.features, 1), float64(max(m.Regions, 1))
	m.MeanFeature, m.ZeroShare = m.sum/numbers, m.zeros/numbers
	m.StdFeature = math.Sqrt(max(m.squares/numbers-m.MeanFeature*m.MeanFeature, 0))
	m.MeanArea, m.MeanWidth, m.MeanHeight = m.area/regions, m.width/regions, m.height/regions
	m.SmallBoxes, m.LargeBoxes = float64(m.small)/regions, float64(m.large)/regions
	m.MeanObject, m.MeanAttribute = m.objects/float64(max(m.objectCount, 1)), m.attributes/float64(max(m.attributeCount, 1))
	m.MedianRegions = m.median()
	return m.Stats
}

// median is the number of regions that half of the images do not exceed.
func (m *measure) median() int {
	seen := 0
	for n := m.MinRegions; n < m.MaxRegions; n++ {
		if seen += m.ofRegions[n]; 2*seen >= m.Images {
			return n
		}
	}
	return m.MaxRegions
}
