package simd

import (
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// elementOp is an element-wise operation: each value of its result depends on one value of each operand. Chains (see chain) are made
// of them. Inside a chain everything is float32; true and false are 1 and 0, and a
// result of bfloat16 is rounded to a number that stays float32.
type elementOp int

const (
	notElement elementOp = iota

	opAbs
	opErf
	opExp
	opGELU
	opGELUTanh
	opLog
	opLogistic
	opNeg
	opNot
	opRsqrt
	opSign
	opSqrt
	opTanh
	opCopy    // the operand, spread over the result's axes
	opConvert // from another type to float32, which is a matter of loading; or from float32 to bfloat16

	opAdd
	opSub
	opMul
	opDiv
	opMax
	opMin
	opPow
	opAnd
	opOr
	opEqual
	opNotEqual
	opLess
	opLessOrEqual
	opGreater
	opGreaterOrEqual

	opWhere
	opClamp // smallest, x, largest
)

// elementWork does an operation on vectors of one length; dst may be an operand.
type elementWork = func(s *kernel.Set, dst, x, y, z []float32)

var elementWorks = [...]elementWork{
	opAbs:      func(s *kernel.Set, dst, x, _, _ []float32) { s.Abs(dst, x) },
	opErf:      func(s *kernel.Set, dst, x, _, _ []float32) { s.Erf(dst, x) },
	opExp:      func(s *kernel.Set, dst, x, _, _ []float32) { s.Exp(dst, x) },
	opGELU:     func(s *kernel.Set, dst, x, _, _ []float32) { s.GELU(dst, x) },
	opGELUTanh: func(s *kernel.Set, dst, x, _, _ []float32) { s.GELUTanh(dst, x) },
	opLog:      one(func(x float32) float32 { return float32(math.Log(float64(x))) }),
	opLogistic: one(func(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }),
	opNeg:      func(s *kernel.Set, dst, x, _, _ []float32) { s.Scale(dst, x, -1) },
	opNot:      one(func(x float32) float32 { return 1 - x }),
	opRsqrt:    one(func(x float32) float32 { return float32(1 / math.Sqrt(float64(x))) }),
	opSign:     one(signOf),
	opSqrt:     func(s *kernel.Set, dst, x, _, _ []float32) { s.Sqrt(dst, x) },
	opTanh:     func(s *kernel.Set, dst, x, _, _ []float32) { s.Tanh(dst, x) },
	opCopy:     func(_ *kernel.Set, dst, x, _, _ []float32) { copy(dst, x) },
	opConvert:  func(_ *kernel.Set, dst, x, _, _ []float32) { copy(dst, x) },

	opAdd: func(s *kernel.Set, dst, x, y, _ []float32) { s.Add(dst, x, y) },
	opSub: func(s *kernel.Set, dst, x, y, _ []float32) { s.Sub(dst, x, y) },
	opMul: func(s *kernel.Set, dst, x, y, _ []float32) { s.Mul(dst, x, y) },
	opDiv: func(s *kernel.Set, dst, x, y, _ []float32) { s.Div(dst, x, y) },
	opMax: func(s *kernel.Set, dst, x, y, _ []float32) { s.Larger(dst, x, y) },
	opMin: func(s *kernel.Set, dst, x, y, _ []float32) { s.Smaller(dst, x, y) },
	opPow: func(_ *kernel.Set, dst, x, y, _ []float32) {
		for i, v := range x {
			dst[i] = float32(math.Pow(float64(v), float64(y[i])))
		}
	},
	opAnd:   func(s *kernel.Set, dst, x, y, _ []float32) { s.Smaller(dst, x, y) },
	opOr:    func(s *kernel.Set, dst, x, y, _ []float32) { s.Larger(dst, x, y) },
	opEqual: func(s *kernel.Set, dst, x, y, _ []float32) { s.Equal(dst, x, y) },
	opNotEqual: func(_ *kernel.Set, dst, x, y, _ []float32) {
		for i, v := range x {
			if v != y[i] {
				dst[i] = 1
			} else {
				dst[i] = 0
			}
		}
	},
	opLess:           func(s *kernel.Set, dst, x, y, _ []float32) { s.Less(dst, x, y) },
	opLessOrEqual:    func(s *kernel.Set, dst, x, y, _ []float32) { s.LessEqual(dst, x, y) },
	opGreater:        func(s *kernel.Set, dst, x, y, _ []float32) { s.Less(dst, y, x) },
	opGreaterOrEqual: func(s *kernel.Set, dst, x, y, _ []float32) { s.LessEqual(dst, y, x) },

	opWhere: func(s *kernel.Set, dst, x, y, z []float32) { s.Choose(dst, x, y, z) },
	opClamp: func(s *kernel.Set, dst, x, y, z []float32) {
		s.Larger(dst, x, y)
		s.Smaller(dst, dst, z)
	},
}

// one makes work of a function of numbers, for operations that are rare.
func one(f func(float32) float32) elementWork {
	return func(_ *kernel.Set, dst, x, _, _ []float32) {
		for i, v := range x {
			dst[i] = f(v)
		}
	}
}

func signOf(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // ±0, or NaN
}

// exact reports whether an operation's result is one of its operands, or that with another sign: one of bfloat16 needs no rounding.
func (op elementOp) exact() bool {
	switch op {
	case opAbs, opNeg, opSign, opCopy, opMax, opMin, opWhere, opClamp:
		return true
	}
	return false
}

// element records an element-wise operation. Of float32, bfloat16 and bool it may become a part of a chain.
func (f *function) element(op elementOp, inputs []compute.Value, again func(compute.Function, []compute.Value) (compute.Value, error)) (compute.Value, error) {
	v, err := f.one(inputs, again)
	if err != nil {
		return nil, err
	}
	if n := f.made(v, inputs); n != nil && f.chainable(op, v, inputs) {
		n.element = op
	}
	return v, nil
}

// made is the node that makes v of these inputs, or nil where the shadow has made something else of them: it gives values that it knows
// to be equal as one, also where they were made in another way. The product of a transposed matrix is one such: what is known of the new way
// says nothing about the inputs of the old.
func (f *function) made(v compute.Value, inputs []compute.Value) *node {
	n := f.maker[v]
	if n == nil || len(n.inputs) != len(inputs) {
		return nil
	}
	for i, input := range inputs {
		if n.inputs[i] != input {
			return nil
		}
	}
	return n
}

// chainable reports whether an operation can be part of a chain: its values are float32, bfloat16 or bool, and where several of these occur the operation is
// one that mixes them.
func (f *function) chainable(op elementOp, v compute.Value, inputs []compute.Value) bool {
	if !chained(f, v) {
		return false
	}
	out := f.shape(v).DType
	if op == opConvert {
		from := f.shape(inputs[0])
		if from.IsDynamic() {
			return false
		}
		switch out {
		case dtypes.Float32:
			return loaders[from.DType] != nil
		case dtypes.BFloat16:
			return from.DType == dtypes.Float32
		}
		return from.DType == dtypes.Bool
	}
	kinds := map[dtypes.DType]bool{}
	for _, input := range inputs {
		if !chained(f, input) {
			return false
		}
		kinds[f.shape(input).DType] = true
	}
	switch op {
	case opWhere:
		return f.shape(inputs[0]).DType == dtypes.Bool && out != dtypes.Bool
	case opEqual, opNotEqual, opLess, opLessOrEqual, opGreater, opGreaterOrEqual, opNot, opAnd, opOr:
		return len(kinds) == 1
	}
	return out != dtypes.Bool && kinds[out] && len(kinds) == 1
}

// chained reports whether a value is of a type that chains hold, of known size, and not empty.
func chained(f *function, v compute.Value) bool {
	shape := f.shape(v)
	known := shape.DType == dtypes.Float32 || shape.DType == dtypes.BFloat16 || shape.DType == dtypes.Bool
	return known && !shape.IsDynamic() && shape.Size() > 0
}

// BroadcastInDim implements compute.Function. Chains read the operand itself, spread over the result's axes.
func (f *function) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (compute.Value, error) {
	inputs := []compute.Value{x}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.BroadcastInDim(in[0], shape, axes)
	})
	if err != nil {
		return nil, err
	}
	if n := f.made(v, inputs); n != nil && chained(f, v) && chained(f, x) && slices.IsSorted(axes) {
		n.element, n.spread = opCopy, append([]int{}, axes...)
	}
	return v, nil
}

// Identity implements compute.Function.
func (f *function) Identity(x compute.Value) (compute.Value, error) { return x, nil }

// Reshape implements compute.Function. The result is the operand's memory.
func (f *function) Reshape(x compute.Value, dimensions ...int) (compute.Value, error) {
	inputs := []compute.Value{x}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Reshape(in[0], dimensions...)
	})
	if err != nil {
		return nil, err
	}
	if n := f.made(v, inputs); n != nil && v != x && chained(f, v) {
		n.view = true
	}
	return v, nil
}
