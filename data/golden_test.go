package data

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/vision"
)

// The features of ten COCO pictures as the Caffe detector's script wrote them; what is
// expected of them was found by another decoder and by looking at the pictures.
func TestGoldenTSV(t *testing.T) {
	path := filepath.Join("..", "..", "shared", "data", "features", "train2014_obj36.tsv")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the reference file is not here: %v", err)
	}
	tsv := openTSV(t, path)
	if tsv.Len() != 10 {
		t.Errorf("%d records, want 10", tsv.Len())
	}
	sizes := map[string]vision.Size{
		"COCO_train2014_000000132417": {Width: 500, Height: 333},
		"COCO_train2014_000000573195": {Width: 640, Height: 428},
		"COCO_train2014_000000131486": {Width: 407, Height: 640},
	}
	highest := float32(0)
	minID, maxID := math.MaxInt, 0
	for r, err := range tsv.All() {
		if err != nil {
			t.Fatal(err)
		}
		got := r.Regions
		if err := got.Check(2048, 4); err != nil || got.Len() != 36 || got.Preset != vision.ButdCaffe {
			t.Errorf("%s: %d regions, preset %s, %v", r.ID, got.Len(), got.Preset, err)
		}
		if want, ok := sizes[r.ID]; ok && got.Size != want {
			t.Errorf("%s: size %v, want %v", r.ID, got.Size, want)
		}
		for _, v := range got.Features {
			highest = max(highest, v)
			if v < 0 {
				t.Fatalf("%s: feature %v, want none below 0", r.ID, v)
			}
		}
		for _, l := range got.Objects {
			minID, maxID = min(minID, l.ID), max(maxID, l.ID)
		}
	}
	if math.Abs(float64(highest)-35.29) > 0.005 || minID != 33 || maxID != 1525 {
		t.Errorf("features up to %v, objects %d to %d; want 35.29, 33 to 1525", highest, minID, maxID)
	}
}

// The same features in a store: exactly in float32, rounded to the nearest in float16.
func TestGoldenStore(t *testing.T) {
	path := filepath.Join("..", "..", "shared", "data", "features", "train2014_obj36.tsv")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the reference file is not here: %v", err)
	}
	tsv := openTSV(t, path)
	for _, float32s := range []bool{true, false} {
		dir := t.TempDir()
		w := writeStore(t, dir, StoreOptions{Float32: float32s})
		if _, err := Import(context.Background(), w, tsv, ImportOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sound(t, dir, 10)
		s := openStore(t, dir)
		for record, err := range tsv.All() {
			if err != nil {
				t.Fatal(err)
			}
			want := record.Regions
			if !float32s {
				for i, v := range want.Features {
					want.Features[i] = checkpoint.FromF16Bits(checkpoint.F16Bits(v))
				}
			}
			if got, err := s.Get(record.ID); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, float32 %v: differs, %v", record.ID, float32s, err)
			}
		}
	}
}
