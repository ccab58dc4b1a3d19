package scenes

import (
	"cmp"
	"context"
	"image"
	"slices"

	"github.com/go-lxmert/lxmert/vision"
)

// Preset is the name of the detector's regions.
const Preset = vision.Scenes

// MaxRegions is how many regions a picture has at most, the whole picture among them.
const MaxRegions = 36

// A Detector finds the objects of drawn scenes by their pixels alone, in pictures of any size: an object is what a dark or coloured line encloses.
// It is the drawn world's counterpart of a Faster R-CNN, and meant for no other world; of a photograph it makes regions, but not sense.
//
// Region 0 is the whole picture, labelled [GroundLabel] and [NoColorLabel]; the others go from the largest to the smallest, [MaxRegions] in all.
// Features are described at [FeatureWidth]. Labels say the kind and the colour. The zero Detector is ready.
type Detector struct{}

var (
	_ vision.Extractor = Detector{}
	_ vision.Threaded  = Detector{}
)

// Threads is 1.
func (Detector) Threads() int { return 1 }

// Preset is "scenes".
func (Detector) Preset() string { return Preset }

// FeatureWidth is [FeatureWidth].
func (Detector) FeatureWidth() int { return FeatureWidth }

// Vocabulary is [ObjectNames] and [AttributeNames].
func (Detector) Vocabulary() (objects, attributes []string) { return ObjectNames(), AttributeNames() }

// longest is to how many pixels the longer side of a picture is shrunk, which bounds the time that a large one takes.
const longest = 400

// Extract finds the objects.
func (d Detector) Extract(ctx context.Context, img image.Image) (vision.Regions, error) {
	picture, err := vision.Shrink(ctx, img, longest)
	if err != nil {
		return vision.Regions{}, err
	}
	size := img.Bounds().Size()
	found := segment(picture)
	regions := vision.Regions{FeatureWidth: FeatureWidth, Preset: Preset, Size: vision.Size{Width: size.X, Height: size.Y}}
	add := func(f figure, object, attribute vision.Label) {
		regions.Features = append(regions.Features, standardize(f.features(picture))...)
		regions.Boxes = append(regions.Boxes, f.place(picture.Rect)...)
		regions.Objects = append(regions.Objects, object)
		regions.Attributes = append(regions.Attributes, attribute)
	}
	add(whole(picture, found), vision.Label{ID: GroundLabel, Confidence: 1}, vision.Label{ID: NoColorLabel, Confidence: 1})
	slices.SortStableFunc(found, func(a, b figure) int { return cmp.Compare(b.pixels, a.pixels) })
	for _, f := range found[:min(len(found), MaxRegions-1)] {
		if err := ctx.Err(); err != nil {
			return vision.Regions{}, err
		}
		kind, sure := f.kind()
		color, share := f.color(picture)
		add(f, vision.Label{ID: int(kind), Confidence: sure}, vision.Label{ID: int(color), Confidence: share})
	}
	return regions, nil
}
