package frcnn

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/golden"
)

// The reference's operations, one at a time; see testdata/frcnn.

// reference is a file of the reference's numbers.
type reference struct {
	t    testing.TB
	file *checkpoint.File
}

func open(t testing.TB, parts ...string) reference {
	t.Helper()
	file, err := checkpoint.Open(filepath.Join(append([]string{"..", "..", "testdata", "frcnn"}, parts...)...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return reference{t, file}
}

func (r reference) tensor(name string) checkpoint.Tensor {
	r.t.Helper()
	v, ok := r.file.Tensor(name)
	if !ok {
		r.t.Fatalf("%s: no tensor %s", r.file.Path(), name)
	}
	return v
}

func (r reference) floats(name string) []float32 {
	r.t.Helper()
	values, err := r.tensor(name).Float32s()
	if err != nil {
		r.t.Fatal(err)
	}
	return values
}

func (r reference) ints(name string) []int64 {
	r.t.Helper()
	values, err := r.tensor(name).Int64s()
	if err != nil {
		r.t.Fatal(err)
	}
	return values
}

func (r reference) shape(name string) []int { return r.tensor(name).Shape }

// metadata reads a value that is JSON.
func (r reference) metadata(key string, to any) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.file.Metadata()[key]), to); err != nil {
		r.t.Fatalf("%s: %s: %v", r.file.Path(), key, err)
	}
}

// near compares values with the reference's.
func near(t testing.TB, name string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", name, len(got), len(want))
		return
	}
	worst, at := 0.0, -1
	for i := range got {
		if d := float64(got[i]) - float64(want[i]); !(max(d, -d) <= tolerance) && max(d, -d) >= worst {
			worst, at = max(d, -d), i
		}
	}
	if at >= 0 {
		t.Errorf("%s: value %d is %v, want %v ± %v", name, at, got[at], want[at], tolerance)
	}
}

// lastToFirst turns [batch, height, width, channels] into [batch, channels, height, width], or back.
func turned(x []float32, batch, rows, columns int) []float32 {
	out := make([]float32, len(x))
	for b := range batch {
		for r := range rows {
			for c := range columns {
				out[(b*columns+c)*rows+r] = x[(b*rows+r)*columns+c]
			}
		}
	}
	return out
}

// eachSet runs a test on each set of kernels.
func eachSet(t *testing.T, test func(t *testing.T, set *kernel.Set)) {
	for _, set := range kernel.Sets() {
		t.Run(set.String(), func(t *testing.T) { test(t, set) })
	}
}

func TestAnchors(t *testing.T) {
	r := open(t, "units", "anchors.safetensors")
	var cases []struct {
		Sizes  []float64 `json:"sizes"`
		Ratios []float64 `json:"aspect_ratios"`
		Stride int       `json:"stride"`
		Grid   [2]int    `json:"grid_height_width"`
		Offset float64   `json:"offset"`
	}
	r.metadata("cases", &cases)
	for i, c := range cases {
		name := string(rune('0' + i))
		config := Config{AnchorSizes: c.Sizes, AspectRatios: c.Ratios}
		cell := config.cellAnchors()
		near(t, "cell."+name, cell, r.floats("cell."+name), 0)
		if c.Stride != stride {
			continue // the backbone has one
		}
		var grid []float32
		for y := range c.Grid[0] {
			for x := range c.Grid[1] {
				for a := range len(cell) / 4 {
					b := anchor(cell, a, x, y, c.Offset)
					grid = append(grid, b[:]...)
				}
			}
		}
		near(t, "grid."+name, grid, r.floats("grid."+name), 0)
	}
}

func TestMoved(t *testing.T) {
	r := open(t, "units", "apply_deltas.safetensors")
	var cases []struct {
		Weights [4]float32
		Classes int
	}
	r.metadata("cases", &cases)
	boxes := r.floats("boxes")
	for i, c := range cases {
		name := string(rune('0' + i))
		deltas := r.floats("deltas." + name)
		var got []float32
		for j := range len(deltas) / 4 {
			b := moved(boxes[j/c.Classes*4:][:4], deltas[4*j:][:4], &c.Weights)
			got = append(got, b[:]...)
		}
		want := r.floats("out." + name)
		for j := range got {
			near(t, "out."+name, got[j:j+1], want[j:j+1], 1e-6*float64(max(1, want[j], -want[j])))
		}
	}
}

