package train

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// chiSquare checks that observed counts are what the probabilities let expect: a sound source fails in one of a million tests, and
// these are seeded.
func chiSquare(t testing.TB, what string, observed []int, probabilities []float64) {
	t.Helper()
	if err := unlikely(observed, probabilities); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// unlikely is the χ² test.
func unlikely(observed []int, probabilities []float64) error {
	total, sum := 0, 0.0
	for i, n := range observed {
		total += n
		sum += probabilities[i]
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("probabilities add up to %v", sum)
	}
	statistic, freedom := 0.0, -1.0
	for i, n := range observed {
		expected := probabilities[i] * float64(total)
		switch {
		case expected == 0 && n != 0:
			return fmt.Errorf("%d times what never happens (%d)", n, i)
		case expected == 0:
			continue
		case expected < 5:
			return fmt.Errorf("%v expected of %d is too few for the test", expected, i)
		}
		statistic += (float64(n) - expected) * (float64(n) - expected) / expected
		freedom++
	}
	// Wilson and Hilferty: the cube root of χ² is nearly normal.
	v := 2 / (9 * freedom)
	if z := (math.Cbrt(statistic/freedom) - (1 - v)) / math.Sqrt(v); !(z < 4.75) {
		return fmt.Errorf("χ² is %.1f with %v degrees of freedom; observed %v of %d, want shares of %.4v", statistic, freedom, observed, total, probabilities)
	}
	return nil
}

// The test itself must not accept rates that are a little off.
func TestChiSquare(t *testing.T) {
	const n = 1_000_000
	rate := []float64{0.15, 0.85}
	if err := unlikely([]int{150_300, n - 150_300}, rate); err != nil {
		t.Error(err)
	}
	for want, observed := range map[string][]int{"χ² is": {152_000, n - 152_000}, "too few": {3, 4}} {
		if err := unlikely(observed, rate); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v of 0.15: %v", observed, err)
		}
	}
	if err := unlikely([]int{1, 100}, []float64{0, 1}); err == nil {
		t.Error("what never happens was accepted")
	}
}
