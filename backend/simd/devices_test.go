package simd_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend/simd"
)

// devices is an engine with so many virtual devices, and a mesh of them.
func devices(t *testing.T, n int) (compute.Backend, *distributed.DeviceMesh) {
	t.Helper()
	engine, err := simd.New(fmt.Sprintf("threads=2,devices=%d", n))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Finalize)
	mesh, err := distributed.NewDeviceMesh([]int{n}, []string{"replica"})
	if err != nil {
		t.Fatal(err)
	}
	return engine, mesh
}

// TestDevices: buffers know their device, computations for one run on any.
func TestDevices(t *testing.T) {
	engine, _ := devices(t, 3)
	if n := engine.NumDevices(); n != 3 || !strings.Contains(engine.DeviceDescription(2), "device 2 of 3") {
		t.Errorf("found %d devices, the last %q", n, engine.DeviceDescription(2))
	}
	for _, option := range []string{"devices=0", "devices=65", "devices=x"} {
		if _, err := simd.New(option); err == nil || !strings.Contains(err.Error(), "devices") {
			t.Errorf("%s: found %v", option, err)
		}
	}
	shape := shapes.Make(dtypes.Float32, 2)
	if _, err := engine.BufferFromFlatData(3, []float32{1, 2}, shape); err == nil {
		t.Error("device 3 of 3 takes a buffer")
	}
	buffer, err := engine.BufferFromFlatData(1, []float32{1, 2}, shape)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := buffer.CopyToDevice(2)
	if err != nil {
		t.Fatal(err)
	}
	for want, b := range map[compute.DeviceNum]compute.Buffer{1: buffer, 2: moved} {
		if device, err := b.DeviceNum(); device != want || err != nil {
			t.Errorf("found device %d, %v, want %d", device, err, want)
		}
	}
	exec := MustNewExec(engine, func(x *Node) *Node { return Neg(x) })
	for device := range compute.DeviceNum(3) {
		out, _, err := exec.CallWithGraphOnDevice(device, []float32{1, 2})
		if err != nil {
			t.Fatal(err)
		}
		if on, err := out[0].Device(); on != device || err != nil || !slices.Equal(out[0].Value().([]float32), []float32{-1, -2}) {
			t.Errorf("on device %d: found %v on %d, %v", device, out[0], on, err)
		}
	}
	if _, err := exec.Call(onDevice(t, engine, 1, []float32{3})); err == nil || !strings.Contains(err.Error(), "device") {
		t.Errorf("an input on another device: %v", err)
	}
}

func onDevice(t *testing.T, engine compute.Backend, device compute.DeviceNum, values []float32) *tensors.Tensor {
	tensor := tensors.FromValue(values)
	if err := tensor.ToDevice(engine, device); err != nil {
		t.Fatal(err)
	}
	return tensor
}

// TestAllReduce: every type and reduction; all devices get the same bits; what comes before and after is each device's own.
func TestAllReduce(t *testing.T) {
	engine, mesh := devices(t, 4)
	exec := func(reduction compute.ReduceOpType) *Exec {
		return MustNewExec(engine, func(in []*Node) []*Node {
			sums := in[0].Graph().Distributed().AllReduce(in, reduction)
			return append(sums, Add(Mul(in[0], in[0]), sums[0]))
		}).SPMD(mesh)
	}
	values := func(device int) []any {
		v := device + 1
		return []any{[]float32{float32(v), -float32(v)}, []float64{0.1 * float64(v)}, int32(v), []int64{int64(-v)}, []uint8{uint8(v)}, bfloat16.FromFloat32(float32(v))}
	}
	var args []any
	for device := range 4 {
		args = append(args, values(device)...)
	}
	for _, c := range []struct {
		reduction compute.ReduceOpType
		want      [6]float64 // of the first number of each
	}{
		{compute.ReduceOpSum, [6]float64{10, 1, 10, -10, 10, 10}}, {compute.ReduceOpProduct, [6]float64{24, 0.0024, 24, 24, 24, 24}},
		{compute.ReduceOpMax, [6]float64{4, 0.4, 4, -1, 4, 4}}, {compute.ReduceOpMin, [6]float64{1, 0.1, 1, -4, 1, 1}},
	} {
		out, err := exec(c.reduction).Call(args...)
		if err != nil {
			t.Fatalf("%s: %v", c.reduction, err)
		}
		if len(out) != 4*7 {
			t.Fatalf("found %d outputs", len(out))
		}
		for device := range 4 {
			for i, want := range c.want {
				if got := first(t, out[7*device+i]); math.Abs(got-want) > 1e-9 {
					t.Errorf("%s, device %d, operand %d: found %v, want %v", c.reduction, device, i, got, want)
				}
			}
			own := float64((device + 1) * (device + 1))
			if got := first(t, out[7*device+6]); got != own+c.want[0] {
				t.Errorf("%s, device %d: found %v, want %v", c.reduction, device, got, own+c.want[0])
			}
			if on, err := out[7*device].Device(); int(on) != device || err != nil {
				t.Errorf("an output of device %d is on %d, %v", device, on, err)
			}
		}
	}
}

// first is a tensor's first number.
func first(t *testing.T, tensor *tensors.Tensor) (number float64) {
	t.Helper()
	tensor.MustConstFlatData(func(flat any) {
		switch v := flat.(type) {
		case []float32:
			number = float64(v[0])
		case []float64:
			number = v[0]
		case []int32:
			number = float64(v[0])
		case []int64:
			number = float64(v[0])
		case []uint8:
			number = float64(v[0])
		case []bfloat16.BFloat16:
			number = float64(v[0].Float32())
		default:
			t.Errorf("found %T", flat)
		}
	})
	return number
}

