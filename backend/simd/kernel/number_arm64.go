//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// Sets that differ from neon in narrow numbers alone: without any instructions for them, and with those for int8 that the oldest CPUs have
// which have any.
var neonBase, neonDot = neon, neon

func init() {
	neonBase.name, neonBase.variant = "neonbase", true
	neonBase.with(bf16NEON, int8NEON, tilerOf(bf16WidesNEON[:]), convTiler(convBF16WidesNEON[:]), int8ConvTiler(convInt8LongsNEON[:]))

	neonDot.name, neonDot.variant = "neondot", true
	neonDot.lacks = lacks(feature{"ASIMDDP", cpu.ARM64.HasASIMDDP})
	neonDot.with(bf16NEON, int8Dots, tilerOf(bf16WidesNEON[:]), convTiler(convBF16WidesNEON[:]), int8ConvTiler(convInt8DotsNEON[:]))

	bf16, tile, conv := bf16NEON, bf16WidesNEON[:], convBF16WidesNEON[:]
	if hasBF16() {
		bf16, tile, conv = bf16Matrices, bf16MatricesNEON[:], convBF16MatricesNEON[:]
	}
	int8, int8Conv := int8NEON, convInt8LongsNEON[:]
	switch {
	case cpu.ARM64.HasI8MM:
		int8, int8Conv = int8Matrices, convInt8MatricesNEON[:]
	case cpu.ARM64.HasASIMDDP:
		int8, int8Conv = int8Dots, convInt8DotsNEON[:]
	}
	neon.with(bf16, int8, tilerOf(tile), convTiler(conv), int8ConvTiler(int8Conv))
}

var shortNEON = shortNumbers{
	lanes: 4, widen: widening(widenNEON), shorten: shortening(shortenNEON), zip: widening(zipShortNEON),
	normal: rounder(normalNEON), nearest: rounder(nearestNEON),
}

var bf16NEON = multiplier{
	number: BFloat16, per: 2, wide: 2,
	bf16: bf16Packing{pairs: pairer(pairsNEON), zip: zipper(zipNEON), row: rounding(roundNEON), round: rounder(roundNEON)},
}

var bf16Matrices = multiplier{
	number: BFloat16, per: 2, wide: 1, instruction: "BFMMLA", numberPeak: func(turns int) int { peakBF16MatrixNEON(turns); return turns * 384 },
	bf16: bf16Packing{
		pairs: pairer(pairsNEON), zip: zipper(zipNEON), round: rounder(roundNEON),
		row: rowBF16In(8, func(dst, x []float32) { rowBF16NEON(&dst[0], &x[0], len(x)) }),
	},
}

var int8PackingNEON = int8Packing{
	magnitude: magnitudeOf(magnitudeNEON), quads: quadsOf(quadsNEON), left: quadsOf(quadsNEON), row: rowInt8In(16, 1, rowOf(rowInt8NEON)),
}

var int8NEON = multiplier{
	number: Int8, per: 4, wide: 1, int8Tile: int8TilerOf(int8LongsNEON[:]), int8: int8PackingNEON,
	numberPeak: func(turns int) int { peakInt8LongNEON(turns); return turns * 384 },
}

var int8Dots = multiplier{
	number: Int8, per: 4, wide: 1, instruction: "SDOT", int8Tile: int8TilerOf(int8DotsNEON[:]), int8: int8PackingNEON,
	numberPeak: func(turns int) int { peakInt8DotNEON(turns); return turns * 384 },
}

var int8Matrices = multiplier{
	number: Int8, per: 4, wide: 1, instruction: "USMMLA", int8Tile: int8TilerOf(int8MatricesNEON[:]), int8: int8PackingNEON,
	numberPeak: func(turns int) int { peakInt8MatrixNEON(turns); return turns * 768 },
}

var bf16WidesNEON = [...]tile{tileBF16Wide1NEON, tileBF16Wide2NEON, tileBF16Wide3NEON, tileBF16Wide4NEON, tileBF16Wide5NEON, tileBF16Wide6NEON}

var bf16MatricesNEON = [...]tile{tileBF16Matrix1NEON, tileBF16Matrix2NEON, tileBF16Matrix3NEON, tileBF16Matrix4NEON, tileBF16Matrix5NEON, tileBF16Matrix6NEON}

var int8LongsNEON = [...]int8Tile{tileInt8Long1NEON, tileInt8Long2NEON, tileInt8Long3NEON, tileInt8Long4NEON, tileInt8Long5NEON, tileInt8Long6NEON}

var int8DotsNEON = [...]int8Tile{tileInt8Dot1NEON, tileInt8Dot2NEON, tileInt8Dot3NEON, tileInt8Dot4NEON, tileInt8Dot5NEON, tileInt8Dot6NEON}

var int8MatricesNEON = [...]int8Tile{tileInt8Matrix1NEON, tileInt8Matrix2NEON, tileInt8Matrix3NEON, tileInt8Matrix4NEON, tileInt8Matrix5NEON, tileInt8Matrix6NEON}

var convBF16WidesNEON = [...]convTile{
	convTileBF16Wide1NEON, convTileBF16Wide2NEON, convTileBF16Wide3NEON, convTileBF16Wide4NEON, convTileBF16Wide5NEON, convTileBF16Wide6NEON,
}

var convBF16MatricesNEON = [...]convTile{convTileBF16Matrix1NEON, convTileBF16Matrix2NEON, convTileBF16Matrix3NEON, convTileBF16Matrix4NEON, convTileBF16Matrix5NEON, convTileBF16Matrix6NEON}

var convInt8LongsNEON = [...]int8ConvTile{
	convTileInt8Long1NEON, convTileInt8Long2NEON, convTileInt8Long3NEON, convTileInt8Long4NEON, convTileInt8Long5NEON, convTileInt8Long6NEON,
}

var convInt8DotsNEON = [...]int8ConvTile{
	convTileInt8Dot1NEON, convTileInt8Dot2NEON, convTileInt8Dot3NEON, convTileInt8Dot4NEON, convTileInt8Dot5NEON, convTileInt8Dot6NEON,
}

var convInt8MatricesNEON = [...]int8ConvTile{convTileInt8Matrix1NEON, convTileInt8Matrix2NEON, convTileInt8Matrix3NEON, convTileInt8Matrix4NEON, convTileInt8Matrix5NEON, convTileInt8Matrix6NEON}
