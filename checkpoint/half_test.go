package checkpoint

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// Every binary16 and every bfloat16 survives the way to float32 and back.
func TestHalfRoundTrip(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		if x := FromF16Bits(h); x == x {
			if got := F16Bits(x); got != h {
				t.Fatalf("F16 %04x is %g, which comes back as %04x", h, x, got)
			}
		} else if y := FromF16Bits(F16Bits(x)); y == y {
			t.Fatalf("F16 NaN %04x comes back as %g", h, y)
		}
		if x := FromBF16Bits(h); x == x {
			if got := BF16Bits(x); got != h {
				t.Fatalf("BF16 %04x is %g, which comes back as %04x", h, x, got)
			}
		} else if y := FromBF16Bits(BF16Bits(x)); y == y {
			t.Fatalf("BF16 NaN %04x comes back as %g", h, y)
		}
	}
}

// The values of IEEE 754 binary16 by its definition, in float64.
func TestFromF16Bits(t *testing.T) {
	for i := range 0x7C00 {
		exp, frac := i>>10, float64(i&0x3FF)
		want := math.Ldexp(1024+frac, exp-25)
		if exp == 0 {
			want = math.Ldexp(frac, -24)
		}
		if got := FromF16Bits(uint16(i)); float64(got) != want {
			t.Fatalf("%04x is %g, want %g", i, got, want)
		}
		if got := FromF16Bits(uint16(i) | 0x8000); float64(got) != -want {
			t.Fatalf("%04x is %g, want %g", i|0x8000, got, -want)
		}
	}
}

// Between two neighbours the nearer one is taken, in the middle the even one.
func TestHalfRounding(t *testing.T) {
	check := func(name string, bits func(float32) uint16, back func(uint16) float32, limit uint16) {
		for i := range limit {
			low, high := back(i), back(i+1)
			if math.IsInf(float64(high), 0) { // the infinity stands where the next number would
				high = low + (low - back(i-1))
				if math.IsInf(float64(high), 0) {
					continue // bfloat16: the number would not be a float32
				}
			}
			middle := low + (high-low)/2 // exact: it has one bit more than they
			even := i + i&1
			for _, c := range []struct {
				x    float32
				want uint16
			}{
				{middle, even},
				{math.Nextafter32(middle, 0), i},
				{math.Nextafter32(middle, math.MaxFloat32), i + 1},
			} {
				if i == 0 && c.x == 0 || middle == low || middle == high {
					continue // float32 has no number between these bfloat16 subnormals
				}
				if got := bits(c.x); got != c.want {
					t.Fatalf("%s: %g (between %04x and %04x) becomes %04x, want %04x", name, c.x, i, i+1, got, c.want)
				}
				if got := bits(-c.x); got != c.want|0x8000 {
					t.Fatalf("%s: %g becomes %04x, want %04x", name, -c.x, got, c.want|0x8000)
				}
			}
		}
	}
	check("F16", F16Bits, FromF16Bits, 0x7C00)
	check("BF16", BF16Bits, FromBF16Bits, 0x7F80)
	if got := BF16Bits(math.MaxFloat32); got != 0x7F80 {
		t.Errorf("the largest float32 becomes BF16 %04x, want infinity", got)
	}
}

func BenchmarkBF16Decode(b *testing.B) { benchmarkDecode(b, BF16) }
func BenchmarkF16Decode(b *testing.B)  { benchmarkDecode(b, F16) }
func BenchmarkF32Decode(b *testing.B)  { benchmarkDecode(b, F32) }

func benchmarkDecode(b *testing.B, dtype DType) {
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]float32, 1<<20)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	tensor, err := FromFloat32sAs(dtype, "x", []int{1 << 20}, values)
	if err != nil {
		b.Fatal(err)
	}
	if tensor, err = tensor.Clone(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(4 << 20)
	for b.Loop() {
		if _, err := tensor.Float32s(); err != nil {
			b.Fatal(err)
		}
	}
}

// Every binary16 number comes out as FromF16Bits says, in company and alone.
func TestDecodeF16(t *testing.T) {
	var all []byte
	for h := range 1 << 16 {
		all = binary.LittleEndian.AppendUint16(all, uint16(h))
	}
	got := make([]float32, 1<<16)
	if DecodeF16(got, all) {
		t.Error("infinities and NaNs passed for finite")
	}
	for h, v := range got {
		if want := FromF16Bits(uint16(h)); math.Float32bits(v) != math.Float32bits(want) {
			t.Fatalf("%#x in company: %v, want %v", h, v, want)
		}
	}
	for h := range 1 << 16 {
		var one [1]float32
		finite := DecodeF16(one[:], all[2*h:2*h+2])
		want := FromF16Bits(uint16(h))
		if math.Float32bits(one[0]) != math.Float32bits(want) {
			t.Fatalf("%#x: %v, want %v", h, one[0], want)
		}
		if wantFinite := !math.IsNaN(float64(want)) && !math.IsInf(float64(want), 0); finite != wantFinite {
			t.Fatalf("%#x: finite %v, want %v", h, finite, wantFinite)
		}
	}
}
