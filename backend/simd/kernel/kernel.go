// Package kernel holds the arithmetic of the CPU engine: matrix products on packed operands, convolutions, pooling, and functions of vectors
// and rows. All take and return float32; products and convolutions may multiply in bfloat16 or int8 in between ([Set.In]), and products take and return
// bfloat16 too, in functions of their own.
//
// Everything is a method of a [Set], one implementation of every kernel. There is a set in plain Go, which runs
// anywhere, is the specification of the others and is always tested; and there are sets in assembly for amd64 and
// arm64 (none with the build tag purego). [Default] picks the best that the CPU runs, once; SIMD_ISA overrides it.
// Sets differ in the last bits of what they return, but for narrow numbers ([Number]). One set returns the same bits for the same arguments on every
// run and in every split of the work.
//
// Matrices are slices of rows with a distance between rows (ldc and so on, in elements, at least the row's length).
// Every function checks its slices' lengths, because the assembly trusts them, and panics if one is short. Nothing
// here allocates but [Set.PackB], [Set.NewPacked] and [Set.NewWinograd].
package kernel

//go:generate go run -C _asm ./tile -out ../tile_amd64.s -stubs ../tile_amd64.go -pkg kernel
//go:generate go run -C _asm ./bf16 -out ../bf16_amd64.s -stubs ../bf16_amd64.go -pkg kernel
//go:generate go run -C _asm ./int8 -out ../int8_amd64.s -stubs ../int8_amd64.go -pkg kernel
//go:generate go run -C _asm ./forms -out ../internal/forms/forms_amd64.s -stubs ../internal/forms/forms_amd64.go -pkg forms
//go:generate go run -C _asm ./pack -out ../pack_amd64.s -stubs ../pack_amd64.go -pkg kernel
//go:generate go run -C _asm ./conv -out ../conv_amd64.s -stubs ../conv_amd64.go -pkg kernel
//go:generate go run -C _asm ./pool -out ../pool_amd64.s -stubs ../pool_amd64.go -pkg kernel
//go:generate go run -C _asm ./winograd -out ../winograd_amd64.s -stubs ../winograd_amd64.go -pkg kernel
//go:generate go run -C _asm ./vector -out ../vector_amd64.s -stubs ../vector_amd64.go -pkg kernel
//go:generate go run -C _asm ./rows -out ../rows_amd64.s -stubs ../rows_amd64.go -pkg kernel
//go:generate go run -C _asm ./arm64 -to ..

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// Env is the environment variable that names the set which [Default] returns: generic; avx2 or avx512 on amd64, neon on arm64; or another of [NarrowSets].
const Env = "SIMD_ISA"

