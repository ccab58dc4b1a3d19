package simd_test

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/support/backendtest"

	"github.com/go-lxmert/lxmert/backend/simd"
	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// eachSet runs a test on an engine with each set of kernels that this CPU runs.
func eachSet(t *testing.T, test func(t *testing.T, backend compute.Backend)) {
	for _, set := range kernel.Sets() {
		t.Run(set.String(), func(t *testing.T) {
			backend, err := simd.New("threads=2,isa=" + set.String())
			if err != nil {
				t.Fatal(err)
			}
			defer backend.Finalize()
			test(t, backend)
		})
	}
}

// TestCompliance is GoMLX's own suite.
func TestCompliance(t *testing.T) {
	eachSet(t, func(t *testing.T, backend compute.Backend) { backendtest.RunAll(t, backend, nil) })
}
