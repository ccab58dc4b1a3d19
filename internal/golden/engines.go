package golden

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"

	"github.com/go-lxmert/lxmert/backend/simd"
	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// EachEngine runs a test on the portable engine, and on ours with each set of kernels that this CPU runs. With -short it is ours with the best
// set alone, which is what the race detector wants to see: sets do not differ in what they do at the same time, and the engine's own tests
// run them all under it.
func EachEngine(t *testing.T, test func(t *testing.T, engine compute.Backend)) {
	on(t, kernel.Sets(), test)
}

// TwoEngines is EachEngine without the sets before the best: for what does not depend on a set's arithmetic, and for narrow numbers, whose products have the
// same bits in all sets (TestNumbersAgree of package kernel).
func TwoEngines(t *testing.T, test func(t *testing.T, engine compute.Backend)) {
	sets := kernel.Sets()
	on(t, sets[len(sets)-1:], test)
}

func on(t *testing.T, sets []*kernel.Set, test func(t *testing.T, engine compute.Backend)) {
	if testing.Short() {
		sets = sets[len(sets)-1:]
	} else {
		t.Run("go", func(t *testing.T) { test(t, Portable(t)) })
	}
	for _, set := range sets {
		t.Run("simd-"+set.String(), func(t *testing.T) {
			engine, err := simd.New("isa=" + set.String())
			if err != nil {
				t.Fatal(err)
			}
			test(t, engine)
		})
	}
}

// Portable is GoMLX's own engine. Its parallel scheduling of operations can dead-lock.
func Portable(t testing.TB) compute.Backend {
	t.Helper()
	engine, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return engine
}
