package simd_test

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors/images"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"
)

// Steps that add what models are made of, several operations at once: that is what plans are cut by.

// keep adds a value that the graph returns.
func (m *maker) keep(v value) {
	m.add(v)
	m.kept = append(m.kept, m.values[len(m.values)-1])
}

// signs are factors of both signs.
func (m *maker) signs(dims ...int) *Node {
	return Cos(IotaFull(m.graph, shape(dtypes.Float32, dims...)))
}

// mostSummed is how many numbers of one sign are added up: the portable backend does it one by one, and is too far off to judge by where
// there are more.
const mostSummed = 2000

// chain is a chain of element-wise operations, at times longer than one that the engine runs as one. Some of its values are read by others
// or returned, and some are summed up.
func (m *maker) chain() {
	first := m.float(0)
	first = rounded(Tanh(m.read(first)), 1, first)
	links := []value{first}
	mask := m.input(dtypes.Bool, first.Shape().Dimensions)
	for range 2 + m.of(64) {
		a, b := links[len(links)-1], links[m.of(len(links))]
		if m.of(4) == 1 {
			b = m.partner(first)
			b = rounded(Tanh(m.read(b)), 1, b)
		}
		x, y := a.Node, b.Node
		var next *Node
		kink := false
		switch m.of(10) {
		case 0:
			next = MulScalar(Add(x, y), 0.5)
		case 1:
			next = Tanh(Sub(x, y))
		case 2:
			next = Mul(x, Logistic(y))
		case 3:
			next, kink = Max(x, y), true
		case 4:
			next = Where(mask.Node, x, Neg(x))
		case 5:
			next = Sqrt(AddScalar(MulScalar(Square(x), 0.5), 0.25))
		case 6:
			next, kink = ClipScalar(x, -0.5, 0.75), true
		case 7:
			next = MulScalar(activation.Gelu(Sub(y, x)), 0.5)
		case 8:
			next = Sub(x, Mul(ConvertDType(mask.Node, dtypes.Float32), x))
		case 9:
			next = Div(x, AddScalar(Abs(x), 0.5))
			kink = true
		}
		v := rounded(next, 1, a, b)
		v.smooth = v.smooth && !kink
		links = append(links, v)
		size := v.Shape().Size()
		switch m.of(12) {
		case 1:
			m.add(v)
		case 2:
			m.keep(v)
		case 3:
			m.keep(rounded(ReduceAllSum(Mul(v.Node, m.signs(v.Shape().Dimensions...))), m.sum(size), v))
		case 4: // and of its square, the reshaped one
			m.add(rounded(ReduceAllSum(Mul(Square(Reshape(v.Node, -1)), m.signs(size))), m.sum(size), v))
		}
	}
	m.add(links[len(links)-1])
}

// update is an optimiser's update of a weight and its moments by a gradient that is clipped to a norm. The results take the weights' memory,
// where that is donated.
func (m *maker) update() {
	dims := shrink(m.dims(1), mostSummed)
	w, mean, square := m.input(dtypes.Float32, dims), m.input(dtypes.Float32, dims), m.input(dtypes.Float32, dims)
	g := m.like(dtypes.Float32, w.Shape())
	x := Tanh(m.read(g))
	m.sum(size(dims))
	clipped := Mul(x, Reciprocal(MaxScalar(Sqrt(ReduceAllSum(Square(x))), 1)))
	newMean := Add(MulScalar(m.read(mean), 0.75), MulScalar(clipped, 0.25))
	newSquare := Add(MulScalar(Square(m.read(square)), 0.75), MulScalar(Square(clipped), 0.25))
	step := Div(newMean, AddScalar(Sqrt(newSquare), 0.5))
	if m.of(2) == 1 { // and weight decay
		step = Add(step, MulScalar(m.read(w), 0.01))
	}
	order := m.permutation(3)
	results := []value{rounded(Sub(m.read(w), MulScalar(step, 0.125)), 2, w, mean, square, g), rounded(newMean, 2, mean, g), rounded(newSquare, 4, square, g)}
	for _, i := range order {
		m.keep(rough(results[i]))
	}
}

// feedForward is two linear maps with GELU between them, the input added, and a layer normalisation.
func (m *maker) feedForward() {
	x := m.float(2)
	in := x.Shape().Dim(-1)
	if in > mostSummed {
		return
	}
	out := lengths[m.of(len(lengths))]
	out = max(1, min(out, most*in/x.Shape().Size()))
	w1, w2 := m.like(dtypes.Float32, shape(dtypes.Float32, out, in)), m.like(dtypes.Float32, shape(dtypes.Float32, in, out))
	b1, b2 := m.like(dtypes.Float32, shape(dtypes.Float32, out)), m.like(dtypes.Float32, shape(dtypes.Float32, in))
	hidden := nn.Dense(m.read(x), m.read(w1), m.read(b1), compute.DenseLayoutOutputsInput)
	size := x.size*w1.size*m.sum(in) + b1.size
	if m.of(4) == 1 { // somebody else reads it too
		m.keep(rounded(hidden, size, x, w1, b1))
	}
	hidden = activation.Gelu(hidden)
	y := nn.Dense(hidden, m.read(w2), m.read(b2), compute.DenseLayoutOutputsInput)
	size = size*w2.size*m.sum(out) + b2.size + x.size
	if m.of(2) == 1 {
		y = Add(y, x.Node)
	} else {
		y = Add(x.Node, y)
	}
	m.add(rounded(y, size, x, w1, w2, b1, b2))
	if m.of(2) == 1 && in > 2 {
		last := m.values[len(m.values)-1]
		m.add(rounded(nn.LayerNorm(last.Node, []int{-1}, 1e-3, nil, nil, nil), 3, last))
	}
}

