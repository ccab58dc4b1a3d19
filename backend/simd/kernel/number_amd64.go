//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// Sets that differ from avx2 and avx512 in narrow numbers alone: without any instructions for them, and with all.
var avx2Base, avx512Base, avx512BF16 = avx2, avx512, avx512

func init() {
	avx2Base.name, avx2Base.variant = "avx2base", true
	for s, fours := range map[*Set]bool{&avx2Base: false, &avx2: cpu.X86.HasAVXVNNI} {
		int8, int8Conv := int8AVX2, convInt8WidesAVX2[:]
		if fours {
			int8, int8Conv = int8FoursAVX2, convInt8sAVX2[:]
		}
		s.with(bf16AVX2, int8, tilerOf(bf16WidesAVX2[:]), convTiler(convBF16WidesAVX2[:]), int8ConvTiler(int8Conv))
	}

	avx512Base.name, avx512Base.variant = "avx512base", true
	avx512Base.with(bf16AVX512, int8AVX512, tilerOf(bf16WidesAVX512[:]), convTiler(convBF16WidesAVX512[:]), int8ConvTiler(convInt8WidesAVX512[:]))

	avx512BF16.name, avx512BF16.variant = "avx512bf16", true
	if avx512BF16.lacks == "" {
		avx512BF16.lacks = lacks(feature{"AVX512_BF16", cpu.X86.HasAVX512BF16}, feature{"AVX512_VNNI", cpu.X86.HasAVX512VNNI})
	}
	avx512BF16.with(bf16Pairs, int8Fours, tilerOf(bf16TilesAVX512[:]), convTiler(convBF16sAVX512[:]), int8ConvTiler(convInt8sAVX512[:]))

	bf16, tile, conv := bf16AVX512, bf16WidesAVX512[:], convBF16WidesAVX512[:]
	if cpu.X86.HasAVX512BF16 && !slowBF16() {
		bf16, tile, conv = bf16Pairs, bf16TilesAVX512[:], convBF16sAVX512[:]
	}
	int8, int8Conv := int8AVX512, convInt8WidesAVX512[:]
	if cpu.X86.HasAVX512VNNI {
		int8, int8Conv = int8Fours, convInt8sAVX512[:]
	}
	avx512.with(bf16, int8, tilerOf(tile), convTiler(conv), int8ConvTiler(int8Conv))
}

// slowBF16 reports whether VDPBF16PS takes longer than the float32 instructions that do the same: Intel's CPUs begin one in two cycles
// (Emerald Rapids: 0.72 ns, a multiply-add 0.18 ns), AMD's two (Zen 5) or one (Zen 4).
func slowBF16() bool {
	const intel = 'G' | 'e'<<8 | 'n'<<16 | 'u'<<24
	return vendor() == intel
}

var shortAVX2 = shortNumbers{
	lanes: 8, widen: widening(widenAVX2), shorten: shortening(shortenAVX2), zip: widening(zipShortAVX2),
	normal: rounder(normalAVX2), nearest: rounder(nearestAVX2),
}

var shortAVX512 = shortNumbers{
	lanes: 16, widen: widening(widenAVX512), shorten: shortening(shortenAVX512), zip: widening(zipShortAVX512),
	normal: rounder(normalAVX512), nearest: rounder(nearestAVX512),
}

var bf16AVX2 = multiplier{
	number: BFloat16, per: 2, wide: 2,
	bf16: bf16Packing{pairs: pairer(pairsAVX2), zip: zipper(zipAVX2), row: rounding(roundAVX2), round: rounder(roundAVX2)},
}

var bf16AVX512 = multiplier{
	number: BFloat16, per: 2, wide: 2,
	bf16: bf16Packing{pairs: pairer(pairsAVX512), zip: zipper(zipAVX512), row: rounding(roundAVX512), round: rounder(roundAVX512)},
}

