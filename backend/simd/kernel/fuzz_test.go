package kernel

import (
	encoding "encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// FuzzSets feeds any bit patterns to every set's functions of vectors and compares them with float64.
func FuzzSets(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x80\x7f\x00\x00\x80\xff\x00\x00\xc0\x7f\x01\x00\x00\x00\x00\x00\x00\x80"))
	f.Add([]byte("\x00\x00\xb1\x42\x00\x00\xb2\x42\x00\x00\xd0\xc2\x00\x00\x20\x3f\x00\x00\x80\x3f\x00\x00\x80\x40 longer than a vector"))
	f.Fuzz(func(t *testing.T, data []byte) {
		x := make([]float32, len(data)/4)
		for i := range x {
			x[i] = math.Float32frombits(encoding.LittleEndian.Uint32(data[4*i:]))
		}
		for _, s := range Sets() {
			for _, u := range unaries {
				y := make([]float32, len(x))
				u.f(s)(y, x)
				for i, v := range x {
					if off := u.off(v, y[i]); !(off <= 1) {
						t.Errorf("%s.%s(%v) = %v, %v times the bound from %v", s, u.name, v, y[i], off, u.want(float64(v)))
					}
				}
			}
			if got, want := s.Max(x), generic.Max(x); !same(got, want) {
				t.Errorf("%s.Max(%v) = %v, want %v", s, x, got, want)
			}
		}
	})
}

// FuzzMul makes products of any small shape and compares every set with float64.
func FuzzMul(f *testing.F) {
	f.Add(uint64(1), uint16(20), uint16(33), uint16(64), uint8(3))
	f.Add(uint64(2), uint16(15), uint16(31), uint16(769), uint8(14))
	f.Add(uint64(3), uint16(1), uint16(1), uint16(0), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, how uint8) {
		for _, s := range Sets() {
			r := rand.New(rand.NewPCG(seed, 0))
			p := randomProduct(r, int(m%70), int(n%140), int(k%1000), int(how>>6), int(how))
			p.run(s, 1+int(how>>4)%3)
			p.check(t)
			p.checkOnce(t, s, 1+int(how>>4)%3)
		}
	})
}

// FuzzBF16 makes products of any float32 numbers in bfloat16. Every set must agree with the portable one to the bit, or within what products too small
// for normal numbers add up to.
func FuzzBF16(f *testing.F) {
	fuzzNarrow(f, BFloat16, func(s *Set, k int, got, want float32) bool {
		return s.instruction != "" && math.Abs(float64(got)-float64(want)) <= float64(2*k)*0x1p-126
	})
}

// FuzzInt8 makes products of any float32 numbers in int8. Every set must agree with the portable one to the bit.
func FuzzInt8(f *testing.F) {
	fuzzNarrow(f, Int8, func(*Set, int, float32, float32) bool { return false })
}

// fuzzNarrow takes operands from the data, again and again; the sets must agree or differ within what is allowed.
func fuzzNarrow(f *testing.F, number Number, within func(s *Set, k int, got, want float32) bool) {
	f.Add([]byte{1, 2, 3, 4}, uint16(20), uint16(33), uint16(64), uint8(3))
	f.Add([]byte("\x00\x00\x80\x7f\x00\x00\x80\xff\x00\x00\xc0\x7f\x01\x00\x00\x00\x00\x00\x00\x80 and \x00\x00\x80\x3f"),
		uint16(15), uint16(31), uint16(769), uint8(14))
	f.Add([]byte("\x00\x00\x00\x0d\x00\x00\x80\x3f\x00\x00\x20\xbf"), uint16(3), uint16(1), uint16(7), uint8(8))
	f.Fuzz(func(t *testing.T, data []byte, m, n, k uint16, how uint8) {
		if len(data) < 4 {
			return
		}
		r := rand.New(rand.NewPCG(uint64(how), 0))
		p := randomProduct(r, int(m%40), int(n%80), int(k%1000), int(how>>6), int(how))
		p.epilogue.Activation %= 2 // the others have each set's last bits
		at := 0
		for _, x := range [][]float32{p.a.x, p.b.x} {
			for i := range x {
				if at+4 > len(data) {
					at = 0
				}
				x[i] = math.Float32frombits(encoding.LittleEndian.Uint32(data[at:]))
				at += 4
			}
		}
		p.run(generic.In(number), 1)
		want := append([]float32{}, p.c.x...)
		for _, set := range NarrowSets() {
			s := set.In(number)
			p.run(s, 1+int(how>>4)%3)
			for i, got := range p.c.x {
				if !same(got, want[i]) && !within(s, p.k, got, want[i]) {
					t.Fatalf("%v: m=%d n=%d k=%d: element %d is %v, the portable set has %v", set, p.m, p.n, p.k, i, got, want[i])
				}
			}
			p.checkOnce(t, s, 1+int(how>>4)%3)
		}
	})
}
