package shipped_test

import (
	"path/filepath"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/scenes"
)

// TestShipped asks the shipped models about scenes that no training has seen. docs/scenes.md has the figures on more of them.
func TestShipped(t *testing.T) {
	pictures := 100
	if testing.Short() {
		pictures = 15
	}
	dir := filepath.Join(t.TempDir(), "scenes")
	if _, err := scenes.Generate(t.Context(), dir, scenes.Options{Images: pictures, Seed: 77, NoImages: true}); err != nil {
		t.Fatal(err)
	}
	features, err := data.OpenStore(filepath.Join(dir, "regions"))
	if err != nil {
		t.Fatal(err)
	}
	defer features.Close()
	m, err := lxmert.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, c := range []struct {
		kind  questions.Kind
		least float64
	}{{questions.KindVQA, 0.95}, {questions.KindGQA, 0.90}} {
		qs := read(t, c.kind, dir)
		found, err := predict.Answers(t.Context(), m, features, qs, predict.Options{})
		if err != nil {
			t.Fatal(err)
		}
		score, err := predict.SoftScore(qs, predict.Plain(found))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.4f of %d", c.kind, score.Accuracy, len(qs))
		if score.Accuracy < c.least {
			t.Errorf("%s: %.3f of the answers are right, want %v", c.kind, score.Accuracy, c.least)
		}
	}
	s, err := lxmert.ShippedStatements()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	qs := read(t, questions.KindNLVR2, dir)
	found, err := predict.Statements(t.Context(), s, features, qs, predict.Options{})
	if err != nil {
		t.Fatal(err)
	}
	score, err := predict.StatementScore(qs, predict.Plain(found))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("nlvr2: %.4f of %d", score.Accuracy, len(qs))
	if !testing.Short() && score.Accuracy < 0.85 { // of a few statements the share says little
		t.Errorf("%.3f of the statements are judged right, want 0.85", score.Accuracy)
	}
}

// read reads questions.
func read(t *testing.T, kind questions.Kind, dir string) []questions.Question {
	t.Helper()
	seq, _, err := questions.Open(kind, filepath.Join(dir, string(kind)+".json"), "")
	if err != nil {
		t.Fatal(err)
	}
	var all []questions.Question
	for q, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
	}
	return all
}
