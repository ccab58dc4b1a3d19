package data

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

// npy is an array as NumPy writes it: values of type descr in rows.
func npy(descr, shape string, values any) []byte {
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	out := append([]byte("\x93NUMPY\x01\x00"), byte(len(text)), byte(len(text)>>8))
	out, _ = binary.Append(append(out, text...), binary.LittleEndian, values)
	return out
}

func npz(t testing.TB, members map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range members {
		w, err := z.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		w.Write(content)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// milvlg is what bottom-up-attention.pytorch writes for an image of two regions.
func milvlg() map[string][]byte {
	return map[string][]byte{
		"x":        npy("<f4", "(2, 3)", []float32{1, 2, 3, 4, 5, 6}),
		"bbox":     npy("<f4", "(2, 4)", []float32{0, 0, 32, 24, 16, 12, 64, 48}),
		"num_bbox": npy("<i8", "()", int64(2)),
		"image_h":  npy("<i8", "()", int64(48)),
		"image_w":  npy("<i8", "()", int64(64)),
		"info":     npy("|O", "()", []byte("\x80\x03}q\x00.")),
	}
}

func TestNPZ(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "COCO_val2014_000000391895.jpg.npz"), npz(t, milvlg()))
	write(t, filepath.Join(dir, "README.txt"), nil)
	turned := milvlg()
	turned["x"] = npy("<f4", "(3, 2)", []float32{1, 4, 2, 5, 3, 6})
	write(t, filepath.Join(dir, "turned.npz"), npz(t, turned))
	write(t, filepath.Join(dir, "uniter.npz"), npz(t, map[string][]byte{
		"features": npy("<f2", "(2, 3)", []uint16{0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600}),
		"norm_bb":  npy("<f2", "(2, 7)", []uint16{0, 0, 0x3800, 0x3800, 0, 0, 0, 0x3400, 0x3400, 0x3C00, 0x3C00, 0, 0, 0}),
	}))
	labelled := milvlg()
	labelled["objects_id"], labelled["objects_conf"] = npy("<i8", "(2,)", []int64{7, 8}), npy("<f4", "(2,)", []float32{0.5, 1})
	labelled["attrs_id"], labelled["attrs_conf"] = npy("<f4", "(2,)", []float32{1, 2}), npy("<f8", "(2,)", []float64{0.25, 0})
	write(t, filepath.Join(dir, "zlabelled.npz"), npz(t, labelled))

	source, err := OpenForeign(dir, HDF5Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if want := []string{"COCO_val2014_000000391895", "turned", "uniter", "zlabelled"}; !slices.Equal(source.IDs(), want) {
		t.Errorf("ids %v, want %v", source.IDs(), want)
	}
	for record, err := range source.All() {
		r := record.Regions
		if err != nil || !slices.Equal(r.Features, []float32{1, 2, 3, 4, 5, 6}) || r.FeatureWidth != 3 || !slices.Equal(r.Box(1), []float32{0.25, 0.25, 1, 1}) {
			t.Errorf("%s: %+v, %v", record.ID, r, err)
		}
		if want := (vision.Size{Width: 64, Height: 48}); record.ID != "uniter" && r.Size != want {
			t.Errorf("%s: size %v, want %v", record.ID, r.Size, want)
		}
		if record.ID == "zlabelled" && (r.Objects[1] != vision.Label{ID: 8, Confidence: 1} || r.Attributes[0] != vision.Label{ID: 1, Confidence: 0.25}) {
			t.Errorf("labels %v %v", r.Objects, r.Attributes)
		}
	}
	if got := source.(*NPZ).Pickled(); got != 3 {
		t.Errorf("%d images with pickles, want 3", got)
	}
	_, err = source.Get("391895")
	says(t, err, "did you mean COCO_val2014_000000391895")
	one, err := OpenForeign(filepath.Join(dir, "turned.npz"), HDF5Options{})
	if err != nil || one.Len() != 1 {
		t.Errorf("%v, %v", one, err)
	}
}

func TestNPZRefuses(t *testing.T) {
	for want, change := range map[string]func(map[string][]byte){
		"found none of x, features":                 func(m map[string][]byte) { delete(m, "x") },
		"found none of bbox, boxes":                 func(m map[string][]byte) { delete(m, "bbox") },
		"x: found shape [1 3], want [2, width]":     func(m map[string][]byte) { m["x"] = npy("<f4", "(1, 3)", []float32{1, 2, 3}) },
		"bbox: found shape [4], want [regions, 4]":  func(m map[string][]byte) { m["bbox"] = npy("<f4", "(4,)", []float32{1, 2, 3, 4}) },
		"but the picture's size is not known":       func(m map[string][]byte) { delete(m, "image_h") },
		"image_h: found [0], want 1 numbers from 1": func(m map[string][]byte) { m["image_h"] = npy("<i8", "()", int64(0)) },
		"leaves the picture":                        func(m map[string][]byte) { m["image_w"] = npy("<i8", "()", int64(60)) },
		"feature of region 0 has NaN":               func(m map[string][]byte) { m["x"] = npy("<u4", "(2, 1)", []uint32{0, 0}); m["x"] = nanArray() },
		"objects_id: found 1 ids and 2 confidences, want 2 of": func(m map[string][]byte) {
			m["objects_id"] = npy("<i8", "(1,)", []int64{1})
			m["objects_conf"] = npy("<f4", "(2,)", []float32{1, 1})
		},
		"object label of region 0 is -1": func(m map[string][]byte) {
			m["objects_id"] = npy("<i8", "(2,)", []int64{-9, 1})
			m["objects_conf"] = npy("<f4", "(2,)", []float32{1, 1})
		},
		`array "x": found`: func(m map[string][]byte) { m["x"] = []byte("rubbish") },
	} {
		members := milvlg()
		change(members)
		path := filepath.Join(t.TempDir(), "x.npz")
		write(t, path, npz(t, members))
		n, err := OpenNPZ(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Get("x")
		says(t, err, want, path)
	}
	dir := t.TempDir()
	_, err := OpenForeign(dir, HDF5Options{})
	says(t, err, "no files NAME.npz")
	for _, name := range []string{"a.jpg.npz", "a.png.npz"} {
		write(t, filepath.Join(dir, name), nil)
	}
	_, err = OpenNPZ(dir)
	says(t, err, "a.jpg.npz and a.png.npz are both image a")
	if err := os.WriteFile(filepath.Join(dir, "x.npy"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = OpenForeign(filepath.Join(dir, "x.npy"), HDF5Options{})
	says(t, err, "a single array has no boxes")
}

func nanArray() []byte { return npy("<f4", "(2, 3)", []uint32{0x7FC00000, 0, 0, 0, 0, 0}) }
