package frcnn

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/golden"
)

var dir = filepath.Join("..", "..", "testdata", "frcnn")

// The reference's detectors, stage by stage, from its own input on.
func TestStages(t *testing.T) {
	golden.EachEngine(t, func(t *testing.T, engine compute.Backend) {
		for _, name := range []string{"tiny", "tiny_variant"} {
			paths, err := filepath.Glob(filepath.Join(dir, "expected", name, "*.bgr.safetensors"))
			if err != nil || len(paths) == 0 {
				t.Fatal(err)
			}
			n := openNetwork(t, engine, filepath.Join(dir, name))
			for _, path := range paths {
				image := strings.TrimSuffix(filepath.Base(path), ".bgr.safetensors")
				r := open(t, "expected", name, filepath.Base(path))
				if _, ok := r.file.Tensor("input"); ok && image != "batch2" && (image == "shapes_120x90" || !slow(t, engine)) {
					t.Run(name+"/"+image, func(t *testing.T) { stages(t, n, r) })
				}
			}
		}
	})
}

func openNetwork(t testing.TB, engine compute.Backend, dir string) *network {
	t.Helper()
	c, err := readConfigFile(filepath.Join(dir, ConfigName))
	if err != nil {
		t.Fatal(err)
	}
	file, err := checkpoint.Open(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	from, err := c.match(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPrograms(engine, c, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	cell, err := c.anchors(from)
	if err != nil {
		t.Fatal(err)
	}
	n, err := newNetwork(c, p, cell)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func stages(t *testing.T, n *network, r reference) {
	shape := r.shape("input")
	in := &input{values: turned(r.floats("input"), 1, 3, shape[2]*shape[3]), height: shape[2], width: shape[3], pictureHeight: shape[2], pictureWidth: shape[3]}
	var l look
	if err := n.see(in, &l); err != nil {
		t.Fatal(err)
	}
	places := l.res4.height * l.res4.width
	if _, ok := r.file.Tensor("res4"); ok {
		near(t, "res4", turned(l.res4.values, 1, places, l.res4.channels), r.floats("res4"), 2e-4)
	}
	near(t, "rpn_logits", turned(l.logits, 1, places, n.c.Anchors()), r.floats("rpn_logits"), 3e-4)
	near(t, "rpn_deltas", turned(l.deltas, 1, places, 4*n.c.Anchors()), r.floats("rpn_deltas"), 3e-4)
	if err := n.propose(in, &l); err != nil {
		t.Fatal(err)
	}
	near(t, "proposals", l.proposals, r.floats("proposals"), 1e-2)
	near(t, "proposal_logits", l.scores, r.floats("proposal_logits"), 3e-4)
	if err := n.describe(t.Context(), l.proposals, &l); err != nil {
		t.Fatal(err)
	}
	near(t, "feature_pooled", l.features, r.floats("feature_pooled"), 1e-4)
	near(t, "box_deltas", l.moves, r.floats("box_deltas"), 2e-4)
	all := n.c.candidates(l.proposals, l.probabilities, l.moves, in.pictureWidth, in.pictureHeight)
	keep, _, ok := n.c.choose(all)
	if !ok {
		t.Fatal("too few")
	}
	var kept, classes []int64
	for _, i := range keep {
		kept, classes = append(kept, int64(i)), append(classes, int64(all[i].class))
	}
	if !slices.Equal(kept, r.ints("keep")) || !slices.Equal(classes, r.ints("out.obj_ids")) {
		t.Errorf("kept %v of classes %v, want %v of %v", kept, classes, r.ints("keep"), r.ints("out.obj_ids"))
	}
}
