package simd_test

import (
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
)

// Steps in bfloat16. Engines round at the same places, so elements of exact values must have the same bits. Sums are exact where
// the numbers are small and whole: such are the operands of products, and of their gradients.

// whole makes a parameter of whole numbers between -2 and 2, float32 or bfloat16.
func (m *maker) whole(dtype dtypes.DType, dims ...int) value {
	r := rand.New(rand.NewPCG(uint64(len(m.inputs)), 13))
	next := func() float32 { return float32(r.IntN(5) - 2) }
	if dtype == dtypes.BFloat16 {
		return m.parameter(dims, fill(size(dims), func() bfloat16.BFloat16 { return bfloat16.FromFloat32(next()) }))
	}
	return m.parameter(dims, fill(size(dims), next))
}

// short picks a bfloat16 value of at least some rank, or makes one.
func (m *maker) short(rank int) value {
	v, ok := m.pick(func(v value) bool { return v.DType() == dtypes.BFloat16 && v.Rank() >= rank })
	if !ok {
		return m.whole(dtypes.BFloat16, m.dims(rank)...)
	}
	return v
}

// exactly adds a value that all engines have the same bits of.
func (m *maker) exactly(x *Node, size float64) { m.add(value{Node: x, exact: true, size: size}) }

// shortElements is arithmetic of bfloat16 values.
func (m *maker) shortElements() {
	a := m.short(0)
	b := m.partner(a)
	x, y := a.Node, b.Node
	switch m.of(10) {
	case 0:
		m.exactly(Add(x, y), a.size+b.size)
	case 1:
		m.exactly(Sub(y, x), a.size+b.size)
	case 2:
		m.exactly(Mul(x, y), a.size*b.size)
	case 3:
		m.exactly(Div(x, AddScalar(Square(y), 0.5)), 2*a.size)
	case 4:
		m.exactly(Max(x, y), max(a.size, b.size))
	case 5:
		m.exactly(Min(y, Neg(x)), max(a.size, b.size))
	case 6:
		m.exactly(Sqrt(Abs(x)), a.size)
	case 7:
		other := m.like(dtypes.BFloat16, a.Shape())
		m.exactly(Where(GreaterThan(x, other.Node), x, MulScalar(other.Node, 0.3)), max(a.size, other.size))
	case 8: // to float32, where something is done, and back
		wide := AddScalar(MulScalar(ConvertDType(x, dtypes.Float32), 1.7), 0.1)
		m.exactly(wide, 2*a.size)
		m.exactly(ConvertDType(wide, dtypes.BFloat16), 2*a.size)
	case 9: // and the other way around
		v := m.exactFloat(0)
		m.exactly(ConvertDType(Add(ConvertDType(v.Node, dtypes.BFloat16), Const(m.graph, bfloat16.FromFloat32(0.375))), dtypes.Float32), v.size+1)
	}
}

// shortReduce takes the largest or smallest values, or sums up few.
func (m *maker) shortReduce() {
	if m.of(2) == 0 {
		a := m.short(1)
		op := []func(*Node, ...int) *Node{ReduceMax, ReduceMin}[m.of(2)]
		m.exactly(op(a.Node, m.axes(a.Rank())...), a.size)
		return
	}
	a := m.whole(dtypes.BFloat16, shrink(m.dims(1), 60)...)
	m.exactly(ReduceSum(a.Node, m.axes(a.Rank())...), a.size*10)
}

// operand is a bfloat16 value of whole numbers, or one that is converted.
func (m *maker) operand(dims ...int) (given, x *Node) {
	v := m.whole([]dtypes.DType{dtypes.BFloat16, dtypes.Float32}[m.of(2)], dims...)
	return v.Node, ConvertDType(v.Node, dtypes.BFloat16)
}

// shortProduct is a linear map, or products of attention, in bfloat16, what may follow them, and their gradients.
func (m *maker) shortProduct() {
	length := func(n int) int { return lengths[m.of(n)] }
	product := func(x, y *Node) *DotBuilder { return Dot(x, y).WithAccumulatorDType(dtypes.InvalidDType) }
	var left, right, y *Node
	sums := length(len(lengths))
	if m.of(2) == 0 {
		rows, out := length(10), length(len(lengths))
		given, x := m.operand(1+m.of(2), rows, sums)
		dims, axis := []int{out, sums}, 1
		if m.of(2) == 1 {
			dims, axis = []int{sums, out}, 0
		}
		weight, w := m.operand(dims...)
		left, right, y = given, weight, product(x, w).General([]int{-1}, nil, []int{axis}, nil)
	} else {
		batch, heads, rows, others := 1+m.of(2), 1+m.of(3), length(7), length(7)
		sums = min(sums, 33)
		given, x := m.operand(batch, rows, heads, sums)
		dims, contracting := []int{batch, others, heads, sums}, []int{3}
		if m.of(2) == 1 {
			dims, contracting = []int{batch, sums, heads, others}, []int{1}
		}
		key, k := m.operand(dims...)
		left, right, y = given, key, product(x, k).General([]int{3}, []int{0, 2}, contracting, []int{0, 2})
	}
	bound := float64(4 * sums)
	m.exactly(y, bound)
	wide := ConvertDType(y, dtypes.Float32)
	switch m.of(4) {
	case 1:
		wide = Add(wide, ExpandLeftToRank(m.whole(dtypes.Float32, y.Shape().Dim(-1)).Node, y.Rank()))
	case 2:
		wide = activation.Relu(Add(wide, ExpandLeftToRank(m.whole(dtypes.Float32, y.Shape().Dim(-1)).Node, y.Rank())))
	case 3:
		wide = Add(wide, m.whole(dtypes.Float32, y.Shape().Dimensions...).Node)
	}
	m.exactly([]*Node{wide, ConvertDType(wide, dtypes.BFloat16)}[m.of(2)], bound+2)
	if m.of(2) == 1 {
		loss := ReduceAllSum(Mul(wide, m.whole(dtypes.Float32, y.Shape().Dimensions...).Node))
		for _, g := range Gradient(loss, left, right) {
			m.exactly(g, 4*float64(y.Shape().Size()))
		}
	}
}
