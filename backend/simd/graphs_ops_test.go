package simd_test

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/layers/attention"
	"github.com/gomlx/gomlx/ml/nn"
)

// steps are what a graph is made of: each adds a value to it.
var steps = []func(m *maker){
	(*maker).dense, (*maker).dense, (*maker).dotGeneral, (*maker).dotGeneral, (*maker).attention, (*maker).rows, (*maker).rows,
	(*maker).unary, (*maker).unary, (*maker).binary, (*maker).binary, (*maker).binary, (*maker).kink, (*maker).compare, (*maker).where,
	(*maker).integers, (*maker).reduce, (*maker).reduce, (*maker).cumulate, (*maker).reshape, (*maker).reshape, (*maker).transpose,
	(*maker).transpose, (*maker).slice, (*maker).concatenate, (*maker).pad, (*maker).broadcast, (*maker).gather, (*maker).scatter,
	(*maker).convert, (*maker).source, (*maker).chain, (*maker).chain, (*maker).update, (*maker).feedForward, (*maker).convolution,
	(*maker).dropout, (*maker).scatterInto, (*maker).transposed, (*maker).everyReduction,
	(*maker).barrier, (*maker).shortElements, (*maker).shortElements, (*maker).shortReduce, (*maker).shortProduct, (*maker).shortProduct,
}

// source adds a value that is made of nothing.
func (m *maker) source() {
	switch m.of(4) {
	case 0:
		m.input(dtypes.Float32, m.dims(0))
	case 1:
		dims := m.dims(1)
		x := IotaFull(m.graph, shape(dtypes.Float32, dims...))
		m.add(value{Node: MulScalar(x, 1/128.0), exact: true, smooth: true, size: float64(size(dims)) / 128})
	case 2:
		dims := m.dims(1)
		m.add(value{Node: Iota(m.graph, shape(dtypes.Int32, dims...), m.of(len(dims))), exact: true, size: 100})
	case 3:
		m.add(value{Node: Const(m.graph, []float32{0.5, -1.25, 2}), exact: true, smooth: true, size: 2})
	}
}

// dense is a linear map with one of its activations, or a product with a weight that is not fused.
func (m *maker) dense() {
	x := m.float(2)
	in := x.Shape().Dim(-1)
	out := lengths[m.of(len(lengths))]
	if m.of(16) == 1 {
		out = 1 + 1<<16/in // a weight that is kept packed alone
	}
	out = max(1, min(out, 4*most*in/x.Shape().Size()))
	layout, dims := compute.DenseLayoutInputOutputs, []int{in, out}
	if m.of(2) == 1 {
		layout, dims = compute.DenseLayoutOutputsInput, []int{out, in}
	}
	weight := m.like(dtypes.Float32, shape(dtypes.Float32, dims...))
	of := []value{x, weight}
	var bias *Node
	if m.of(2) == 1 {
		b := m.like(dtypes.Float32, shape(dtypes.Float32, out))
		of, bias = append(of, b), m.read(b)
	}
	act := []activation.Type{activation.TypeNone, activation.TypeGelu, activation.TypeTanh, activation.TypeRelu, activation.TypeSilu, activation.TypeGeluApprox}[m.of(6)]
	y := rounded(nn.Dense(m.read(x), m.read(weight), bias, layout, act), x.size*weight.size*m.sum(in), of...)
	y.smooth = y.smooth && act != activation.TypeRelu
	m.add(y)
}

