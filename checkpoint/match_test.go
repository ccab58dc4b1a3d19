package checkpoint

import (
	"path/filepath"
	"slices"
	"testing"
)

// The names of a small model: two weights of the base, three of heads, one tied.
const (
	words   = "lxmert.embeddings.word_embeddings.weight"
	norm    = "lxmert.embeddings.LayerNorm.weight"
	decoder = "cls.predictions.decoder.weight"
	bias    = "cls.predictions.bias"
	answers = "answer_head.logit_fc.3.bias"
)

var (
	pretraining = []Want{{Name: words, Shape: []int{5, 2}}, {Name: norm, Shape: []int{2}}, {Name: bias, Shape: []int{5}}, {Name: answers, Shape: []int{3}}}
	withDecoder = append(slices.Clone(pretraining), Want{Name: decoder, Shape: []int{5, 2}})
	qa          = []Want{{Name: words, Shape: []int{5, 2}}, {Name: norm, Shape: []int{2}}, {Name: answers, Shape: []int{3}}}
	base        = []Want{{Name: "embeddings.word_embeddings.weight", Shape: []int{5, 2}}, {Name: "embeddings.LayerNorm.weight", Shape: []int{2}}}
)

// checkpointOf writes a file of those names and opens it.
func checkpointOf(t *testing.T, names ...string) *File {
	t.Helper()
	var tensors []Tensor
	for _, name := range names {
		shape := []int{2}
		switch {
		case name == bias:
			shape = []int{5}
		case name == answers:
			shape = []int{3}
		case name == decoder, filepath.Ext(name) == ".weight" && !slices.Contains([]string{norm, "embeddings.LayerNorm.weight"}, name):
			shape = []int{5, 2}
		}
		tensors = append(tensors, floats(t, name, shape...))
	}
	return open(t, write(t, filepath.Join(t.TempDir(), "model.safetensors"), tensors...))
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name    string
		file    []string
		want    []Want
		missing []string
		extra   []string
		from    map[string]string // where some weights come from
		allow   []Allow           // with which it passes
	}{
		{name: "same model", file: []string{words, norm, bias, answers}, want: pretraining},
		{name: "decoder in the file", file: []string{words, norm, bias, answers, decoder}, want: pretraining},
		{name: "decoder asked for", file: []string{words, norm, bias, answers}, want: withDecoder, from: map[string]string{decoder: words}},
		{name: "decoder both", file: []string{words, norm, bias, answers, decoder}, want: withDecoder, from: map[string]string{decoder: words}},
		{name: "decoder only", file: []string{norm, bias, answers, decoder}, want: withDecoder, from: map[string]string{words: decoder}},
		{name: "old names", file: []string{words, "lxmert.embeddings.LayerNorm.gamma", bias, answers}, want: pretraining,
			from: map[string]string{norm: "lxmert.embeddings.LayerNorm.gamma"}},
		{name: "base checkpoint, heads wanted", file: []string{"embeddings.word_embeddings.weight", "embeddings.LayerNorm.gamma"}, want: pretraining,
			missing: []string{bias, answers}, from: map[string]string{words: "embeddings.word_embeddings.weight"}, allow: []Allow{AllowNewHeads}},
		{name: "base checkpoint, tied decoder wanted", file: []string{"embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight"}, want: withDecoder,
			missing: []string{bias, answers}, from: map[string]string{decoder: "embeddings.word_embeddings.weight"}, allow: []Allow{AllowNewHeads}},
		{name: "heads, base wanted", file: []string{words, norm, bias, answers, decoder}, want: base,
			extra: []string{answers, bias, decoder}, from: map[string]string{"embeddings.LayerNorm.weight": norm}, allow: []Allow{AllowUnexpected}},
		{name: "base, base wanted", file: []string{"embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight"}, want: base},
		{name: "pre-training, qa wanted", file: []string{words, norm, bias, answers, decoder}, want: qa,
			extra: []string{bias, decoder}, allow: []Allow{AllowUnexpected}},
		{name: "base weight missing", file: []string{words, bias, answers}, want: pretraining, missing: []string{norm}, allow: []Allow{AllowMissing}},
		{name: "optional", file: []string{words, norm, answers}, want: append(slices.Clone(qa), Want{Name: "lxmert.position_ids", Optional: true})},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := checkpointOf(t, c.file...)
			r := Match(f, c.want, LXMERT())
			if got := r.NewlyInitialised(); !slices.Equal(got, c.missing) {
				t.Errorf("missing %v, want %v", got, c.missing)
			}
			if !slices.Equal(r.Unexpected, c.extra) {
				t.Errorf("unexpected %v, want %v", r.Unexpected, c.extra)
			}
			for name, want := range c.from {
				if got, ok := r.Tensor(name); !ok || got.Name != want {
					t.Errorf("%s comes from %q, want %s", name, got.Name, want)
				}
			}
			for _, w := range c.want {
				if got, ok := r.Tensor(w.Name); ok == (slices.Contains(c.missing, w.Name) || w.Optional) || ok && !slices.Equal(got.Shape, w.Shape) {
					t.Errorf("%s: %v, %v", w.Name, got.Shape, ok)
				}
			}
			if err := r.Err(c.allow...); err != nil {
				t.Errorf("Err(%v) = %v", c.allow, err)
			}
			if len(c.allow) == 0 {
				return
			}
			says(t, r.Err(), append(append([]string{f.Path()}, c.missing...), c.extra...)...)
		})
	}
}

