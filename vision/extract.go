package vision

import (
	"context"
	"image"
)

// An Extractor finds regions in pictures. It is safe for concurrent use.
type Extractor interface {
	// Extract finds at least one region, even in a blank picture; what it returns passes [Regions.Check] for this FeatureWidth and boxes. The error
	// is ctx's, or says what is wrong with img, such as that it has no pixels.
	Extract(ctx context.Context, img image.Image) (Regions, error)

	// Preset is the name that goes with the features: a model does well with the preset it was trained on, and with no other.
	Preset() string

	// FeatureWidth is how many numbers describe a region.
	FeatureWidth() int

	// Vocabulary has the names of the labels' ids, for objects and attributes; nil where regions have no such labels.
	Vocabulary() (objects, attributes []string)
}

// A BoxExtractor can also describe regions that are given to it instead of finding them: those of an annotator, or of another detector.
type BoxExtractor interface {
	Extractor

	// ExtractBoxes describes boxes of a picture, [regions, 4] of x1, y1, x2, y2 in pixels of img, from its upper left corner. There is a region for each box, in their
	// order, with that box. The error is ctx's, or says what is wrong with img or with which box.
	ExtractBoxes(ctx context.Context, img image.Image, boxes []float32) (Regions, error)
}
