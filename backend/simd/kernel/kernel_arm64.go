//go:build !purego

package kernel

import "unsafe"

// sets are all sets of this program, plainest first.
func sets() []*Set { return all }

var all = []*Set{&generic, &neonBase, &neonDot, &neon}

// neon needs nothing but what every CPU has that Go runs on; narrow numbers have instructions that not all have.
var neon = Set{
	name: "neon",
	rows: 6, width: 16,
	multiplier: multiplier{per: 1, wide: 1},
	short:      shortNEON,
	tile:       tilerOf(tilesNEON[:]),
	interleave: func(dst []float32, stride int, x []float32, ldx, k int) {
		interleave4NEON(&dst[0], stride, &x[0], ldx, k)
	},
	convTile: convTiler(convTilesNEON[:]), convHalf: convTiler(convHalvesNEON[:]), weave: weaverOf(weaveNEON),
	fence:         func() {}, // nothing goes past the caches
	winogradInput: winogradInputOf(winogradInputNEON), winogradOutput: winogradOutputOf(winogradOutputNEON),
	poolMax: pooler(poolMaxNEON), poolSum: pooler(poolSumNEON),
	prefetch: func(x []float32) { prefetchNEON(&x[0], (len(x)+15)/16) },
	narrow:   func(dst, x []float32, ldx, columns, k int) { narrowNEON(&dst[0], &x[0], ldx, columns, k) },
	peak:     func(turns int) int { peakNEON(turns); return turns * 96 },
	finish: [activations]finish{
		Identity: finisher(finishNEON), ReLU: finisher(finishReLUNEON), GELU: finisher(finishGELUNEON),
		GELUTanh: finisher(finishGELUTanhNEON), Tanh: finisher(finishTanhNEON),
	},

	exp: vector(expNEON), tanh: vector(tanhNEON), erf: vector(erfNEON),
	gelu: vector(geluNEON), geluTanh: vector(geluTanhNEON), relu: vector(reluNEON),
	sqrt: vector(sqrtNEON), abs: vector(absNEON),
	add: vectors(addNEON), sub: vectors(subNEON), mul: vectors(mulNEON), div: vectors(divNEON),
	max: vectors(maxNEON), min: vectors(minNEON),
	equal: vectors(equalNEON), less: vectors(lessNEON), lessEqual: vectors(lessEqualNEON),
	choose: func(dst, condition, x, y []float32) {
		chooseNEON(&dst[0], &condition[0], &x[0], &y[0], len(dst))
	},
	scale:   func(dst, x []float32, alpha float32) { scaleNEON(&dst[0], &x[0], alpha, len(x)) },
	axpy:    func(y, x []float32, alpha float32) { axpyNEON(&y[0], &x[0], alpha, len(x)) },
	sum:     func(x []float32) float32 { return sumNEON(&x[0], len(x)) },
	largest: func(x []float32) float32 { return largestNEON(&x[0], len(x)) },
	softmax: func(dst, x, mask []float32, scale float32) {
		softmaxNEON(&dst[0], &x[0], unsafe.SliceData(mask), len(x), scale)
	},
	layerNorm: func(dst, x, residual, gamma, beta []float32, epsilon float32) {
		layerNormNEON(&dst[0], &x[0], unsafe.SliceData(residual), unsafe.SliceData(gamma), unsafe.SliceData(beta), len(x), epsilon)
	},
}

var tilesNEON = [...]tile{tile1NEON, tile2NEON, tile3NEON, tile4NEON, tile5NEON, tile6NEON}

var convTilesNEON = [...]convTile{convTile1NEON, convTile2NEON, convTile3NEON, convTile4NEON, convTile5NEON, convTile6NEON}

var convHalvesNEON = [...]convTile{convHalf1NEON, convHalf2NEON, convHalf3NEON, convHalf4NEON, convHalf5NEON, convHalf6NEON}
