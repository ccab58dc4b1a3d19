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
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/go-lxmert/lxmert/backend/simd"
	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// FuzzGraphs makes computations of bytes and compares every set of kernels with the portable backend.
func FuzzGraphs(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(randomChoices(seed))
	}
	e := newEngines(f)
	f.Fuzz(func(t *testing.T, choices []byte) { e.compare(t, choices) })
}

// TestGraphs is FuzzGraphs for random bytes.
func TestGraphs(t *testing.T) {
	n := uint64(250)
	if testing.Short() {
		n = 60
	}
	e := newEngines(t)
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { e.compare(t, randomChoices(seed)) })
	}
}

func randomChoices(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 99))
	choices := make([]byte, 20+r.IntN(300))
	for i := range choices {
		choices[i] = byte(r.Uint32())
	}
	return choices
}

// engines are the portable backend and ours with each set of kernels.
type engines struct {
	portable compute.Backend
	ours     map[string]compute.Backend
	threads  []compute.Backend // ours with other numbers of threads
}

func newEngines(t testing.TB) engines {
	e := engines{ours: map[string]compute.Backend{}}
	var err error
	if e.portable, err = gobackend.New("ops_sequential"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.portable.Finalize)
	for _, set := range kernel.Sets() {
		b, err := simd.New("threads=2,isa=" + set.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Finalize)
		e.ours[set.String()] = b
	}
	for _, threads := range []int{1, 3} {
		b, err := simd.New(fmt.Sprint("threads=", threads))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Finalize)
		e.threads = append(e.threads, b)
	}
	return e
}

// made is a graph that was made of choices, compiled.
type made struct {
	*Graph
	outputs []value
	data    []func() *tensors.Tensor
	donate  int // which inputs to donate, a bit each
	longest int // how many numbers are added up at most
}

// make makes a graph on a backend, or says why it cannot be.
func (e engines) make(backend compute.Backend, bytes []byte, noise, phase float64) (result made, err error) {
	err = exceptions.TryCatch[error](func() {
		m := &maker{choices: &choices{bytes}, graph: NewGraph(backend, "made"), noise: noise, phase: phase}
		result.donate = m.of(256)
		count := 1 + m.of(4)
		gradient := m.of(2) == 1
		for range 24 {
			if len(m.left) <= count {
				break
			}
			steps[m.of(len(steps))](m)
		}
		if len(m.values) == 0 {
			m.source()
		}
		result.Graph = m.graph
		result.outputs = slices.Concat(m.results(count), m.kept, m.gradients(gradient))
		// The portable backend's sequential mode wants no parameter after the last node that it computes (it indexes out of range).
		result.outputs = append(result.outputs, value{Node: Iota(m.graph, shape(dtypes.Int32, 1009), 0), exact: true})
		result.data, result.longest = m.data, m.longest
		nodes := make([]*Node, len(result.outputs))
		for i, v := range result.outputs {
			nodes[i] = v.Node
		}
		if err := m.graph.Compile(nodes...); err != nil {
			panic(err)
		}
	})
	return result, err
}

// results are the last value and some others: inputs, the same one twice, reshaped inputs.
func (m *maker) results(count int) []value {
	out := []value{m.values[len(m.values)-1]}
	for range count - 1 {
		switch m.of(4) {
		case 0:
			if len(m.inputs) > 0 {
				v := m.inputs[m.of(len(m.inputs))]
				out = append(out, moved(v, Reshape(v.Node, -1)))
			}
		case 1:
			if len(m.inputs) > 0 {
				out = append(out, m.inputs[m.of(len(m.inputs))])
			}
		default:
			out = append(out, m.values[m.of(len(m.values))])
		}
	}
	return out
}

// gradients are those of a sum of the last smooth value's elements, by the first inputs.
func (m *maker) gradients(wanted bool) []value {
	if !wanted {
		return nil
	}
	for i := len(m.values) - 1; i >= 0; i-- {
		v := m.values[i]
		if !v.smooth || v.DType() != dtypes.Float32 || v.Type() == NodeTypeParameter {
			continue
		}
		x := m.read(v)
		m.longest = max(m.longest, v.Shape().Size())
		weights := Cos(IotaFull(m.graph, shapes.Make(dtypes.Float32, v.Shape().Size())))
		loss := ReduceAllSum(Mul(Reshape(x, -1), weights))
		var by []*Node
		for _, in := range m.inputs {
			if in.DType() == dtypes.Float32 && len(by) < 4 {
				by = append(by, in.Node)
			}
		}
		if len(by) == 0 {
			return nil
		}
		var out []value
		for _, g := range Gradient(loss, by...) {
			out = append(out, value{Node: g, size: 1e-8}) // where terms cancel, one engine has 0 and another 1e-20
		}
		return out
	}
	return nil
}

// noise is what values are multiplied with, less one, to find out how far rounding (2^-24) can move the results.
const noise = 0x1p-18

// compare makes the graph on every engine, runs it in several ways and compares the results.
func (e engines) compare(t *testing.T, bytes []byte) {
	want := e.results(t, e.portable, bytes, 0, 0)
	near := [][][]float64{e.results(t, e.portable, bytes, noise, 0), e.results(t, e.portable, bytes, noise, 50)}
	same := map[string][][]float64{}
	for name, backend := range e.ours {
		graph, err := e.make(backend, bytes, 0, 0)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		results := runEveryWay(t, name, graph)
		same[backend.(*simd.Backend).Set()] = results
		for i, got := range results {
			graph.check(t, fmt.Sprintf("%s: output %d of %d, %s", name, i, len(want), graph.outputs[i].Shape()), i, got, want[i], near[0][i], near[1][i])
		}
		graph.Finalize()
	}
	for _, backend := range e.threads {
		got := e.results(t, backend, bytes, 0, 0)
		sameBits(t, backend.Description(), same[backend.(*simd.Backend).Set()], got)
	}
}

