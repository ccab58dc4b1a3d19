package model

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
)

// CheckInputs reports everything that is wrong with the inputs of a model with that head at once, one
// line an input, under the reference's argument name: a missing input, an unexpected label,
// a wrong type or shape, an id outside its table, a number that is not finite.
func (c *Config) CheckInputs(head Head, in *Batch) error {
	_, err := c.prepare(head, in)
	return err
}

// prepare checks the inputs and gives integers and masks one type each, so that
// what differs only in its integer type shares a compiled graph.
func (c *Config) prepare(head Head, in *Batch) (*Batch, error) {
	if in == nil {
		return nil, errors.New("no inputs")
	}
	p := preparation{config: c, head: head}
	p.findSizes(in)
	out := &Batch{}
	for _, field := range in.fields() {
		value := *field.value
		if value == nil {
			continue
		}
		if prepared := p.input(field.name, value); prepared != nil {
			out.Set(field.name, prepared)
		}
	}
	p.complete(in)
	return out, errors.Join(p.errs...)
}

// preparation collects what is wrong while inputs are made ready.
type preparation struct {
	config *Config
	head   Head
	// The sizes that all inputs must share; 0 where the input that fixes one is missing. pictures is
	// batch, or 1 where all questions are about one picture.
	batch, pictures, tokens, regions int
	errs                             []error
}

func (p *preparation) bad(name, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
}

// findSizes takes batch, tokens and regions from the inputs that everything else follows.
func (p *preparation) findSizes(in *Batch) {
	words := in.words()
	if words != nil && words.Rank() >= 2 {
		p.batch, p.tokens = words.Shape().Dim(0), words.Shape().Dim(1)
	}
	if in.VisualFeats != nil && in.VisualFeats.Rank() >= 2 {
		p.regions = in.VisualFeats.Shape().Dim(max(1, in.VisualFeats.Rank()-2))
		if words == nil {
			p.batch = in.VisualFeats.Shape().Dim(0)
		}
		p.pictures = p.batch
		if p.head == HeadQuestionAnswering && in.VisualFeats.Shape().Dim(0) == 1 {
			p.pictures = 1
		}
	}
}

// complete reports inputs that are missing, or of which there is one too many.
func (p *preparation) complete(in *Batch) {
	switch {
	case in.InputIDs != nil && in.InputsEmbeds != nil:
		p.bad("inputs_embeds", "given together with input_ids; give one of them")
	case in.InputIDs == nil && in.InputsEmbeds == nil:
		p.bad("input_ids", "missing, and so is inputs_embeds; give one of them")
	}
	if in.VisualFeats == nil {
		p.bad("visual_feats", "missing: LXMERT needs the features of the picture's regions")
	}
	if in.VisualPos == nil {
		p.bad("visual_pos", "missing: LXMERT needs the positions of the picture's regions, usually boxes in 0..1")
	}
	if p.tokens > p.config.MaxPositionEmbeddings {
		p.bad("input_ids", "%d tokens, the model has positions for %d (max_position_embeddings); truncate the text", p.tokens, p.config.MaxPositionEmbeddings)
	}
	if labels := in.ObjLabels; labels != nil && p.head == HeadPreTraining && p.config.TaskObjPredict {
		for _, kind := range []struct {
			key     string
			wanted  bool
			targets ObjLabel[*tensors.Tensor]
		}{
			{"obj", p.config.VisualObjLoss, labels.Obj},
			{"attr", p.config.VisualAttrLoss, labels.Attr},
			{"feat", p.config.VisualFeatLoss, labels.Feat},
		} {
			if kind.wanted && (kind.targets.Label == nil || kind.targets.Conf == nil) {
				p.bad("obj_labels."+kind.key, "label or conf is missing while visual_%s_loss is on; give both, or switch the loss off", kind.key)
			}
		}
	}
}

// input checks one input by its name and returns it ready for the graph, nil if it cannot be.
func (p *preparation) input(name string, value *tensors.Tensor) *tensors.Tensor {
	c := p.config
	if isLabel(name) && (p.head == HeadModel || p.head != HeadPreTraining && name != "labels") {
		p.bad(name, "%s takes no such labels", p.head.Class())
		return nil
	}
	switch name {
	case "input_ids":
		return p.integers(name, value, 0, c.VocabSize-1, false, p.batch, p.tokens)
	case "token_type_ids":
		return p.integers(name, value, 0, c.TypeVocabSize-1, false, p.batch, p.tokens)
	case "inputs_embeds":
		return p.floats(name, value, p.batch, p.tokens, c.HiddenSize)
	case "attention_mask":
		return p.mask(name, value, p.batch, p.tokens)
	case "visual_attention_mask":
		return p.mask(name, value, p.ofPictures()...)
	case "visual_feats":
		return p.floats(name, value, p.ofPictures(c.VisualFeatDim)...)
	case "visual_pos":
		return p.floats(name, value, p.ofPictures(c.VisualPosDim)...)
	case "labels":
		switch p.head {
		case HeadQuestionAnswering:
			return p.integers(name, value, 0, c.NumQALabels-1, true, p.batch)
		case HeadNLVR2:
			return p.integers(name, value, 0, 1, true, p.batch)
		}
		return p.integers(name, value, 0, c.VocabSize-1, true, p.batch, p.tokens)
	case "matched_label":
		return p.integers(name, value, 0, 1, true, p.batch)
	case "ans":
		return p.integers(name, value, 0, c.NumQALabels-1, true, p.batch)
	case "obj_labels.obj.label":
		return p.integers(name, value, 0, c.NumObjectLabels-1, true, p.batch, p.regions)
	case "obj_labels.attr.label":
		return p.integers(name, value, 0, c.NumAttrLabels-1, true, p.batch, p.regions)
	case "obj_labels.feat.label":
		return p.floats(name, value, p.batch, p.regions, c.VisualFeatDim)
	default: // a confidence
		return p.floats(name, value, p.batch, p.regions)
	}
}