// dotGeneral is a product with any batch and contracted axes, also of a value with itself.
func (m *maker) dotGeneral() {
	x := m.float(1)
	rank := x.Rank()
	// Each axis of the left side is a batch axis, contracted, or free.
	var contracting, batch []int
	free, sums := 1, 1
	roles := 2 + m.of(2) // half of the products have no batch axes
	for axis := range rank {
		role := m.of(roles)
		if roles == 2 {
			role *= 2
		}
		switch d := x.Shape().Dim(axis); role {
		case 0:
			contracting, sums = append(contracting, axis), sums*d
		case 1:
			batch = append(batch, axis)
		case 2:
			free *= d
		}
	}
	if len(contracting) == 0 && m.of(4) > 0 { // an outer product only now and then
		contracting, batch, free = []int{rank - 1}, nil, x.Shape().Size()/x.Shape().Dim(-1)
		sums = x.Shape().Dim(-1)
	}
	if m.of(4) == 1 && free*x.Shape().Size() < most { // with itself
		m.add(rounded(Dot(m.read(x), m.read(x)).General(contracting, batch, contracting, batch), x.size*x.size*m.sum(sums), x))
		return
	}
	// The right side has the same batch and contracted axes in an order of its own, and a free axis or none.
	var dims []int
	for _, axis := range append(slices.Clone(contracting), batch...) {
		dims = append(dims, x.Shape().Dim(axis))
	}
	if m.of(3) > 0 {
		dims = append(dims, max(1, min(lengths[m.of(len(lengths))], most*sums/x.Shape().Size(), most/max(1, size(dims)))))
	}
	order := m.permutation(len(dims))
	turned := make([]int, len(dims))
	at := make([]int, len(dims))
	for i, o := range order {
		turned[i], at[o] = dims[o], i
	}
	y := m.like(dtypes.Float32, shape(dtypes.Float32, turned...))
	rhsContracting, rhsBatch := at[:len(contracting)], at[len(contracting):len(contracting)+len(batch)]
	product := rounded(Dot(m.read(x), m.read(y)).General(contracting, batch, rhsContracting, rhsBatch), x.size*y.size*m.sum(sums), x, y)
	if !slices.IsSorted(rhsContracting) {
		product = rough(product)
	}
	m.add(product)
}

// attention lets a value look at another, or at itself.
func (m *maker) attention() {
	batch, heads, queries, keys, width := 1+m.of(3), 1+m.of(3), 1+m.of(20), 1+m.of(20), lengths[m.of(9)]
	layout := attention.LayoutBSHD
	dims := func(rows int) []int { return []int{batch, rows, heads, width} }
	if m.of(2) == 1 {
		layout = attention.LayoutBHSD
		dims = func(rows int) []int { return []int{batch, heads, rows, width} }
	}
	q := m.like(dtypes.Float32, shape(dtypes.Float32, dims(queries)...))
	k := m.like(dtypes.Float32, shape(dtypes.Float32, dims(keys)...))
	v := k
	if m.of(2) == 1 {
		v = m.like(dtypes.Float32, k.Shape())
	}
	var options attention.CoreOptions
	of := []value{q, k, v}
	if masked := m.of(4); masked > 0 {
		full := []int{batch, queries, heads, keys}
		if layout == attention.LayoutBHSD {
			full = []int{batch, heads, queries, keys}
		}
		mask := m.like(dtypes.Float32, shape(dtypes.Float32, [][]int{{batch, 1, 1, keys}, {1, 1, 1, keys}, full}[masked-1]...))
		of, options.AttentionMask = append(of, mask), m.read(mask)
	}
	seen, _ := attention.Core(m.read(q), m.read(k), m.read(v), layout, options)
	m.add(rounded(seen, v.size, of...))
}

// rows is what is done row by row: softmax, layer normalisation.
func (m *maker) rows() {
	x := m.float(1)
	axis := x.Rank() - 1
	if m.of(3) == 1 {
		axis = m.of(x.Rank())
	}
	if x.Shape().Dim(axis) > 2000 {
		return // the portable backend adds up in float32, one by one: of longer rows its means are too far off to judge by
	}
	m.sum(x.Shape().Dim(axis))
	kinds := 4
	if axis < x.Rank()-1 {
		kinds = 3 // GoMLX scales and shifts the last axes only
	}
	switch m.of(kinds) {
	case 0:
		m.add(rounded(Softmax(m.read(x), axis), 1, x))
	case 1:
		m.add(rounded(LogSoftmax(m.read(x), axis), 2*x.size+5, x))
	case 2:
		m.add(rounded(nn.LayerNorm(m.read(x), []int{axis}, 1e-3, nil, nil, nil), 3, x))
	case 3:
		dims := shape(dtypes.Float32, x.Shape().Dim(axis))
		gamma, beta := m.like(dtypes.Float32, dims), m.like(dtypes.Float32, dims)
		m.add(rounded(nn.LayerNorm(m.read(x), []int{axis}, 1e-3, m.read(gamma), m.read(beta), nil), 3*gamma.size+beta.size, x, gamma, beta))
	}
}