var bf16Pairs = multiplier{
	number: BFloat16, per: 2, wide: 1, instruction: "VDPBF16PS", numberPeak: func(turns int) int { peakBF16AVX512(turns); return turns * 384 },
	bf16: bf16Packing{
		pairs: pairer(pairsBF16AVX512), zip: zipper(zipAVX512), round: rounder(roundAVX512),
		row: rowBF16In(32, func(dst, x []float32) { rowBF16AVX512(&dst[0], &x[0], len(x)) }),
	},
}

var int8AVX2 = multiplier{
	number: Int8, per: 4, wide: 2, int8Tile: int8TilerOf(int8WidesAVX2[:]),
	numberPeak: func(turns int) int { peakInt8WideAVX2(turns); return turns * 192 },
	int8:       int8Packing{magnitude: magnitudeOf(magnitudeAVX2), quads: quadsOf(quadsAVX2), left: quadsOf(quadsWideAVX2), row: rowInt8In(8, 2, rowOf(rowInt8WideAVX2))},
}

var int8FoursAVX2 = multiplier{
	number: Int8, per: 4, wide: 1, instruction: "VPDPBUSD", int8Tile: int8TilerOf(int8TilesAVX2[:]),
	numberPeak: func(turns int) int { peakInt8AVX2(turns); return turns * 384 },
	int8:       int8Packing{magnitude: magnitudeOf(magnitudeAVX2), quads: quadsOf(quadsAVX2), left: quadsOf(quadsAVX2), row: rowInt8In(8, 1, rowOf(rowInt8AVX2))},
}

var int8AVX512 = multiplier{
	number: Int8, per: 4, wide: 2, int8Tile: int8TilerOf(int8WidesAVX512[:]),
	numberPeak: func(turns int) int { peakInt8WideAVX512(turns); return turns * 384 },
	int8:       int8Packing{magnitude: magnitudeOf(magnitudeAVX512), quads: quadsOf(quadsAVX512), left: quadsOf(quadsWideAVX512), row: rowInt8In(16, 2, rowOf(rowInt8WideAVX512))},
}

var int8Fours = multiplier{
	number: Int8, per: 4, wide: 1, instruction: "VPDPBUSD", int8Tile: int8TilerOf(int8TilesAVX512[:]),
	numberPeak: func(turns int) int { peakInt8AVX512(turns); return turns * 768 },
	int8:       int8Packing{magnitude: magnitudeOf(magnitudeAVX512), quads: quadsOf(quadsAVX512), left: quadsOf(quadsAVX512), row: rowInt8In(16, 1, rowOf(rowInt8AVX512))},
}

var bf16WidesAVX2 = [...]tile{
	bf16Wide1AVX2, bf16Wide2AVX2, bf16Wide3AVX2, bf16Wide4AVX2, bf16Wide5AVX2, bf16Wide6AVX2,
}

var bf16WidesAVX512 = [...]tile{
	bf16Wide1AVX512, bf16Wide2AVX512, bf16Wide3AVX512, bf16Wide4AVX512, bf16Wide5AVX512, bf16Wide6AVX512, bf16Wide7AVX512,
	bf16Wide8AVX512, bf16Wide9AVX512, bf16Wide10AVX512, bf16Wide11AVX512, bf16Wide12AVX512, bf16Wide13AVX512, bf16Wide14AVX512,
}

var bf16TilesAVX512 = [...]tile{
	bf16Tile1AVX512, bf16Tile2AVX512, bf16Tile3AVX512, bf16Tile4AVX512, bf16Tile5AVX512, bf16Tile6AVX512, bf16Tile7AVX512,
	bf16Tile8AVX512, bf16Tile9AVX512, bf16Tile10AVX512, bf16Tile11AVX512, bf16Tile12AVX512, bf16Tile13AVX512, bf16Tile14AVX512,
}

var int8WidesAVX2 = [...]int8Tile{
	int8Wide1AVX2, int8Wide2AVX2, int8Wide3AVX2, int8Wide4AVX2, int8Wide5AVX2, int8Wide6AVX2,
}