// A Set is one implementation of every kernel.
type Set struct {
	name  string
	lacks string // what this CPU lacks to run it, or ""

	variant bool // it differs from another set in narrow numbers alone

	// A product is made of tiles of up to rows rows by width columns.
	rows, width int

	// tile is c[r*ldc+j] (+)= Σ a[p*rows+r] b[p*width+j] for p < k, each sum one chain in order of p; it adds if more. It
	// may prefetch memory that starts ahead bytes in front of b, going forward by pace bytes in four steps of p.
	tile tiler
	// The type of number of products. tile is that type's, if its sums are float32.
	multiplier
	family [numbers]*Set // this set for each type
	short  shortNumbers
	// interleave is dst[p*stride+r] = x[r*ldx+p] for r < 4, p < k.
	interleave func(dst []float32, stride int, x []float32, ldx, k int)
	// narrow is dst[p*columns+c] = x[p*ldx+c] for c < columns ≤ rows, p < k; columns and k are not 0.
	narrow func(dst, x []float32, ldx, columns, k int)
	// prefetch asks for the memory of x, which is not empty, to be brought near.
	prefetch func(x []float32)
	// finish applies an epilogue to a tile of rows × n that holds products.
	finish [activations]finish
	// convTile is tile for some panels, step values apart in b, with an ending; a reaches k steps of rows values.
	// convHalf is that for the first half of a panel's columns.
	convTile, convHalf convTiling
	// weave is dst[p*rows+r] = row[r][offset+p] for r < rows, p < n. It may write weaveRows values beyond the last.
	weave func(dst []float32, rows int, row [weaveRows]*float32, offset, n int)
	// fence waits until results that went past the caches are there for other threads.
	fence func()
	// Pooling of a window of down × across cells, of which there are some, and channels as dst has, of which there are some.
	poolMax, poolSum pooling
	// The transformations of Winograd's convolution, of some channels.
	winogradInput  winogradInput
	winogradOutput winogradOutput
	// peak makes some number of multiply-adds in registers, turns times, and says how many.
	peak func(turns int) int

	// Functions of vectors that are not empty and of one length.
	exp, tanh, erf, gelu, geluTanh, relu, sqrt, abs      unary
	add, sub, mul, div, max, min, equal, less, lessEqual binary
	choose                                               func(dst, condition, x, y []float32)
	scale                                                func(dst, x []float32, alpha float32)
	axpy                                                 func(y, x []float32, alpha float32)
	sum, largest                                         func(x []float32) float32

	// Functions of a row that is not empty; operands may be nil where the exported functions let them.
	softmax   func(dst, x, mask []float32, scale float32)
	layerNorm func(dst, x, residual, gamma, beta []float32, epsilon float32)
}

type (
	tiler      = func(rows int, c []float32, ldc int, a, b []float32, k, ahead, pace int, more bool)
	convTiling = func(rows int, c []float32, ldc int, a, b []float32, k, panels, step int, e ending)
	unary      = func(dst, x []float32)
	binary     = func(dst, x, y []float32)
	finish     = func(c []float32, ldc, rows, n int, bias, residual []float32, ldr int, scale float32)
)

// Sets are the sets that this CPU runs, plainest first. The first is the portable one.
func Sets() []*Set {
	return slices.DeleteFunc(NarrowSets(), func(s *Set) bool { return s.variant })
}

// NarrowSets are [Sets] and those that differ from one of them in bfloat16 and int8 alone, for comparisons: avx2base and avx512base, which
// have no instructions for these, and avx512bf16, which has them all. avx2 and avx512 have those of this CPU that are fast. On arm64 these
// are neonbase, which has none, and neondot, which has SDOT; neon has those of this CPU.
func NarrowSets() []*Set {
	var able []*Set
	for _, s := range sets() {
		if s.lacks == "" {
			able = append(able, s)
		}
	}
	return able
}

// Lookup is the set of that name. The error says which sets there are, or what this CPU lacks.
func Lookup(name string) (*Set, error) {
	var known []string
	for _, s := range sets() {
		if s.name == name {
			if s.lacks != "" {
				return nil, fmt.Errorf("instruction set %s: this CPU lacks %s", name, s.lacks)
			}
			return s, nil
		}
		known = append(known, s.name)
	}
	return nil, fmt.Errorf("found instruction set %q, this program has %s", name, strings.Join(known, ", "))
}

// Default is the set that the environment variable [Env] names, or else the best one that this CPU runs. It is an
// error if there is no such set, or the CPU cannot run it.
func Default() (*Set, error) { return chosen() }

var chosen = sync.OnceValues(func() (*Set, error) { return choose(os.Getenv(Env)) })

func choose(name string) (*Set, error) {
	if name == "" {
		able := Sets()
		return able[len(able)-1], nil
	}
	s, err := Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Env, err)
	}
	return s, nil
}

// String is the set's name, as in SIMD_ISA.
func (s *Set) String() string { return s.name }

// Peak makes turns times some multiply-adds of its type of number, in registers and without waiting for one another, and returns how
// many operations those were (a multiplication and an addition are two). Timed, it is what the CPU could do.
func (s *Set) Peak(turns int) (operations int) { return 2 * s.peak(max(turns, 1)) }
