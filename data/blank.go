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
	return r.Blank(), err
}

func (b blank) All() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for record, err := range b.Source.All() {
			record.Regions = record.Regions.Blank()
			if !yield(record, err) {
				return
			}
		}
	}
}
