package similar

import (
	"slices"
	"strings"
	"testing"
)

func TestSearch(t *testing.T) {
	s := Among("layer_norm", 3)
	for _, name := range []string{"layer_nrom", "word_embeddings", "layernorm", "layer_norm_2", "layer"} {
		s.Consider(name, strings.ToUpper(name))
	}
	if got, want := s.Nearest(9), []string{"LAYERNORM", "LAYER_NROM", "LAYER_NORM_2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s.Nearest(1); !slices.Equal(got, []string{"LAYERNORM"}) {
		t.Errorf("the nearest: %q", got)
	}
	if got := Among("a", 0).Nearest(3); got != nil {
		t.Errorf("of nothing: %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 3, 0}, {"abc", "abc", 0, 0}, {"abc", "abd", 3, 1}, {"abc", "ab", 3, 1}, {"ab", "abc", 3, 1}, {"abcd", "badc", 9, 3},
		{"kitten", "sitting", 9, 3}, {"kitten", "sitting", 2, 3}, {"", "abcdef", 3, 4}, {strings.Repeat("a", 300), "a", 5, 6},
	} {
		if got := distance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("from %.20q to %.20q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
