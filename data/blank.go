package data

import (
	"iter"

	"github.com/go-lxmert/lxmert/vision"
)

// Blank hides what a source's pictures show: each becomes one region that is all of the picture and has nothing but zeros for features. A model that is trained
// and judged with it tells what the words alone give away.
func Blank(source Source) Source { return blank{source} }

type blank struct{ Source }

func (b blank) Get(id string) (vision.Regions, error) {
	r, err := b.Source.Get(id)
	return hidden(r), err
}

func (b blank) All() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for record, err := range b.Source.All() {
			record.Regions = hidden(record.Regions)
			if !yield(record, err) {
				return
			}
		}
	}
}

// hidden keeps the widths, so that models take it.
func hidden(r vision.Regions) vision.Regions {
	places := 4
	if n := r.Len(); n > 0 {
		places = len(r.Boxes) / n
	}
	out := vision.Regions{
		Features: make([]float32, r.FeatureWidth), FeatureWidth: r.FeatureWidth,
		Boxes: make([]float32, places), PosWidth: r.PosWidth, Size: r.Size, Preset: r.Preset,
	}
	if places == 4 {
		out.Boxes[2], out.Boxes[3] = 1, 1
	}
	return out
}
