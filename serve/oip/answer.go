package oip

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
	"github.com/go-lxmert/lxmert/vision"
)

// defaultTop is how many answers a question gets where top_k is not given.
const defaultTop = 5

// answer is what the model NAME does: questions about pictures or about regions. There is one picture for all questions, or one for each.
func (a *API) answer(ctx context.Context, m *served, p parameters, inputs map[string]*tensor, wanted []string) ([]output, parameters, error) {
	top, err := p.integer("top_k", defaultTop, 1)
	if err != nil {
		return nil, nil, err
	}
	in := inputs["question"]
	if in == nil {
		return nil, nil, service.Invalidf("inputs: question is missing")
	}
	texts, err := in.list()
	if err != nil {
		return nil, nil, err
	}
	if most := a.service.Limits().MaxQuestions; len(texts) > most {
		return nil, nil, tooLarge("too_many", "input question: %d questions in one request, want at most %d", len(texts), most)
	}
	questions := make([]string, len(texts))
	for i, text := range texts {
		questions[i] = string(text)
	}
	var sights []*service.Sight
	switch image, feats := inputs["image"], inputs["visual_feats"]; {
	case image != nil && feats != nil:
		return nil, nil, service.Invalidf("inputs: found image and visual_feats, want one of them")
	case image != nil:
		sights, err = a.see(ctx, m, image, len(questions))
	case feats != nil:
		sights, err = a.regions(m, inputs, len(questions))
	case m.card.Detector == "":
		err = service.Invalidf("inputs: visual_feats is missing")
	default:
		err = service.Invalidf("inputs: image is missing, and so is visual_feats: want one of them")
	}
	if err != nil {
		return nil, nil, err
	}
	results, err := a.service.AnswerEach(ctx, m.card.ID, sights, questions, int(min(top, int64(m.card.Answers))))
	if err != nil {
		return nil, nil, err
	}
	return answerOutputs(results, wanted), notes(sights), nil
}

// notes are what a person should know before believing the answers, as a parameter of the response.
func notes(sights []*service.Sight) parameters {
	var all []string
	seen := map[string]bool{}
	for _, sight := range sights {
		for _, note := range sight.Notes {
			if !seen[note] {
				seen[note] = true
				all = append(all, note)
			}
		}
	}
	if all == nil {
		return nil
	}
	return parameters{"notes": strings.Join(all, " ")}
}

// answerOutputs are the answers as tensors [questions, answers].
func answerOutputs(results []service.Result, wanted []string) []output {
	each := len(results[0].Answers)
	shape := []int{len(results), each}
	outputs := make([]output, len(wanted))
	for i, name := range wanted {
		o := &outputs[i]
		o.signature = signature{name, "FP32", shape}
		switch name {
		case "answer":
			o.Datatype = "BYTES"
			o.texts = make([]string, 0, len(results)*each)
		case "answer_id":
			o.Datatype = "INT64"
			o.integers = make([]int64, 0, len(results)*each)
		default:
			o.floats = make([]float32, 0, len(results)*each)
		}
		for _, result := range results {
			for _, answer := range result.Answers {
				switch name {
				case "answer":
					o.texts = append(o.texts, answer.Text)
				case "answer_id":
					o.integers = append(o.integers, int64(answer.ID))
				case "score":
					o.floats = append(o.floats, answer.Probability)
				case "logit":
					o.floats = append(o.floats, answer.Score)
				case "confidence":
					o.floats = append(o.floats, answer.Confidence)
				}
			}
		}
	}
	return outputs
}

// see looks at the pictures of an image input, several at once: one for all questions, or one for each.
func (a *API) see(ctx context.Context, m *served, image *tensor, questions int) ([]*service.Sight, error) {
	texts, err := image.list()
	if err != nil {
		return nil, err
	}
	if len(texts) != 1 && len(texts) != questions {
		return nil, image.bad("found %d pictures for %d questions, want 1, or one for each", len(texts), questions)
	}
	sights, errs := make([]*service.Sight, len(texts)), make([]error, len(texts))
	var all sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, text := range texts {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			picture, err := a.picture(ctx, image, text)
			if err == nil {
				sights[i], err = a.service.See(ctx, m.card.ID, picture)
			}
			errs[i] = err
		})
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, wire.Field(element("image", i, len(texts)), err)
		}
	}
	return sights, nil
}

