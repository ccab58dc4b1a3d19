package kernel

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

// eachSet runs a test for every set, and says so where this CPU cannot run one.
func eachSet(t *testing.T, f func(t *testing.T, s *Set)) {
	for _, s := range sets() {
		if s.variant {
			continue // its float32 kernels are another set's
		}
		t.Run(s.name, func(t *testing.T) {
			if s.lacks != "" {
				t.Skipf("this CPU lacks %s", s.lacks)
			}
			f(t, s)
		})
	}
}

// eachNumber runs a test for every set with every type of number.
func eachNumber(t *testing.T, f func(t *testing.T, s *Set)) {
	for _, s := range sets() {
		for n := range Number(numbers) {
			if s.variant && n == Float32 {
				continue
			}
			t.Run(s.name+"/"+n.String(), func(t *testing.T) {
				if s.lacks != "" {
					t.Skipf("this CPU lacks %s", s.lacks)
				}
				f(t, s.In(n))
			})
		}
	}
}

var nan = float32(math.NaN())

// fence is how many NaNs lie on either side of a fenced slice: more than one vector.
const fence = 20

// A fenced slice has NaNs on both sides, so that a read past its ends spoils the result and a write shows.
type fenced struct {
	x   []float32
	all []float32
}

// newFenced is a fenced slice of NaNs that begins shift values after a cache line.
func newFenced(n, shift int) fenced {
	all := Aligned(shift + 32 + n + fence)
	for i := range all {
		all[i] = nan
	}
	return fenced{all[shift+32:][:n:n], all}
}

// randomFenced is a fenced slice of values between -1 and 1.
func randomFenced(r *rand.Rand, n, shift int) fenced {
	f := newFenced(n, shift)
	fill(r, f.x)
	return f
}

func fill(r *rand.Rand, x []float32) {
	for i := range x {
		x[i] = 2*r.Float32() - 1
	}
}

// check fails if something wrote over the fence.
func (f fenced) check(t *testing.T) {
	t.Helper()
	outside := len(f.all) - len(f.x)
	for _, v := range f.all {
		if v != v {
			outside--
		}
	}
	for _, v := range f.x {
		if v != v {
			outside++ // a NaN inside is not part of the fence
		}
	}
	if outside != 0 {
		t.Fatalf("%d values beside the slice were written", outside)
	}
}

// checkOutside fails if something wrote over the fence. What lies inside may be words of any bits.
func (f fenced) checkOutside(t *testing.T) {
	t.Helper()
	inside := fenced{f.x, append([]float32{}, f.all...)}
	first := (uintptr(unsafe.Pointer(unsafe.SliceData(f.x))) - uintptr(unsafe.Pointer(&f.all[0]))) / 4
	for i := range f.x {
		inside.all[int(first)+i] = 0
	}
	inside.x = inside.all[first:][:len(f.x)]
	inside.check(t)
}

// same reports whether values are equal or both NaN.
func same(a, b float32) bool { return a == b || a != a && b != b }

func TestSets(t *testing.T) {
	able := Sets()
	if able[0] != &generic {
		t.Errorf("the first set is %v, want the portable one", able[0])
	}
	for _, s := range able {
		if s.rows*s.width > len(Scratch{}) {
			t.Errorf("%s: a tile of %d × %d does not fit Scratch", s, s.rows, s.width)
		}
		if got, err := Lookup(s.String()); got != s || err != nil {
			t.Errorf("Lookup(%s) = %v, %v", s, got, err)
		}
		if got, err := choose(s.String()); got != s || err != nil {
			t.Errorf("choose(%s) = %v, %v", s, got, err)
		}
	}
	if s, err := choose(""); s != able[len(able)-1] || err != nil {
		t.Errorf("without SIMD_ISA: %v, %v; want the best", s, err)
	}
	if s, err := Default(); err == nil && s.lacks != "" {
		t.Errorf("Default is %v, which this CPU cannot run", s)
	}
}

func TestUnknownSet(t *testing.T) {
	_, err := choose("sse9")
	if err == nil || !strings.Contains(err.Error(), `SIMD_ISA: found instruction set "sse9", this program has generic`) {
		t.Errorf("got %v", err)
	}
}

func TestSetThatTheCPUCannotRun(t *testing.T) {
	defer func(before []*Set) { all = before }(all)
	all = append(all[:len(all):len(all)], &Set{name: "later", lacks: "AVX9"})
	_, err := choose("later")
	if err == nil || err.Error() != "SIMD_ISA: instruction set later: this CPU lacks AVX9" {
		t.Errorf("got %v", err)
	}
	for _, s := range Sets() {
		if s.name == "later" {
			t.Error("Sets has a set that this CPU cannot run")
		}
	}
}

func TestPeak(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		one, hundred := s.Peak(1), s.Peak(100)
		if one <= 0 || hundred != 100*one {
			t.Errorf("%d operations in a turn, %d in a hundred", one, hundred)
		}
		if s.Peak(0) != one {
			t.Error("no turn is not one turn")
		}
	})
}

// panics fails unless f panics with a message that has want in it.
func panics(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		got, _ := recover().(string)
		if !strings.Contains(got, want) {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	f()
}
