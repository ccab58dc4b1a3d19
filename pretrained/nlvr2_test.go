package pretrained_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

// TestNLVR2: fine-tuning begins with a pre-training checkpoint and a fresh head; what is saved then is loaded as
// what it is, weight for weight.
func TestNLVR2(t *testing.T) {
	on, tiny := engine(t), filepath.Join(golden.Dir(), "tiny")
	if _, _, err := pretrained.LxmertForNLVR2(on, tiny, pretrained.Options{}); err == nil ||
		!strings.Contains(err.Error(), "logit_fc.0.weight [96 96] is missing; take a checkpoint with this head, or have the head newly initialised") {
		t.Errorf("without its head: %v", err)
	}
	m, report, err := pretrained.LxmertForNLVR2(on, tiny, pretrained.Options{AllowNewHeads: true, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want := []string{"logit_fc.0.weight", "logit_fc.0.bias", "logit_fc.2.weight", "logit_fc.2.bias", "logit_fc.3.weight", "logit_fc.3.bias"}
	if fresh := report.NewlyInitialised(); !slices.Equal(fresh, want) {
		t.Errorf("newly initialised: %v", fresh)
	}
	dir := t.TempDir()
	if err := pretrained.Save(t.Context(), dir, m.Network); err != nil {
		t.Fatal(err)
	}
	again, report, err := pretrained.LxmertForNLVR2(on, dir, pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	for name, value := range m.Weights() {
		saved, err := again.Weight(name)
		if err != nil {
			t.Fatal(err)
		}
		golden.Near(t, name, saved, value, golden.Tolerance{}, 0)
	}
	inspection, err := pretrained.Inspect(dir)
	if err != nil {
		t.Fatal(err)
	}
	if fit := inspection.Fits[model.HeadNLVR2]; inspection.Head != model.HeadNLVR2 || len(fit.Missing)+len(fit.Unexpected) > 0 || fit.Err != nil {
		t.Errorf("saved as %s, which it fits so: %+v", inspection.Head, fit)
	}
	file, err := checkpoint.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if head := pretrained.HeadOf(file, &model.Config{}); head != model.HeadNLVR2 {
		t.Errorf("by its weights it is %s", head)
	}
}
