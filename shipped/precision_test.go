package shipped_test

import (
	"path/filepath"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/scenes"
)

// TestPrecisions: about scenes that no training has seen the shipped model gives nearly always the same answers in bfloat16 and int8
// as in float32, and is right as often.
// docs/precision.md has the figures on more of them.
func TestPrecisions(t *testing.T) {
	pictures := 50
	if testing.Short() {
		pictures = 15
	}
	dir := filepath.Join(t.TempDir(), "scenes")
	if _, err := scenes.Generate(t.Context(), dir, scenes.Options{Images: pictures, Seed: 78, NoImages: true}); err != nil {
		t.Fatal(err)
	}
	features, err := data.OpenStore(filepath.Join(dir, "regions"))
	if err != nil {
		t.Fatal(err)
	}
	defer features.Close()
	var qs []questions.Question
	for _, kind := range []questions.Kind{questions.KindVQA, questions.KindGQA} {
		qs = append(qs, read(t, kind, dir)...)
	}
	answers := func(p model.Precision) ([]predict.Prediction, float64) {
		m, err := lxmert.Shipped(lxmert.WithDType(p))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		found, err := predict.Answers(t.Context(), m, features, qs, predict.Options{})
		if err != nil {
			t.Fatal(err)
		}
		score, err := predict.SoftScore(qs, predict.Plain(found))
		if err != nil {
			t.Fatal(err)
		}
		return found, score.Accuracy
	}
	want, accuracy := answers(model.Float32)
	for _, c := range []struct {
		precision model.Precision
		least     float64
	}{{model.BFloat16, 0.995}, {model.Int8, 0.99}} {
		found, narrow := answers(c.precision)
		same := 0
		for i := range want {
			if found[i].Answer == want[i].Answer {
				same++
			}
		}
		agreement := float64(same) / float64(len(want))
		t.Logf("%s: %d of %d answers as in float32 (%.2f %%); right %.2f %%, in float32 %.2f %%",
			c.precision, same, len(want), 100*agreement, 100*narrow, 100*accuracy)
		if agreement < c.least {
			t.Errorf("%s: %.4f of the answers are those of float32, want %v", c.precision, agreement, c.least)
		}
		if !testing.Short() && narrow < accuracy-0.003 {
			t.Errorf("%s: %.4f of the answers are right, want %.4f less 0.003", c.precision, narrow, accuracy)
		}
	}
}
