package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
)

// An operation is one operation of a backend on some inputs.
type operation struct {
	inputs [][]int
	build  func(f compute.Function, in []compute.Value) (compute.Value, error)
	// off is how much of the largest result each may be wrong, where that is more than 2e-5 of itself.
	off float64
}

// compile makes a computation of the operation alone.
func (o operation) compile(t *testing.T, backend compute.Backend) compute.Executable {
	t.Helper()
	builder := backend.Builder("operation")
	f := builder.Main()
	var in []compute.Value
	for i, dims := range o.inputs {
		v, err := f.Parameter(fmt.Sprint("in", i), shapes.Make(dtypes.Float32, dims...), nil)
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, v)
	}
	v, err := o.build(f, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Return([]compute.Value{v}, nil); err != nil {
		t.Fatal(err)
	}
	e, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// buffers are the inputs, the same numbers for every backend.
func (o operation) buffers(t *testing.T, backend compute.Backend, seed uint64) []compute.Buffer {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var buffers []compute.Buffer
	for _, dims := range o.inputs {
		shape := shapes.Make(dtypes.Float32, dims...)
		values := make([]float32, shape.Size())
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
		b, err := backend.BufferFromFlatData(0, values, shape)
		if err != nil {
			t.Fatal(err)
		}
		buffers = append(buffers, b)
	}
	return buffers
}

// execute runs a computation with one result.
func execute(t *testing.T, e compute.Executable, in []compute.Buffer) []float32 {
	t.Helper()
	out, err := e.Execute(in, make([]bool, len(in)), 0)
	if err != nil {
		t.Fatal(err)
	}
	shape, err := out[0].Shape()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, shape.Size())
	if err := out[0].ToFlatData(values); err != nil {
		t.Fatal(err)
	}
	return values
}

// sameAs runs the operation on both backends, on ours twice: the second time weights are packed already.
func (o operation) sameAs(t *testing.T, name string, backend compute.Backend, portable *reference, seed uint64) {
	t.Helper()
	want := portable.result(t, name, o, seed)
	var largest float64
	for _, v := range want {
		if !math.IsInf(float64(v), 0) {
			largest = max(largest, math.Abs(float64(v)))
		}
	}
	e, in := o.compile(t, backend), o.buffers(t, backend, seed)
	for range 2 {
		got := execute(t, e, in)
		if len(got) != len(want) {
			t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] && !(math.Abs(float64(got[i]-want[i])) <= max(2e-5*(1+math.Abs(float64(want[i]))), o.off*largest)) {
				t.Fatalf("%s: value %d is %v, want %v", name, i, got[i], want[i])
			}
		}
	}
	// What was packed is still there for those who ask.
	for i, buffer := range in {
		shape, err := buffer.Shape()
		if err != nil {
			t.Fatal(err)
		}
		got, want := make([]float32, shape.Size()), make([]float32, shape.Size())
		if err := buffer.ToFlatData(got); err != nil {
			t.Fatal(err)
		}
		if err := o.buffers(t, portable.backend, seed)[i].ToFlatData(want); err != nil {
			t.Fatal(err)
		}
		for j := range want {
			if got[j] != want[j] {
				t.Fatalf("%s: value %d of input %d came back as %v, was %v", name, j, i, got[j], want[j])
			}
		}
	}
}

// A reference is the portable backend and the results that it has given, for one set after the other to be compared with.
type reference struct {
	backend compute.Backend
	results map[string][]float32 // by name
}

func newReference(t *testing.T) *reference {
	t.Helper()
	portable, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(portable.Finalize)
	return &reference{portable, map[string][]float32{}}
}

// result is that of an operation of that name, which says all about it but the seed: each name has its own.
func (r *reference) result(t *testing.T, name string, o operation, seed uint64) []float32 {
	t.Helper()
	if _, ok := r.results[name]; !ok {
		r.results[name] = execute(t, o.compile(t, r.backend), o.buffers(t, r.backend, seed))
	}
	return r.results[name]
}

// rounds are how many operations at random are compared, with -short a third.
func rounds(n int) int {
	if testing.Short() {
		return n / 3
	}
	return n
}

// The ways in which pictures, [batch, height, width, channels], and weights, [rows, columns, inputs, outputs], may lie in memory: entry i is
// where dimension i goes. The last of each is one that has no kernel.
var (
	pictureOrders = [][4]int{{0, 1, 2, 3}, {0, 2, 3, 1}, {3, 1, 2, 0}}
	weightOrders  = [][4]int{{0, 1, 2, 3}, {2, 3, 1, 0}, {1, 2, 3, 0}, {1, 0, 2, 3}}
)

// ordered moves dimensions to their places.
func ordered(order [4]int, dims ...int) []int {
	placed := make([]int, 4)
	for i, at := range order {
		placed[at] = dims[i]
	}
	return placed
}

