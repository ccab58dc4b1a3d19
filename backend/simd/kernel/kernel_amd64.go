//go:build !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// sets are all sets of this program, plainest first.
func sets() []*Set { return all }

var all = []*Set{&generic, &avx2Base, &avx2, &avx512Base, &avx512BF16, &avx512}

var avx2 = Set{
	name:  "avx2",
	lacks: lacks(feature{"AVX2", cpu.X86.HasAVX2}, feature{"FMA", cpu.X86.HasFMA}),
	rows:  6, width: 16,
	multiplier: multiplier{per: 1, wide: 1},
	short:      shortAVX2,
	tile: func(rows int, c []float32, ldc int, a, b []float32, k, ahead, pace int, more bool) {
		tilesAVX2[rows-1](&c[0], ldc, &a[0], &b[0], k, ahead, pace, more)
	},
	interleave: interleaveAVX,
	convTile:   convTiler(convTilesAVX2[:]), convHalf: convTiler(convHalvesAVX2[:]), weave: weaverOf(weaveAVX2), fence: storeFence,
	winogradInput: winogradInputOf(winogradInputAVX2), winogradOutput: winogradOutputOf(winogradOutputAVX2),
	poolMax: pooler(poolMaxAVX2), poolSum: pooler(poolSumAVX2),
	prefetch: prefetchLines,
	narrow:   func(dst, x []float32, ldx, columns, k int) { narrowAVX2(&dst[0], &x[0], ldx, columns, k) },
	peak:     func(turns int) int { peakAVX2(turns); return turns * 96 },
	finish: [activations]finish{
		Identity: finisher(finishAVX2), ReLU: finisher(finishReLUAVX2), GELU: finisher(finishGELUAVX2),
		GELUTanh: finisher(finishGELUTanhAVX2), Tanh: finisher(finishTanhAVX2),
	},

	exp: vector(expAVX2), tanh: vector(tanhAVX2), erf: vector(erfAVX2),
	gelu: vector(geluAVX2), geluTanh: vector(geluTanhAVX2), relu: vector(reluAVX2),
	sqrt: vector(sqrtAVX2), abs: vector(absAVX2),
	add: vectors(addAVX2), sub: vectors(subAVX2), mul: vectors(mulAVX2), div: vectors(divAVX2),
	max: vectors(maxAVX2), min: vectors(minAVX2),
	equal: vectors(equalAVX2), less: vectors(lessAVX2), lessEqual: vectors(lessEqualAVX2),
	choose: func(dst, condition, x, y []float32) {
		chooseAVX2(&dst[0], &condition[0], &x[0], &y[0], len(dst))
	},
	scale:   func(dst, x []float32, alpha float32) { scaleAVX2(&dst[0], &x[0], alpha, len(x)) },
	axpy:    func(y, x []float32, alpha float32) { axpyAVX2(&y[0], &x[0], alpha, len(x)) },
	sum:     func(x []float32) float32 { return sumAVX2(&x[0], len(x)) },
	largest: func(x []float32) float32 { return largestAVX2(&x[0], len(x)) },
	softmax: func(dst, x, mask []float32, scale float32) {
		softmaxAVX2(&dst[0], &x[0], unsafe.SliceData(mask), len(x), scale)
	},
	layerNorm: func(dst, x, residual, gamma, beta []float32, epsilon float32) {
		layerNormAVX2(&dst[0], &x[0], unsafe.SliceData(residual), unsafe.SliceData(gamma), unsafe.SliceData(beta), len(x), epsilon)
	},
}

