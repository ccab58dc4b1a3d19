package model

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Head chooses among the four models.
type Head string

// The heads, under the names that the command uses.
const (
	HeadModel             Head = "model"       // LxmertModel: encoders and pooler only
	HeadPreTraining       Head = "pretraining" // LxmertForPreTraining
	HeadQuestionAnswering Head = "qa"          // LxmertForQuestionAnswering
	HeadNLVR2             Head = "nlvr2"       // LxmertForNLVR2, which Hugging Face has not
)

// ParseHead accepts a head's name or its class name, see [Head.Class].
func ParseHead(name string) (Head, error) {
	switch name {
	case "model", "LxmertModel":
		return HeadModel, nil
	case "pretraining", "LxmertForPreTraining":
		return HeadPreTraining, nil
	case "qa", "LxmertForQuestionAnswering":
		return HeadQuestionAnswering, nil
	case "nlvr2", "LxmertForNLVR2":
		return HeadNLVR2, nil
	}
	return "", fmt.Errorf("found head %q, want model, pretraining, qa or nlvr2", name)
}

// Class is the reference's class of the head, as it stands in config.json's "architectures". LxmertForNLVR2 is
// a name of ours, for the reference has no such class.
func (h Head) Class() string {
	switch h {
	case HeadPreTraining:
		return "LxmertForPreTraining"
	case HeadQuestionAnswering:
		return "LxmertForQuestionAnswering"
	case HeadNLVR2:
		return "LxmertForNLVR2"
	default:
		return "LxmertModel"
	}
}

// Weight is one weight: its Hugging Face name, its shape, and the type in which a network keeps it (see [Precision.Kept]).
type Weight struct {
	Name       string
	Dimensions []int
	DType      dtypes.DType
}

// Size is the number of elements.
func (w Weight) Size() int {
	size := 1
	for _, d := range w.Dimensions {
		size *= d
	}
	return size
}

// Declare lists the weights of a model, float32, in the order in which the graph meets them. It builds the
// graph once, for one token and one region, and throws it away: the shapes stand in
// the graph code and nowhere else. The decoder of the masked-language head is the word
// embedding and has no entry of its own.
func Declare(c *Config, head Head) ([]Weight, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if _, err := ParseHead(string(head)); err != nil {
		return nil, err
	}
	store := model.NewStore()
	err := catch(func() {
		g := graph.NewGraph(gobackend.GetBackend(), "declare")
		defer g.Finalize()
		region := []int{1, 1}
		if head == HeadNLVR2 {
			region = []int{1, 2, 1} // in each of two pictures
		}
		in := &Inputs[*graph.Node]{
			InputIDs:    graph.Parameter(g, "input_ids", shapes.Make(dtypes.Int32, 1, 1)),
			VisualFeats: graph.Parameter(g, "visual_feats", shapes.Make(dtypes.Float32, append(region, c.VisualFeatDim)...)),
			VisualPos:   graph.Parameter(g, "visual_pos", shapes.Make(dtypes.Float32, append(region, c.VisualPosDim)...)),
		}
		switch head {
		case HeadPreTraining:
			c.PreTraining(store.RootScope(), in, Options{})
		case HeadQuestionAnswering:
			c.QuestionAnswering(store.RootScope(), in, Options{})
		case HeadNLVR2:
			c.NLVR2(store.RootScope(), in, Options{})
		default:
			c.Model(store.RootScope(), in, Options{})
		}
	})
	if err != nil {
		return nil, err
	}
	var weights []Weight
	total := 0
	for v := range store.IterVariables() {
		weights = append(weights, Weight{weightName(v.Path()), v.Shape().Dimensions, v.DType()})
		total += v.Shape().Size()
	}
	if total > maxWeights {
		return nil, fmt.Errorf("the configuration asks for %d weights, at most %d are allowed: check its sizes", total, maxWeights)
	}
	return weights, nil
}

// weightName and variablePath translate between a checkpoint's name and GoMLX's path.
func weightName(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, model.ScopeSeparator), model.ScopeSeparator, ".")
}

func variablePath(name string) string {
	return model.ScopeSeparator + strings.ReplaceAll(name, ".", model.ScopeSeparator)
}

// catch turns the panics by which GoMLX reports errors in graphs into errors.
func catch(f func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = p
		default:
			err = fmt.Errorf("%v", p)
		}
	}()
	f()
	return nil
}