// TestAllReduceAlong: along one axis of a mesh of two, devices meet in groups; devices may be assigned in any order.
func TestAllReduceAlong(t *testing.T) {
	engine, _ := devices(t, 4)
	mesh, err := distributed.NewDeviceMesh([]int{2, 2}, []string{"row", "column"})
	if err != nil {
		t.Fatal(err)
	}
	exec := MustNewExec(engine, func(x *Node) *Node {
		return x.Graph().Distributed().Along("row").AllReduceOne(x, compute.ReduceOpSum)
	}).SPMD(mesh).WithDeviceAssignment([]compute.DeviceNum{3, 2, 1, 0})
	out, err := exec.Call(float32(1), float32(10), float32(100), float32(1000))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{101, 1010, 101, 1010} {
		if got := first(t, out[i]); got != want {
			t.Errorf("replica %d: found %v, want %v", i, got, want)
		}
		if on, _ := out[i].Device(); int(on) != 3-i {
			t.Errorf("replica %d is on device %d", i, on)
		}
	}
}

// TestDevicesOrder: sums are added in the order of the devices, on every run.
func TestDevicesOrder(t *testing.T) {
	engine, mesh := devices(t, 3)
	exec := MustNewExec(engine, func(x *Node) *Node {
		for range 5 {
			x = x.Graph().Distributed().AllReduceOne(x, compute.ReduceOpSum)
		}
		return x
	}).SPMD(mesh)
	const n = 10007
	var args []any
	for device := range 3 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(math.Sin(float64(1+i*7+device*13))) * float32(int(1)<<(device*11%17))
		}
		args = append(args, x)
	}
	want := make([]float32, n)
	for i := range want {
		a, b, c := args[0].([]float32)[i], args[1].([]float32)[i], args[2].([]float32)[i]
		for range 5 {
			sum := a + b + c
			a, b, c = sum, sum, sum
		}
		want[i] = a
	}
	for range 20 {
		out, err := exec.Call(args...)
		if err != nil {
			t.Fatal(err)
		}
		for device, got := range out {
			if !slices.Equal(got.Value().([]float32), want) {
				t.Fatalf("device %d has other sums", device)
			}
		}
	}
}

// TestDevicesFail: where one device cannot go on, none waits for it, and its error is the result.
func TestDevicesFail(t *testing.T) {
	engine, mesh := devices(t, 2)
	g := NewGraph(engine, "fails")
	if err := g.SetSPMD(mesh); err != nil {
		t.Fatal(err)
	}
	x := Parameter(g, "x", shapes.Make(dtypes.Float32, 2))
	y := Neg(g.Distributed().AllReduceOne(Neg(x), compute.ReduceOpSum))
	if err := g.Compile(y); err != nil {
		t.Fatal(err)
	}
	on := func(device compute.DeviceNum) compute.Buffer {
		b, err := engine.BufferFromFlatData(device, []float32{1, 2}, shapes.Make(dtypes.Float32, 2))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	run := func(buffers ...compute.Buffer) (err error) {
		defer func() {
			if failed := recover(); failed != nil {
				err = failed.(error)
			}
		}()
		g.RunWithBuffers(buffers, make([]bool, len(buffers)), 0)
		return nil
	}
	for range 50 {
		if err := run(on(0), on(0)); err == nil || !strings.Contains(err.Error(), "it is on device 0, want 1") {
			t.Fatalf("found %v", err)
		}
	}
	if err := run(on(0), on(1)); err != nil {
		t.Errorf("after a failure: %v", err)
	}
	if _, err := NewExec(engine, func(x *Node) *Node { return x }); err != nil {
		t.Fatal(err)
	}
	big, err := distributed.NewDeviceMesh([]int{3}, []string{"replica"})
	if err != nil {
		t.Fatal(err)
	}
	if err := NewGraph(engine, "big").SetSPMD(big); err == nil {
		t.Error("3 devices of 2 are taken")
	}
	for _, groups := range [][][]int{{{0}}, {{0, 0, 1}}, {{0, 1, 2}}, nil} {
		b := engine.Builder("groups")
		if err := b.DistributedSPMD(2); err != nil {
			t.Fatal(err)
		}
		v, err := b.Main().Parameter("x", shapes.Make(dtypes.Float32), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Main().AllReduce([]compute.Value{v}, compute.ReduceOpSum, groups); err == nil || !strings.Contains(err.Error(), "groups") {
			t.Errorf("groups %v: found %v", groups, err)
		}
	}
	if _, err := engine.Builder("alone").Main().AllReduce(nil, compute.ReduceOpSum, nil); err == nil {
		t.Error("AllReduce for a single device")
	}
}

// TestDevicesAlone: a computation for several devices that do not meet, and one that the portable backend runs, give each device its own.
func TestDevicesAlone(t *testing.T) {
	engine, mesh := devices(t, 2)
	for name, f := range map[string]func(x *Node) *Node{
		"planned": func(x *Node) *Node { return MulScalar(x, 2) },
		"whole": func(x *Node) *Node {
			return While(NewClosure(x.Graph(), func(g *Graph) []*Node {
				in := Parameter(g, "x", x.Shape())
				return []*Node{LessThan(ReduceAllSum(in), Const(g, float32(100)))}
			}), NewClosure(x.Graph(), func(g *Graph) []*Node {
				return []*Node{MulScalar(Parameter(g, "x", x.Shape()), 2)}
			}), x)[0]
		},
	} {
		out, err := MustNewExec(engine, f).SPMD(mesh).Call([]float32{1}, []float32{3})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := []float64{2, 6}
		if name == "whole" {
			want = []float64{128, 192}
		}
		for device := range 2 {
			if got := first(t, out[device]); got != want[device] {
				t.Errorf("%s: device %d has %v, want %v", name, device, got, want[device])
			}
		}
	}
}
