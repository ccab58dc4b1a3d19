//go:build xla

package frcnn

import (
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/standin"
)

// TestXLA: the network's three parts reach the compiler of the engine xla, padded to few shapes.
func TestXLA(t *testing.T) {
	e := standin.Open(t, "standin", 1)
	d, err := New(e.Backend, Original(), formula.Detector, nil, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.options.Pad != 128 || !d.network.fixed {
		t.Errorf("found pictures padded to %d pixels, fixed shapes %v", d.options.Pad, d.network.fixed)
	}
	if _, err := d.Detect(t.Context(), picture(t, "grad_97x61.png")); err == nil || !strings.Contains(err.Error(), standin.Compiles) {
		t.Errorf("the backbone: %v", err)
	}
	c := d.config
	for _, part := range []struct {
		name  string
		build graphBuilder
		shape []int
	}{
		{"backbone", c.trunk, []int{1, 640, 896, 3}},
		{"fifth stage", c.fifth, []int{mostChunk, c.PoolerResolution, c.PoolerResolution, c.Res4Channels()}},
		{"heads", c.heads, []int{c.PostNMS, c.FeatureWidth()}},
	} {
		exec, err := model.NewExec(e.Backend, d.programs.store, func(s *model.Scope, in []*graph.Node) []*graph.Node { return part.build(s, in) })
		if err != nil {
			t.Fatal(err)
		}
		before := len(e.Programs(t))
		if _, err := exec.Compile(shapes.Make(dtypes.Float32, part.shape...)); err == nil || !strings.Contains(err.Error(), standin.Compiles) || len(e.Programs(t)) != before+1 {
			t.Errorf("%s: %v", part.name, err)
		}
		exec.Finalize()
	}
}