// ofPictures is the shape of what there is for each region: a number, or width of them.
func (p *preparation) ofPictures(width ...int) []int {
	if p.head == HeadNLVR2 {
		return append([]int{p.batch, 2, p.regions}, width...)
	}
	return append([]int{p.pictures, p.regions}, width...)
}

// isLabel tells training targets from what the encoders read.
func isLabel(name string) bool {
	switch name {
	case "input_ids", "inputs_embeds", "token_type_ids", "attention_mask", "visual_feats", "visual_pos", "visual_attention_mask":
		return false
	}
	return true
}

// shape checks the dimensions; a wanted 0 is one that is not known, its cause is reported elsewhere.
func (p *preparation) shape(name string, value *tensors.Tensor, want []int) bool {
	found := value.Shape().Dimensions
	if slices.Contains(found, 0) {
		p.bad(name, "found shape %v: no axis may be empty", found)
		return false
	}
	ok := len(found) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = want[i] == 0 || want[i] == found[i]
	}
	if !ok {
		p.bad(name, "found shape %v, want %s", found, wantedShape(want))
	}
	return ok
}

// wantedShape writes a wanted shape; what is not known for lack of another input is a question mark.
func wantedShape(want []int) string {
	axes := make([]string, len(want))
	for i, size := range want {
		axes[i] = strconv.Itoa(size)
		if size == 0 {
			axes[i] = "?"
		}
	}
	return "[" + strings.Join(axes, " ") + "]"
}

// integers returns int32 values, each lowest..highest, or [IgnoreLabel] where that is allowed.
func (p *preparation) integers(name string, value *tensors.Tensor, lowest, highest int, ignorable bool, want ...int) *tensors.Tensor {
	if !p.shape(name, value, want) {
		return nil
	}
	wide, ok := readIntegers(value, false)
	if !ok {
		p.bad(name, "found %v, want int32 or int64", value.DType())
		return nil
	}
	ignorable = ignorable && p.config.framework != TensorFlow
	narrow := make([]int32, len(wide))
	for i, v := range wide {
		if (v < int64(lowest) || v > int64(highest)) && !(ignorable && v == IgnoreLabel) {
			ignored := ""
			if ignorable {
				ignored = fmt.Sprintf(" or %d for none", IgnoreLabel)
			}
			p.bad(name, "element %v is %d, want %d..%d%s", index(i, value.Shape().Dimensions), v, lowest, highest, ignored)
			return nil
		}
		narrow[i] = int32(v)
	}
	return tensors.FromFlatDataAndDimensions(narrow, value.Shape().Dimensions...)
}

// floats returns float32 values, all finite.
func (p *preparation) floats(name string, value *tensors.Tensor, want ...int) *tensors.Tensor {
	if !p.shape(name, value, want) {
		return nil
	}
	if value.DType() != dtypes.Float32 {
		p.bad(name, "found %v, want float32", value.DType())
		return nil
	}
	return p.finite(name, value)
}

// finite returns a copy, so that the caller's tensor does not become the backend's. It refuses NaN
// and infinities: one of them makes every output of its example NaN.
func (p *preparation) finite(name string, value *tensors.Tensor) *tensors.Tensor {
	flat, err := tensors.CopyFlatData[float32](value)
	if err != nil {
		p.bad(name, "%v", err)
		return nil
	}
	for i, v := range flat {
		if v-v != 0 { // true of NaN and the infinities only
			p.bad(name, "element %v is %v, want a finite number", index(i, value.Shape().Dimensions), v)
			return nil
		}
	}
	return tensors.FromFlatDataAndDimensions(flat, value.Shape().Dimensions...)
}

// mask returns float32 values, each 0..1: beyond that the mask's large number overflows.
func (p *preparation) mask(name string, value *tensors.Tensor, want ...int) *tensors.Tensor {
	if !p.shape(name, value, want) {
		return nil
	}
	var mask []float32
	if wide, ok := readIntegers(value, true); ok {
		mask = make([]float32, len(wide))
		for i, v := range wide {
			mask[i] = float32(v)
		}
	} else if value.DType() == dtypes.Float32 {
		mask = tensors.MustCopyFlatData[float32](value)
	} else {
		p.bad(name, "found %v, want bool, int32, int64 or float32", value.DType())
		return nil
	}
	for i, v := range mask {
		if !(v >= 0 && v <= 1) { // so that NaN fails
			p.bad(name, "element %v is %v, want 0..1", index(i, value.Shape().Dimensions), v)
			return nil
		}
	}
	return tensors.FromFlatDataAndDimensions(mask, value.Shape().Dimensions...)
}

// readIntegers copies an integer tensor, or one of bools if they will do.
func readIntegers(value *tensors.Tensor, bools bool) (wide []int64, ok bool) {
	err := value.ConstFlatData(func(flat any) {
		switch flat := flat.(type) {
		case []int64:
			wide, ok = slices.Clone(flat), true
		case []int32:
			wide, ok = make([]int64, len(flat)), true
			for i, v := range flat {
				wide[i] = int64(v)
			}
		case []bool:
			if !bools {
				return
			}
			wide, ok = make([]int64, len(flat)), true
			for i, set := range flat {
				if set {
					wide[i] = 1
				}
			}
		}
	})
	return wide, ok && err == nil
}

// index turns a flat position into one index an axis.
func index(flat int, dimensions []int) []int {
	at := make([]int, len(dimensions))
	for axis := len(dimensions) - 1; axis >= 0; axis-- {
		at[axis] = flat % dimensions[axis]
		flat /= dimensions[axis]
	}
	return at
}
