package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// choices are bytes that a graph is made of. Where they are used up every choice is the first.
type choices struct{ left []byte }

// of makes a choice among n.
func (c *choices) of(n int) int {
	if len(c.left) == 0 {
		return 0
	}
	b := int(c.left[0])
	c.left = c.left[1:]
	return b % n
}

// value is one of a graph's values, and what may be done with it so that engines that round differently stay near each other.
type value struct {
	*Node
	// exact: all engines have the same bits. Only such values are compared, turned to integers or ranked.
	exact bool
	// smooth: it has a gradient that does not jump where engines differ in the last bits.
	smooth bool
	// size is how large the numbers are, about.
	size float64
}

// maker builds a graph from choices: the same one on every engine.
type maker struct {
	*choices
	graph  *Graph
	values []value
	inputs []value // parameters
	kept   []value // that are returned
	data   []func() *tensors.Tensor
	// noise multiplies what arithmetic reads by 1 ± noise, in a pattern that differs with phase: how far the results move says
	// how far rounding can move them.
	noise   float64
	phase   float64
	longest int // the most numbers that are added up
}

// sum notes that n numbers are added up, and says by how much they are larger together.
func (m *maker) sum(n int) float64 {
	m.longest = max(m.longest, n)
	return math.Sqrt(float64(n))
}

// add keeps a value; numbers that grow are scaled down, so that nothing becomes infinite.
func (m *maker) add(v value) {
	if v.DType().IsFloat() && v.size > 16 {
		scale := 1.0
		for v.size > 2 {
			v.size, scale = v.size/2, scale/2
		}
		v.Node = MulScalar(v.Node, scale) // by a power of two: exact
	}
	m.values = append(m.values, v)
}

// rounded is the result of arithmetic on some values.
func rounded(x *Node, size float64, of ...value) value {
	v := value{Node: x, smooth: true, size: size}
	for _, o := range of {
		v.smooth = v.smooth && o.smooth
	}
	return v
}

// kinked is the result of a function with a kink, which is smooth where it is computed of exact values.
func kinked(x *Node, size float64, of ...value) value {
	v := rounded(x, size, of...)
	v.exact = true
	for _, o := range of {
		v.exact = v.exact && o.exact
	}
	v.smooth = v.smooth && v.exact
	return v
}

// rough is a value that GoMLX has no gradient of.
func rough(v value) value {
	v.smooth = false
	return v
}

// moved is v's numbers in another place or shape.
func moved(v value, x *Node) value {
	v.Node = x
	return v
}

// read is a value as arithmetic reads it.
func (m *maker) read(v value) *Node {
	if m.noise == 0 || v.DType() != dtypes.Float32 && v.DType() != dtypes.Float64 {
		return v.Node
	}
	m.phase += 1.7
	pattern := Const(m.graph, float32(1))
	if v.Rank() > 0 {
		pattern = Sin(AddScalar(MulScalar(IotaFull(m.graph, shapes.Make(dtypes.Float32, v.Shape().Dimensions...)), 12.9898), m.phase))
	}
	return Mul(v.Node, ConvertDType(OnePlus(MulScalar(pattern, m.noise)), v.DType()))
}

// pick chooses a value that fits among those that there are; ok is false where none does.
func (m *maker) pick(fits func(v value) bool) (v value, ok bool) {
	if len(m.values) == 0 {
		return value{}, false
	}
	at := m.of(len(m.values))
	for i := range m.values {
		if v := m.values[(at+len(m.values)-i)%len(m.values)]; fits(v) {
			return v, true
		}
	}
	return value{}, false
}

// float picks a float32 value of at least some rank, or makes one.
func (m *maker) float(rank int) value {
	v, ok := m.pick(func(v value) bool { return v.DType() == dtypes.Float32 && v.Rank() >= rank })
	if !ok {
		return m.input(dtypes.Float32, m.dims(rank))
	}
	return v
}

// exactFloat is float for exact values.
func (m *maker) exactFloat(rank int) value {
	v, ok := m.pick(func(v value) bool { return v.exact && v.DType() == dtypes.Float32 && v.Rank() >= rank })
	if !ok {
		return m.input(dtypes.Float32, m.dims(rank))
	}
	return v
}

