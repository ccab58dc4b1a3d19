package tasks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

// Begin says what a model that is to be trained begins with. Weights that nothing gives are fresh.
type Begin struct {
	Config *model.Config // with num_qa_labels for the answers to be learned
	Head   model.Head
	Seed   uint64 // of fresh weights

	// Init is a model directory: any LXMERT. Its head is taken over where it is of the same kind and, for answers, KeepAnswers says so.
	Init        string
	KeepAnswers bool
	// Bert is a directory with a BERT checkpoint: its embeddings, layers and pooler become the language side (the original's --fromScratch
	// is without it).
	Bert string
	// Answers is a directory with a pre-trained LXMERT whose answer head is taken over answer by answer (load_lxmert_qa): AnswerLabels is
	// what its logits mean, Labels what those of the model to be trained shall. Answers that it does not know begin with 0.
	Answers      string
	AnswerLabels []string
	Labels       []string
}

// Begun says where the weights have come from.
type Begun struct {
	Fresh        []string // weights that nothing gave
	All          bool     // Fresh is all of them
	Transferred  int      // answers whose weights were taken over
	Unknown      int      // answers that the pre-trained head did not know
	NotAnswering bool     // Init's answer head is another's, and was left out
}

// Model makes the model.
func (b Begin) Model(engine compute.Backend) (*model.Network, *Begun, error) {
	begun := &Begun{}
	weights := b.Config.Fresh(b.Seed)
	weights = recorded(weights, &begun.Fresh)
	for _, layer := range []struct {
		path string
		over func(dir string, under model.Source, begun *Begun) (model.Source, func() error, error)
	}{{b.Bert, b.overBert}, {b.Init, b.overInit}, {b.Answers, b.overAnswers}} {
		if layer.path == "" {
			continue
		}
		over, done, err := layer.over(layer.path, weights, begun)
		if err != nil {
			return nil, nil, err
		}
		defer done()
		weights = over
	}
	m, err := model.New(engine, b.Config, b.Head, weights)
	begun.All = b.Bert == "" && b.Init == "" && b.Answers == ""
	return m, begun, err
}

// recorded notes the names of the weights that a source is asked for.
func recorded(source model.Source, names *[]string) model.Source {
	return func(name string, dimensions []int) ([]float32, error) {
		*names = append(*names, name)
		return source(name, dimensions)
	}
}

// answerHead is how the weights of the answer head begin.
const answerHead = "answer_head."

// overInit takes what an LXMERT checkpoint has. Only heads may be missing.
func (b Begin) overInit(dir string, under model.Source, begun *Begun) (model.Source, func() error, error) {
	file, err := checkpoint.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	config := b.Config.Clone()
	report, err := pretrained.Match(file, config, b.Head)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	withoutAnswers := !b.KeepAnswers || b.Answers != ""
	allowed := []checkpoint.Allow{checkpoint.AllowOtherHeads, checkpoint.AllowNewHeads}
	if withoutAnswers && onlyAnswersDiffer(report) {
		allowed = append(allowed, checkpoint.AllowMismatched)
	}
	if err := report.Err(allowed...); err != nil {
		file.Close()
		return nil, nil, err
	}
	return func(name string, dimensions []int) ([]float32, error) {
		stored, ok := report.Tensor(name)
		if ok && withoutAnswers && strings.HasPrefix(name, answerHead) {
			begun.NotAnswering, ok = true, false
		}
		if !ok {
			return under(name, dimensions)
		}
		return stored.Float32s()
	}, file.Close, nil
}

// onlyAnswersDiffer says whether the last layer of the answer head is all that has another shape.
func onlyAnswersDiffer(r *checkpoint.Report) bool {
	for _, m := range r.Mismatched {
		if !strings.HasPrefix(m.Name, answerHead) {
			return false
		}
	}
	return true
}

// overBert takes what a BERT checkpoint has for the language side and, in pre-training, for the masked words.
func (b Begin) overBert(dir string, under model.Source, _ *Begun) (model.Source, func() error, error) {
	weights, err := model.Declare(b.Config, b.Head)
	if err != nil {
		return nil, nil, err
	}
	file, err := checkpoint.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	var want []checkpoint.Want
	for _, w := range weights {
		if name, ok := bertName(w.Name); ok {
			// A model without heads has no pooler, or none that was trained; one with fewer layers is an error.
			optional := strings.HasPrefix(name, "cls.") || strings.HasPrefix(name, "bert.pooler.")
			want = append(want, checkpoint.Want{Name: name, Shape: w.Dimensions, Optional: optional})
		}
	}
	report := checkpoint.Match(file, want, checkpoint.Rules{
		Prefix: "bert",
		Tied:   map[string]string{"cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight"},
	})
	if err := report.Err(checkpoint.AllowUnexpected); err != nil {
		file.Close()
		return nil, nil, err
	}
	return func(name string, dimensions []int) ([]float32, error) {
		if of, ok := bertName(name); ok {
			if stored, ok := report.Tensor(of); ok {
				return stored.Float32s()
			}
		}
		return under(name, dimensions)
	}, file.Close, nil
}

// bertName is the name that a weight of LXMERT's language side has in BERT.
func bertName(name string) (string, bool) {
	for _, part := range []string{"lxmert.embeddings.", "lxmert.encoder.layer.", "lxmert.pooler."} {
		if strings.HasPrefix(name, part) {
			return "bert." + strings.TrimPrefix(name, "lxmert."), true
		}
	}
	return name, strings.HasPrefix(name, "cls.predictions.")
}

// overAnswers takes a pre-trained answer head, its last layer answer by answer; and from the same checkpoint everything else that nothing has
// given yet.
func (b Begin) overAnswers(dir string, under model.Source, begun *Begun) (model.Source, func() error, error) {
	if b.Head != model.HeadQuestionAnswering || len(b.Labels) != b.Config.NumQALabels {
		return nil, nil, errors.New("answers are taken over by a model that answers questions, and has a table of its answers")
	}
	config := b.Config.Clone()
	config.NumQALabels = len(b.AnswerLabels)
	file, err := checkpoint.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	report, err := pretrained.Match(file, config, b.Head)
	if err == nil {
		err = report.Err(checkpoint.AllowOtherHeads)
	}
	var rows []int
	if err == nil {
		rows, err = b.rows(begun)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return func(name string, dimensions []int) ([]float32, error) {
		stored, _ := report.Tensor(name)
		switch {
		case strings.HasPrefix(name, answerHead+"logit_fc.3."):
			values, err := stored.Float32s()
			if err != nil {
				return nil, err
			}
			return gathered(values, rows, len(values)/len(b.AnswerLabels)), nil
		case strings.HasPrefix(name, answerHead) || b.Init == "":
			return stored.Float32s()
		}
		return under(name, dimensions)
	}, file.Close, nil
}

// rows finds for each answer its row in the pre-trained head, -1 if there is none.
func (b Begin) rows(begun *Begun) ([]int, error) {
	rows, err := answers.MatchLabels(b.AnswerLabels, b.Labels)
	if err != nil {
		return nil, fmt.Errorf("the pre-trained answers: %w", err)
	}
	for _, row := range rows {
		if row < 0 {
			begun.Unknown++
		} else {
			begun.Transferred++
		}
	}
	return rows, nil
}

// gathered is rows of a matrix of that width, zeros for -1.
func gathered(values []float32, rows []int, width int) []float32 {
	out := make([]float32, len(rows)*width)
	for i, row := range rows {
		if row >= 0 {
			copy(out[i*width:(i+1)*width], values[row*width:])
		}
	}
	return out
}