var avx512 = Set{
	name: "avx512",
	lacks: lacks(feature{"AVX512F", cpu.X86.HasAVX512F}, feature{"AVX512VL", cpu.X86.HasAVX512VL},
		feature{"AVX512DQ", cpu.X86.HasAVX512DQ}, feature{"AVX512BW", cpu.X86.HasAVX512BW},
		feature{"AVX2", cpu.X86.HasAVX2}, feature{"FMA", cpu.X86.HasFMA}, feature{"BMI2", cpu.X86.HasBMI2}),
	rows: 14, width: 32,
	multiplier: multiplier{per: 1, wide: 1},
	short:      shortAVX512,
	tile: func(rows int, c []float32, ldc int, a, b []float32, k, ahead, pace int, more bool) {
		tilesAVX512[rows-1](&c[0], ldc, &a[0], &b[0], k, ahead, pace, more)
	},
	interleave: interleaveAVX,
	convTile:   convTiler(convTilesAVX512[:]), convHalf: convTiler(convHalvesAVX512[:]), weave: weaverOf(weaveAVX512), fence: storeFence,
	winogradInput: winogradInputOf(winogradInputAVX512), winogradOutput: winogradOutputOf(winogradOutputAVX512),
	poolMax: pooler(poolMaxAVX512), poolSum: pooler(poolSumAVX512),
	prefetch: prefetchLines,
	narrow:   func(dst, x []float32, ldx, columns, k int) { narrowAVX512(&dst[0], &x[0], ldx, columns, k) },
	peak:     func(turns int) int { peakAVX512(turns); return turns * 192 },
	finish: [activations]finish{
		Identity: finisher(finishAVX512), ReLU: finisher(finishReLUAVX512), GELU: finisher(finishGELUAVX512),
		GELUTanh: finisher(finishGELUTanhAVX512), Tanh: finisher(finishTanhAVX512),
	},

	exp: vector(expAVX512), tanh: vector(tanhAVX512), erf: vector(erfAVX512),
	gelu: vector(geluAVX512), geluTanh: vector(geluTanhAVX512), relu: vector(reluAVX512),
	sqrt: vector(sqrtAVX512), abs: vector(absAVX512),
	add: vectors(addAVX512), sub: vectors(subAVX512), mul: vectors(mulAVX512), div: vectors(divAVX512),
	max: vectors(maxAVX512), min: vectors(minAVX512),
	equal: vectors(equalAVX512), less: vectors(lessAVX512), lessEqual: vectors(lessEqualAVX512),
	choose: func(dst, condition, x, y []float32) {
		chooseAVX512(&dst[0], &condition[0], &x[0], &y[0], len(dst))
	},
	scale:   func(dst, x []float32, alpha float32) { scaleAVX512(&dst[0], &x[0], alpha, len(x)) },
	axpy:    func(y, x []float32, alpha float32) { axpyAVX512(&y[0], &x[0], alpha, len(x)) },
	sum:     func(x []float32) float32 { return sumAVX512(&x[0], len(x)) },
	largest: func(x []float32) float32 { return largestAVX512(&x[0], len(x)) },
	softmax: func(dst, x, mask []float32, scale float32) {
		softmaxAVX512(&dst[0], &x[0], unsafe.SliceData(mask), len(x), scale)
	},
	layerNorm: func(dst, x, residual, gamma, beta []float32, epsilon float32) {
		layerNormAVX512(&dst[0], &x[0], unsafe.SliceData(residual), unsafe.SliceData(gamma), unsafe.SliceData(beta), len(x), epsilon)
	},
}

func interleaveAVX(dst []float32, stride int, x []float32, ldx, k int) {
	interleave4AVX(&dst[0], stride, &x[0], ldx, k)
}

func prefetchLines(x []float32) { prefetchAMD64(&x[0], (len(x)+15)/16) }

var tilesAVX2 = [...]tile{tile1AVX2, tile2AVX2, tile3AVX2, tile4AVX2, tile5AVX2, tile6AVX2}

var tilesAVX512 = [...]tile{
	tile1AVX512, tile2AVX512, tile3AVX512, tile4AVX512, tile5AVX512, tile6AVX512, tile7AVX512,
	tile8AVX512, tile9AVX512, tile10AVX512, tile11AVX512, tile12AVX512, tile13AVX512, tile14AVX512,
}
