package curves

import (
	"math"
	"slices"
)

// finite leaves room to calculate; no loss that is worth drawing comes near.
func finite(v float64) bool { return math.Abs(v) <= 1e300 }

// split keeps apart the points that can be drawn and those that are not finite.
func split(points []point) (good, bad []point) {
	if !slices.ContainsFunc(points, func(p point) bool { return !finite(p.y) }) {
		return points, nil
	}
	for _, p := range points {
		if finite(p.y) {
			good = append(good, p)
		} else {
			bad = append(bad, p)
		}
	}
	return good, bad
}

// smoothed has at each x the mean of the points at most window/2 away; towards the ends there are fewer.
func smoothed(points []point, window float64) []point {
	smooth := make([]point, len(points))
	from, to, sum := 0, 0, 0.0
	for i, p := range points {
		for ; to < len(points) && points[to].x <= p.x+window/2; to++ {
			sum += points[to].y
		}
		for ; points[from].x < p.x-window/2; from++ {
			sum -= points[from].y
		}
		smooth[i] = point{p.x, sum / float64(to-from)}
	}
	return smooth
}

// extremes leaves of each column of the picture its lowest and highest point, in their order: it looks as if all were drawn.
func extremes(points []point, column func(x float64) int) []point {
	var thin []point
	for at := range columns(points, column) {
		lowest, highest := 0, 0
		for i, p := range at {
			if p.y < at[lowest].y {
				lowest = i
			}
			if p.y > at[highest].y {
				highest = i
			}
		}
		thin = append(thin, at[min(lowest, highest)])
		if lowest != highest {
			thin = append(thin, at[max(lowest, highest)])
		}
	}
	return thin
}

// means leaves one point of each column, and the very ends.
func means(points []point, column func(x float64) int) []point {
	var thin []point
	for at := range columns(points, column) {
		var sum point
		for _, p := range at {
			sum.x += p.x
			sum.y += p.y
		}
		thin = append(thin, point{sum.x / float64(len(at)), sum.y / float64(len(at))})
	}
	if n := len(thin); n > 1 {
		thin[0], thin[n-1] = points[0], points[len(points)-1]
	}
	return thin
}

// columns gives the points of each column that has any.
func columns(points []point, column func(x float64) int) func(func([]point) bool) {
	return func(yield func([]point) bool) {
		for len(points) > 0 {
			first := column(points[0].x)
			n := slices.IndexFunc(points, func(p point) bool { return column(p.x) != first })
			if n < 0 {
				n = len(points)
			}
			if !yield(points[:n]) {
				return
			}
			points = points[n:]
		}
	}
}
