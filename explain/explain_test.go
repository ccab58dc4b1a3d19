package explain_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

// park is the shipped model and the regions of a drawn scene.
func park(t testing.TB) (*lxmert.Model, lxmert.Regions) {
	t.Helper()
	m, err := lxmert.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	img, err := vision.DecodeFile("../examples/park.png")
	if err != nil {
		t.Fatal(err)
	}
	regions, err := scenes.Detector{}.Extract(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	return m, regions
}

// Every method explains with numbers of the right sizes, and only what counts for something gets a shade.
func TestMethods(t *testing.T) {
	m, regions := park(t)
	const question = "What color is the car?"
	want, err := m.Ask(t.Context(), regions, question)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range explain.Methods() {
		e, err := explain.Relevance(t.Context(), m, regions, question, explain.Options{Method: method})
		if err != nil {
			t.Errorf("%s: %v", method, err)
			continue
		}
		if e.Method != method || e.Question != question || e.Answer.Text != want[0].Text || len(e.Answers) != len(want) || e.Maps != nil {
			t.Errorf("%s: %+v", method, e)
		}
		words := make([]string, len(e.Tokens))
		for i, token := range e.Tokens {
			words[i] = question[token.Start:token.End]
			if token.Special != (i == 0 || i == len(e.Tokens)-1) {
				t.Errorf("%s: token %d: %+v", method, i, token)
			}
			if token.Special && e.TokenShades[i] != 0 {
				t.Errorf("%s: %s has shade %v", method, token.Text, e.TokenShades[i])
			}
		}
		if !slices.Equal(words, []string{"", "What", "color", "is", "the", "car", "?", ""}) {
			t.Errorf("%s: words %q", method, words)
		}
		tokens, n := len(words), regions.Len()
		if len(e.TokenScores) != tokens || len(e.TokenShades) != tokens || len(e.RegionScores) != n || len(e.RegionShades) != n {
			t.Errorf("%s: %d, %d token and %d, %d region scores", method, len(e.TokenScores), len(e.TokenShades), len(e.RegionScores), len(e.RegionShades))
		}
		if e.TokenScores[0] != 0 || slices.Min(e.TokenScores) < 0 || slices.Min(e.RegionScores) < 0 {
			t.Errorf("%s: scores %v, %v", method, e.TokenScores, e.RegionScores)
		}
		if method == explain.MethodGradCAM { // may well find nothing
			continue
		}
		if slices.Max(e.TokenShades) != 1 || slices.Min(e.RegionShades) != 0 || slices.Max(e.RegionShades) != 1 {
			t.Errorf("%s: shades %v, %v", method, e.TokenShades, e.RegionShades)
		}
		x := e.Matrices
		if len(x.TokenToken) != tokens || len(x.TokenRegion) != tokens || len(x.TokenRegion[0]) != n || x.RegionRegion != nil && len(x.RegionRegion) != n {
			t.Errorf("%s: matrices of other sizes", method)
		}
	}
}

// What the shipped model says about the car's colour, it says because of the car.
func TestCar(t *testing.T) {
	m, regions := park(t)
	e, err := explain.Relevance(t.Context(), m, regions, "What color is the car?", explain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	names := scenes.ObjectNames()
	top := e.TopRegions(1)
	if len(top) != 1 || names[regions.Objects[top[0]].ID] != "car" {
		t.Errorf("the regions that count most: %v of %v", top, e.RegionScores)
	}
}

func TestMaps(t *testing.T) {
	m, regions := park(t)
	config := m.Config()
	for detail, heads := range map[explain.Detail]int{explain.MapsMean: 0, explain.MapsAll: config.NumAttentionHeads} {
		e, err := explain.Relevance(t.Context(), m, regions, "Is there a car?", explain.Options{Maps: detail})
		if err != nil {
			t.Fatal(err)
		}
		if want := config.LanguageLayers + config.VisionLayers + 4*config.CrossLayers; len(e.Maps) != want {
			t.Errorf("%s: %d maps, want %d", detail, len(e.Maps), want)
		}
		size := map[string]int{"tokens": len(e.Tokens), "regions": regions.Len()}
		for _, x := range e.Maps {
			if len(x.Heads) != heads || len(x.Mean) != size[x.Queries] || len(x.Mean[0]) != size[x.Keys] {
				t.Errorf("%s: %d heads, %d × %d", x.Name, len(x.Heads), len(x.Mean), len(x.Mean[0]))
			}
			for _, row := range x.Mean {
				sum := float32(0)
				for _, p := range row {
					sum += p
				}
				if sum < 0.999 || sum > 1.001 {
					t.Errorf("%s: a row adds up to %v", x.Name, sum)
				}
			}
		}
	}
}

// An answer that is not the best is explained where it is asked for, and one layer and head where they are.
func TestChoices(t *testing.T) {
	m, regions := park(t)
	ask := func(o explain.Options) (*explain.Explanation, error) {
		return explain.Relevance(t.Context(), m, regions, "What color is the car?", o)
	}
	best, err := ask(explain.Options{Maps: explain.MapsAll})
	if err != nil {
		t.Fatal(err)
	}
	second := best.Answers[1]
	other, err := ask(explain.Options{Answer: &second.ID})
	if err != nil || other.Answer != second || slices.Equal(other.RegionScores, best.RegionScores) {
		t.Errorf("the second answer: %+v, %v", other, err)
	}
	layer, head := 1, 2
	raw, err := ask(explain.Options{Method: explain.MethodAttention, Layer: &layer, Head: &head})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range best.Maps {
		if x.Name == "cross_language.1" && !slices.Equal(x.Heads[head][0], raw.RegionScores) {
			t.Errorf("%s, head %d: %v, but the scores are %v", x.Name, head, x.Heads[head][0], raw.RegionScores)
		}
	}
}

func TestErrors(t *testing.T) {
	m, regions := park(t)
	number := func(n int) *int { return &n }
	for _, c := range []struct {
		question string
		o        explain.Options
		want     string
	}{
		{"", explain.Options{}, "the question is empty"},
		{strings.Repeat("why ", 20000), explain.Options{}, "shorten it"},
		{strings.Repeat("why ", 400), explain.Options{}, "max_position_embeddings"},
		{"Why?", explain.Options{Answer: number(len(m.Labels()))}, "want an id in 0.."},
		{"Why?", explain.Options{Answer: number(-2)}, "answer -2: want an id"},
		{"Why?", explain.Options{Method: "x"}, `found "x", want one of relevance, `},
		{"Why?", explain.Options{Maps: "some"}, `found "some", want none, mean or all`},
		{"Why?", explain.Options{Layer: number(1)}, "for method attention, found relevance"},
		{"Why?", explain.Options{Method: explain.MethodAttention, Layer: number(3)}, "found 3, but the model has cross-modality layers 0 to 2"},
		{"Why?", explain.Options{Method: explain.MethodAttention, Layer: number(-1)}, "layer: found -1"},
		{"Why?", explain.Options{Method: explain.MethodAttention, Head: number(99)}, "found 99, but an attention has heads 0 to "},
	} {
		if _, err := explain.Relevance(t.Context(), m, regions, c.question, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q, %v: %v, want %q", c.question, c.o, err, c.want)
		}
	}
	if _, err := explain.Relevance(t.Context(), m, lxmert.Regions{}, "Why?", explain.Options{}); err == nil {
		t.Error("no regions: no error")
	}
	if _, err := explain.Of(nil, explain.Options{}); err == nil {
		t.Error("nothing attended to: no error")
	}
	if _, err := explain.Relevance(t.Context(), nil, regions, "Why?", explain.Options{}); err == nil {
		t.Error("no model: no error")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := explain.Relevance(ended, m, regions, "Why?", explain.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	m.Close()
	if _, err := explain.Relevance(t.Context(), m, regions, "Why?", explain.Options{}); !errors.Is(err, model.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// The JSON is what the server's API promises.
func TestJSON(t *testing.T) {
	m, regions := park(t)
	e, err := explain.Relevance(t.Context(), m, regions, "How many stars?", explain.Options{Method: explain.MethodGradCAM, Maps: explain.MapsMean})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	want := strings.Fields("answer maps matrices method question region_scores region_shades token_scores token_shades tokens")
	if !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
	if !strings.Contains(string(object["matrices"]), `"region_token":null,"region_region":null`) {
		t.Errorf("matrices: %.200s", object["matrices"])
	}
	if !strings.HasPrefix(string(object["tokens"]), `[{"text":"[CLS]","start":0,"end":0,"special":true},{"text":"how","start":0,"end":3,"special":false}`) {
		t.Errorf("tokens: %.200s", object["tokens"])
	}
}
