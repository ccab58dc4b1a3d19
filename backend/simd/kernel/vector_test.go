package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// lengths are all lengths around the first few vectors, and two long ones.
func lengths() []int {
	var n []int
	for i := range 140 {
		n = append(n, i)
	}
	return append(n, 768, 1003)
}

// A unaryCase is a function of one vector, with the float64 function that it stands for.
type unaryCase struct {
	name string
	f    func(s *Set) func(dst, x []float32)
	want func(float64) float64
	// The error is at most ulp units in the last place of the result, or, if that is 0, ofX times |x|.
	ulp, ofX float64
}

// off is the error of got, as a part of what is allowed.
func (u *unaryCase) off(x, got float32) float64 {
	want := u.want(float64(x))
	if r := float32(want); r != r || math.IsInf(want, 0) || math.IsInf(float64(r), 0) || math.IsInf(float64(x), 0) {
		if same(got, r) {
			return 0
		}
		return math.Inf(1)
	}
	bound := u.ulp * ulp(want)
	if u.ulp == 0 {
		bound = max(u.ofX*math.Abs(float64(x)), 0x1p-149)
	}
	return math.Abs(float64(got)-want) / bound
}

var unaries = []unaryCase{
	{"Exp", func(s *Set) func(dst, x []float32) { return s.Exp }, math.Exp, 1, 0},
	{"Tanh", func(s *Set) func(dst, x []float32) { return s.Tanh }, math.Tanh, 1.4, 0},
	{"Erf", func(s *Set) func(dst, x []float32) { return s.Erf }, math.Erf, 1.2, 0},
	{"GELU", func(s *Set) func(dst, x []float32) { return s.GELU }, geluOf, 0, 0.7 * 0x1p-23},
	{"GELUTanh", func(s *Set) func(dst, x []float32) { return s.GELUTanh }, geluTanhOf, 0, 1.1 * 0x1p-23},
	{"ReLU", func(s *Set) func(dst, x []float32) { return s.ReLU }, reluOf, 0.5, 0},
	{"Sqrt", func(s *Set) func(dst, x []float32) { return s.Sqrt }, math.Sqrt, 0.5, 0},
	{"Abs", func(s *Set) func(dst, x []float32) { return s.Abs }, math.Abs, 0.5, 0},
}

// ulp is the distance between float32 values at x.
func ulp(x float64) float64 {
	_, exponent := math.Frexp(x)
	return math.Ldexp(1, max(exponent-24, -149))
}

func TestUnaryAccuracy(t *testing.T) {
	// Every step-th float32. The step is odd, so that all bits take part.
	step := uint32(2999)
	if testing.Short() {
		step = 40009
	}
	eachSet(t, func(t *testing.T, s *Set) {
		for _, u := range unaries {
			f := u.f(s)
			x, y := make([]float32, 1024), make([]float32, 1024)
			var worst float64
			var at float32
			for bits := uint32(0); ; {
				n := 0
				for ; n < len(x) && bits < math.MaxUint32-step; n++ {
					x[n] = math.Float32frombits(bits)
					bits += step
				}
				f(y[:n], x[:n])
				for i, v := range x[:n] {
					off := u.off(v, y[i])
					if !(off <= worst) {
						worst, at = off, v
					}
				}
				if n < len(x) {
					break
				}
			}
			t.Logf("%s: worst error %.3f of the bound, at %v", u.name, worst, at)
			if !(worst <= 1) {
				t.Errorf("%s(%v): error %.3f times the bound", u.name, at, worst)
			}
		}
	})
}

func TestUnarySpecial(t *testing.T) {
	inf := float32(math.Inf(1))
	zero := float32(math.Copysign(0, -1))
	x := []float32{nan, inf, -inf, 0, zero, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32,
		88.7, 88.8, -87.4, -103.9, -104.1, 9.1, -9.1, 1, -1, 0.625, -0.625}
	eachSet(t, func(t *testing.T, s *Set) {
		for _, u := range unaries {
			y := make([]float32, len(x))
			u.f(s)(y, x)
			for i, got := range y {
				want := u.want(float64(x[i]))
				if special := want != want || math.IsInf(want, 0) || want == 0 || math.Abs(want) == 1; special && !same(got, float32(want)) {
					t.Errorf("%s(%v) = %v, want %v", u.name, x[i], got, want)
				}
				if x[i] == 0 && u.name != "Exp" && u.name != "Abs" && math.Signbit(float64(got)) != math.Signbit(float64(x[i])) {
					t.Errorf("%s(%v) = %v has another sign", u.name, x[i], got)
				}
			}
		}
	})
}

