package model_test

import (
	"testing"

	"github.com/go-lxmert/lxmert/model"
)

// TestQuestionAnsweringOperations counts a model small enough to count by hand.
func TestQuestionAnsweringOperations(t *testing.T) {
	c := model.DefaultConfig()
	c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize, c.VisualFeatDim, c.VisualPosDim, c.NumQALabels = 2, 1, 3, 5, 4, 7
	c.LanguageLayers, c.VisionLayers, c.CrossLayers = 1, 1, 1
	const tokens, regions = 3, 4
	// A linear map of r rows from i to o takes 2rio. Attention of r rows to s: q and the output map, k and v, two products.
	language := (2*2*3*2*2 + 2*2*3*2*2 + 4*3*3*2) + 2*2*3*2*3
	vision := 2*4*5*2 + 2*4*4*2 + (2*2*4*2*2 + 2*2*4*2*2 + 4*4*4*2) + 2*2*4*2*3
	cross := (2*2*3*2*2 + 2*2*4*2*2 + 4*3*4*2) + (2*2*1*2*2 + 2*2*3*2*2 + 4*1*3*2) + 2*2*1*2*3
	once := 2 * 2 * 4 * 2 * 2 // the key and the value of the regions are the same for all questions about one picture
	head := 2*2*2 + 2*2*4 + 2*4*7
	for _, test := range [][3]int{{1, 1, language + cross + head + vision}, {5, 1, 5*(language+cross-once+head) + once + vision}, {3, 3, 3 * (language + cross + head + vision)}} {
		if got := c.QuestionAnsweringOperations(test[0], test[1], tokens, regions); got != test[2] {
			t.Errorf("%d questions, %d pictures: %d, want %d", test[0], test[1], got, test[2])
		}
	}
}

// TestPreTrainingOperations counts the same by hand, with all heads and with none.
func TestPreTrainingOperations(t *testing.T) {
	c := model.DefaultConfig()
	c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize, c.VisualFeatDim, c.VisualPosDim, c.NumQALabels = 2, 1, 3, 5, 4, 7
	c.VocabSize, c.NumObjectLabels, c.NumAttrLabels = 11, 13, 5
	c.LanguageLayers, c.VisionLayers, c.CrossLayers = 1, 1, 1
	const tokens, regions = 3, 4
	attention := func(r, s int) int { return 2*2*r*2*2 + 2*2*s*2*2 + 4*r*s*2 }
	feedForward := func(r int) int { return 2 * 2 * r * 2 * 3 }
	encoders := attention(3, 3) + feedForward(3) + 2*4*5*2 + 2*4*4*2 + attention(4, 4) + feedForward(4) +
		attention(3, 4) + attention(4, 3) + attention(3, 3) + attention(4, 4) + feedForward(3) + feedForward(4)
	pooler, words, matched, answers := 2*2*2, 2*3*2*2+2*3*2*11, 2*2*2, 2*2*4+2*4*7
	objects := 2*4*2*2 + 2*4*2*(13+5+5)
	if got, want := c.PreTrainingOperations(6, tokens, regions), 6*(encoders+pooler+words+matched+answers+objects); got != want {
		t.Errorf("all heads: %d, want %d", got, want)
	}
	c.VisualAttrLoss = false
	if got, want := c.PreTrainingOperations(1, tokens, regions), encoders+pooler+words+matched+answers+objects-2*4*2*5; got != want {
		t.Errorf("no attributes: %d, want %d", got, want)
	}
	c.TaskQA, c.TaskObjPredict = false, false
	if got, want := c.PreTrainingOperations(1, tokens, regions), encoders+pooler+words+matched; got != want {
		t.Errorf("two heads: %d, want %d", got, want)
	}
}
