package lxmert_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

// Attend answers as Ask does, whoever asks at the same time, and says what it looked at.
func TestAttend(t *testing.T) {
	m, err := lxmert.Shipped(lxmert.WithConcurrency(2))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	img, err := vision.DecodeFile("examples/park.png")
	if err != nil {
		t.Fatal(err)
	}
	regions, err := scenes.Detector{}.Extract(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	const question = "Is the car red?"
	want, err := m.Ask(t.Context(), regions, question)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, answer := range []int{lxmert.BestAnswer, want[1].ID, want[2].ID, lxmert.BestAnswer} {
		all.Go(func() {
			a, err := m.Attend(t.Context(), regions, question, answer)
			if err != nil {
				t.Error(err)
				return
			}
			target := want[0].ID
			if answer != lxmert.BestAnswer {
				target = answer
			}
			if a.Target.ID != target || a.Answers[0].Text != want[0].Text || a.Regions != regions.Len() || a.Question != question {
				t.Errorf("answer %d: target %+v, best %+v, %d regions", answer, a.Target, a.Answers[0], a.Regions)
			}
			if d := a.Answers[0].Score - want[0].Score; d > 1e-4 || d < -1e-4 {
				t.Errorf("answer %d: score %v, Ask's %v", answer, a.Answers[0].Score, want[0].Score)
			}
			if last := a.Tokens[len(a.Tokens)-2]; last.Text != "?" || question[last.Start:last.End] != "?" || last.Special {
				t.Errorf("the last word: %+v", last)
			}
		})
	}
	all.Wait()
	for _, wrong := range []int{-2, len(want)} {
		if _, err := m.Attend(t.Context(), regions, question, wrong); err == nil || !strings.Contains(err.Error(), "want an id in 0..") {
			t.Errorf("answer %d: %v", wrong, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Attend(ended, regions, question, lxmert.BestAnswer); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	m.Close()
	if _, err := m.Attend(t.Context(), regions, question, lxmert.BestAnswer); !errors.Is(err, model.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
