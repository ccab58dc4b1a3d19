package frcnn

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/formula"
)

// BenchmarkDetector is the real detector, but for its weights, on a picture of 600 × 800 pixels with 300 proposals.
func BenchmarkDetector(b *testing.B) {
	c, err := readConfigFile(filepath.Join(dir, "reference", "hub_config_reconstructed.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	engine, err := backend.Open("")
	if err != nil {
		b.Fatal(err)
	}
	p, err := newPrograms(engine, c, formula.Detector)
	if err != nil {
		b.Fatal(err)
	}
	defer p.close()
	n, err := newNetwork(c, p, c.cellAnchors())
	if err != nil {
		b.Fatal(err)
	}
	in := &input{values: make([]float32, 600*800*3), height: 600, width: 800, pictureHeight: 600, pictureWidth: 800}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range in.values {
		in.values[i] = float32(random.Float64()*255 - 115)
	}
	for b.Loop() {
		n.begin()
		var l look
		if err := n.see(in, &l); err != nil {
			b.Fatal(err)
		}
		if err := n.propose(in, &l); err != nil {
			b.Fatal(err)
		}
		if err := n.describe(b.Context(), l.proposals, &l); err != nil {
			b.Fatal(err)
		}
		for _, s := range n.timings {
			b.Logf("%s %v", s.Stage, s.Took)
		}
		b.Logf("%d proposals", len(l.scores))
	}
}