func TestMatchMismatched(t *testing.T) {
	half := floats(t, norm, 2)
	numbers, err := FromInt64s(bias, []int{5}, make([]int64, 5))
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, write(t, filepath.Join(t.TempDir(), "x.safetensors"), floats(t, words, 7, 2), half, numbers, floats(t, answers, 3)))
	r := Match(f, pretraining, LXMERT())
	says(t, r.Err(AllowMissing, AllowUnexpected), f.Path(), "tensor "+words+" is [7 2], want [5 2]", "config", "tensor "+bias+" is I64, want floating-point")
	if got := r.NewlyInitialised(); !slices.Equal(got, []string{words, bias}) {
		t.Errorf("newly initialised %v", got)
	}
	if err := r.Err(AllowMismatched); err != nil {
		t.Errorf("ignoring sizes: %v", err)
	}
	if _, ok := r.Tensor(words); ok {
		t.Error("a tensor of the wrong shape was given out")
	}
	if got := r.Mismatched[0]; got.Name != words || got.File != f.Path() || !slices.Equal(got.Found.Shape, []int{7, 2}) || !slices.Equal(got.Want, []int{5, 2}) {
		t.Errorf("mismatch %+v", got)
	}
}

// What no choice mends.
func TestMatchConflicts(t *testing.T) {
	everything := []Allow{AllowMissing, AllowNewHeads, AllowMismatched, AllowUnexpected}

	f := checkpointOf(t, "embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight", answers)
	says(t, Match(f, pretraining, LXMERT()).Err(everything...), "tensor "+answers, "not saved properly")

	f = checkpointOf(t, words, norm, "lxmert.embeddings.LayerNorm.gamma", bias, answers)
	says(t, Match(f, pretraining, LXMERT()).Err(everything...), "LayerNorm.gamma", "LayerNorm.weight", "are both")

	other := floats(t, decoder, 5, 2)
	other.Data[0]++
	f = open(t, write(t, filepath.Join(t.TempDir(), "x.safetensors"), floats(t, words, 5, 2), floats(t, norm, 2), floats(t, bias, 5), floats(t, answers, 3), other))
	says(t, Match(f, pretraining, LXMERT()).Err(everything...), "tensor "+decoder+" differs from "+words)

	f = checkpointOf(t, "module.bert.embeddings.word_embeddings.weight", "module.cls.predictions.bias")
	says(t, Match(f, pretraining, LXMERT()).Err(everything...), "none of the 4 weights is here", "module.bert.embeddings.word_embeddings.weight", "another model")

	f = open(t, write(t, filepath.Join(t.TempDir(), "x.safetensors")))
	says(t, Match(f, pretraining, LXMERT()).Err(everything...), "found no tensors")

	f = checkpointOf(t, words, norm, bias, answers)
	says(t, Match(f, append(slices.Clone(pretraining), pretraining[0]), LXMERT()).Err(everything...), "asks for "+words+" twice")
}

// Without rules names are what they are.
func TestMatchNoRules(t *testing.T) {
	f := checkpointOf(t, words, norm)
	r := Match(f, base, Rules{})
	if len(r.Missing) != 2 || len(r.Unexpected) != 2 {
		t.Errorf("missing %v, unexpected %v", r.Missing, r.Unexpected)
	}
	if err := Match(f, []Want{{Name: words, Shape: []int{5, 2}}, {Name: norm, Shape: []int{2}}}, Rules{}).Err(); err != nil {
		t.Error(err)
	}
}