// unary is a smooth function of each element; those that grow fast get small arguments, roots and logarithms positive ones.
func (m *maker) unary() {
	v := m.float(0)
	x, half := m.read(v), 1.0
	for s := v.size; s > 2; s /= 2 {
		half /= 2
	}
	positive := func() *Node { return AddScalar(Square(x), 0.5) }
	switch m.of(18) {
	case 0:
		m.add(rounded(activation.Gelu(x), v.size, v))
	case 1:
		m.add(rounded(activation.GeluApproximate(x), v.size, v))
	case 2:
		m.add(rounded(Tanh(x), 1, v))
	case 3:
		m.add(rounded(Logistic(x), 1, v))
	case 4:
		m.add(rounded(Exp(MulScalar(x, half)), 8, v))
	case 5:
		m.add(rough(rounded(Expm1(MulScalar(x, half)), 8, v)))
	case 6:
		m.add(rounded(Log(positive()), 4, v))
	case 7:
		m.add(rounded(Log1p(Square(x)), 4, v))
	case 8:
		m.add(rounded(Sqrt(positive()), v.size, v))
	case 9:
		m.add(rough(rounded(Rsqrt(positive()), 2, v)))
	case 10:
		m.add(rounded(Erf(x), 1, v))
	case 11:
		m.add(rounded(Sin(x), 1, v))
	case 12:
		m.add(rounded(Cos(x), 1, v))
	case 13:
		m.add(rounded(Square(x), v.size*v.size, v))
	case 14:
		m.add(rounded(AddScalar(x, 0.75), v.size+1, v))
	case 15:
		m.add(rounded(MulScalar(x, -1.3), 1.3*v.size, v))
	case 16:
		m.add(moved(v, Neg(v.Node)))
	case 17:
		m.add(rounded(Reciprocal(positive()), 2, v))
	}
}

// partner is a second operand for x: of its shape, x itself, of an axis or more of length 1, or a scalar.
func (m *maker) partner(x value) value {
	dims := slices.Clone(x.Shape().Dimensions)
	switch m.of(4) {
	case 1:
		return x
	case 2:
		for i := range dims {
			if m.of(2) == 0 {
				dims[i] = 1
			}
		}
	case 3:
		dims = nil
	}
	return m.like(x.DType(), shape(x.DType(), dims...))
}

// binary is arithmetic of two values that broadcast.
func (m *maker) binary() {
	a := m.float(0)
	b := m.partner(a)
	if m.of(2) == 1 {
		a, b = b, a
	}
	x, y := m.read(a), m.read(b)
	switch m.of(5) {
	case 0:
		m.add(rounded(Add(x, y), a.size+b.size, a, b))
	case 1:
		m.add(rounded(Mul(x, y), a.size*b.size, a, b))
	case 2:
		m.add(rounded(Sub(x, y), a.size+b.size, a, b))
	case 3:
		m.add(rounded(Div(x, AddScalar(Square(y), 0.5)), 2*a.size, a, b))
	case 4:
		m.add(rounded(Pow(AddScalar(Square(x), 0.5), Tanh(y)), a.size*a.size+2, a, b))
	}
}

// kink is a function whose gradient jumps.
func (m *maker) kink() {
	a := m.float(0)
	switch m.of(5) {
	case 0:
		m.add(kinked(activation.Relu(a.Node), a.size, a))
	case 1:
		m.add(kinked(Abs(a.Node), a.size, a))
	case 2:
		b := m.partner(a)
		m.add(kinked(Max(a.Node, b.Node), max(a.size, b.size), a, b))
	case 3:
		b := m.partner(a)
		m.add(kinked(Min(a.Node, b.Node), max(a.size, b.size), a, b))
	case 4:
		m.add(kinked(ClipScalar(a.Node, -0.5, 0.75), 1, a))
	}
}