func TestConvolutions(t *testing.T) {
	portable := newReference(t)
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		r := rand.New(rand.NewPCG(61, 62))
		for round := range rounds(150) {
			in, out, weights := pictureOrders[round%3], pictureOrders[round/3%3], weightOrders[round%4]
			batch, channels, outputs := 1+r.IntN(3), 1+r.IntN(40), 1+r.IntN(70)
			height, width, down, across := 1+r.IntN(14), 1+r.IntN(20), 1+r.IntN(4), 1+r.IntN(4)
			strides, dilations := []int{1 + r.IntN(3), 1 + r.IntN(3)}, []int{1 + r.IntN(2), 1 + r.IntN(2)}
			reach := 2 * max(down, across)
			paddings := [][2]int{{r.IntN(3), reach + r.IntN(3)}, {reach + r.IntN(2), r.IntN(3)}}
			inputDilations, groups := []int{1, 1}, 1
			switch round % 8 {
			case 0:
				strides, dilations, inputDilations = nil, nil, nil
			case 1: // of the portable backend
				inputDilations = []int{2, 1}
			case 2:
				groups = 2
				outputs, channels = 2*outputs, 2*channels
			}
			axes := compute.ConvolveAxesConfig{
				InputBatch: in[0], InputSpatial: []int{in[1], in[2]}, InputChannels: in[3],
				KernelSpatial: []int{weights[0], weights[1]}, KernelInputChannels: weights[2], KernelOutputChannels: weights[3],
				OutputBatch: out[0], OutputSpatial: []int{out[1], out[2]}, OutputChannels: out[3],
			}
			o := operation{
				inputs: [][]int{ordered(in, batch, height, width, channels), ordered(weights, down, across, channels/groups, outputs)},
				build: func(f compute.Function, in []compute.Value) (compute.Value, error) {
					return f.ConvGeneral(in[0], in[1], axes, strides, paddings, inputDilations, dilations, groups, 1)
				},
			}
			name := fmt.Sprintf("round %d: %v %+v strides %v, dilations %v %v, paddings %v, %d groups", round, o.inputs, axes, strides, inputDilations, dilations, paddings, groups)
			o.sameAs(t, name, backend, portable, uint64(round))
		}
	})
}

// large3x3 has weights that are kept packed alone, and work for several threads. Where it does not stride, it goes the way of Winograd.
func large3x3(stride int) operation {
	pictures := []int{2, 64, 37, 39}
	if testing.Short() {
		pictures = []int{2, 64, 13, 21}
	}
	return operation{
		inputs: [][]int{pictures, {128, 64, 3, 3}},
		build: func(f compute.Function, in []compute.Value) (compute.Value, error) {
			axes := compute.ConvolveAxesConfig{
				InputBatch: 0, InputChannels: 1, InputSpatial: []int{2, 3},
				KernelOutputChannels: 0, KernelInputChannels: 1, KernelSpatial: []int{2, 3},
				OutputBatch: 0, OutputChannels: 1, OutputSpatial: []int{2, 3},
			}
			return f.ConvGeneral(in[0], in[1], axes, []int{stride, stride}, [][2]int{{1, 1}, {1, 1}}, nil, nil, 1, 1)
		},
		off: 5e-6,
	}
}

func TestConvolutionOfLargeWeights(t *testing.T) {
	portable := newReference(t)
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		for stride := 1; stride <= 2; stride++ {
			large3x3(stride).sameAs(t, fmt.Sprintf("3×3, channels first, stride %d", stride), backend, portable, 5)
		}
	})
}

// TestConvolutionsConcurrent: many callers of one computation, whose weight is packed by whoever comes first.
func TestConvolutionsConcurrent(t *testing.T) {
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		for stride := 1; stride <= 2; stride++ {
			o := large3x3(stride)
			want := execute(t, o.compile(t, backend), o.buffers(t, backend, 9))
			e, in := o.compile(t, backend), o.buffers(t, backend, 9)
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					out, err := e.Execute(in, make([]bool, len(in)), 0)
					if err != nil {
						t.Error(err)
						return
					}
					got := make([]float32, len(want))
					if err := out[0].ToFlatData(got); err != nil {
						t.Error(err)
						return
					}
					if !slices.Equal(got, want) {
						t.Error("other results than alone")
					}
				})
			}
			group.Wait()
		}
	})
}

func TestPooling(t *testing.T) {
	portable := newReference(t)
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		r := rand.New(rand.NewPCG(63, 64))
		kinds := []compute.ReduceOpType{compute.ReduceOpMax, compute.ReduceOpSum, compute.ReduceOpMin, compute.ReduceOpProduct}
		for round := range rounds(120) {
			order := pictureOrders[round%3]
			window := ordered(order, 1, 1+r.IntN(4), 1+r.IntN(4), 1)
			strides := ordered(order, 1, 1+r.IntN(3), 1+r.IntN(3), 1)
			dilations := ordered(order, 1, 1+r.IntN(2), 1+r.IntN(2), 1)
			var inputDilations []int
			paddings := make([][2]int, 4)
			paddings[order[1]], paddings[order[2]] = [2]int{r.IntN(8), 7}, [2]int{7, r.IntN(8)}
			switch round % 7 {
			case 0:
				strides, dilations, paddings = nil, nil, nil
				window = ordered(order, 1, 1, 2, 1)
			case 1: // of the portable backend
				inputDilations = ordered(order, 1, 2, 1, 1)
			case 2:
				window[order[3]], paddings[order[3]] = 2, [2]int{1, 1}
			case 3:
				window[0], strides[0], paddings[0] = 1, 1, [2]int{1, 0}
			}
			kind := kinds[round/3%4]
			o := operation{
				inputs: [][]int{ordered(order, 1+r.IntN(3), 1+r.IntN(20), 2+r.IntN(20), 1+r.IntN(50))},
				build: func(f compute.Function, in []compute.Value) (compute.Value, error) {
					return f.ReduceWindow(in[0], kind, window, strides, inputDilations, dilations, paddings)
				},
			}
			name := fmt.Sprintf("round %d: %v of %v: window %v, strides %v, dilations %v %v, paddings %v", round, kind, o.inputs, window, strides, inputDilations, dilations, paddings)
			o.sameAs(t, name, backend, portable, uint64(round))
		}
	})
}
