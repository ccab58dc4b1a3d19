package kernel

import "fmt"

// Vectors and matrices of bfloat16 as they lie in memory, numbers of 16 bits. All numbers are taken as they are, also those that are not normal; only
// products take these for 0 ([BFloat16]).

// shortNumbers are a set's functions of such numbers. They go over rows ldd and ldx apart, of some columns, a multiple of lanes; neither is 0.
type shortNumbers struct {
	lanes int
	// widen is dst = x, shorten is dst = x rounded.
	widen   func(dst []float32, ldd int, x []uint16, ldx, rows, columns int)
	shorten func(dst []uint16, ldd int, x []float32, ldx, rows, columns int)
	// zip is dst[p*ldd+c] = the pair x[2p*ldx+c], x[(2p+1)*ldx+c] for p < rows, of numbers that are normal; others are 0.
	zip func(dst []float32, ldd int, x []uint16, ldx, rows, columns int)
	// normal makes the numbers of pairs 0 that are not normal; nearest rounds numbers that stay float32. x is not empty.
	normal, nearest func(x []float32)
}

// FromBF16 is dst[i] = x[i], of bfloat16 numbers as their 16 bits.
func (s *Set) FromBF16(dst []float32, x []uint16) {
	if len(dst) != len(x) {
		panic(fmt.Sprintf("kernel.FromBF16: lengths differ: %d and %d", len(dst), len(x)))
	}
	s.widenRows(dst, 0, x, 0, 1, len(x))
}

// ToBF16 is dst[i] = x[i] rounded to bfloat16, to the nearest, ties to even, as its 16 bits. A NaN stays one.
func (s *Set) ToBF16(dst []uint16, x []float32) {
	if len(dst) != len(x) {
		panic(fmt.Sprintf("kernel.ToBF16: lengths differ: %d and %d", len(dst), len(x)))
	}
	s.shortenRows(dst, 0, x, 0, 1, len(x))
}

// RoundBF16 rounds x as [Set.ToBF16] does, to numbers that stay float32.
func (s *Set) RoundBF16(x []float32) {
	if len(x) > 0 {
		s.short.nearest(x)
	}
}

// widenRows is dst[r*ldd+c] = x[r*ldx+c] for r < rows, c < columns.
func (s *Set) widenRows(dst []float32, ldd int, x []uint16, ldx, rows, columns int) {
	whole := s.short.whole(rows, columns)
	if whole > 0 {
		s.short.widen(dst, ldd, x, ldx, rows, whole)
	}
	if whole < columns {
		widenGeneric(dst[whole:], ldd, x[whole:], ldx, rows, columns-whole)
	}
}

// shortenRows is dst[r*ldd+c] = x[r*ldx+c] rounded, for r < rows, c < columns.
func (s *Set) shortenRows(dst []uint16, ldd int, x []float32, ldx, rows, columns int) {
	whole := s.short.whole(rows, columns)
	if whole > 0 {
		s.short.shorten(dst, ldd, x, ldx, rows, whole)
	}
	if whole < columns {
		shortenGeneric(dst[whole:], ldd, x[whole:], ldx, rows, columns-whole)
	}
}

// nearestRows rounds rows of numbers that stay float32.
func (s *Set) nearestRows(x []float32, ldx, rows, columns int) {
	if ldx == columns {
		s.RoundBF16(x[:rows*columns])
		return
	}
	for r := range rows {
		s.RoundBF16(x[r*ldx:][:columns])
	}
}

// whole is how many columns the functions take.
func (n *shortNumbers) whole(rows, columns int) int {
	if rows == 0 {
		return 0
	}
	return columns / n.lanes * n.lanes
}

// pairShortRows is [Set.pairRows] of numbers that are bfloat16 already. It leaves nothing beyond rows as it was.
func (s *Set) pairShortRows(dst []float32, stride int, x []uint16, ldx, rows, k int) {
	if view, ok := wordView(x, k, ldx); ok {
		s.interleaveRows(dst, stride, view, ldx/2, rows, k/2)
		if k > 0 {
			s.short.normal(dst[:k/2*stride])
		}
		return
	}
	words := wordsOf(dst)
	for r := range rows {
		row := x[r*ldx:][:k]
		for p := range k / 2 {
			words[p*stride+r] = normalPair(row[2*p], row[2*p+1])
		}
		if k%2 == 1 {
			words[k/2*stride+r] = normalPair(row[k-1], 0)
		}
	}
}

// zipShortRows is [Set.zipRows] of numbers that are bfloat16 already.
func (s *Set) zipShortRows(dst []float32, stride int, x []uint16, ldx, columns, k int) {
	whole := s.short.whole(k/2, columns)
	if whole > 0 {
		s.short.zip(dst, stride, x, ldx, k/2, whole)
	}
	if whole < columns && k > 1 {
		zipShortGeneric(dst[whole:], stride, x[whole:], ldx, k/2, columns-whole)
	}
	if k%2 == 1 {
		for c, bits := range x[(k-1)*ldx:][:columns] {
			wordsOf(dst)[k/2*stride+c] = normalPair(bits, 0)
		}
	}
}

func normalPair(even, odd uint16) uint32 { return uint32(normalOf(even)) | uint32(normalOf(odd))<<16 }

// normalOf is a number, or 0 with its sign where it is not normal.
func normalOf(bits uint16) uint16 {
	if bits&0x7f80 == 0 {
		bits &= 0x8000
	}
	return bits
}

// shortGeneric are the portable functions.
var shortGeneric = shortNumbers{
	lanes: 1, widen: widenGeneric, shorten: shortenGeneric, zip: zipShortGeneric,
	normal: func(x []float32) {
		for i, w := range wordsOf(x) {
			wordsOf(x)[i] = normalPair(uint16(w), uint16(w>>16))
		}
	},
	nearest: func(x []float32) {
		for i, v := range x {
			x[i] = FromBF16(nearestBF16(v))
		}
	},
}

func widenGeneric(dst []float32, ldd int, x []uint16, ldx, rows, columns int) {
	for r := range rows {
		for c, bits := range x[r*ldx:][:columns] {
			dst[r*ldd+c] = FromBF16(bits)
		}
	}
}

func shortenGeneric(dst []uint16, ldd int, x []float32, ldx, rows, columns int) {
	for r := range rows {
		for c, v := range x[r*ldx:][:columns] {
			dst[r*ldd+c] = nearestBF16(v)
		}
	}
}

func zipShortGeneric(dst []float32, ldd int, x []uint16, ldx, rows, columns int) {
	words := wordsOf(dst)
	for p := range rows {
		even, odd := x[2*p*ldx:][:columns], x[(2*p+1)*ldx:][:columns]
		for c := range columns {
			words[p*ldd+c] = normalPair(even[c], odd[c])
		}
	}
}