// results makes a graph on a backend and runs it.
func (e engines) results(t *testing.T, backend compute.Backend, bytes []byte, noise, phase float64) [][]float64 {
	t.Helper()
	graph, err := e.make(backend, bytes, noise, phase)
	if err != nil {
		t.Fatalf("%s, with noise %v: %v", backend.Description(), noise, err)
	}
	defer graph.Finalize()
	out, err := graph.run(graph.tensors(), nil)
	if err != nil {
		t.Fatalf("%s, with noise %v: %v", backend.Description(), noise, err)
	}
	return out
}

// runEveryWay runs a graph alone, twice at once, and with donated inputs. The bits must be the same each time.
func runEveryWay(t *testing.T, name string, graph made) [][]float64 {
	t.Helper()
	inputs := graph.tensors()
	first, err := graph.run(inputs, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	simd.Spoil(graph.Backend())
	again := make([][][]float64, 3)
	var group sync.WaitGroup
	for i := range 2 {
		group.Go(func() {
			var err error
			if again[i], err = graph.run(inputs, nil); err != nil {
				t.Errorf("%s, at the same time: %v", name, err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	if again[2], err = graph.run(inputs, func(i int) bool { return graph.donate>>(i%8)&1 == 1 }); err != nil {
		t.Fatalf("%s, with donated inputs: %v", name, err)
	}
	for way, results := range again {
		sameBits(t, fmt.Sprint(name, ", again, way ", way), first, results)
	}
	return first
}

// sameBits compares two runs of one graph.
func sameBits(t *testing.T, name string, first, second [][]float64) {
	t.Helper()
	for i := range second {
		for j, v := range second[i] {
			if w := first[i][j]; v != w && (v == v || w == w) {
				t.Fatalf("%s: output %d, element %d is %v, and then %v", name, i, j, w, v)
			}
		}
	}
}

// tensors are the inputs.
func (g made) tensors() []*tensors.Tensor {
	var in []*tensors.Tensor
	for _, make := range g.data {
		in = append(in, make())
	}
	return in
}

// run runs the graph and returns the outputs' values.
func (g made) run(inputs []*tensors.Tensor, donate func(i int) bool) (results [][]float64, err error) {
	err = exceptions.TryCatch[error](func() {
		args := make([]any, len(inputs))
		for i, in := range inputs {
			args[i] = in
			if donate != nil && donate(i) {
				if args[i], err = DonateTensorBuffer(in, g.Backend(), 0); err != nil {
					panic(err)
				}
			}
		}
		for i, out := range g.Run(args...) {
			if !out.Shape().Equal(g.outputs[i].Shape()) {
				panic(fmt.Errorf("output %d: found %s, want %s", i, out.Shape(), g.outputs[i].Shape()))
			}
			results = append(results, flat(out))
			out.MustFinalizeAll()
		}
	})
	return results, err
}

// flat is a tensor's values as float64, which hold all that occur.
func flat(x *tensors.Tensor) []float64 {
	switch x.DType() {
	case dtypes.Float32:
		return widened(x, func(v float32) float64 { return float64(v) })
	case dtypes.Float64:
		return widened(x, func(v float64) float64 { return v })
	case dtypes.BFloat16:
		return widened(x, func(v bfloat16.BFloat16) float64 { return float64(v.Float32()) })
	case dtypes.Int32:
		return widened(x, func(v int32) float64 { return float64(v) })
	case dtypes.Int64:
		return widened(x, func(v int64) float64 { return float64(v) })
	case dtypes.Bool:
		return widened(x, func(v bool) float64 {
			if v {
				return 1
			}
			return 0
		})
	}
	panic(fmt.Errorf("values of %s", x.DType()))
}

func widened[T float32 | float64 | bfloat16.BFloat16 | int32 | int64 | bool](x *tensors.Tensor, widen func(T) float64) []float64 {
	var wide []float64
	for _, v := range tensors.MustCopyFlatData[T](x) {
		wide = append(wide, widen(v))
	}
	return wide
}

// check compares an output with the portable backend's. Values that were only moved must be equal; others may differ by a few times
// what the noise moves any of that output, and by some roundings: of the arguments, from which tails of functions like GELU are
// computed by subtraction, and of the sums, which the portable backend adds up one by one.
func (g made) check(t *testing.T, name string, i int, got, want, near, other []float64) {
	t.Helper()
	var largest, moves float64
	for j, w := range want {
		if math.IsNaN(w) || math.IsInf(w, 0) {
			t.Fatalf("%s: element %d is %v on the portable backend: such graphs compare nothing", name, j, w)
		}
		largest = max(largest, math.Abs(w))
		moves = max(moves, math.Abs(near[j]-w), math.Abs(other[j]-w))
	}
	tolerance := 8*moves + 0x1p-22*(g.outputs[i].size+math.Sqrt(float64(g.longest))*largest)
	if g.outputs[i].exact {
		tolerance = 0
	}
	for j, w := range want {
		if !(math.Abs(got[j]-w) <= tolerance) {
			t.Errorf("%s: element %d is %v, want %v ± %v", name, j, got[j], w, tolerance)
			return
		}
	}
}

// shape is shapes.Make.
func shape(dtype dtypes.DType, dims ...int) shapes.Shape { return shapes.Make(dtype, dims...) }