var int8WidesAVX512 = [...]int8Tile{
	int8Wide1AVX512, int8Wide2AVX512, int8Wide3AVX512, int8Wide4AVX512, int8Wide5AVX512, int8Wide6AVX512, int8Wide7AVX512,
	int8Wide8AVX512, int8Wide9AVX512, int8Wide10AVX512, int8Wide11AVX512, int8Wide12AVX512, int8Wide13AVX512, int8Wide14AVX512,
}

var int8TilesAVX512 = [...]int8Tile{
	int8Tile1AVX512, int8Tile2AVX512, int8Tile3AVX512, int8Tile4AVX512, int8Tile5AVX512, int8Tile6AVX512, int8Tile7AVX512,
	int8Tile8AVX512, int8Tile9AVX512, int8Tile10AVX512, int8Tile11AVX512, int8Tile12AVX512, int8Tile13AVX512, int8Tile14AVX512,
}

var convBF16WidesAVX2 = [...]convTile{
	convTileBF16Wide1AVX2, convTileBF16Wide2AVX2, convTileBF16Wide3AVX2, convTileBF16Wide4AVX2, convTileBF16Wide5AVX2, convTileBF16Wide6AVX2,
}

var convBF16WidesAVX512 = [...]convTile{
	convTileBF16Wide1AVX512, convTileBF16Wide2AVX512, convTileBF16Wide3AVX512, convTileBF16Wide4AVX512, convTileBF16Wide5AVX512, convTileBF16Wide6AVX512, convTileBF16Wide7AVX512,
	convTileBF16Wide8AVX512, convTileBF16Wide9AVX512, convTileBF16Wide10AVX512, convTileBF16Wide11AVX512, convTileBF16Wide12AVX512, convTileBF16Wide13AVX512, convTileBF16Wide14AVX512,
}

var convBF16sAVX512 = [...]convTile{
	convTileBF161AVX512, convTileBF162AVX512, convTileBF163AVX512, convTileBF164AVX512, convTileBF165AVX512, convTileBF166AVX512, convTileBF167AVX512,
	convTileBF168AVX512, convTileBF169AVX512, convTileBF1610AVX512, convTileBF1611AVX512, convTileBF1612AVX512, convTileBF1613AVX512, convTileBF1614AVX512,
}

var convInt8WidesAVX2 = [...]int8ConvTile{
	convTileInt8Wide1AVX2, convTileInt8Wide2AVX2, convTileInt8Wide3AVX2, convTileInt8Wide4AVX2, convTileInt8Wide5AVX2, convTileInt8Wide6AVX2,
}

var convInt8WidesAVX512 = [...]int8ConvTile{
	convTileInt8Wide1AVX512, convTileInt8Wide2AVX512, convTileInt8Wide3AVX512, convTileInt8Wide4AVX512, convTileInt8Wide5AVX512, convTileInt8Wide6AVX512, convTileInt8Wide7AVX512,
	convTileInt8Wide8AVX512, convTileInt8Wide9AVX512, convTileInt8Wide10AVX512, convTileInt8Wide11AVX512, convTileInt8Wide12AVX512, convTileInt8Wide13AVX512, convTileInt8Wide14AVX512,
}

var convInt8sAVX512 = [...]int8ConvTile{
	convTileInt81AVX512, convTileInt82AVX512, convTileInt83AVX512, convTileInt84AVX512, convTileInt85AVX512, convTileInt86AVX512, convTileInt87AVX512,
	convTileInt88AVX512, convTileInt89AVX512, convTileInt810AVX512, convTileInt811AVX512, convTileInt812AVX512, convTileInt813AVX512, convTileInt814AVX512,
}

var int8TilesAVX2 = [...]int8Tile{int8Tile1AVX2, int8Tile2AVX2, int8Tile3AVX2, int8Tile4AVX2, int8Tile5AVX2, int8Tile6AVX2}

var convInt8sAVX2 = [...]int8ConvTile{convTileInt81AVX2, convTileInt82AVX2, convTileInt83AVX2, convTileInt84AVX2, convTileInt85AVX2, convTileInt86AVX2}
