//go:build !purego

package kernel

import (
	"strings"

	"golang.org/x/sys/cpu"
)

// sets are all sets of this program, plainest first.
func sets() []*Set { return all }

var all = []*Set{&generic, &avx2, &avx512}

var avx2 = Set{
	name:  "avx2",
	lacks: lacks(feature{"AVX2", cpu.X86.HasAVX2}, feature{"FMA", cpu.X86.HasFMA}),
	rows:  6, width: 16,
	tile: func(rows int, c []float32, ldc int, a, b []float32, k, ahead int, more bool) {
		tilesAVX2[rows-1](&c[0], ldc, &a[0], &b[0], k, ahead, more)
	},
	interleave: interleaveAVX,
	peak:       func(turns int) int { peakAVX2(turns); return turns * 96 },
}

var avx512 = Set{
	name: "avx512",
	lacks: lacks(feature{"AVX512F", cpu.X86.HasAVX512F}, feature{"AVX512VL", cpu.X86.HasAVX512VL},
		feature{"AVX512DQ", cpu.X86.HasAVX512DQ}, feature{"AVX512BW", cpu.X86.HasAVX512BW},
		feature{"AVX2", cpu.X86.HasAVX2}, feature{"FMA", cpu.X86.HasFMA}, feature{"BMI2", cpu.X86.HasBMI2}),
	rows: 14, width: 32,
	tile: func(rows int, c []float32, ldc int, a, b []float32, k, ahead int, more bool) {
		tilesAVX512[rows-1](&c[0], ldc, &a[0], &b[0], k, ahead, more)
	},
	interleave: interleaveAVX,
	peak:       func(turns int) int { peakAVX512(turns); return turns * 192 },
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

func interleaveAVX(dst []float32, stride int, x []float32, ldx, k int) {
	interleave4AVX(&dst[0], stride, &x[0], ldx, k)
}

type tile = func(c *float32, ldc int, a, b *float32, k, ahead int, more bool)

var tilesAVX2 = [...]tile{tile1AVX2, tile2AVX2, tile3AVX2, tile4AVX2, tile5AVX2, tile6AVX2}

var tilesAVX512 = [...]tile{
	tile1AVX512, tile2AVX512, tile3AVX512, tile4AVX512, tile5AVX512, tile6AVX512, tile7AVX512,
	tile8AVX512, tile9AVX512, tile10AVX512, tile11AVX512, tile12AVX512, tile13AVX512, tile14AVX512,
}
