package curves

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// An axis is a stretch of numbers with some of them marked.
type axis struct {
	low, high   float64
	logarithmic bool
	ticks       []float64
	step        float64 // between ticks, unless logarithmic
}

// share is how far along the axis a value is: 0 at its low end, 1 at its high one. What is far outside is brought nearer, out of sight.
func (a axis) share(v float64) float64 {
	share := (v - a.low) / (a.high - a.low)
	if a.logarithmic {
		share = (math.Log(max(v, a.low/1e3)) - math.Log(a.low)) / (math.Log(a.high) - math.Log(a.low))
	}
	return max(-100, min(100, share))
}

// linear has about n ticks at multiples of 1, 2 or 5 times a power of ten, no smaller than smallest.
func linear(low, high float64, n int, smallest float64) axis {
	a := axis{low: low, high: high}
	rough := (high - low) / float64(n)
	a.step = math.Pow(10, math.Floor(math.Log10(rough)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if a.step*factor >= rough*0.999 {
			a.step *= factor
			break
		}
	}
	a.step = max(a.step, smallest)
	for i := math.Ceil(low/a.step - 1e-6); i*a.step <= high+a.step*1e-6; i++ {
		a.ticks = append(a.ticks, i*a.step)
	}
	return a
}

// logarithmic has ticks at powers of ten, or at 1, 2 and 5 times those where that makes no more than n.
func logarithmic(low, high float64, n int) axis {
	a := axis{low: low, high: high, logarithmic: true}
	for _, factors := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		a.ticks = nil
		for power := math.Floor(math.Log10(low)); power <= math.Log10(high); power++ {
			for _, f := range factors {
				if v := f * math.Pow(10, power); v >= low && v <= high {
					a.ticks = append(a.ticks, v)
				}
			}
		}
		if len(a.ticks) <= n {
			return a
		}
	}
	for every := 2; len(a.ticks) > n; every++ {
		a.ticks = slices.DeleteFunc(a.ticks, func(v float64) bool { return int(math.Round(math.Log10(v)))%every != 0 })
	}
	return a
}

// vertical is the axis of values from low to high, with room above and below, or down to 0 where that is not far.
func vertical(low, high float64, mayBeLogarithmic bool, n int) axis {
	if size := max(math.Abs(low), math.Abs(high)); !(high-low > 1e-9*size) { // the same, as far as one can see
		low, high = low-max(size, 1e-6)*0.1, high+max(size, 1e-6)*0.1
	}
	if mayBeLogarithmic && low > 0 && high > 20*low {
		return logarithmic(low/1.1, high*1.1, n)
	}
	room := (high - low) * 0.05
	if low >= 0 && low < 0.2*high {
		low, room = 0, high*0.05
		return linear(low, high+room, n, 0)
	}
	return linear(low-room, high+room, n, 0)
}

func quantile(sorted []float64, share float64) float64 {
	return sorted[int(math.Round(share*float64(len(sorted)-1)))]
}

// label is a tick's text, with as many digits as tell the ticks apart.
func (a axis) label(v float64) string {
	place := func(v float64) int { return int(math.Floor(math.Log10(math.Abs(v)) + 1e-9)) } // of the first digit
	last := place(a.step)
	if a.logarithmic {
		last = place(v)
	}
	switch {
	case v == 0 || math.Abs(v) < a.step*1e-6:
		return "0"
	case max(math.Abs(a.low), math.Abs(a.high)) < 1e-2 || a.logarithmic && math.Abs(v) < 1e-3 || math.Abs(v) >= 1e7:
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', max(0, place(v)-last), 64), "e")
		power, _ := strconv.Atoi(exponent) // it is a number
		if strings.Contains(mantissa, ".") {
			mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
		}
		return mantissa + "e" + strconv.Itoa(power)
	default:
		return grouped(strconv.FormatFloat(v, 'f', max(0, -last), 64))
	}
}

// grouped sets thousands apart with commas.
func grouped(number string) string {
	whole, rest, _ := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest == "" {
		return whole
	}
	return whole + "." + rest
}
