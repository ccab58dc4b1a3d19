package frcnn

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/resize"
)

// tinyConfig is the text of the tiny detector's config.yaml.
func tinyConfig(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "tiny", ConfigName))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Keys may be in any case; the file on the hub is read whole.
func TestReadConfig(t *testing.T) {
	lower, err := readConfigFile(filepath.Join(dir, "tiny", ConfigName))
	if err != nil {
		t.Fatal(err)
	}
	upper, err := readConfigFile(filepath.Join(dir, "tiny", "config_upper.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(lower.AnchorSizes, upper.AnchorSizes) || lower.MinSize != 192 || upper.MinSize != 192 || lower.NumAttrs != 5 || !slices.Equal(lower.Thresholds, []float64{0.5, 0.6, 0.7}) {
		t.Errorf("%+v, %+v", lower, upper)
	}
	real, err := readConfigFile(filepath.Join(dir, "reference", "hub_config_reconstructed.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if real.Depth != 101 || real.FeatureWidth() != 2048 || real.NumClasses != 1600 || real.PostNMS != 300 || real.MinSize != 800 {
		t.Errorf("%+v", real)
	}
}

// Every tensor of the published checkpoint is asked for, with its shape, and no other but counters.
func TestRealSize(t *testing.T) {
	real, err := readConfigFile(filepath.Join(dir, "reference", "hub_config_reconstructed.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "reference", "real_size_state_dict.json"))
	if err != nil {
		t.Fatal(err)
	}
	elements := 0
	for _, w := range real.wants() {
		if !bytes.Contains(text, []byte(`"`+w.Name+`"`)) {
			t.Errorf("the checkpoint has no %s", w.Name)
		}
		n := 1
		for _, d := range w.Shape {
			n *= d
		}
		elements += n
	}
	if elements != 65545214 {
		t.Errorf("%d numbers, want 65545214", elements)
	}
}

func TestReadConfigRefuses(t *testing.T) {
	good := tinyConfig(t)
	for _, c := range []struct{ old, new, want string }{
		{"depth: 50", "depth: 34", "RESNETS.DEPTH: found 34, want 50, 101 or 152"},
		{"depth: 50", "depth: many", "RESNETS.DEPTH: found many, want a whole number"},
		{"depth: 50", "depth: null", "RESNETS.DEPTH: found nothing"},
		{"    nms_thresh: 0.7\n", "", "RPN.NMS_THRESH: found nothing, want a value"},
		{"nms_thresh: 0.7", "nms_thresh: 1.7", "RPN.NMS_THRESH: found 1.7, want 0 to 1"},
		{`out_features: ["res4"]`, `out_features: ["res5"]`, "RESNETS.OUT_FEATURES: found [res5], want [res4]"},
		{"size_divisibility: 0", "size_divisibility: 32", "SIZE_DIVISIBILITY: found 32"},
		{`format: "BGR"`, `format: "RGB"`, "INPUT.FORMAT: found RGB"},
		{"stride_in_1x1: true", "stride_in_1x1: false", "RESNETS.STRIDE_IN_1X1"},
		{"pixel_mean: [102.9801, 115.9465, 122.7717]", "pixel_mean: [102.9801, 115.9465]", "MODEL.PIXEL_MEAN: found [102.9801 115.9465], want 3 numbers"},
		{"sizes: [[40, 72, 120, 200]]", "sizes: [[40], [72]]", "ANCHOR_GENERATOR.SIZES"},
		{"post_nms_topk_test: 48", "post_nms_topk_test: 99999999", "RPN.POST_NMS_TOPK_TEST: found 99999999"},
		{"version: 2", "version: [", "yaml"},
		{"min_detections: 36", "min_detections: 37", "MAX_DETECTIONS: found 36, want 37"},
		{good, "", "no keys"},
		{good, "just text", "yaml"},
	} {
		if _, err := ReadConfig(strings.NewReader(strings.Replace(good, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %.40q: %v, want it to say %q", c.new, c.old, err, c.want)
		}
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add(tinyConfig(f))
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ReadConfig(strings.NewReader(text)); err == nil && c.Check() != nil {
			t.Errorf("%+v", c)
		}
	})
}

func tiny(t testing.TB, options Options) *Detector {
	t.Helper()
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(engine, filepath.Join(dir, "tiny"), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(); engine.Finalize() })
	return d
}

func picture(t testing.TB, name string) image.Image {
	t.Helper()
	img, err := vision.DecodeFile(filepath.Join(dir, "images", name))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// All forms of the weights give the same; a directory and a file in it too.
func TestFormats(t *testing.T) {
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	img := picture(t, "grad_97x61.png")
	var first *Detection
	for _, name := range []string{"model.safetensors", "pytorch_model.bin", "pytorch_model_legacy.bin"} {
		d, err := Open(engine, filepath.Join(dir, "tiny", name), Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Detect(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !slices.Equal(got.Boxes, first.Boxes) || !slices.Equal(got.Features, first.Features) {
			t.Errorf("%s gives other regions", name)
		}
		if objects, attributes := d.Vocabulary(); len(objects) != 11 || len(attributes) != 5 {
			t.Errorf("%d objects, %d attributes", len(objects), len(attributes))
		}
		d.Close()
	}
}

// Boxes that are given, if they are those that were found, have the features that were found.
func TestDetectBoxes(t *testing.T) {
	d := tiny(t, Options{})
	img := picture(t, "shapes_120x90.png")
	boxes := []float32{0, 0, 120, 90, 10, 20, 60.5, 80, 100, 3, 119, 88}
	got, err := d.DetectBoxes(t.Context(), img, boxes)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Boxes, boxes) || len(got.Objects) != 3 || len(got.Attributes) != 3 || len(got.Features) != 3*d.FeatureWidth() {
		t.Errorf("%+v", got)
	}
	alone, err := d.DetectBoxes(t.Context(), img, boxes[4:8])
	if err != nil {
		t.Fatal(err)
	}
	near(t, "features of a box alone", alone.Features, got.Features[d.FeatureWidth():2*d.FeatureWidth()], 1e-4)
	regions, err := d.ExtractBoxes(t.Context(), img, boxes)
	if err != nil || regions.Check(d.FeatureWidth(), 4) != nil {
		t.Errorf("%v, %v", err, regions.Check(d.FeatureWidth(), 4))
	}
	for _, bad := range [][]float32{nil, {1, 2, 3}, {5, 5, 5, 9}, {0, 0, 121, 90}, {-1, 0, 5, 5}, {nan, 0, 5, 5}} {
		if _, err := d.DetectBoxes(t.Context(), img, bad); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}

var nan = float32(func() float64 { var z float64; return z / z }())

// Pictures of any shape are looked at, or refused with a reason, and never a panic.
func TestShapes(t *testing.T) {
	d := tiny(t, Options{MinRegions: 1})
	for _, size := range []image.Point{{1, 1}, {1, 300}, {4000, 2}, {1, 5000}, {333, 333}} {
		img := image.NewGray(image.Rectangle{Max: size})
		r, err := d.Extract(t.Context(), img)
		if err != nil {
			t.Errorf("%v: %v", size, err)
		} else if err := r.Check(d.FeatureWidth(), 4); err != nil {
			t.Errorf("%v: %v", size, err)
		}
	}
	if _, err := d.Extract(t.Context(), image.NewGray(image.Rect(0, 0, 0, 5))); err == nil {
		t.Error("no pixels")
	}
	if _, err := d.Extract(t.Context(), nil); err == nil {
		t.Error("no picture")
	}
}

func TestTooFew(t *testing.T) {
	d := tiny(t, Options{Proposals: 5})
	if _, err := d.Detect(t.Context(), picture(t, "grad_97x61.png")); err == nil || !strings.Contains(err.Error(), "MIN_DETECTIONS") {
		t.Errorf("5 proposals for 36 regions: %v", err)
	}
	original := tiny(t, Options{Proposals: 5, Preset: vision.D2MaxNMS})
	if got, err := original.Detect(t.Context(), picture(t, "grad_97x61.png")); err != nil || len(got.Kept) == 0 || len(got.Kept) > 5 {
		t.Errorf("the original takes what there is: %v", err)
	}
}

// One detector serves many at once; a cancelled context and a closed detector say so.
func TestConcurrent(t *testing.T) {
	d := tiny(t, Options{})
	img := picture(t, "grad_97x61.png")
	want, err := d.Extract(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			got, err := d.Extract(context.Background(), img)
			if err != nil || !slices.Equal(got.Features, want.Features) {
				t.Errorf("other regions, %v", err)
			}
		})
	}
	all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Extract(ctx, img); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	d.Close()
	if _, err := d.Extract(t.Context(), img); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	with := func(config string, files ...string) string {
		to := t.TempDir()
		for _, name := range append([]string{"model.safetensors"}, files...) {
			content, err := os.ReadFile(filepath.Join(dir, "tiny", name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if config != "" {
			if err := os.WriteFile(filepath.Join(to, ConfigName), []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return to
	}
	good := tinyConfig(t)
	for _, c := range []struct {
		name, path string
		options    Options
		want       string
	}{
		{"nothing there", filepath.Join(t.TempDir(), "none"), Options{}, "no such file"},
		{"another depth", with(strings.Replace(good, "depth: 50", "depth: 101", 1)), Options{}, "backbone.res4.6.conv1.weight"},
		{"other classes", with(strings.Replace(good, "num_classes: 11", "num_classes: 12", 1)), Options{}, "cls_score.weight"},
		{"names for other classes", with(good, "objects.txt", "attributes.txt"), Options{Preset: "yolo"}, `preset "yolo"`},
		{"more proposals than there can be", with(good), Options{Proposals: 1 << 20}, "proposals: found 1048576"},
		{"no configuration", with(""), Options{}, "backbone.stem.conv1.weight"},
	} {
		d, err := Open(engine, c.path, c.options)
		if err == nil {
			d.Close()
			t.Errorf("%s was accepted", c.name)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.want)
		}
	}
	to := with(good, "objects.txt")
	if err := os.WriteFile(filepath.Join(to, "objects.txt"), []byte("cat\ndog\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(engine, to, Options{}); err == nil || !strings.Contains(err.Error(), "found 2 names, want 11") {
		t.Errorf("two names: %v", err)
	}
}

// The two built-in vocabularies have the numbers of the published detectors.
func TestVisualGenome(t *testing.T) {
	v := VisualGenome()
	if len(v.Objects) != 1600 || len(v.Attributes) != 400 {
		t.Errorf("%d objects, %d attributes", len(v.Objects), len(v.Attributes))
	}
}

// A detector without attributes, and one that moves boxes alike for all classes.
func TestOtherHeads(t *testing.T) {
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	c, err := readConfigFile(filepath.Join(dir, "tiny", ConfigName))
	if err != nil {
		t.Fatal(err)
	}
	c.NumAttrs, c.ClassAgnostic = 0, true
	d, err := New(engine, c, formula.Detector, nil, nil, Options{MinRegions: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	got, err := d.Detect(t.Context(), picture(t, "grad_97x61.png"))
	if err != nil || got.Attributes != nil || len(got.Objects) != len(got.Kept) {
		t.Errorf("%+v, %v", got, err)
	}
}

// What engines like XLA get, whose shapes are always the same, gives the same regions.
func TestFixedShapes(t *testing.T) {
	d := tiny(t, Options{})
	img := picture(t, "grad_97x61.png")
	want, err := d.Extract(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	d.network.fixed = true
	got, err := d.Extract(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "boxes", got.Boxes, want.Boxes, 1e-6)
	near(t, "features", got.Features, want.Features, 1e-5)
}

// The detector of py-bottom-up-attention is a pickle of NumPy's arrays, under "model", without the anchors; beside a config.yaml it is any detector.
func TestNumPyPickle(t *testing.T) {
	file, err := checkpoint.Open(filepath.Join(dir, "tiny", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	to := t.TempDir()
	if err := os.WriteFile(filepath.Join(to, "faster_rcnn_from_caffe_attr.pkl"), numpyPickle(t, file), 0o600); err != nil {
		t.Fatal(err)
	}
	pickled, err := checkpoint.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer pickled.Close()
	c, err := infer(pickled)
	if err != nil || c.NumClasses != 11 || c.NumAttrs != 5 || c.Depth != 50 || c.MinSize != 600 {
		t.Errorf("inferred %+v, %v", c, err)
	}
	if err := os.WriteFile(filepath.Join(to, ConfigName), []byte(tinyConfig(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	d, err := Open(engine, to, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	got, err := d.Detect(t.Context(), picture(t, "grad_97x61.png"))
	if err != nil {
		t.Fatal(err)
	}
	sameDetection(t, open(t, "expected", "tiny", "grad_97x61.bgr.safetensors"), got, d.FeatureWidth(), "", 0)
}

// numpyPickle is {"model": {name: array}}, in protocol 2, of the tensors that are no anchors.
func numpyPickle(t *testing.T, file *checkpoint.File) []byte {
	b := []byte("\x80\x02}(")
	text := func(s string) { b = append(binary.LittleEndian.AppendUint32(append(b, 'X'), uint32(len(s))), s...) }
	text("model")
	b = append(b, "}("...)
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		values, err := tensor.Float32s()
		if err != nil || name == anchorsName {
			continue // counters, and what Detectron2 does not keep
		}
		text(name)
		b = append(b, "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntB\x01\x00\x00\x00btR(I1\n("...)
		for _, n := range tensor.Shape {
			b = fmt.Appendf(b, "I%d\n", n)
		}
		b = append(b, "tcnumpy\ndtype\n("...)
		text("f4")
		b = append(b, "I0\nI1\ntR(I3\n"...)
		text("<")
		b = append(b, "NNNI-1\nI-1\nI0\ntb\x89B"...)
		b = binary.LittleEndian.AppendUint32(b, uint32(4*len(values)))
		for _, v := range values {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		b = append(b, "tb"...)
	}
	return append(b, "uu."...)
}

// The original's recipe sees Pillow's pixels, less the mean, at its own sizes, whatever config.yaml says.
func TestOriginalInput(t *testing.T) {
	d := tiny(t, Options{Preset: vision.D2MaxNMS})
	img := picture(t, "shapes_120x90.png")
	in, size, err := d.prepare(img)
	if err != nil || in.pictureWidth != 800 || in.pictureHeight != 600 {
		t.Fatalf("%d × %d, %v", in.pictureWidth, in.pictureHeight, err)
	}
	rgb, err := vision.RGB(img)
	if err != nil {
		t.Fatal(err)
	}
	pixels, err := resize.Antialiased(rgb, size, vision.Size{Width: 800, Height: 600})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range in.values {
		if want := float32(pixels[i/3*3+2-i%3]) - d.config.PixelMean[i%3]; v != want {
			t.Fatalf("value %d is %v, want %v", i, v, want)
		}
	}
	if got := d.Config().Thresholds; len(got) != 7 || got[0] != 0.3 || got[6] < 0.9 || got[6] > 0.9000001 {
		t.Errorf("thresholds %v", got)
	}
}
