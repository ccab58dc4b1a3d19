package quantize

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestRows: what comes back is within half a scale, the largest of a row is exact in whole numbers, and quantising again changes nothing.
func TestRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		rows, width := r.IntN(5)+1, r.IntN(70)
		x := make([]float32, rows*width)
		for i := range x {
			x[i] = float32(r.NormFloat64() * math.Pow(10, float64(r.IntN(60)-30)))
		}
		q, scales, back := make([]int8, len(x)), make([]float32, rows), make([]float32, len(x))
		if err := Rows(q, scales, x); err != nil {
			t.Fatal(err)
		}
		if err := Check(scales); err != nil {
			t.Fatal(err)
		}
		Values(back, q, scales)
		for i, v := range x {
			scale := float64(scales[i/width])
			if off := math.Abs(float64(back[i]) - float64(v)); !(off <= scale*(0.5+1e-5)) {
				t.Fatalf("%v comes back as %v, off by %v scales", v, back[i], off/scale)
			}
		}
		again, scalesAgain := make([]int8, len(x)), make([]float32, rows)
		if err := Rows(again, scalesAgain, back); err != nil || !slices.Equal(q, again) {
			t.Fatalf("quantising again: %v, %v, %v", err, q, again)
		}
		for row := range rows {
			if width > 0 && !slices.ContainsFunc(q[row*width:(row+1)*width], func(w int8) bool { return w == Most || w == -Most }) {
				t.Fatalf("row %d has no %d: %v", row, Most, q[row*width:(row+1)*width])
			}
		}
	}
}

// TestRowsEdges: zeros, negative zeros, subnormal numbers, the largest ones, ties.
func TestRowsEdges(t *testing.T) {
	for _, c := range []struct {
		x     []float32
		q     []int8
		scale float32
	}{
		{[]float32{0, 0, float32(math.Copysign(0, -1))}, []int8{0, 0, 0}, 0},
		{[]float32{math.SmallestNonzeroFloat32, 0}, []int8{0, 0}, 0}, // its scale is no float32
		{[]float32{math.MaxFloat32, -math.MaxFloat32, 1}, []int8{127, -127, 0}, math.MaxFloat32 / 127},
		{[]float32{127, 0.5, 1.5, -0.5, -2.5, 2.500001}, []int8{127, 0, 2, 0, -2, 3}, 1},
		{[]float32{190 * math.SmallestNonzeroFloat32, -190 * math.SmallestNonzeroFloat32}, []int8{127, -127}, math.SmallestNonzeroFloat32},
	} {
		q, scales := make([]int8, len(c.x)), make([]float32, 1)
		if err := Rows(q, scales, c.x); err != nil || !slices.Equal(q, c.q) || scales[0] != c.scale {
			t.Errorf("%v: got %v × %v, %v, want %v × %v", c.x, q, scales[0], err, c.q, c.scale)
		}
	}
	if err := Rows(nil, nil, nil); err != nil {
		t.Error(err)
	}
}

// TestNotFinite: the number is named.
func TestNotFinite(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		x := []float32{1, 2, 3, 4, bad, 6}
		if err := Rows(make([]int8, 6), make([]float32, 2), x); err == nil || !strings.Contains(err.Error(), "row 1, column 1") {
			t.Errorf("%v: %v", bad, err)
		}
		if bad < 0 || bad != bad {
			if err := Check([]float32{0, bad}); err == nil || !strings.Contains(err.Error(), "row 1") {
				t.Errorf("a scale of %v: %v", bad, err)
			}
		}
	}
	if Check([]float32{1, float32(math.Inf(1))}) == nil {
		t.Error("an infinite scale passes")
	}
}