// element names an element of an input for errors, where it is not the only one.
func element(name string, i, n int) string {
	if n == 1 {
		return "input " + name
	}
	return fmt.Sprintf("input %s: element %d", name, i)
}

// picture is an element of an image input: a file, or as [wire.Picture] reads it where it is a text.
func (a *API) picture(ctx context.Context, t *tensor, element []byte) (service.Picture, error) {
	if !t.base64 && !bytes.HasPrefix(element, []byte("sha256:")) {
		return service.Picture{Content: element}, nil
	}
	return wire.Picture(ctx, a.service, string(element))
}

// regions are what is sent in place of pictures: visual_feats [pictures, regions, visual_feat_dim] and visual_pos [pictures, regions, visual_pos_dim],
// one picture for all questions or one for each. visual_attention_mask [pictures, regions] is 1 for the regions that there are, 0 for those that fill
// up.
func (a *API) regions(m *served, inputs map[string]*tensor, questions int) ([]*service.Sight, error) {
	feats, pos, mask := inputs["visual_feats"], inputs["visual_pos"], inputs["visual_attention_mask"]
	if pos == nil {
		return nil, service.Invalidf("inputs: visual_pos is missing: visual_feats wants the places of its regions")
	}
	if len(feats.shape) != 3 || feats.shape[0] != 1 && feats.shape[0] != questions {
		return nil, feats.bad("shape: found %v for %d questions, want [1 or %[2]d, regions, %d]", feats.shape, questions, m.card.FeatureWidth)
	}
	pictures, n := feats.shape[0], feats.shape[1]
	if n > a.options.MaxRegions {
		return nil, tooLarge("too_many_regions", "input visual_feats: %d regions of a picture, want at most %d", n, a.options.MaxRegions)
	}
	if err := feats.wantShape(pictures, n, m.card.FeatureWidth); err != nil {
		return nil, err
	}
	if err := pos.wantShape(pictures, n, m.card.PosWidth); err != nil {
		return nil, err
	}
	features, err := feats.floats()
	if err != nil {
		return nil, err
	}
	boxes, err := pos.floats()
	if err != nil {
		return nil, err
	}
	counts, err := mask.counts(pictures, n)
	if err != nil {
		return nil, err
	}
	sights := make([]*service.Sight, pictures)
	for i := range sights {
		there := n
		if counts != nil {
			there = counts[i]
		}
		sights[i], err = a.service.Given(m.card.ID, vision.Regions{
			Features: features[i*n*m.card.FeatureWidth:][:there*m.card.FeatureWidth], FeatureWidth: m.card.FeatureWidth,
			Boxes: boxes[i*n*m.card.PosWidth:][:there*m.card.PosWidth], PosWidth: m.card.PosWidth,
		})
		if err != nil {
			return nil, wire.Field(element("visual_feats", i, pictures), err)
		}
	}
	return sights, nil
}

func (t *tensor) wantShape(want ...int) error {
	if !slices.Equal(t.shape, want) {
		return t.bad("shape: found %v, want %v", t.shape, want)
	}
	return nil
}

// counts is how many regions each picture has by a mask that is 1 for the first of them and 0 for the rest; nil where there is no mask.
func (t *tensor) counts(pictures, regions int) ([]int, error) {
	if t == nil {
		return nil, nil
	}
	if err := t.wantShape(pictures, regions); err != nil {
		return nil, err
	}
	mask, err := t.integers()
	if err != nil {
		return nil, err
	}
	counts := make([]int, pictures)
	for i := range counts {
		row := mask[i*regions:][:regions]
		for j, v := range row {
			if v != 0 && v != 1 || v == 1 && j > counts[i] {
				return nil, t.bad("row %d has %d at %d, want 1 for the regions that there are, and 0 after them", i, v, j)
			}
			counts[i] += int(v)
		}
		if counts[i] == 0 {
			return nil, t.bad("row %d is all 0: want one region or more", i)
		}
	}
	return counts, nil
}
