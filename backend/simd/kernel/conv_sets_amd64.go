//go:build !purego

package kernel

import "unsafe"

type convTile = func(c *float32, ldc int, a, b *float32, k, panels, step int, bias, residual *float32, ldr int, ahead *float32, pace int, floor float32, more, stream bool)

var convTilesAVX2 = [...]convTile{convTile1AVX2, convTile2AVX2, convTile3AVX2, convTile4AVX2, convTile5AVX2, convTile6AVX2}

var convTilesAVX512 = [...]convTile{
	convTile1AVX512, convTile2AVX512, convTile3AVX512, convTile4AVX512, convTile5AVX512, convTile6AVX512, convTile7AVX512,
	convTile8AVX512, convTile9AVX512, convTile10AVX512, convTile11AVX512, convTile12AVX512, convTile13AVX512, convTile14AVX512,
}

var convHalvesAVX2 = [...]convTile{convHalf1AVX2, convHalf2AVX2, convHalf3AVX2, convHalf4AVX2, convHalf5AVX2, convHalf6AVX2}

var convHalvesAVX512 = [...]convTile{
	convHalf1AVX512, convHalf2AVX512, convHalf3AVX512, convHalf4AVX512, convHalf5AVX512, convHalf6AVX512, convHalf7AVX512,
	convHalf8AVX512, convHalf9AVX512, convHalf10AVX512, convHalf11AVX512, convHalf12AVX512, convHalf13AVX512, convHalf14AVX512,
}

func convTiler(tiles []convTile) func(rows int, c []float32, ldc int, a, b []float32, k, panels, step int, e ending) {
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
