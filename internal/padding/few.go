package padding

import (
	"slices"

	"github.com/gomlx/compute"
)

// Few says whether an engine wants few different shapes, because it compiles a program for each and takes seconds for it, as XLA does: it has
// not, as our engine and GoMLX's portable one have, dynamic shapes of its own ([compute.DynamicShapesNative]).
func Few(engine compute.Backend) bool {
	return engine.Capabilities().DynamicShapes != compute.DynamicShapesNative
}

// Sizes to which numbers are rounded up where few different ones are wanted, and twice the last, four times, and so on. Questions have 20
// tokens at most in the original, and pictures 36 regions, or 10 to 100.
var (
	tokenSizes  = []int{8, 12, 16, 20, 24, 32, 64}
	regionSizes = []int{12, 24, 36, 48, 72, 100}
	rowSizes    = []int{1}
)

// FewTokens, FewRegions and FewRows round a number of tokens, of regions, of rows of a batch up to one of few sizes, but not beyond most, if
// that is not 0.
func FewTokens(n, most int) int { return up(n, most, tokenSizes) }

// FewRegions is described with [FewTokens].
func FewRegions(n int) int { return up(n, 0, regionSizes) }

// FewRows is described with [FewTokens]: powers of two.
func FewRows(n int) int { return up(n, 0, rowSizes) }

func up(n, most int, sizes []int) int {
	at, _ := slices.BinarySearch(sizes, n)
	size := sizes[min(at, len(sizes)-1)]
	for size < n {
		size *= 2
	}
	if most > 0 {
		size = min(size, max(n, most))
	}
	return size
}