func TestUnaryLengths(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, u := range unaries {
			f := u.f(s)
			for _, n := range lengths() {
				for shift := range 17 {
					x, dst := randomFenced(r, n, shift), newFenced(n, 16-shift)
					f(dst.x, x.x)
					dst.check(t)
					for i := range dst.x {
						one := []float32{0}
						f(one, x.x[i:i+1])
						if !same(dst.x[i], one[0]) {
							t.Fatalf("%s: n=%d shift=%d: element %d is %v, alone it is %v", u.name, n, shift, i, dst.x[i], one[0])
						}
					}
					f(x.x, x.x)
					for i := range dst.x {
						if !same(dst.x[i], x.x[i]) {
							t.Fatalf("%s: n=%d: in place, element %d is %v, not %v", u.name, n, i, x.x[i], dst.x[i])
						}
					}
				}
			}
		}
	})
}

func TestBinary(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(3, 4))
		alpha := float32(-0.7)
		for _, n := range lengths() {
			for shift := range 17 {
				x, y := randomFenced(r, n, shift), randomFenced(r, n, 16-shift)
				check := func(name string, f func(dst []float32), want func(x, y float32) float32) {
					dst := newFenced(n, 3*shift%16)
					f(dst.x)
					dst.check(t)
					for i, got := range dst.x {
						if want := want(x.x[i], y.x[i]); got != want {
							t.Fatalf("%s: n=%d shift=%d: element %d is %v, want %v", name, n, shift, i, got, want)
						}
					}
				}
				check("Add", func(dst []float32) { s.Add(dst, x.x, y.x) }, func(x, y float32) float32 { return x + y })
				check("Mul", func(dst []float32) { s.Mul(dst, x.x, y.x) }, func(x, y float32) float32 { return x * y })
				check("Sub", func(dst []float32) { s.Sub(dst, x.x, y.x) }, func(x, y float32) float32 { return x - y })
				check("Div", func(dst []float32) { s.Div(dst, x.x, y.x) }, func(x, y float32) float32 { return x / y })
				check("Larger", func(dst []float32) { s.Larger(dst, x.x, y.x) }, func(x, y float32) float32 { return max(x, y) })
				check("Smaller", func(dst []float32) { s.Smaller(dst, x.x, y.x) }, func(x, y float32) float32 { return min(x, y) })
				check("Less", func(dst []float32) { s.Less(dst, x.x, y.x) }, func(x, y float32) float32 { return truth(x < y) })
				check("LessEqual", func(dst []float32) { s.LessEqual(dst, x.x, y.x) }, func(x, y float32) float32 { return truth(x <= y) })
				check("Equal", func(dst []float32) { s.Equal(dst, x.x, y.x) }, func(x, y float32) float32 { return truth(x == y) })
				condition := make([]float32, n)
				s.Less(condition, x.x, y.x)
				check("Choose", func(dst []float32) { s.Choose(dst, condition, x.x, y.x) }, func(x, y float32) float32 { return min(x, y) })
				check("Scale", func(dst []float32) { s.Scale(dst, x.x, alpha) }, func(x, _ float32) float32 { return alpha * x })
				check("Axpy", func(dst []float32) { copy(dst, y.x); s.Axpy(dst, x.x, alpha) }, func(x, y float32) float32 {
					return float32(math.FMA(float64(alpha), float64(x), float64(y)))
				})
			}
		}
	})
}

