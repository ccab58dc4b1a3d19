package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

// TestPresetWarnings: every verb that reads regions from files says so, in the same words, where they are of another detector than the model
// has learned from; and is silent where they are not.
func TestPresetWarnings(t *testing.T) {
	s := newSchool(t)
	s.ok(slices.Concat([]string{"init", "--out", s.run("begun"), "--vocab", s.file("vocab.txt"), "--labels", s.file("labels.json")}, tinySets)...)
	for preset, warns := range map[string]bool{"mine": true, vision.ButdCaffe: false} {
		dir := s.run(preset)
		s.ok("convert", s.run("begun"), dir, "--preset", preset)
		features := s.file("features.tsv")
		file := []string{"vqa", "--model", dir, "--data", s.file("vqa_valid.json"), "--features", features}
		for verb, args := range map[string][]string{
			"ask":     {"--model", dir, "--features", features, "--image-id", "l0", "Why?"},
			"eval":    file,
			"predict": file,
			"finetune": {"vqa", "--init", dir, "--train", s.file("vqa_train.json"), "--features", features, "--out", s.run("finetune " + preset),
				"--labels", s.file("labels.json"), "--max-steps", "1"},
			"pretrain": {"--init", dir, "--train", s.file("pretrain_train.json"), "--features", features, "--out", s.run("pretrain " + preset),
				"--labels", s.file("all_ans.json"), "--max-steps", "1"},
		} {
			_, errOut := s.ok(append([]string{verb}, args...)...)
			want := "lxmert: " + features +
				": the regions are of preset butd-caffe, but the model was trained with those of mine: its answers mean little until it has learned from these\n"
			if n := strings.Count(errOut, want); n != map[bool]int{true: 1}[warns] || n == 0 && strings.Contains(errOut, "preset") {
				t.Errorf("%s, a model of preset %s: found %d warnings in %s", verb, preset, n, errOut)
			}
		}
	}
}
