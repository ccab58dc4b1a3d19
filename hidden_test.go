package lxmert_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/vision"
)

// TestHiddenStates: one for each token, and the pooled output is a function of the first.
func TestHiddenStates(t *testing.T) {
	m, regions, _ := open(t)
	q := lxmert.Query{Regions: regions, Question: "What color is the dog?"}
	states, err := m.HiddenStates(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	n, err := m.CountTokens(q.Question)
	if err != nil || n != len(states) || len(states[0]) != m.Config().HiddenSize {
		t.Errorf("%d × %d, want %d tokens × %d (%v)", len(states), len(states[0]), n, m.Config().HiddenSize, err)
	}
	none, err := m.HiddenStates(t.Context(), lxmert.Query{Regions: vision.NoPicture(regions.FeatureWidth, regions.PosWidth), Question: q.Question})
	if err != nil || slices.Equal(none[0], states[0]) {
		t.Errorf("without the picture: the same, or %v", err)
	}
	for _, x := range states[0] {
		if math.IsNaN(float64(x)) {
			t.Fatal("NaN")
		}
	}
	var bad *lxmert.QueryError
	if _, err := m.HiddenStates(t.Context(), lxmert.Query{Regions: regions}); !errors.As(err, &bad) {
		t.Errorf("an empty text: %v, want a QueryError", err)
	}
	if _, err := m.CountTokens(" "); err == nil {
		t.Error("no words are counted")
	}
}
