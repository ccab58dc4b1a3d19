package frcnn

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/backend/simd"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/vision"
)

// From picture to regions, as the reference gives them: both detectors, all pictures, 36 of 36 regions and 10 to 100, blue first and red first.
func TestGolden(t *testing.T) {
	golden.EachEngine(t, func(t *testing.T, engine compute.Backend) {
		for _, name := range []string{"tiny", "tiny_variant"} {
			paths, err := filepath.Glob(filepath.Join(dir, "expected", name, "*.safetensors"))
			if err != nil || len(paths) == 0 {
				t.Fatal(err)
			}
			for _, path := range paths {
				base := strings.TrimSuffix(filepath.Base(path), ".safetensors")
				if base == "batch2.bgr" {
					continue // TestBatch
				}
				if slow(t, engine) && base != "shapes_120x90.bgr" || testing.Short() && strings.HasPrefix(base, "COCO") {
					continue
				}
				t.Run(name+"/"+base, func(t *testing.T) { detectAs(t, engine, name, open(t, "expected", name, filepath.Base(path)), base) })
			}
		}
	})
}

// slow are the engines without vectors: they see one picture of a whole detector, and all operations alone.
func slow(t *testing.T, engine compute.Backend) bool {
	return engine.Name() != simd.Name || strings.Contains(t.Name(), "generic")
}

func detectAs(t *testing.T, engine compute.Backend, name string, r reference, base string) {
	image, kind, _ := strings.Cut(base, ".")
	options := Options{RGB: kind == "rgb"}
	if kind == "bgr.10-100" {
		options.MinRegions, options.MaxRegions = 10, 100
	}
	d, err := Open(engine, filepath.Join(dir, name), options)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	file := filepath.Join(dir, "images", image+".png")
	if strings.HasPrefix(image, "COCO") {
		file = filepath.Join(dir, "images", image+".jpg")
	}
	img, err := vision.DecodeFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Detect(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	sameDetection(t, r, got, d.FeatureWidth(), "", 0)
	var threshold string
	if threshold = r.file.Metadata()["threshold_used"]; threshold != "" {
		var want float64
		r.metadata("threshold_used", &want)
		if got.Threshold != want {
			t.Errorf("threshold %v, want %v", got.Threshold, want)
		}
	}
	regions, err := d.Extract(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	if err := regions.Check(d.FeatureWidth(), 4); err != nil {
		t.Error(err)
	}
	near(t, "normalized_boxes", regions.Boxes, r.floats("out.normalized_boxes")[:len(regions.Boxes)], 1e-4)
}

// sameDetection compares with picture b of a batch; keep is the suffix of its tensor.
func sameDetection(t *testing.T, r reference, got *Detection, width int, keep string, b int) {
	t.Helper()
	n := int(r.ints("out.preds_per_image")[b])
	most := r.shape("out.obj_ids")[1]
	sizes := r.ints("out.sizes")
	if len(got.Kept) != n || int64(got.Resized.Height) != sizes[2*b] || int64(got.Resized.Width) != sizes[2*b+1] {
		t.Fatalf("%d regions of %v, want %d of %v", len(got.Kept), got.Resized, n, sizes)
	}
	var kept, objects, attributes []int64
	var objectScores, attributeScores []float32
	for i, k := range got.Kept {
		kept = append(kept, int64(k))
		objects, objectScores = append(objects, int64(got.Objects[i].ID)), append(objectScores, got.Objects[i].Confidence)
		attributes, attributeScores = append(attributes, int64(got.Attributes[i].ID)), append(attributeScores, got.Attributes[i].Confidence)
	}
	if want := r.ints("keep" + keep); !slices.Equal(kept, want) {
		t.Errorf("kept %v, want %v", kept, want)
	}
	if want := r.ints("out.obj_ids")[b*most:][:n]; !slices.Equal(objects, want) {
		t.Errorf("objects %v, want %v", objects, want)
	}
	if want := r.ints("out.attr_ids")[b*most:][:n]; !slices.Equal(attributes, want) {
		t.Errorf("attributes %v, want %v", attributes, want)
	}
	near(t, "boxes", got.Boxes, r.floats("out.boxes")[b*most*4:][:n*4], 1e-2)
	near(t, "obj_probs", objectScores, r.floats("out.obj_probs")[b*most:][:n], 1e-4)
	near(t, "attr_probs", attributeScores, r.floats("out.attr_probs")[b*most:][:n], 1e-4)
	near(t, "roi_features", got.Features, r.floats("out.roi_features")[b*most*width:][:n*width], 1e-4)
}

// A batch of the reference pads its pictures to the largest. Its normalised boxes are wrong there; ours are right.
func TestBatch(t *testing.T) {
	r := open(t, "expected", "tiny", "batch2.bgr.safetensors")
	shape := r.shape("input")
	golden.EachEngine(t, func(t *testing.T, engine compute.Backend) {
		if slow(t, engine) {
			return // one whole picture is TestGolden's
		}
		d, err := Open(engine, filepath.Join(dir, "tiny"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for i, image := range []string{"tall_64x128.png", "shapes_120x90.png"} {
			img, err := vision.DecodeFile(filepath.Join(dir, "images", image))
			if err != nil {
				t.Fatal(err)
			}
			in, size, err := d.prepare(img)
			if err != nil {
				t.Fatal(err)
			}
			padded := &input{make([]float32, 3*shape[2]*shape[3]), shape[2], shape[3], in.pictureHeight, in.pictureWidth}
			for y := range in.height {
				copy(padded.values[3*y*padded.width:], in.values[3*y*in.width:][:3*in.width])
			}
			near(t, "input", turned(padded.values, 1, shape[2]*shape[3], 3), r.floats("input")[i*3*shape[2]*shape[3]:][:3*shape[2]*shape[3]], 1e-3)
			got, err := d.lookAt(t.Context(), padded, size, d.find(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			sameDetection(t, r, got, d.FeatureWidth(), "."+string(rune('0'+i)), i)
			regions, err := d.regions(got, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := r.floats("normalized_boxes_correct")
			near(t, "normalized_boxes", regions.Boxes, want[i*len(want)/2:][:len(want)/2], 1e-4)
		}
	})
}
