package padding

import (
	"math"
	"reflect"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/vision"
)

func is(t *testing.T, name string, got *tensors.Tensor, want any) {
	t.Helper()
	if want == nil {
		if got != nil {
			t.Errorf("%s: found %v, want none", name, got.Value())
		}
	} else if got == nil || !reflect.DeepEqual(got.Value(), want) {
		t.Errorf("%s: found %v, want %v", name, got, want)
	}
}

func TestTokens(t *testing.T) {
	ids, mask := Tokens([][]int32{{5, 6, 7}, {8}, {}}, 4)
	is(t, "ids", ids, [][]int32{{5, 6, 7, 0}, {8, 0, 0, 0}, {0, 0, 0, 0}})
	is(t, "mask", mask, [][]float32{{1, 1, 1, 0}, {1, 0, 0, 0}, {0, 0, 0, 0}})
	ids, mask = Tokens([][]int32{{5, 6}}, 2)
	is(t, "full ids", ids, [][]int32{{5, 6}})
	is(t, "full mask", mask, [][]float32{{1, 1}})
}

func TestLengths(t *testing.T) {
	for _, c := range []struct {
		rows              [][]int32
		longest, shortest int
	}{{[][]int32{{1}, {1, 2, 3}, {1, 2}}, 3, 1}, {[][]int32{{1, 2}}, 2, 2}, {nil, 0, math.MaxInt}} {
		if l, s := Longest(c.rows), Shortest(c.rows); l != c.longest || s != c.shortest {
			t.Errorf("%v: %d and %d, want %d and %d", c.rows, l, s, c.longest, c.shortest)
		}
	}
}

// TestPictures: places may have any number of numbers; there is a mask only where something is masked.
func TestPictures(t *testing.T) {
	one := vision.Regions{FeatureWidth: 2, Features: []float32{1, 2}, PosWidth: 3, Boxes: []float32{3, 4, 5}}
	two := vision.Regions{FeatureWidth: 2, Features: []float32{6, 7, 8, 9}, PosWidth: 3, Boxes: []float32{1, 2, 3, 4, 5, 6}}
	if n := Most([]vision.Regions{one, two, one}); n != 2 {
		t.Errorf("most is %d", n)
	}
	features, boxes, mask := Pictures([]vision.Regions{one, two}, 3, 2)
	is(t, "features", features, [][][]float32{{{1, 2}, {0, 0}, {0, 0}}, {{6, 7}, {8, 9}, {0, 0}}})
	is(t, "boxes", boxes, [][][]float32{{{3, 4, 5}, {0, 0, 0}, {0, 0, 0}}, {{1, 2, 3}, {4, 5, 6}, {0, 0, 0}}})
	is(t, "mask", mask, [][]float32{{1, 0, 0}, {1, 1, 0}})
	features, boxes, mask = Pictures([]vision.Regions{two, two}, 2, 1, 2)
	is(t, "features of a pair", features, [][][][]float32{{{{6, 7}, {8, 9}}, {{6, 7}, {8, 9}}}})
	is(t, "boxes of a pair", boxes, [][][][]float32{{{{1, 2, 3}, {4, 5, 6}}, {{1, 2, 3}, {4, 5, 6}}}})
	is(t, "no mask", mask, nil)
	_, _, mask = Pictures([]vision.Regions{one, two}, 2, 1, 2)
	is(t, "mask of a pair", mask, [][][]float32{{{1, 0}, {1, 1}}})
}
