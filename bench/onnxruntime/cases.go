package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/internal/onnxruntime"
	"github.com/go-lxmert/lxmert/model"
)

const regions = 36

// vqaLengths are the tokens of the first 160 questions of VQA v2's validation set, in its order, [CLS] and [SEP] counted, by
// bert-base-uncased's tokenizer: 9.65 in the mean.
var vqaLengths = []int{
	7, 11, 9, 9, 8, 9, 11, 11, 11, 11, 13, 9, 9, 11, 9, 8, 12, 8, 8, 6, 10, 8, 8, 10, 10, 10, 7, 9, 11, 7, 7, 9,
	7, 12, 10, 9, 10, 8, 8, 8, 10, 8, 10, 11, 10, 11, 10, 9, 14, 8, 9, 9, 10, 11, 11, 8, 7, 10, 10, 11, 15, 8, 9, 10,
	9, 10, 10, 10, 6, 11, 9, 8, 12, 8, 14, 10, 9, 12, 9, 13, 12, 10, 11, 12, 7, 10, 13, 12, 10, 8, 11, 21, 12, 8, 7, 12,
	7, 12, 9, 6, 9, 11, 10, 8, 9, 11, 10, 8, 9, 11, 8, 8, 10, 11, 7, 7, 10, 7, 9, 10, 7, 9, 15, 8, 10, 11, 9, 12,
	9, 11, 15, 13, 12, 10, 8, 7, 8, 11, 9, 9, 8, 10, 7, 12, 8, 8, 10, 8, 10, 8, 10, 11, 9, 13, 8, 7, 10, 7, 6, 11,
}

// vqaQuestions are how many of those questions each picture has, in the same order.
var vqaQuestions = []int{3, 4, 3, 3, 5, 30, 4, 4, 3, 3, 3, 3, 3, 3, 4, 12, 3, 3, 8, 3, 17, 12, 16, 5, 3}

// vqaPictures are the pictures of the questions, numbered.
func vqaPictures() []int {
	var pictures []int
	for picture, n := range vqaQuestions {
		pictures = append(pictures, slices.Repeat([]int{picture}, n)...)
	}
	return pictures
}

// testCase is a batch of questions in every form in which somebody wants it.
type testCase struct {
	name    string
	dir     string // for ONNX Runtime
	batch   *model.Batch
	queries []lxmert.Query
	padded  bool // some question is shorter than others
}

// vocabulary is a table of made-up words, so that every question of some length can be written as text.
func vocabulary(size int) []string {
	words := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
	for len(words) < size {
		words = append(words, fmt.Sprintf("w%d", len(words)))
	}
	return words
}

const (
	clsID     = 2
	sepID     = 3
	firstWord = 5
)

// newCase makes questions of these lengths from random words, about random pictures of which these numbers tell which are the
// same (nil: none), and writes them to a folder in root.
func newCase(root, name string, lengths, pictures []int, config *model.Config) (*testCase, error) {
	c := &testCase{name: name, dir: filepath.Join(root, strings.ReplaceAll(name, " ", "-"))}
	random := rand.New(rand.NewPCG(1, uint64(len(lengths))))
	n, tokens := len(lengths), slices.Max(lengths)
	ids, mask := make([]int64, n*tokens), make([]int64, n*tokens)
	feats, boxes := make([]float32, n*regions*config.VisualFeatDim), make([]float32, n*regions*config.VisualPosDim)
	for i := range feats {
		feats[i] = random.Float32()
	}
	for i := range boxes {
		boxes[i] = random.Float32() / 2
		if i%4 >= 2 {
			boxes[i] += 0.5
		}
	}
	f, b := regions*config.VisualFeatDim, regions*config.VisualPosDim
	seen := map[int]lxmert.Regions{}
	for i, length := range lengths {
		row := ids[i*tokens:][:length]
		var words []string
		for j := range row {
			mask[i*tokens+j] = 1
			row[j] = firstWord + random.Int64N(int64(config.VocabSize-firstWord))
			if j > 0 && j < length-1 {
				words = append(words, fmt.Sprintf("w%d", row[j]))
			}
		}
		row[0], row[length-1] = clsID, sepID
		c.padded = c.padded || length < tokens
		picture := lxmert.Regions{Features: feats[i*f:][:f:f], FeatureWidth: config.VisualFeatDim, Boxes: boxes[i*b:][:b:b]}
		if pictures != nil {
			if same, ok := seen[pictures[i]]; ok {
				copy(picture.Features, same.Features)
				copy(picture.Boxes, same.Boxes)
				picture = same
			} else {
				seen[pictures[i]] = picture
			}
		}
		c.queries = append(c.queries, lxmert.Query{Question: strings.Join(words, " "), Regions: picture})
	}
	c.batch = &model.Batch{
		InputIDs:    tensors.FromFlatDataAndDimensions(ids, n, tokens),
		VisualFeats: tensors.FromFlatDataAndDimensions(feats, n, regions, config.VisualFeatDim),
		VisualPos:   tensors.FromFlatDataAndDimensions(boxes, n, regions, config.VisualPosDim),
	}
	seenTokens := tensors.FromFlatDataAndDimensions(mask, n, tokens)
	if c.padded {
		c.batch.AttentionMask = seenTokens
	}
	return c, onnxruntime.WriteInputs(c.dir, map[string]*tensors.Tensor{
		"input_ids":      c.batch.InputIDs,
		"token_type_ids": tensors.FromFlatDataAndDimensions(make([]int64, n*tokens), n, tokens),
		"visual_feats":   c.batch.VisualFeats,
		"visual_pos":     c.batch.VisualPos,
		"attention_mask": seenTokens, // read by the graphs that have one
	})
}
