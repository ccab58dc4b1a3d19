package onnx_test

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
)

// array is a tensor of numbers, integers among them, in row-major order.
type array struct {
	dims   []int
	values []float64
}

func (x array) rank() int { return len(x.dims) }

// evaluate computes a graph of ONNX's own operators as the standard describes them, in float64, one loop after the other. It
// panics where a graph is wrong. Shapes that the file tells are compared with those that come out.
func (f *file) evaluate(in *model.Batch) map[string]*tensors.Tensor {
	known, axes := map[string]array{}, map[string]int{}
	declared := map[string]fileValue{}
	for _, v := range slices.Concat(f.inputs, f.outputs, f.known) {
		declared[v.name] = v
	}
	set := func(name string, x array) {
		if v, ok := declared[name]; ok {
			v.fits(x, axes)
		}
		known[name] = x
	}
	given := map[string]array{}
	for name, value := range in.Given() {
		given[name] = fromTensor(value)
	}
	for _, v := range f.inputs {
		x, ok := given[v.name]
		if !ok {
			panic(fmt.Sprintf("input %s is not given", v.name))
		}
		set(v.name, x)
	}
	for name, x := range f.constants {
		known[name] = array{x.dims, x.numbers()}
	}
	for _, n := range f.nodes {
		operator, ok := operators[n.op]
		if !ok || n.domain != "" {
			panic(fmt.Sprintf("%s: no operator %s.%s here", n.name, n.domain, n.op))
		}
		inputs := make([]array, len(n.inputs))
		for i, name := range n.inputs {
			inputs[i] = known[name]
		}
		set(n.outputs[0], operator(n, inputs))
	}
	outputs := map[string]*tensors.Tensor{}
	for _, v := range f.outputs {
		outputs[v.name] = known[v.name].tensor()
	}
	return outputs
}

// fits compares a declared shape with the true one; a named axis is as long everywhere.
func (v fileValue) fits(x array, axes map[string]int) {
	if len(v.axes) != x.rank() {
		panic(fmt.Sprintf("%s is %v, declared as %v", v.name, x.dims, v.axes))
	}
	for i, axis := range v.axes {
		want, ok := axis.(int64)
		if name, named := axis.(string); named {
			if _, met := axes[name]; !met {
				axes[name] = x.dims[i]
			}
			want, ok = int64(axes[name]), true
		}
		if !ok || want != int64(x.dims[i]) {
			panic(fmt.Sprintf("%s is %v, declared as %v", v.name, x.dims, v.axes))
		}
	}
}

func fromTensor(t *tensors.Tensor) array {
	x := array{dims: t.Shape().Dimensions}
	switch t.DType() {
	case dtypes.Int64:
		for _, v := range tensors.MustCopyFlatData[int64](t) {
			x.values = append(x.values, float64(v))
		}
	case dtypes.Float32:
		for _, v := range tensors.MustCopyFlatData[float32](t) {
			x.values = append(x.values, float64(v))
		}
	default:
		panic(fmt.Sprintf("an input of type %v", t.DType()))
	}
	return x
}

func (x array) tensor() *tensors.Tensor {
	values := make([]float32, len(x.values))
	for i, v := range x.values {
		values[i] = float32(v)
	}
	return tensors.FromFlatDataAndDimensions(values, x.dims...)
}

// operators are those that the graphs have. Attributes that are not looked at have one value in all of them.
var operators = map[string]func(n fileNode, in []array) array{
	"Add":                add,
	"Sub":                elementwise(func(x, y float64) float64 { return x - y }),
	"Mul":                elementwise(func(x, y float64) float64 { return x * y }),
	"Div":                elementwise(func(x, y float64) float64 { return x / y }),
	"Erf":                each(math.Erf),
	"Tanh":               each(math.Tanh),
	"Relu":               each(func(x float64) float64 { return math.Max(x, 0) }),
	"Sigmoid":            each(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }),
	"Softplus":           each(func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }),
	"HardSwish":          each(func(x float64) float64 { return x * math.Max(0, math.Min(1, x/6+0.5)) }),
	"Clip":               func(_ fileNode, in []array) array { return clip(in[0], in[1].scalar(), in[2].scalar()) },
	"LeakyRelu":          leakyReLU,
	"Cast":               func(_ fileNode, in []array) array { return in[0] }, // of masks, 0 or 1
	"Concat":             concat,
	"Gather":             gather,
	"Gemm":               gemm,
	"MatMul":             func(_ fileNode, in []array) array { return matMul(in[0], in[1]) },
	"Range":              span,
	"Reshape":            reshape,
	"Shape":              shapeOf,
	"Softmax":            softmax,
	"Transpose":          func(n fileNode, in []array) array { return transpose(in[0], n.lists["perm"]) },
	"Unsqueeze":          unsqueeze,
	"LayerNormalization": layerNorm,
}