// like picks another value of a type and shape, or makes one.
func (m *maker) like(dtype dtypes.DType, shape shapes.Shape) value {
	if m.of(2) == 0 {
		v, ok := m.pick(func(v value) bool { return v.DType() == dtype && v.Shape().EqualDimensions(shape) })
		if ok {
			return v
		}
	}
	return m.input(dtype, shape.Dimensions)
}

// lengths of axes: below, at and above what kernels take at once.
var lengths = []int{3, 1, 2, 4, 5, 8, 13, 16, 17, 31, 33, 64, 65, 100}

// most is how many elements a value has, unless it is asked for more.
const most = 12000

// dims chooses a shape of at least some rank.
func (m *maker) dims(rank int) []int {
	dims := make([]int, rank+m.of(5-rank))
	for i := range dims {
		dims[i] = lengths[m.of(len(lengths))]
	}
	return shrink(dims, most)
}

// shrink halves the longest axes until no more than some number of elements are left.
func shrink(dims []int, most int) []int {
	for size(dims) > most {
		longest := 0
		for i, d := range dims {
			if d > dims[longest] {
				longest = i
			}
		}
		dims[longest] /= 2
	}
	return dims
}

func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// input makes a parameter with random values: floats between -2 and 2, integers between 0 and 7, booleans.
func (m *maker) input(dtype dtypes.DType, dims []int) value {
	seed := uint64(len(m.inputs))
	r := rand.New(rand.NewPCG(seed, 11))
	n := size(dims)
	switch dtype {
	case dtypes.Float32:
		return m.parameter(dims, fill(n, func() float32 { return 4*r.Float32() - 2 }))
	case dtypes.BFloat16:
		return m.parameter(dims, fill(n, func() bfloat16.BFloat16 { return bfloat16.FromFloat32(4*r.Float32() - 2) }))
	case dtypes.Int32:
		return m.parameter(dims, fill(n, func() int32 { return r.Int32N(8) }))
	case dtypes.Int64:
		return m.parameter(dims, fill(n, func() int64 { return r.Int64N(8) }))
	case dtypes.Bool:
		return m.parameter(dims, fill(n, func() bool { return r.IntN(2) == 0 }))
	}
	panic(fmt.Sprintf("no values of %s", dtype))
}

// indices makes a parameter of positions below n.
func (m *maker) indices(n int, dims ...int) value {
	r := rand.New(rand.NewPCG(uint64(len(m.inputs)), 12))
	return m.parameter(dims, fill(size(dims), func() int32 { return r.Int32N(int32(n)) }))
}

func fill[T any](n int, next func() T) []T {
	values := make([]T, n)
	for i := range values {
		values[i] = next()
	}
	return values
}

// parameter makes a parameter of the graph, with its values.
func (m *maker) parameter(dims []int, values any) value {
	name := fmt.Sprint("p", len(m.inputs))
	var v value
	switch values := values.(type) {
	case []float32:
		v = addParameter(m, name, dims, values)
	case []bfloat16.BFloat16:
		v = addParameter(m, name, dims, values)
	case []int32:
		v = addParameter(m, name, dims, values)
	case []int64:
		v = addParameter(m, name, dims, values)
	case []bool:
		v = addParameter(m, name, dims, values)
	}
	m.inputs = append(m.inputs, v)
	m.values = append(m.values, v)
	return v
}

func addParameter[T float32 | bfloat16.BFloat16 | int32 | int64 | bool](m *maker, name string, dims []int, values []T) value {
	x := Parameter(m.graph, name, shapes.Make(dtypes.FromGenericsType[T](), dims...))
	m.data = append(m.data, func() *tensors.Tensor { return tensors.FromFlatDataAndDimensions(values, dims...) })
	return value{Node: x, exact: true, smooth: x.DType() == dtypes.Float32, size: 2}
}

// axes chooses some axes, at least one, in order.
func (m *maker) axes(rank int) []int {
	var axes []int
	which := 1 + m.of(1<<rank-1)
	for axis := range rank {
		if which>>axis&1 == 1 {
			axes = append(axes, axis)
		}
	}
	return axes
}

// permutation chooses an order of n things.
func (m *maker) permutation(n int) []int {
	order := make([]int, n)
	for i := range order {
		j := m.of(i + 1)
		order[i], order[j] = order[j], i
	}
	return order
}
