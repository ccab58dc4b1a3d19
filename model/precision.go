package model

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
)

// A Precision says in which types a network keeps its weights and multiplies. Whatever it is, a pass takes and gives float32; biases, layer
// norms, activations, residuals, softmax and the products of attention compute in float32.
//
// A network that is not [Float32] answers only: it is not trained ([ErrAnswersOnly]).
type Precision uint8

const (
	// Float32 is the reference's.
	Float32 Precision = iota
	// BFloat16 keeps the weights of linear maps and the embedding tables in bfloat16, whose numbers have 8 bits. Linear maps multiply bfloat16
	// values and add in float32. The map of the spatial encoding, of four numbers, stays float32.
	BFloat16
	// Int8 keeps the weights of the encoders' linear maps as whole numbers of 8 bits, with a scale for each output: symmetric,
	// without zero points. What they multiply is quantised as it comes, each row by its largest number. The rest is as
	// with [BFloat16]: embedding tables, pooler, heads.
	Int8
)

var precisionNames = [...]string{Float32: "f32", BFloat16: "bf16", Int8: "int8"}

// ParsePrecision reads f32, bf16 or int8; float32 and bfloat16 are other names of two of them.
func ParsePrecision(name string) (Precision, error) {
	switch name {
	case "f32", "float32":
		return Float32, nil
	case "bf16", "bfloat16":
		return BFloat16, nil
	case "int8":
		return Int8, nil
	}
	return 0, fmt.Errorf("found precision %q, want f32, bf16 or int8", name)
}

// String is f32, bf16 or int8.
func (p Precision) String() string {
	if int(p) < len(precisionNames) {
		return precisionNames[p]
	}
	return fmt.Sprintf("precision %d", uint8(p))
}

// ErrAnswersOnly is what a network in bfloat16 or int8 says to who would train it or asks for gradients.
var ErrAnswersOnly = errors.New("a network with weights in bfloat16 or int8 gives answers only: load it in float32 (--dtype f32) to train or to take gradients")

// ScaleSuffix makes the name of a quantised weight's scales of the weight's: X.weight has X.weight_scale.
const ScaleSuffix = "_scale"

// Of is the type in which networks of that precision keep a weight.
func (p Precision) Of(w Weight) dtypes.DType {
	switch {
	case p == Float32, len(w.Dimensions) != 2, strings.HasSuffix(w.Name, ".box_fc.weight"):
		return dtypes.Float32
	case p == Int8 && (strings.Contains(w.Name, ".encoder.") || strings.HasPrefix(w.Name, "encoder.")):
		return dtypes.Int8
	}
	return dtypes.BFloat16
}

// Kept lists the weights as networks of that precision keep them: the weights declared, in their types, and after each
// quantised one its scales [out], float32.
func (p Precision) Kept(declared []Weight) []Weight {
	var kept []Weight
	for _, w := range declared {
		w.DType = p.Of(w)
		kept = append(kept, w)
		if w.DType == dtypes.Int8 {
			kept = append(kept, w.scales())
		}
	}
	return kept
}

// scales are those of a quantised weight, as a weight of their own.
func (w Weight) scales() Weight {
	return Weight{w.Name + ScaleSuffix, w.Dimensions[:1], dtypes.Float32}
}