var add = elementwise(func(x, y float64) float64 { return x + y })

func (x array) scalar() float64 {
	if x.rank() != 0 {
		panic(fmt.Sprintf("%v where a scalar is wanted", x.dims))
	}
	return x.values[0]
}

func each(f func(float64) float64) func(fileNode, []array) array {
	return func(_ fileNode, in []array) array {
		y := array{in[0].dims, slices.Clone(in[0].values)}
		for i, v := range y.values {
			y.values[i] = f(v)
		}
		return y
	}
}

func clip(x array, low, high float64) array {
	return each(func(v float64) float64 { return math.Min(math.Max(v, low), high) })(fileNode{}, []array{x})
}

func leakyReLU(n fileNode, in []array) array {
	return each(func(v float64) float64 {
		if v < 0 {
			return v * float64(n.floats["alpha"])
		}
		return v
	})(n, in)
}

// elementwise broadcasts as NumPy does.
func elementwise(f func(x, y float64) float64) func(fileNode, []array) array {
	return func(_ fileNode, in []array) array {
		z := array{dims: broadcast(in[0].dims, in[1].dims)}
		z.values = make([]float64, size(z.dims))
		index := make([]int, len(z.dims))
		if x, y := in[0], in[1]; repeats(x.dims, z.dims) && repeats(y.dims, z.dims) { // the same, only faster
			for i := range z.values {
				z.values[i] = f(x.values[i%len(x.values)], y.values[i%len(y.values)])
			}
			return z
		}
		for i := range z.values {
			z.values[i] = f(in[0].at(index), in[1].at(index))
			next(index, z.dims)
		}
		return z
	}
}

// repeats says whether a shape is the end of another: what is broadcast so lies there again and again.
func repeats(x, z []int) bool { return slices.Equal(x, z[len(z)-len(x):]) }

// at is the element of x at an index of a shape that x is broadcast to.
func (x array) at(index []int) float64 { return x.values[x.offset(index)] }

func (x array) offset(index []int) int {
	index = index[len(index)-x.rank():]
	offset := 0
	for i, d := range x.dims {
		offset *= d
		if d > 1 {
			offset += index[i]
		}
	}
	return offset
}

func next(index, dims []int) {
	for i := len(index) - 1; i >= 0; i-- {
		if index[i]++; index[i] < dims[i] {
			return
		}
		index[i] = 0
	}
}

func broadcast(x, y []int) []int {
	if len(x) < len(y) {
		x, y = y, x
	}
	z := slices.Clone(x)
	for i, d := range y {
		switch at := len(x) - len(y) + i; {
		case z[at] == 1:
			z[at] = d
		case d != 1 && d != z[at]:
			panic(fmt.Sprintf("%v and %v do not go together", x, y))
		}
	}
	return z
}

func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

func matMul(x, y array) array {
	m, k, n := x.dims[x.rank()-2], x.dims[x.rank()-1], y.dims[y.rank()-1]
	if y.dims[y.rank()-2] != k {
		panic(fmt.Sprintf("%v times %v", x.dims, y.dims))
	}
	batch := broadcast(x.dims[:x.rank()-2], y.dims[:y.rank()-2])
	z := array{dims: append(slices.Clone(batch), m, n)}
	index := make([]int, len(batch)+2) // its last two axes stay 0
	for range size(batch) {
		a, b := x.values[x.offset(index):], y.values[y.offset(index):]
		for i := range m {
			for j := range n {
				sum := 0.0
				for l := range k {
					sum += a[i*k+l] * b[l*n+j]
				}
				z.values = append(z.values, sum)
			}
		}
		next(index[:len(batch)], batch)
	}
	return z
}

// gemm is x·wᵀ + b.
func gemm(n fileNode, in []array) array {
	if n.ints["transB"] != 1 || in[0].rank() != 2 {
		panic("a Gemm of another kind")
	}
	return add(n, []array{matMul(in[0], transpose(in[1], []int64{1, 0})), in[2]})
}

