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
