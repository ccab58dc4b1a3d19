package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/vision"
)

func writeStore(t testing.TB, dir string, options StoreOptions) *StoreWriter {
	t.Helper()
	w, err := WriteStore(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Abandon)
	return w
}

func add(t testing.TB, w *StoreWriter, id string, r vision.Regions) {
	t.Helper()
	if err := w.Add(id, r); err != nil {
		t.Fatal(err)
	}
}

func openStore(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// sound checks a store through and through, and that it has so many images.
func sound(t *testing.T, dir string, images int) {
	t.Helper()
	report, err := Check(context.Background(), dir, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Count != 0 || report.Images != images {
		t.Errorf("%d images, want %d; faults: %v", report.Images, images, report.Faults)
	}
}

// What was written is read, in either precision, in one shard or many, with and without labels and size.
func TestStore(t *testing.T) {
	for _, options := range []StoreOptions{{}, {Float32: true}, {ShardBytes: 300}, {ShardBytes: 1, Float32: true}} {
		t.Run(fmt.Sprintf("%+v", options), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			w := writeStore(t, dir, options)
			want := map[string]vision.Regions{}
			var order []string
			for i, id := range []string{"COCO_val2014_1", "ein Bild.jpg", "猫\x00\"\\\n", "x", strings.Repeat("long", 256)} {
				r := regions(1+i%4, i)
				switch i {
				case 1:
					r.Objects = nil
				case 2:
					r.Attributes, r.Size = nil, vision.Size{}
				case 3:
					r.Objects, r.Attributes = nil, nil
				}
				add(t, w, id, r)
				want[id] = r
				order = append(order, id)
			}
			if w.Len() != 5 || !w.Has("x") || w.Has("y") {
				t.Errorf("%d images while writing", w.Len())
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			s := openStore(t, dir)
			if s.Len() != 5 || !slices.Equal(s.IDs(), order) || s.Manifest().Preset != vision.ButdCaffe || !s.Has("x") || s.Has("y") {
				t.Errorf("%d images %q, manifest %+v", s.Len(), s.IDs(), s.Manifest())
			}
			var r vision.Regions
			for _, id := range order {
				if err := s.Read(id, &r); err != nil || !reflect.DeepEqual(r, want[id]) {
					t.Errorf("%q: got %+v, %v, want %+v", id, r, err, want[id])
				}
			}
			n := 0
			for record, err := range s.All() {
				if err != nil || record.ID != order[n] || !reflect.DeepEqual(record.Regions, want[record.ID]) {
					t.Errorf("%q: %v", record.ID, err)
				}
				n++
			}
			sound(t, dir, 5)
			if _, err := s.Get("COCO_val2014_1234"); !errors.Is(err, ErrNotFound) {
				t.Errorf("an image that is not there: %v", err)
			}
		})
	}
}

// Other programs find in a shard what the store's format promises.
func TestStoreTensors(t *testing.T) {
	dir := t.TempDir()
	w := writeStore(t, dir, StoreOptions{Detector: "sha256:12"})
	want := regions(2, 1)
	add(t, w, "a", want)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := checkpoint.Open(filepath.Join(dir, "regions-00001.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m := f.Metadata(); m["preset"] != vision.ButdCaffe || m["detector"] != "sha256:12" || m["feature_width"] != "3" {
		t.Errorf("metadata %v", m)
	}
	floats := map[string][]float32{"features": want.Features, "boxes": want.Boxes, "object_scores": {0.5, 0.5}, "attribute_scores": {0.25, 0.25}}
	for name, want := range floats {
		tensor, _ := f.Tensor("a/" + name)
		if got, err := tensor.Float32s(); err != nil || !slices.Equal(got, want) || tensor.Shape[0] != 2 {
			t.Errorf("%s is %v %v, %v", name, tensor.Shape, got, err)
		}
	}
	for name, want := range map[string][]int64{"size": {32, 64}, "object_ids": {1, 2}, "attribute_ids": {0, 1}} {
		tensor, _ := f.Tensor("a/" + name)
		if got, err := tensor.Int64s(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s is %v, %v", name, got, err)
		}
	}
	if got := len(f.Names()); got != 7 {
		t.Errorf("%d tensors, want 7: %v", got, f.Names())
	}
}

// A writer that is killed at any image leaves what it had added to the next one, also if the last bytes never reached
// the disk; and a store can be added to at any time.
func TestStoreResume(t *testing.T) {
	for _, damage := range []string{"none", "partial cut", "partial garbled", "journal cut", "journal garbled", "shard renamed", "no journal", "partial emptied"} {
		t.Run(damage, func(t *testing.T) {
			dir := t.TempDir()
			w := writeStore(t, dir, StoreOptions{})
			add(t, w, "first", regions(2, 9))
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				add(t, w, fmt.Sprint(i), regions(2, i))
			}
			w.Abandon() // as the system does for a process that was killed
			partial := filepath.Join(dir, "regions-00002.safetensors.partial")
			journal := filepath.Join(dir, "regions-00002.journal")
			lost := 0
			switch damage {
			case "partial cut":
				lost = 1
				info, err := os.Stat(partial)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(partial, info.Size()-1); err != nil {
					t.Fatal(err)
				}
			case "partial garbled":
				lost = 1
				content := read(t, partial)
				content[len(content)-1] ^= 1
				write(t, partial, content)
			case "journal cut":
				lost = 1
				content := read(t, journal)
				write(t, journal, content[:len(content)-3])
			case "journal garbled":
				lost = 5
				write(t, journal, append(read(t, journal)[:120], 0))
			case "shard renamed":
				if err := os.Rename(partial, strings.TrimSuffix(partial, ".partial")); err != nil {
					t.Fatal(err)
				}
			case "no journal":
				lost = 5
				os.Remove(journal)
			case "partial emptied":
				lost = 5
				write(t, partial, nil)
			}
			if s := openStore(t, dir); s.Len() != 1 || s.Has("0") {
				t.Errorf("a reader meanwhile: %d images", s.Len())
			}
			w = writeStore(t, dir, StoreOptions{})
			if got := w.Len(); got < 6-lost || got > 6 {
				t.Errorf("%d images were found again, want %d", got, 6-lost)
			}
			for i := range 7 {
				if id := fmt.Sprint(i); !w.Has(id) {
					add(t, w, id, regions(2, i))
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			sound(t, dir, 8)
			s := openStore(t, dir)
			for i := range 7 {
				if got, err := s.Get(fmt.Sprint(i)); err != nil || !reflect.DeepEqual(got, regions(2, i)) {
					t.Errorf("%d: %+v, %v", i, got, err)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*.partial")); left != nil {
				t.Errorf("%v is left", left)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*.journal")); left != nil {
				t.Errorf("%v is left", left)
			}
		})
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// An id may be a path, even one that looks like another image's tensor.
func TestStorePathIDs(t *testing.T) {
	dir := t.TempDir()
	ids := []string{"a", "a/features", "a/boxes/features", "train/000001", "a/"}
	for round := range 2 { // the second goes on with the first's journal
		w := writeStore(t, dir, StoreOptions{})
		for i, id := range ids[round*3 : min(len(ids), 3+round*3)] {
			add(t, w, id, regions(2, round*3+i))
		}
		if round == 0 {
			w.Abandon()
		} else if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	sound(t, dir, len(ids))
	s := openStore(t, dir)
	if !slices.Equal(s.IDs(), ids) {
		t.Errorf("ids %q, want %q", s.IDs(), ids)
	}
	for i, id := range ids {
		if got, err := s.Get(id); err != nil || got.Objects[0].ID != i {
			t.Errorf("%s: %+v, %v", id, got.Objects, err)
		}
	}
	w := writeStore(t, t.TempDir(), StoreOptions{})
	if report, err := Import(context.Background(), w, s, ImportOptions{}); err != nil || report.Added != len(ids) {
		t.Errorf("from store to store: %+v, %v", report, err)
	}
}

func TestStoreRefuses(t *testing.T) {
	dir := t.TempDir()
	w := writeStore(t, dir, StoreOptions{})
	add(t, w, "a", regions(2, 1))
	refuse := func(id string, change func(*vision.Regions), want ...string) {
		t.Helper()
		r := regions(2, 1)
		if change != nil {
			change(&r)
		}
		says(t, w.Add(id, r), want...)
	}
	refuse("a", nil, "image a is in the store already")
	refuse("", nil, "has 0 bytes")
	refuse("a\xff", nil, "not UTF-8")
	refuse(strings.Repeat("x", 1025), nil, "has 1025 bytes, want 1 to 1024")
	refuse("b", func(r *vision.Regions) { r.Features[4] = 65520 }, "image b: feature of region 1 has 65520 at position 1", "float16 cannot hold")
	refuse("b", func(r *vision.Regions) { r.Boxes[0] = 5 }, "image b: box of region 0", "pixels")
	refuse("b", func(r *vision.Regions) { *r = vision.Regions{} }, "no regions")
	refuse("b", func(r *vision.Regions) { r.FeatureWidth, r.Features = 1, []float32{1, 2} }, "1 numbers wide, want 3")
	refuse("b", func(r *vision.Regions) { r.Preset = vision.HFFRCNN }, `preset "hf-frcnn", want "butd-caffe"`)
	_, err := WriteStore(dir, StoreOptions{})
	says(t, err, "another program is writing")
	add(t, w, "b", regions(2, 1))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Add("c", regions(1, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	_, err = WriteStore(dir, StoreOptions{Preset: vision.D2MaxNMS, Float32: true, Detector: "x"})
	says(t, err, `preset "butd-caffe", found "d2-maxnms"`, `features of type "F16", found "F32"`, `detector "", found "x"`)
	begun := t.TempDir()
	w = writeStore(t, begun, StoreOptions{})
	add(t, w, "a", regions(1, 1))
	w.Abandon()
	_, err = OpenStore(begun)
	says(t, err, "first shard is not complete", "started again")
	full := t.TempDir()
	write(t, filepath.Join(full, "thesis.tex"), nil)
	_, err = WriteStore(full, StoreOptions{})
	says(t, err, "found thesis.tex", "holds something else")
	_, err = OpenStore(full)
	says(t, err, "is no region store")
}

// Files that were cut off, exchanged or garbled are named, at opening or by Check; reading never goes wrong in
// silence about places.
func TestStoreDamaged(t *testing.T) {
	make := func(t *testing.T) string {
		dir := t.TempDir()
		w := writeStore(t, dir, StoreOptions{})
		for i := range 3 {
			add(t, w, fmt.Sprint("image", i), regions(2, i))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	shard, index := "regions-00001.safetensors", "regions-00001.index"
	for name, c := range map[string]struct {
		file   string
		change func([]byte) []byte
		want   string
	}{
		"shard cut":     {shard, func(b []byte) []byte { return b[:len(b)-1] }, "bytes, want"},
		"shard empty":   {shard, func(b []byte) []byte { return nil }, "no safetensors file"},
		"index cut":     {index, func(b []byte) []byte { return b[:len(b)-1] }, "cut off"},
		"manifest cut":  {ManifestName, func(b []byte) []byte { return b[:len(b)-3] }, "unexpected end"},
		"other version": {ManifestName, func(b []byte) []byte { return []byte(strings.Replace(string(b), `"version": 1`, `"version": 2`, 1)) }, "version: found 2, want 1"},
		"wrong count":   {ManifestName, func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), `"images": 3`, `"images": 4`)) }, "found 3 images, want 4"},
		"path":          {ManifestName, func(b []byte) []byte { return []byte(strings.Replace(string(b), shard, "../"+shard, 1)) }, "want a name in this directory"},
		"wrong type":    {ManifestName, func(b []byte) []byte { return []byte(strings.Replace(string(b), `"F16"`, `"I8"`, 1)) }, `dtype: found "I8"`},
		"wrong sum":     {ManifestName, func(b []byte) []byte { return []byte(strings.Replace(string(b), `"images": 3`, `"images": 4`, 1)) }, "the shards have 3"},
		"wrong width": {ManifestName, func(b []byte) []byte {
			return []byte(strings.Replace(string(b), `"feature_width": 3`, `"feature_width": 0`, 1))
		}, "feature_width: found 0"},
		"another shard":   {shard, func(b []byte) []byte { b[len(b)-1] ^= 0x3c; return b }, "SHA-256"},
		"another index":   {index, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, "is not where the shard has it"},
		"missing image":   {index, func(b []byte) []byte { return b }, "image lost is missing"},
		"features broken": {shard, func(b []byte) []byte { b[len(b)-1] = 0x7c; return b }, "feature of region 1 has NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := make(t)
			path := filepath.Join(dir, c.file)
			write(t, path, c.change(read(t, path)))
			report, err := Check(context.Background(), dir, []string{"image1", "lost"}, nil)
			if err == nil {
				err = errors.Join(report.Faults...)
			}
			says(t, err, c.want)
		})
	}
}

// Readers do not notice that the store grows under them; those who open it later see more.
func TestStoreConcurrent(t *testing.T) {
	dir := t.TempDir()
	w := writeStore(t, dir, StoreOptions{ShardBytes: 2000})
	add(t, w, "0", regions(2, 0))
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir)
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := range 100 {
				if err := w.Add(fmt.Sprint(worker, "-", i), regions(2, i)); err != nil {
					t.Error(err)
				}
			}
		})
		wait.Go(func() {
			for range 100 {
				if got, err := s.Get("0"); err != nil || !reflect.DeepEqual(got, regions(2, 0)) {
					t.Errorf("got %+v, %v", got, err)
				}
				later, err := OpenStore(dir)
				if err != nil {
					t.Error(err)
					return
				}
				for id := range slices.Values(later.IDs()) {
					if _, err := later.Get(id); err != nil {
						t.Error(err)
					}
				}
				later.Close()
			}
		})
	}
	wait.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sound(t, dir, 401)
	s.Close()
	if _, err := s.Get("0"); !errors.Is(err, checkpoint.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// Opening a large store takes neither time nor memory.
func TestStoreLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100,000 images")
	}
	const images = 100_000
	dir := t.TempDir()
	w := writeStore(t, dir, StoreOptions{ShardBytes: 1 << 20})
	for i := range images {
		add(t, w, fmt.Sprintf("COCO_train2014_%012d", i), regions(1, i%20))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	s := openStore(t, dir)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d images in %d shards opened in %v with %d KiB", s.Len(), len(s.shards), took, allocated>>10)
	if s.Len() != images || took > time.Second || allocated > 4<<20 {
		t.Errorf("%d images, %v, %d bytes", s.Len(), took, allocated)
	}
	for i := 0; i < images; i += 997 {
		if got, err := s.Get(fmt.Sprintf("COCO_train2014_%012d", i)); err != nil || got.Features[0] != float32(100*(i%20)) {
			t.Errorf("%d: %v, %v", i, got, err)
		}
	}
}

func BenchmarkStoreRead(b *testing.B) {
	dir := b.TempDir()
	w := writeStore(b, dir, StoreOptions{})
	r := regions(36, 1)
	r.FeatureWidth, r.Features = 2048, make([]float32, 36*2048)
	for i := range r.Features {
		r.Features[i] = float32(i%97) / 7
	}
	for i := range 100 {
		add(b, w, fmt.Sprint(i), r)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	s := openStore(b, dir)
	b.SetBytes(36 * 2048 * 2)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := s.Read(fmt.Sprint(i%100), &r); err != nil {
			b.Fatal(err)
		}
	}
}