func TestSuppression(t *testing.T) {
	r := open(t, "units", "nms.safetensors")
	boxes, scores := r.floats("boxes"), r.floats("scores")
	keys := order(nil, scores)
	slices.Sort(keys)
	for _, threshold := range []float64{0.3, 0.5, 0.6, 0.7} {
		s := newSuppressor(threshold, len(scores))
		var keep []int64
		for _, key := range keys {
			if i := int64(uint32(key)); s.keep((*[4]float32)(boxes[4*i:])) {
				keep = append(keep, i)
			}
		}
		name := "keep." + string(json.Number(must(json.Marshal(threshold))))
		if want := r.ints(name); !slices.Equal(keep, want) {
			t.Errorf("%s: %v, want %v", name, keep, want)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestProposals(t *testing.T) {
	r := open(t, "units", "rpn_proposals.safetensors")
	var cases []struct {
		Pre, Post int
		MinSize   float32 `json:"min_size"`
	}
	r.metadata("cases", &cases)
	boxes, logits, sizes := r.floats("boxes"), r.floats("logits"), r.ints("image_sizes")
	n := len(logits) / 2
	for i, c := range cases {
		p := newProposer(&Config{PreNMS: c.Pre, RPNThreshold: 0.7, MinBoxSize: c.MinSize}, nil, c.Post)
		for image := range 2 {
			p.begin()
			keys := order(nil, logits[image*n:][:n])
			slices.Sort(keys)
			for _, key := range keys[:min(c.Pre, n)] {
				at := image*n + int(uint32(key))
				if !p.take([4]float32(boxes[4*at:]), logits[at], int(sizes[2*image+1]), int(sizes[2*image])) {
					break
				}
			}
			name := string([]rune{rune('0' + i), '.', rune('0' + image)})
			got, scores, err := p.found()
			if err != nil {
				t.Fatal(err)
			}
			near(t, "boxes."+name, got, r.floats("out_boxes."+name), 0)
			near(t, "logits."+name, scores, r.floats("out_logits."+name), 0)
		}
	}
}

func TestRoIPool(t *testing.T) {
	r := open(t, "units", "roi_pool.safetensors")
	shape := r.shape("features")
	batch, channels, height, width := shape[0], shape[1], shape[2], shape[3]
	values := turned(r.floats("features"), batch, channels, height*width)
	rois := r.floats("rois")
	eachSet(t, func(t *testing.T, set *kernel.Set) {
		for _, resolution := range []int{7, 14} {
			name := map[int]string{7: "out.7x7", 14: "out.14x14"}[resolution]
			p := pooler{set: set, resolution: resolution}
			want := r.floats(name)
			size := resolution * resolution * channels
			for i := range len(rois) / 5 {
				image := int(rois[5*i])
				f := &features{values[image*height*width*channels:][:height*width*channels], height, width, channels}
				got := make([]float32, size)
				p.pool(got, f, cellsOf(rois[5*i+1:][:4]))
				near(t, name, turned(got, 1, resolution*resolution, channels), want[i*size:][:size], 0)
			}
		}
	})
}

func TestChoose(t *testing.T) {
	r := open(t, "units", "do_nms.safetensors")
	var cases []struct {
		Threshold float64
		Min       int    `json:"min_detections"`
		Max       int    `json:"max_detections"`
		Size      [2]int `json:"image_height_width"`
		Result    any
	}
	r.metadata("cases", &cases)
	boxes, probabilities := r.floats("boxes"), r.floats("probs")
	n := r.shape("probs")[0]
	for i, c := range cases {
		config := Config{NumClasses: 6, Thresholds: []float64{c.Threshold}, MinDetections: c.Min, MaxDetections: c.Max}
		all := make([]candidate, n)
		for j := range all {
			class, score := largest(probabilities[7*j:][:6])
			all[j] = candidate{class, score, [4]float32(boxes[24*j+4*class:])}
			clip(&all[j].box, c.Size[1], c.Size[0])
		}
		keep, _, ok := config.choose(all)
		if ok == (c.Result == "none") {
			t.Errorf("case %d: %v with %d, want %v", i, ok, len(keep), c.Result)
		}
		if !ok {
			continue
		}
		name := "." + string(rune('0'+i))
		var got struct {
			keep, classes []int64
			boxes, scores []float32
		}
		for _, k := range keep {
			got.keep, got.classes = append(got.keep, int64(k)), append(got.classes, int64(all[k].class))
			got.boxes, got.scores = append(got.boxes, all[k].box[:]...), append(got.scores, all[k].score)
		}
		if !slices.Equal(got.keep, r.ints("keep"+name)) || !slices.Equal(got.classes, r.ints("classes"+name)) {
			t.Errorf("case %d: kept %v of %v", i, got.keep, got.classes)
		}
		near(t, "boxes"+name, got.boxes, r.floats("boxes"+name), 0)
		near(t, "scores"+name, got.scores, r.floats("scores"+name), 0)
	}
}

// onEngine runs a part of a network with weights from a source.
func onEngine(t *testing.T, engine compute.Backend, load func(store *model.Store) error, build graphBuilder, x []float32, shape ...int) [][]float32 {
	t.Helper()
	store := model.NewStore()
	if err := load(store); err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(engine, store, func(s *model.Scope, in []*graph.Node) []*graph.Node { return build(s, in) })
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	results, err := exec.Call(tensors.FromFlatDataAndDimensions(x, shape...))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, v := range results {
		out = append(out, tensors.MustCopyFlatData[float32](v))
	}
	return out
}

func TestBottleneck(t *testing.T) {
	r := open(t, "units", "bottleneck.safetensors")
	var cases []struct {
		In       int  `json:"in_channels"`
		Out      int  `json:"out_channels"`
		Middle   int  `json:"bottleneck_channels"`
		Stride   int  `json:"stride"`
		First    bool `json:"stride_in_1x1"`
		Dilation int  `json:"dilation"`
		Groups   int  `json:"num_groups"`
	}
	r.metadata("cases", &cases)
	golden.EachEngine(t, func(t *testing.T, engine compute.Backend) {
		for i, v := range cases {
			name := string(rune('0' + i))
			first, second := v.Stride, 1
			if !v.First {
				first, second = 1, v.Stride
			}
			dilation, groups := max(1, v.Dilation), max(1, v.Groups)
			b := block{
				reduce: convolution{name: "conv1", in: v.In, out: v.Middle, size: 1, stride: first, dilation: 1, group: 1, norm: true},
				middle: convolution{name: "conv2", in: v.Middle, out: v.Middle, size: 3, stride: second, pad: dilation, dilation: dilation, group: groups, norm: true},
				expand: convolution{name: "conv3", in: v.Middle, out: v.Out, size: 1, stride: 1, dilation: 1, group: 1, norm: true},
			}
			all := []convolution{b.reduce, b.middle, b.expand}
			if v.In != v.Out {
				b.shortcut = convolution{name: "shortcut", in: v.In, out: v.Out, size: 1, stride: v.Stride, dilation: 1, group: 1, norm: true}
				all = append(all, b.shortcut)
			}
			load := func(store *model.Store) error {
				return loadConvolutions(engine, store, all, func(name string, _ ...int) ([]float32, error) {
					return r.floats("w." + string(rune('0'+i)) + "." + name), nil
				})
			}
			shape := r.shape("x." + name)
			x := turned(r.floats("x."+name), shape[0], shape[1], shape[2]*shape[3])
			c := &Config{}
			out := onEngine(t, engine, load, func(s *model.Scope, in []*graph.Node) []*graph.Node { return []*graph.Node{c.block(s, in[0], b)} },
				x, shape[0], shape[2], shape[3], shape[1])
			to := r.shape("y." + name)
			near(t, "y."+name, turned(out[0], to[0], to[2]*to[3], to[1]), r.floats("y."+name), 1e-5)
		}
	})
}

func TestMaxPool(t *testing.T) {
	r := open(t, "units", "max_pool.safetensors")
	golden.EachEngine(t, func(t *testing.T, engine compute.Backend) {
		for _, size := range []string{"10x11", "3x4", "5x6", "64x107", "7x8", "9x9"} {
			shape := r.shape("x." + size)
			x := turned(r.floats("x."+size), shape[0], shape[1], shape[2]*shape[3])
			for kind, caffe := range map[string]bool{"caffe.": true, "default.": false} {
				c := &Config{CaffeMaxPool: caffe}
				out := onEngine(t, engine, func(*model.Store) error { return nil }, func(_ *model.Scope, in []*graph.Node) []*graph.Node { return []*graph.Node{c.pool(in[0])} },
					x, shape[0], shape[2], shape[3], shape[1])
				to := r.shape(kind + size)
				near(t, kind+size, turned(out[0], to[0], to[2]*to[3], to[1]), r.floats(kind+size), 0)
			}
		}
	})
}

func TestPredictor(t *testing.T) {
	r := open(t, "units", "predictor.safetensors")
	c := &Config{Res2OutChannels: 3, NumClasses: 6, NumAttrs: 4}
	golden.EachEngine(t, func(t *testing.T, engine compute.Backend) {
		load := func(store *model.Store) error {
			return c.loadHeads(engine, store, func(name string, _ ...int) ([]float32, error) { return r.floats("w." + name[len(predictor):]), nil })
		}
		out := onEngine(t, engine, load, c.heads, r.floats("x"), r.shape("x")...)
		near(t, "obj_probs", out[0], r.floats("obj_probs"), 1e-6)
		near(t, "deltas", out[1], r.floats("deltas"), 1e-5)
		ids, most := r.ints("attr_id"), r.floats("attr_prob_max")
		for i, want := range ids {
			id, p := largest(out[2][4*i:][:4])
			if int64(id) != want {
				t.Errorf("attribute of %d: %d, want %d", i, id, want)
			}
			near(t, "attr_prob_max", []float32{p}, most[i:i+1], 1e-6)
		}
	})
}
