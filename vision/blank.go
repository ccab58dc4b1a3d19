package vision

// Blank hides what regions show: one region that is all of the picture and has nothing but zeros for features, of the same widths, so that models take it. A model
// that sees nothing else answers by the words alone.
func (r Regions) Blank() Regions {
	places := 4
	if n := r.Len(); n > 0 {
		places = len(r.Boxes) / n
	}
	out := Regions{
		Features: make([]float32, r.FeatureWidth), FeatureWidth: r.FeatureWidth,
		Boxes: make([]float32, places), PosWidth: r.PosWidth, Size: r.Size, Preset: r.Preset,
	}
	if places == 4 {
		out.Boxes[2], out.Boxes[3] = 1, 1
	}
	return out
}

// NoPicture are the regions of no picture at all, see [Regions.Blank].
func NoPicture(featureWidth, posWidth int) Regions {
	return Regions{
		Features: make([]float32, featureWidth), FeatureWidth: featureWidth,
		Boxes: make([]float32, posWidth), PosWidth: posWidth,
	}.Blank()
}
