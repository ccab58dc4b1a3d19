package scenes

import (
	"slices"
	"testing"
)

// TestExamples gives as many different questions as are wanted, where a scene has so many, and the same ones again.
func TestExamples(t *testing.T) {
	for seed := range uint64(50) {
		s := New(seed)
		examples := s.Examples(8, seed)
		if len(examples) != 8 {
			t.Fatalf("seed %d: found %d questions, want 8", seed, len(examples))
		}
		if !slices.Equal(examples, s.Examples(8, seed)) {
			t.Errorf("seed %d: found others the second time", seed)
		}
		for i, e := range examples {
			if e.Question == "" || e.Answer == "" || slices.Contains(examples[:i], e) {
				t.Errorf("seed %d: found %+v, want a question of its own with an answer", seed, e)
			}
		}
	}
	if n := len(New(1).Examples(1e6, 1)); n == 0 || n > 2000 {
		t.Errorf("found %d questions in all", n)
	}
}