// compare makes booleans of exact values.
func (m *maker) compare() {
	a, ok := m.pick(func(v value) bool {
		return v.exact && (v.DType() == dtypes.Float32 || v.DType() == dtypes.Int32 || v.DType() == dtypes.Int64)
	})
	if !ok {
		a = m.exactFloat(0)
	}
	b := m.partner(a)
	if !b.exact {
		b = a
	}
	compared := []func(x, y *Node) *Node{GreaterThan, LessThan, GreaterOrEqual, LessOrEqual, Equal, NotEqual}[m.of(6)](a.Node, b.Node)
	m.add(value{Node: compared, exact: true, size: 1})
}

// where chooses between two values.
func (m *maker) where() {
	a := m.float(0)
	b := m.like(dtypes.Float32, a.Shape())
	condition := m.like(dtypes.Bool, a.Shape())
	v := value{Node: Where(condition.Node, a.Node, b.Node), exact: a.exact && b.exact, smooth: a.smooth && b.smooth, size: max(a.size, b.size)}
	m.add(v)
}

// integers is what is done with integers and booleans.
func (m *maker) integers() {
	switch m.of(7) {
	case 0:
		a := m.like(dtypes.Bool, shape(dtypes.Bool, m.dims(0)...))
		b := m.like(dtypes.Bool, a.Shape())
		op := []func(x, y *Node) *Node{LogicalAnd, LogicalOr, LogicalXor}[m.of(3)]
		m.add(value{Node: op(a.Node, LogicalNot(b.Node)), exact: true, size: 1})
	case 1:
		a := m.exactFloat(1)
		m.add(value{Node: ArgMax(a.Node, m.of(a.Rank())), exact: true, size: 100})
	case 2:
		a := m.like([]dtypes.DType{dtypes.Int32, dtypes.Int64}[m.of(2)], shape(dtypes.Int32, m.dims(0)...))
		b := m.partner(a)
		op := []func(x, y *Node) *Node{Add, Sub, Mul, Max, Min}[m.of(5)]
		m.add(value{Node: op(a.Node, b.Node), exact: true, size: a.size + b.size})
	case 3:
		a := m.exactFloat(0)
		m.add(value{Node: ConvertDType(a.Node, []dtypes.DType{dtypes.Int32, dtypes.Int64, dtypes.Bool}[m.of(3)]), exact: true, size: a.size})
	case 4:
		a := m.exactFloat(0)
		op := []func(x *Node) *Node{Sign, Floor, Ceil, Round}[m.of(4)]
		m.add(value{Node: op(a.Node), exact: true, size: a.size + 1})
	case 5:
		a := m.like(dtypes.Int32, shape(dtypes.Int32, m.dims(1)...))
		m.add(value{Node: ReduceSum(a.Node, m.axes(a.Rank())...), exact: true, size: 100})
	case 6:
		a := m.like(dtypes.Bool, shape(dtypes.Bool, m.dims(1)...))
		m.add(value{Node: LogicalAny(a.Node, m.axes(a.Rank())...), exact: true, size: 1})
	}
}

// reduce sums up axes, takes their mean, or the largest.
func (m *maker) reduce() {
	a := m.float(1)
	axes := m.axes(a.Rank())
	count := 1
	for _, axis := range axes {
		count *= a.Shape().Dim(axis)
	}
	sum := m.sum(count)
	keep := func(f func(x *Node, axes ...int) *Node, x *Node) *Node {
		if m.of(2) == 1 {
			return ReduceAndKeep(x, f, axes...)
		}
		return f(x, axes...)
	}
	switch m.of(5) {
	case 0:
		m.add(rounded(keep(ReduceSum, m.read(a)), a.size*sum, a))
	case 1:
		m.add(rounded(keep(ReduceMean, m.read(a)), a.size, a))
	case 2:
		m.add(kinked(keep(ReduceMax, a.Node), a.size, a))
	case 3:
		m.add(kinked(keep(ReduceMin, a.Node), a.size, a))
	case 4:
		m.add(rounded(keep(ReduceVariance, m.read(a)), a.size*a.size, a))
	}
}

