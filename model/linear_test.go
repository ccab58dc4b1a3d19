package model_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/quantize"
	"github.com/go-lxmert/lxmert/model"
)

// quantisedCase is a linear map in int8 and what it gives, computed plainly.
type quantisedCase struct {
	x, bias, scales []float32
	weight          []int8
	rows, in, out   int
}

func newQuantisedCase(r *rand.Rand, rows, in, out int) *quantisedCase {
	c := &quantisedCase{rows: rows, in: in, out: out, x: make([]float32, rows*in), bias: make([]float32, out)}
	c.scales, c.weight = make([]float32, out), make([]int8, in*out)
	wide := make([]float32, in*out)
	for _, values := range [][]float32{c.x, c.bias, wide} {
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
	}
	clear(wide[:in]) // an output of zeros
	if err := quantize.Rows(c.weight, c.scales, wide); err != nil {
		panic(err)
	}
	clear(c.x[:in]) // rows that are special: zeros, one too small, one with an outlier
	for i := range in {
		c.x[in+i] = 1e-35
	}
	c.x[2*in] = 1000
	if rows > 3 {
		copy(c.x[3*in:4*in], []float32{127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5}) // ties
	}
	return c
}

// want is the specification: whole numbers for each row of x, sums of whole products, one scale.
func (c *quantisedCase) want(row, column int) float64 {
	x := c.x[row*c.in : (row+1)*c.in]
	most := float32(0)
	for _, v := range x {
		if v != v {
			return math.NaN()
		}
		most = max(most, float32(math.Abs(float64(v))))
	}
	if math.IsInf(float64(most), 0) {
		return math.NaN()
	}
	sum := 0
	if most >= 0x1p-100 {
		to := 127 / most
		for k, v := range x {
			sum += int(math.RoundToEven(float64(v*to))) * int(c.weight[column*c.in+k])
		}
	}
	return float64(float32(sum)*(most/127*c.scales[column])) + float64(c.bias[column])
}

// TestRowwise: int8's linear map of elementary operations is what its specification says, on every engine; the operation of GoMLX's vocabulary is as near as
// quantising x leaves it.
func TestRowwise(t *testing.T) { eachEngine(t, testRowwise) }

func testRowwise(t *testing.T, engine compute.Backend) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][3]int{{3, 1, 1}, {5, 7, 3}, {6, 64, 48}, {9, 130, 33}} {
		c := newQuantisedCase(r, size[0], size[1], size[2])
		args := []any{
			tensors.FromFlatDataAndDimensions(c.x, 1, c.rows, c.in), tensors.FromFlatDataAndDimensions(c.weight, c.out, c.in), c.scales, c.bias,
		}
		exact := calculate(t, engine, model.Rowwise, args)
		near := calculate(t, engine, model.QuantizedDense, args)
		for row := range c.rows {
			most := 0.0
			for _, v := range c.x[row*c.in : (row+1)*c.in] {
				most = max(most, math.Abs(float64(v)))
			}
			for column := range c.out {
				want, i := c.want(row, column), row*c.out+column
				if off := math.Abs(float64(exact[i]) - want); !(off <= 1e-5*(1+math.Abs(want))) {
					t.Errorf("%v: row %d, column %d: got %v, want %v", size, row, column, exact[i], want)
				}
				room := 0.5*most/127*float64(c.scales[column])*127*float64(c.in) + 1e-5
				if off := math.Abs(float64(near[i]) - want); !(off <= room) {
					t.Errorf("%v: the operation: row %d, column %d: got %v, want %v ± %v", size, row, column, near[i], want, room)
				}
			}
		}
	}
}

// TestRowwiseNotFinite: a row with a NaN or an infinity gives NaNs, the others what they give without it.
func TestRowwiseNotFinite(t *testing.T) { eachEngine(t, testRowwiseNotFinite) }

func testRowwiseNotFinite(t *testing.T, engine compute.Backend) {
	c := newQuantisedCase(rand.New(rand.NewPCG(3, 4)), 5, 40, 16)
	c.x[3*c.in+7], c.x[4*c.in+39] = float32(math.NaN()), float32(math.Inf(-1))
	got := calculate(t, engine, model.Rowwise, []any{
		tensors.FromFlatDataAndDimensions(c.x, 1, c.rows, c.in), tensors.FromFlatDataAndDimensions(c.weight, c.out, c.in), c.scales, c.bias,
	})
	for i, v := range got {
		if want := c.want(i/c.out, i%c.out); math.IsNaN(want) != (v != v) {
			t.Errorf("row %d, column %d: got %v, want %v", i/c.out, i%c.out, v, want)
		}
	}
}

// calculate runs a graph of four values.
func calculate(t *testing.T, engine compute.Backend, f func(x, weight, scales, bias *graph.Node) *graph.Node, args []any) []float32 {
	t.Helper()
	exec, err := graph.NewExec(engine, f)
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	out, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	return tensors.MustCopyFlatData[float32](out[0])
}