// convolution is one of pictures, with a bias, a residual and ReLU, or without some of them.
func (m *maker) convolution() {
	channels, outputs, side := lengths[m.of(9)], lengths[m.of(9)], 1+m.of(9)
	x := m.like(dtypes.Float32, shape(dtypes.Float32, 1+m.of(2), side, 1+m.of(9), channels))
	window := 1 + 2*m.of(2)
	w := m.like(dtypes.Float32, shape(dtypes.Float32, window, window, channels, outputs))
	y := Convolve(m.read(x), m.read(w)).ChannelsAxis(images.ChannelsLast).Strides(1 + m.of(2)).PadSame().Done()
	of := []value{x, w}
	size := x.size * w.size * m.sum(window*window*channels)
	switch m.of(3) {
	case 1:
		bias := m.like(dtypes.Float32, shape(dtypes.Float32, outputs))
		y, of, size = Add(y, BroadcastToShape(Reshape(m.read(bias), 1, 1, 1, outputs), y.Shape())), append(of, bias), size+bias.size
	case 2:
		scale := m.like(dtypes.Float32, shape(dtypes.Float32, 1, 1, 1, outputs))
		y, of, size = Mul(y, m.read(scale)), append(of, scale), size*scale.size
	}
	if m.of(2) == 1 {
		residual := m.like(dtypes.Float32, y.Shape())
		y, of, size = Add(m.read(residual), y), append(of, residual), size+residual.size
	}
	if m.of(4) == 1 {
		m.keep(rounded(y, size, of...))
	}
	if m.of(2) == 1 {
		y = activation.Relu(y)
	}
	m.add(rough(rounded(y, size, of...)))
}

// dropout drops values by random numbers, of a state that is known only when the graph runs.
func (m *maker) dropout() {
	x := m.float(0)
	state := ConvertDType(m.input(dtypes.Int64, []int{3}).Node, dtypes.Uint64)
	state, uniform := RandomUniform(state, x.Shape())
	kept := GreaterThan(uniform, Scalar(m.graph, dtypes.Float32, 0.25))
	m.add(value{Node: kept, exact: true, size: 1})
	m.add(value{Node: Where(kept, x.Node, ZerosLike(x.Node)), exact: x.exact, size: x.size})
	if m.of(2) == 1 {
		_, again := RandomUniform(state, shape(dtypes.Float32, 1+m.of(9)))
		m.add(value{Node: again, exact: true, size: 1})
	}
}

// scatterInto adds rows to a table of one number.
func (m *maker) scatterInto() {
	v := m.float(2)
	if v.Rank() > 2 {
		v = moved(v, Reshape(v.Node, v.Shape().Dim(0), -1))
	}
	n, width := v.Shape().Dim(0), v.Shape().Dim(1)
	rows := 1 + m.of(6)
	table := BroadcastToDims(Const(m.graph, float32(0.25)), rows, width)
	m.add(rounded(ScatterSum(table, m.indices(rows, n, 1).Node, m.read(v), false, false), 2*v.size*m.sum(n), v))
	if m.of(2) == 1 {
		m.add(value{Node: table, exact: true, size: 1}) // and others read the table
	}
}

// transposed are products of a value and of its transpose, which the portable backend may find to be the same.
func (m *maker) transposed() {
	x := m.float(2)
	if x.Rank() > 2 {
		x = moved(x, Reshape(x.Node, x.Shape().Dim(0), -1))
	}
	rows, columns := x.Shape().Dim(0), x.Shape().Dim(1)
	if rows*rows > most || columns*columns > most {
		return
	}
	read := m.read(x)
	turned := Transpose(read, 0, 1)
	product := func(a, b *Node, axis, other int) value {
		return rounded(Dot(a, b).General([]int{axis}, nil, []int{other}, nil), x.size*x.size*m.sum(max(rows, columns)), x)
	}
	products := []value{product(read, read, 0, 0), product(turned, read, 1, 0), product(read, turned, 0, 1), product(turned, turned, 1, 1)}
	for _, i := range m.permutation(4) {
		m.add(products[i])
	}
	m.keep(products[m.of(4)])
}

// everyReduction reduces every choice of axes of a small value.
func (m *maker) everyReduction() {
	dims := slices.Clone(m.dims(2))
	x := m.like(dtypes.Float32, shape(dtypes.Float32, shrink(dims, 500)...))
	rank := x.Rank()
	m.sum(x.Shape().Size())
	for which := 1; which < 1<<rank; which++ {
		var axes []int
		for axis := range rank {
			if which>>axis&1 == 1 {
				axes = append(axes, axis)
			}
		}
		m.kept = append(m.kept, rounded(ReduceSum(m.read(x), axes...), x.size*float64(x.Shape().Size()), x),
			kinked(ReduceMax(x.Node, axes...), x.size, x), kinked(ReduceMin(x.Node, axes...), x.size, x))
	}
}
