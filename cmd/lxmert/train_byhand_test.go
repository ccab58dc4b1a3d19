package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/blocks"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/train"
)

// TestTrainingByHand: what finetune does is what a loop does that reads JSON and TSV itself and knows nothing of the packages that finetune is made of, but for
// the step: the same losses, gradients and learning rates.
func TestTrainingByHand(t *testing.T) {
	s := newSchool(t)
	s.ok(append([]string{"init", "--out", s.run("base"), "--vocab", s.file("vocab.txt"), "--labels", s.file("labels.json"), "--seed", "3"}, tinySets...)...)
	const batch, steps, tokens = 6, 5, 10
	s.ok(s.finetune("vqa", "run", "--init", s.run("base"), "--dropout", "0", "--no-shuffle", "--max-steps", fmt.Sprint(steps), "--batch", fmt.Sprint(batch), "--max-tokens", fmt.Sprint(tokens), "--lr", "2e-3")...)
	records, _ := s.log("run")
	if len(records) != steps {
		t.Fatalf("%d steps", len(records))
	}

	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	config, err := pretrained.Config(s.run("base"))
	if err != nil {
		t.Fatal(err)
	}
	config.HiddenDropout, config.AttentionDropout = 0, 0
	m, _, err := pretrained.Load(engine, s.run("base"), model.HeadQuestionAnswering, pretrained.Options{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	step, err := train.NewStep(m, func(scope *gomodel.Scope, in *model.Inputs[*graph.Node], target *graph.Node) train.Loss {
		return train.Loss{Total: train.AnswerLoss(config.QuestionAnswering(scope, in, model.Options{Training: true}).QuestionAnsweringScore, target)}
	}, train.BertAdam{}, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer step.Close()
	asked, pictures := askedByHand(t, s.read(s.file("vqa_train.json"))), picturesByHand(t, s.read(s.file("features.tsv")))
	for i, record := range records {
		done := float64(i) / 20 // of two epochs of 60 questions
		rate := 2e-3 * (1 - done) / 0.9
		if done < 0.1 {
			rate = 2e-3 * done / 0.1
		}
		r, err := step.Run(rate, i+1, batchByHand(asked[i*batch:(i+1)*batch], pictures, tokens))
		if err != nil {
			t.Fatal(err)
		}
		for name, pair := range map[string][2]float64{"loss": {record.Loss, r.Loss}, "gradient norm": {record.GradientNorm, r.GradientNorm}, "learning rate": {record.LearningRate, rate}} {
			if got, want := pair[0], pair[1]; !(math.Abs(got-want) <= 1e-6*math.Abs(want)) {
				t.Errorf("step %d: %s %v, by hand %v", i+1, name, got, want)
			}
		}
	}
	if records[0].Loss == records[4].Loss {
		t.Error("nothing is learned")
	}
}

type handQuestion struct {
	Image string             `json:"img_id"`
	Text  string             `json:"sent"`
	Label map[string]float32 `json:"label"`
}

func askedByHand(t *testing.T, content string) (asked []handQuestion) {
	t.Helper()
	if err := json.Unmarshal([]byte(content), &asked); err != nil || len(asked) != 60 {
		t.Fatalf("%d questions: %v", len(asked), err)
	}
	return asked
}

type handPicture struct{ boxes, features []float32 }

func picturesByHand(t *testing.T, content string) map[string]handPicture {
	t.Helper()
	pictures := map[string]handPicture{}
	for line := range strings.Lines(content) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t") // id, height, width, objects, their confidences, attributes, theirs, regions, boxes, features
		numbers := func(column int) []float32 {
			bytes, err := base64.StdEncoding.DecodeString(columns[column])
			if err != nil {
				t.Fatal(err)
			}
			values := make([]float32, len(bytes)/4)
			for i := range values {
				values[i] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:]))
			}
			return values
		}
		height, _ := strconv.ParseFloat(columns[1], 32)
		width, _ := strconv.ParseFloat(columns[2], 32)
		p := handPicture{numbers(8), numbers(9)}
		for i := range p.boxes {
			p.boxes[i] /= []float32{float32(width), float32(height)}[i%2]
		}
		pictures[columns[0]] = p
	}
	return pictures
}

func batchByHand(asked []handQuestion, pictures map[string]handPicture, tokens int) *train.Batch {
	const regions, width = 5, blocks.FeatureWidth
	vocabulary := map[string]int32{}
	for i, word := range strings.Fields(blocks.Words) {
		vocabulary[word] = int32(i)
	}
	n := len(asked)
	ids, mask := make([]int32, n*tokens), make([]float32, n*tokens)
	features, boxes, seen := make([]float32, n*regions*width), make([]float32, n*regions*4), make([]float32, n*regions)
	target := make([]float32, n*len(blocks.Labels))
	for i, q := range asked {
		words := strings.Fields("[CLS] " + strings.ToLower(strings.ReplaceAll(q.Text, "?", " ?")) + " [SEP]")
		for j, word := range words {
			ids[i*tokens+j], mask[i*tokens+j] = vocabulary[word], 1
		}
		p := pictures[q.Image]
		copy(features[i*regions*width:], p.features)
		copy(boxes[i*regions*4:], p.boxes)
		for j := range len(p.boxes) / 4 {
			seen[i*regions+j] = 1
		}
		for j, label := range blocks.Labels {
			target[i*len(blocks.Labels)+j] = q.Label[label]
		}
	}
	return &train.Batch{Target: tensors.FromFlatDataAndDimensions(target, n, len(blocks.Labels)), Inputs: &model.Batch{
		InputIDs: tensors.FromFlatDataAndDimensions(ids, n, tokens), AttentionMask: tensors.FromFlatDataAndDimensions(mask, n, tokens),
		VisualFeats: tensors.FromFlatDataAndDimensions(features, n, regions, width), VisualPos: tensors.FromFlatDataAndDimensions(boxes, n, regions, 4),
		VisualAttentionMask: tensors.FromFlatDataAndDimensions(seen, n, regions)}}
}
