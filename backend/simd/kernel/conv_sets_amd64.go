//go:build !purego

package kernel

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