// cumulate sums up to each element.
func (m *maker) cumulate() {
	a := m.float(1)
	axis := m.of(a.Rank())
	o := &CumSumOptions{Exclusive: m.of(2) == 1, Reverse: m.of(2) == 1}
	m.add(rounded(CumSum(m.read(a), axis, o), a.size*m.sum(a.Shape().Dim(axis)), a))
}

// any picks a value of any type that has axes.
func (m *maker) any(rank int) value {
	v, ok := m.pick(func(v value) bool { return v.Rank() >= rank })
	if !ok {
		return m.input(dtypes.Float32, m.dims(rank))
	}
	return v
}

// reshape joins axes, splits them, or adds axes of length 1.
func (m *maker) reshape() {
	v := m.any(0)
	dims := slices.Clone(v.Shape().Dimensions)
	switch m.of(4) {
	case 0:
		dims = []int{size(dims)}
	case 1:
		if len(dims) >= 2 {
			at := m.of(len(dims) - 1)
			dims = slices.Concat(dims[:at], []int{dims[at] * dims[at+1]}, dims[at+2:])
		}
	case 2:
		if len(dims) > 0 && len(dims) < 5 {
			at := m.of(len(dims))
			for _, factor := range []int{2, 3, 5, 13} {
				if dims[at]%factor == 0 {
					dims = slices.Concat(dims[:at], []int{factor, dims[at] / factor}, dims[at+1:])
					break
				}
			}
		}
	case 3:
		if len(dims) < 5 {
			dims = slices.Insert(dims, m.of(len(dims)+1), 1)
		}
	}
	m.add(moved(v, Reshape(v.Node, dims...)))
}

// barrier puts a value behind a barrier; what is made of it on both sides must not be taken for one.
func (m *maker) barrier() {
	v, other := m.any(0), m.any(0)
	behind := moved(v, OptimizationBarrier(v.Node))
	if m.of(2) == 1 {
		behind = moved(v, SchedulingBarrier(v.Node, other.Node))
	}
	m.add(behind)
	if v.DType() == dtypes.Float32 {
		m.add(moved(v, Neg(v.Node)))
		m.add(moved(v, Neg(behind.Node)))
	}
}

func (m *maker) transpose() {
	v := m.any(1)
	m.add(moved(v, TransposeAllAxes(v.Node, m.permutation(v.Rank())...)))
}

// slice takes a part of some axes, or every second element, or turns an axis around.
func (m *maker) slice() {
	v := m.any(1)
	if m.of(4) == 1 {
		m.add(moved(v, Reverse(v.Node, m.of(v.Rank()))))
		return
	}
	var specs []SliceAxisSpec
	for axis := range v.Rank() {
		d := v.Shape().Dim(axis)
		from := m.of(d)
		spec := AxisRange(from, from+1+m.of(d-from))
		if m.of(3) == 1 {
			spec = AxisRange()
		} else if m.of(4) == 1 {
			spec = spec.Stride(2)
		}
		specs = append(specs, spec)
	}
	m.add(moved(v, Slice(v.Node, specs...)))
}

// concatenate puts a value beside another that differs in one axis at most, or beside itself.
func (m *maker) concatenate() {
	v := m.any(1)
	axis := m.of(v.Rank())
	w := v
	if v.DType() == dtypes.Float32 && m.of(2) == 1 {
		dims := slices.Clone(v.Shape().Dimensions)
		dims[axis] = 1 + m.of(4)
		w = m.like(v.DType(), shape(v.DType(), dims...))
	}
	if v.Shape().Size()+w.Shape().Size() > 2*most {
		return
	}
	m.add(value{Node: Concatenate([]*Node{v.Node, w.Node}, axis), exact: v.exact && w.exact, smooth: v.smooth && w.smooth, size: max(v.size, w.size)})
}

