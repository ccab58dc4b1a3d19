package descending

import (
	"math"
	"slices"
	"testing"
)

func TestKey(t *testing.T) {
	values := []float32{0, -1, 3, float32(math.Copysign(0, -1)), float32(math.Inf(1)), 3, float32(math.Inf(-1)), 1e-45, -1e-45}
	var keys []uint64
	for i, v := range values {
		keys = append(keys, Key(v, i))
	}
	slices.Sort(keys)
	var got []int
	for _, key := range keys {
		got = append(got, Index(key))
	}
	if want := []int{4, 2, 5, 7, 0, 3, 8, 1, 6}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The order of the floats, and one zero.
func TestOrder(t *testing.T) {
	order := []float32{math.MaxFloat32, 1, math.SmallestNonzeroFloat32, 0, -math.SmallestNonzeroFloat32, -1, -math.MaxFloat32}
	for i := range order[1:] {
		if Key(order[i], 9) >= Key(order[i+1], 0) {
			t.Errorf("%v is not before %v", order[i], order[i+1])
		}
	}
	if Key(float32(math.Copysign(0, -1)), 0) != Key(0, 0) {
		t.Error("-0 is not 0")
	}
}