func transpose(x array, perm []int64) array {
	y := array{dims: make([]int, x.rank()), values: make([]float64, 0, len(x.values))}
	for i, p := range perm {
		y.dims[i] = x.dims[p]
	}
	index, from := make([]int, x.rank()), make([]int, x.rank())
	for range x.values {
		for i, p := range perm {
			from[p] = index[i]
		}
		y.values = append(y.values, x.at(from))
		next(index, y.dims)
	}
	return y
}

// reshape copies an axis for 0 and fills in -1.
func reshape(_ fileNode, in []array) array {
	x, dims, rest, open := in[0], make([]int, len(in[1].values)), 1, -1
	for i, d := range in[1].values {
		switch d {
		case 0:
			dims[i] = x.dims[i]
		case -1:
			dims[i], open = 1, i
		default:
			dims[i] = int(d)
		}
		rest *= dims[i]
	}
	if open >= 0 {
		dims[open] = len(x.values) / rest
	}
	if size(dims) != len(x.values) {
		panic(fmt.Sprintf("%v as %v", x.dims, in[1].values))
	}
	return array{dims, x.values}
}

func unsqueeze(_ fileNode, in []array) array {
	dims := slices.Clone(in[0].dims)
	for _, axis := range in[1].values { // in rising order, each one of the result's
		dims = slices.Insert(dims, int(axis), 1)
	}
	return array{dims, in[0].values}
}

func shapeOf(n fileNode, in []array) array {
	var values []float64
	for _, d := range in[0].dims[n.ints["start"]:] {
		values = append(values, float64(d))
	}
	return array{[]int{len(values)}, values}
}

func span(_ fileNode, in []array) array {
	var values []float64
	for v := in[0].scalar(); v < in[1].scalar(); v += in[2].scalar() {
		values = append(values, v)
	}
	return array{[]int{len(values)}, values}
}

// gather takes slices of an axis; there is none beyond its end.
func gather(n fileNode, in []array) array {
	x, axis := in[0], int(n.ints["axis"])
	outer, inner := size(x.dims[:axis]), size(x.dims[axis+1:])
	y := array{dims: slices.Concat(x.dims[:axis], in[1].dims, x.dims[axis+1:])}
	for o := range outer {
		for _, i := range in[1].values {
			at := (o*x.dims[axis] + int(i)) * inner
			if i < 0 || int(i) >= x.dims[axis] {
				panic(fmt.Sprintf("slice %v of %d", i, x.dims[axis]))
			}
			y.values = append(y.values, x.values[at:][:inner]...)
		}
	}
	return y
}

func concat(n fileNode, in []array) array {
	axis := int(n.ints["axis"])
	y := array{dims: slices.Clone(in[0].dims)}
	y.dims[axis] = 0
	for _, x := range in {
		y.dims[axis] += x.dims[axis]
	}
	for o := range size(y.dims[:axis]) {
		for _, x := range in {
			block := size(x.dims[axis:])
			y.values = append(y.values, x.values[o*block:][:block]...)
		}
	}
	return y
}

func softmax(n fileNode, in []array) array {
	return rows(n, in[0], func(row []float64) {
		largest, sum := slices.Max(row), 0.0
		for i := range row {
			row[i] = math.Exp(row[i] - largest)
			sum += row[i]
		}
		for i := range row {
			row[i] /= sum
		}
	})
}

func layerNorm(n fileNode, in []array) array {
	epsilon, ok := n.floats["epsilon"]
	if !ok || epsilon != 1e-12 {
		panic(fmt.Sprintf("epsilon is %v", epsilon))
	}
	return rows(n, in[0], func(row []float64) {
		mean, variance := 0.0, 0.0
		for _, v := range row {
			mean += v / float64(len(row))
		}
		for _, v := range row {
			variance += (v - mean) * (v - mean) / float64(len(row))
		}
		for i := range row {
			row[i] = (row[i]-mean)/math.Sqrt(variance+float64(epsilon))*in[1].values[i] + in[2].values[i]
		}
	})
}

// rows changes each row of the last axis.
func rows(n fileNode, x array, change func([]float64)) array {
	if n.ints["axis"] != -1 {
		panic(fmt.Sprintf("%s of axis %d", n.op, n.ints["axis"]))
	}
	y := array{x.dims, slices.Clone(x.values)}
	for row := range slices.Chunk(y.values, x.dims[x.rank()-1]) {
		change(row)
	}
	return y
}