func TestReductions(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, n := range lengths() {
			for shift := range 17 {
				x := randomFenced(r, n, shift).x
				for _, sign := range []float32{1, -1} { // all negative: 0 must not be the largest
					var want, size float64
					top := float32(math.Inf(-1))
					for i := range x {
						if sign < 0 {
							x[i] = -float32(math.Abs(float64(x[i]))) - 1
						}
						want += float64(x[i])
						size += math.Abs(float64(x[i]))
						top = max(top, x[i])
					}
					if got := float64(s.Sum(x)); !(math.Abs(got-want) <= float64(n)*0x1p-24*size) {
						t.Fatalf("Sum: n=%d shift=%d: %v, want %v", n, shift, got, want)
					}
					if got := s.Max(x); got != top {
						t.Fatalf("Max: n=%d shift=%d: %v, want %v", n, shift, got, top)
					}
				}
				if n > 0 {
					x[r.IntN(n)] = nan
					if sum, top := s.Sum(x), s.Max(x); sum == sum || top == top {
						t.Fatalf("n=%d shift=%d, with a NaN: sum %v, max %v", n, shift, sum, top)
					}
				}
			}
		}
	})
}

// TestSpecialPairs compares pairs of numbers that are compared in a special way.
func TestSpecialPairs(t *testing.T) {
	zero, inf := float32(math.Copysign(0, -1)), float32(math.Inf(1))
	special := []float32{nan, inf, -inf, 0, zero, 1, -1}
	var x, y []float32
	for _, a := range special {
		for _, b := range special {
			x, y = append(x, a), append(y, b)
		}
	}
	eachSet(t, func(t *testing.T, s *Set) {
		dst, condition := make([]float32, len(x)), make([]float32, len(x))
		check := func(name string, f func(dst, x, y []float32), want func(x, y float32) float32) {
			f(dst, x, y)
			for i, got := range dst {
				if want := want(x[i], y[i]); !same(got, want) && got != want {
					t.Errorf("%s(%v, %v) = %v, want %v", name, x[i], y[i], got, want)
				}
			}
		}
		check("Larger", s.Larger, func(x, y float32) float32 { return max(x, y) })
		check("Smaller", s.Smaller, func(x, y float32) float32 { return min(x, y) })
		check("Less", s.Less, func(x, y float32) float32 { return truth(x < y) })
		check("LessEqual", s.LessEqual, func(x, y float32) float32 { return truth(x <= y) })
		check("Equal", s.Equal, func(x, y float32) float32 { return truth(x == y) })
		copy(condition, x) // NaN is not 0
		check("Choose", func(dst, x, y []float32) { s.Choose(dst, condition, x, y) }, func(x, y float32) float32 {
			if x != 0 {
				return x
			}
			return y
		})
	})
}

// TestVectorGuard lets slices end, and then begin, at a page that nobody may touch.
func TestVectorGuard(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		for _, atStart := range []bool{false, true} {
			for n := 1; n < 70; n++ {
				t.Run(fmt.Sprint(n), func(t *testing.T) {
					x, y, dst := guarded(t, n, atStart), guarded(t, n, atStart), guarded(t, n, atStart)
					for _, u := range unaries {
						u.f(s)(dst, x)
					}
					s.Add(dst, x, y)
					for _, f := range []func(dst, x, y []float32){s.Sub, s.Mul, s.Div, s.Larger, s.Smaller, s.Less, s.LessEqual, s.Equal} {
						f(dst, x, y)
					}
					s.Choose(dst, dst, x, y)
					s.Scale(dst, x, 2)
					s.Axpy(dst, x, 2)
					s.Sum(x)
					s.Max(x)
				})
			}
		}
	})
}

func TestVectorLengthsDiffer(t *testing.T) {
	s := &generic
	two, three := make([]float32, 2), make([]float32, 3)
	panics(t, "kernel.Exp: lengths differ: 2 and 3", func() { s.Exp(two, three) })
	panics(t, "kernel.Add: lengths differ: 2 and 3", func() { s.Add(two, two, three) })
	panics(t, "kernel.Scale: lengths differ: 2 and 3", func() { s.Scale(two, three, 1) })
	panics(t, "kernel.Axpy: lengths differ: 3 and 2", func() { s.Axpy(three, two, 1) })
}