func (m *maker) pad() {
	v := m.float(1)
	if v.Shape().Size() > most/4 {
		return
	}
	axes := make([]PadAxis, v.Rank())
	axes[m.of(len(axes))] = PadAxis{Start: m.of(3), End: m.of(3), Interior: m.of(2)}
	m.add(moved(v, Pad(v.Node, ScalarZero(m.graph, v.DType()), axes...)))
}

// broadcast repeats a value along new axes, or along axes of length 1.
func (m *maker) broadcast() {
	v := m.any(0)
	n := 1 + m.of(4)
	if n*v.Shape().Size() > most || v.Rank() > 4 {
		return
	}
	dims := slices.Clone(v.Shape().Dimensions)
	for i, d := range dims {
		if d == 1 {
			dims[i] = n
			m.add(moved(v, BroadcastToDims(v.Node, dims...)))
			return
		}
	}
	m.add(moved(v, BroadcastPrefix(v.Node, n)))
}

// gather looks up rows, as embeddings do.
func (m *maker) gather() {
	v := m.float(1)
	n := 1 + m.of(6)
	if n*v.Shape().Size()/v.Shape().Dim(0) > most {
		return
	}
	m.add(moved(v, Gather(v.Node, m.indices(v.Shape().Dim(0), n, 1).Node)))
}

// scatter adds rows up, as the gradients of embeddings do.
func (m *maker) scatter() {
	v := m.float(2)
	if v.Rank() > 2 {
		v = moved(v, Reshape(v.Node, v.Shape().Dim(0), -1))
	}
	n, width := v.Shape().Dim(0), v.Shape().Dim(1)
	rows := 1 + m.of(6)
	indices := m.indices(rows, n, 1)
	of := []value{v}
	var x *Node
	if m.of(2) == 1 {
		into := m.like(dtypes.Float32, shape(dtypes.Float32, rows, width))
		of = append(of, into)
		x = ScatterSum(m.read(into), indices.Node, m.read(v), false, false)
	} else {
		x = Scatter(indices.Node, m.read(v), shape(dtypes.Float32, rows, width), false, false)
	}
	m.add(rounded(x, 2*v.size*m.sum(n), of...))
}

// convert goes to another type, perhaps to do something there, and back.
func (m *maker) convert() {
	switch m.of(5) {
	case 0: // float64, where something is computed
		v := m.float(0)
		m.add(rounded(ConvertDType(Tanh(ConvertDType(m.read(v), dtypes.Float64)), dtypes.Float32), 1, v))
	case 1: // bfloat16: only of exact values, others might round to different ones
		v := m.exactFloat(0)
		m.add(value{Node: ConvertDType(v.Node, dtypes.BFloat16), exact: true, size: v.size})
	case 2:
		v, ok := m.pick(func(v value) bool { return v.DType() == dtypes.BFloat16 })
		if !ok {
			v = m.exactFloat(0)
			v.Node = ConvertDType(v.Node, dtypes.BFloat16)
		}
		m.add(value{Node: ConvertDType(MulScalar(Add(v.Node, v.Node), 0.25), dtypes.Float32), exact: true, size: v.size})
	case 3:
		v, ok := m.pick(func(v value) bool { return v.DType().IsInt() || v.DType() == dtypes.Bool })
		if !ok {
			v = m.input(dtypes.Int32, m.dims(0))
		}
		m.add(value{Node: MulScalar(ConvertDType(v.Node, dtypes.Float32), 1/64.0), exact: true, size: v.size / 16})
	case 4:
		v, ok := m.pick(func(v value) bool { return v.DType() == dtypes.Int32 })
		if !ok {
			v = m.input(dtypes.Int32, m.dims(0))
		}
		m.add(value{Node: ConvertDType(v.Node, dtypes.Int64), exact: true, size: v.size})
	}
}
