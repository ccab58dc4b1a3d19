package lxmert

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// TestFewShapes is what engines like XLA get, of few different shapes: the same answers, embeddings and hidden states.
func TestFewShapes(t *testing.T) {
	m, err := Open("examples/tiny")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tsv, err := data.OpenTSV("examples/regions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer tsv.Close()
	regions, err := tsv.Get("drawn-1")
	if err != nil {
		t.Fatal(err)
	}
	fewer := regions
	fewer.Features, fewer.Boxes = regions.Features[:2*regions.FeatureWidth], regions.Boxes[:2*4]
	fewer.Objects, fewer.Attributes = nil, nil
	var queries []Query
	for i := range 11 {
		r := regions
		if i%4 == 1 {
			r = fewer
		}
		queries = append(queries, Query{r, "Is there a man" + strings.Repeat(" and a dog", i%5) + "?"})
	}
	type result struct {
		answers [][]Answer
		embed   [][]float32
		hidden  [][]float32
	}
	ask := func() (r result) {
		t.Helper()
		var err error
		if r.answers, err = m.AskBatch(t.Context(), queries); err != nil {
			t.Fatal(err)
		}
		if r.embed, err = m.Embed(t.Context(), queries[:3]); err != nil {
			t.Fatal(err)
		}
		if r.hidden, err = m.HiddenStates(t.Context(), queries[2]); err != nil {
			t.Fatal(err)
		}
		return r
	}
	want := ask()
	m.few = true
	got := ask()
	for i, list := range got.answers {
		if list[0].ID != want.answers[i][0].ID || math.Abs(float64(list[0].Score-want.answers[i][0].Score)) > 1e-5 {
			t.Errorf("query %d: found %+v, want %+v", i, list[0], want.answers[i][0])
		}
	}
	near := func(name string, got, want [][]float32) {
		if len(got) != len(want) {
			t.Fatalf("%s: found %d rows, want %d", name, len(got), len(want))
		}
		for i := range got {
			for j := range got[i] {
				if !(math.Abs(float64(got[i][j]-want[i][j])) <= 1e-5) {
					t.Fatalf("%s: row %d: found %v at %d, want %v", name, i, got[i][j], j, want[i][j])
				}
			}
		}
	}
	near("embeddings", got.embed, want.embed)
	near("hidden states", got.hidden, want.hidden)
}

// TestFewShapesAreFew: groups of any size, texts of any length and pictures of any number of regions make no more shapes than the sizes allow.
func TestFewShapesAreFew(t *testing.T) {
	m := &Model{reader: &reader{config: &model.Config{MaxPositionEmbeddings: 64}, few: true}}
	regions := Regions{FeatureWidth: 1, Features: make([]float32, 72), Boxes: make([]float32, 4*72)}
	shapes := map[string]bool{}
	for rows := 1; rows <= 32; rows++ {
		for tokens := 3; tokens <= 20; tokens++ {
			queries, encodings, group := make([]Query, rows), make([]tokenizer.Encoding, rows), make([]int, rows)
			for i := range group {
				n := 1 + (rows*7+tokens*5+i)%36
				own := Regions{FeatureWidth: 1, Features: regions.Features[i:][:n], Boxes: regions.Boxes[i:][:4*n]}
				queries[i], group[i] = Query{Regions: own}, i
				encodings[i] = tokenizer.Encoding{IDs: make([]int32, tokens), TypeIDs: make([]int32, tokens)}
			}
			shape := ""
			for name, input := range m.batch(queries, encodings, group).Given() {
				shape += fmt.Sprint(name, input.Shape().Dimensions, " ")
			}
			shapes[shape] = true
		}
	}
	if most := 6 * 4 * 3; len(shapes) > most { // rows, tokens, regions
		t.Errorf("found %d shapes, want %d at most", len(shapes), most)
	}
}
