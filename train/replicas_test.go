package train

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/backend"
)

// TestReplicas: variables are the same on all devices where a graph makes them so, and each device's own where it does not; a value that is
// set in the store goes to all.
func TestReplicas(t *testing.T) {
	engine, err := backend.Open("simd:devices=3")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	store := model.NewStore()
	number := func(v float32) *tensors.Tensor { return tensors.FromScalar(v) }
	total, err := store.CreateVariable("/total", number(1))
	if err != nil {
		t.Fatal(err)
	}
	own, err := store.CreateVariable("/own", number(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateVariable("/"+model.RNGStateVariableName, tensors.FromShape(RNGStateShape)); err != nil {
		t.Fatal(err)
	}
	r, err := newReplicas(engine, store, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	add, err := r.exec(func(s *model.Scope, in []*Node) []*Node {
		g := in[0].Graph()
		sum := g.Distributed().AllReduceOne(in[0], compute.ReduceOpSum)
		total.SetNodeValue(Add(total.NodeValue(g), sum))
		own.SetNodeValue(Add(own.NodeValue(g), in[0]))
		return []*Node{total.NodeValue(g), s.RandomUniform(g, shapes.Make(dtypes.Float32, 4))}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer add.close()
	look, err := r.exec(func(s *model.Scope, in []*Node) []*Node {
		return []*Node{Add(total.NodeValue(in[0]), in[0]), Add(own.NodeValue(in[0]), in[0])}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer look.close()
	run := func(e *replicated, inputs ...float32) [][]*tensors.Tensor {
		t.Helper()
		var all [][]any
		for _, x := range inputs {
			all = append(all, []any{x})
		}
		out, err := e.call(all, []*int64{new(int64(7)), new(int64(8)), new(int64(7))})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	seen := func(want ...float32) {
		t.Helper()
		var got []float32
		for _, device := range run(look, 0, 0, 0) {
			got = append(got, device[0].Value().(float32), device[1].Value().(float32))
		}
		if !slices.Equal(got, want) {
			t.Errorf("total and own of each device: found %v, want %v", got, want)
		}
	}
	out := run(add, 1, 10, 100)
	random := func(device int) []float32 { return out[device][1].Value().([]float32) }
	if !slices.Equal(random(0), random(2)) || slices.Equal(random(0), random(1)) {
		t.Errorf("found random numbers %v, %v and %v, want the first and the last alike", random(0), random(1), random(2))
	}
	seen(112, 1, 112, 10, 112, 100)
	run(add, 1, 10, 100)
	seen(223, 2, 223, 20, 223, 200)
	if value, err := own.Value(); err != nil || value.Value().(float32) != 2 {
		t.Errorf("the store has %v, %v, want the first device's 2", value, err)
	}
	if err := own.SetValue(number(5)); err != nil {
		t.Fatal(err)
	}
	seen(223, 5, 223, 5, 223, 5)
	run(add, 1, 10, 100)
	r.forget("/own")
	seen(334, 6, 334, 6, 334, 6)
	if _, err := newReplicas(engine, store, 4); err == nil || !strings.Contains(err.Error(), "3 devices") {
		t.Errorf("4 devices of 3: found %v", err)
	}
	portable, err := backend.Open(backend.Portable)
	if err != nil {
		t.Fatal(err)
	}
	defer portable.Finalize()
	if _, err := newReplicas(portable, store, 1); err == nil || !strings.Contains(err.Error(), "AllReduce") {
		t.Errorf("an engine without AllReduce: found %v", err)
	}
}
