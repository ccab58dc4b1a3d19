package data

import "iter"

// Sample is n images of a source, evenly spaced in its order; the source itself if it has no more. Only they are read.
func Sample(source Source, n int) Source {
	all := source.IDs()
	if n < 0 || n >= len(all) {
		return source
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = all[i*len(all)/n]
	}
	return &sample{source, ids}
}

type sample struct {
	Source
	ids []string
}

func (s *sample) Len() int                      { return len(s.ids) }
func (s *sample) IDs() []string                 { return s.ids }
func (s *sample) All() iter.Seq2[Record, error] { return allOf(s) }
