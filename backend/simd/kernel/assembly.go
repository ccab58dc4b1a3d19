//go:build (amd64 || arm64) && !purego

package kernel

import (
	"strings"
	"unsafe"
)

// The assembly's functions take pointers and trust lengths. These make a set's functions of slices of them.

type tile = func(c *float32, ldc int, a, b *float32, k, ahead, pace int, more bool)

type convTile = func(c *float32, ldc int, a, b *float32, k, panels, step int, bias, residual *float32, ldr int, ahead *float32, pace int, floor float32, more, stream bool)

// vector is the function of slices that an assembly function of pointers makes.
func vector(f func(dst, x *float32, n int)) unary {
	return func(dst, x []float32) { f(&dst[0], &x[0], len(x)) }
}

func vectors(f func(dst, x, y *float32, n int)) binary {
	return func(dst, x, y []float32) { f(&dst[0], &x[0], &y[0], len(x)) }
}

func finisher(f func(c *float32, ldc, rows, n int, bias, residual *float32, ldr int, scale float32)) finish {
	return func(c []float32, ldc, rows, n int, bias, residual []float32, ldr int, scale float32) {
		f(&c[0], ldc, rows, n, unsafe.SliceData(bias), unsafe.SliceData(residual), ldr, scale)
	}
}

func convTiler(tiles []convTile) convTiling {
	return func(rows int, c []float32, ldc int, a, b []float32, k, panels, step int, e ending) {
		tiles[rows-1](&c[0], ldc, &a[0], &b[0], k, panels, step, unsafe.SliceData(e.bias), unsafe.SliceData(e.residual), e.ldr, e.ahead, e.pace, e.floor, e.more, e.stream)
	}
}

func weaverOf(f func(dst *float32, stride int, row **float32, offset, n int)) func(dst []float32, rows int, row [weaveRows]*float32, offset, n int) {
	return func(dst []float32, rows int, row [weaveRows]*float32, offset, n int) {
		f(&dst[0], rows, &row[0], offset, n)
	}
}

func pooler(f func(dst, x *float32, n, down, across, stepDown, stepAcross int)) pooling {
	return func(dst, x []float32, down, across, stepDown, stepAcross int) {
		f(&dst[0], &x[0], len(dst), down, across, stepDown, stepAcross)
	}
}

func winogradInputOf(f func(dst *float32, stride int, x *float32, row, column, n int, room *float32)) winogradInput {
	return func(dst []float32, stride int, x []float32, row, column, n int, room []float32) {
		f(&dst[0], stride, &x[0], row, column, n, &room[0])
	}
}

func winogradOutputOf(f func(c *float32, row, column int, m *float32, stride, n int, bias, residual *float32, rowResidual, columnResidual int, floor float32, room *float32)) winogradOutput {
	return func(c []float32, row, column int, m []float32, stride, n int, e ending, ldRow int, room []float32) {
		f(&c[0], row, column, &m[0], stride, n, unsafe.SliceData(e.bias), unsafe.SliceData(e.residual), ldRow, e.ldr, e.floor, &room[0])
	}
}

func tilerOf(tiles []tile) tiler {
	return func(rows int, c []float32, ldc int, a, b []float32, k, ahead, pace int, more bool) {
		tiles[rows-1](&c[0], ldc, &a[0], &b[0], k, ahead, pace, more)
	}
}

type int8ConvTile = func(c *float32, ldc int, a, b *float32, k, panels, step int, bias, residual *float32, ldr int, ahead *float32, pace int, floor float32, more, stream bool, starts *int32, scales, columns *float32)

func int8ConvTiler(tiles []int8ConvTile) convTiling {
	return func(rows int, c []float32, ldc int, a, b []float32, k, panels, step int, e ending) {
		tiles[rows-1](&c[0], ldc, &a[0], &b[0], k, panels, step, unsafe.SliceData(e.bias), unsafe.SliceData(e.residual), e.ldr, e.ahead, e.pace, e.floor, e.more, e.stream,
			&e.d.starts[0], unsafe.SliceData(e.d.rows), unsafe.SliceData(e.d.columns))
	}
}

type int8Tile = func(c *float32, ldc int, a, b *float32, k, ahead, pace int, more bool, starts *int32, scales, columns *float32)

func int8TilerOf(tiles []int8Tile) func(rows int, c []float32, ldc int, a, b []float32, k, ahead, pace int, more bool, d dequantising) {
	return func(rows int, c []float32, ldc int, a, b []float32, k, ahead, pace int, more bool, d dequantising) {
		tiles[rows-1](&c[0], ldc, &a[0], &b[0], k, ahead, pace, more, &d.starts[0], unsafe.SliceData(d.rows), unsafe.SliceData(d.columns))
	}
}

func pairer(f func(dst *float32, stride int, x *float32, ldx, k int)) func(dst []float32, stride int, x []float32, ldx, k int) {
	return func(dst []float32, stride int, x []float32, ldx, k int) { f(&dst[0], stride, &x[0], ldx, k) }
}

func zipper(f func(dst *float32, ldd int, x *float32, ldx, rows, columns int)) func(dst []float32, ldd int, x []float32, ldx, rows, columns int) {
	return func(dst []float32, ldd int, x []float32, ldx, rows, columns int) {
		f(&dst[0], ldd, &x[0], ldx, rows, columns)
	}
}

func rounder(f func(x *float32, n int)) func(x []float32) {
	return func(x []float32) { f(&x[0], len(x)) }
}

func widening(f func(dst *float32, ldd int, x *uint16, ldx, rows, columns int)) func(dst []float32, ldd int, x []uint16, ldx, rows, columns int) {
	return func(dst []float32, ldd int, x []uint16, ldx, rows, columns int) {
		f(&dst[0], ldd, &x[0], ldx, rows, columns)
	}
}

func shortening(f func(dst *uint16, ldd int, x *float32, ldx, rows, columns int)) func(dst []uint16, ldd int, x []float32, ldx, rows, columns int) {
	return func(dst []uint16, ldd int, x []float32, ldx, rows, columns int) {
		f(&dst[0], ldd, &x[0], ldx, rows, columns)
	}
}

// rounding rounds numbers that stay float32.
func rounding(f func(x *float32, n int)) func(dst, x []float32) {
	return func(dst, x []float32) {
		copy(dst, x)
		f(&dst[0], len(x))
	}
}

func rowOf(f func(dst, x *float32, n int, inverse float32) int32) func(dst, x []float32, inverse float32) int32 {
	return func(dst, x []float32, inverse float32) int32 { return f(&dst[0], &x[0], len(x), inverse) }
}

func magnitudeOf(f func(x *float32, n int) uint32) func(x []float32) uint32 {
	return func(x []float32) uint32 { return f(&x[0], len(x)) }
}

func quadsOf(f func(dst *float32, stride int, x *float32, ldx, k int, inverse *float32, sums *int32)) func(dst []float32, stride int, x []float32, ldx, k int, inverse [4]float32) [4]int32 {
	return func(dst []float32, stride int, x []float32, ldx, k int, inverse [4]float32) (sums [4]int32) {
		f(&dst[0], stride, &x[0], ldx, k, &inverse[0], &sums[0])
		return sums
	}
}

type feature struct {
	name string
	has  bool
}

// lacks are the names of the features that are not there.
func lacks(features ...feature) string {
	var names []string
	for _, f := range features {
		if !f.has {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, ", ")
}
