package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

// TestPartOf: which part an image is in may never change.
func TestPartOf(t *testing.T) {
	for id, want := range map[string][4]int{ // of 2, 3, 8 and 1000 parts; from Python's hashlib
		"COCO_val2014_000000000042": {1, 0, 7, 575},
		"s1-000000":                 {0, 0, 6, 246},
		"train/Bär":                 {0, 0, 6, 398},
		"":                          {0, 1, 4, 652},
	} {
		got := [4]int{PartOf(id, 2), PartOf(id, 3), PartOf(id, 8), PartOf(id, 1000)}
		if got != want {
			t.Errorf("%q: parts %v, want %v", id, got, want)
		}
	}
	if PartOf("x", 1) != 0 || PartOf("x", 0) != 0 || PartOf("x", -1) != 0 || !(Part{}).Has("x") {
		t.Error("what is not divided is in part 0")
	}
	var count [7]int
	for i := range 7000 {
		count[PartOf(fmt.Sprintf("%012d", i), len(count))]++
	}
	for i, n := range count {
		if n < 850 || n > 1150 {
			t.Errorf("part %d has %d of 7000 images", i, n)
		}
	}
}

func TestParsePart(t *testing.T) {
	for text, want := range map[string]Part{"0/1": {0, 1}, "3/8": {3, 8}, "99999/100000": {99999, 100000}} {
		got, err := ParsePart(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		if back, ok := ParsePartSuffix(got.FileSuffix()); !ok || back != got {
			t.Errorf("%s: %s is %v", text, got.FileSuffix(), back)
		}
		if back := partOfFile(got.shardPrefix() + "00001.safetensors"); back != got {
			t.Errorf("%s: its shard is part %v's", text, back)
		}
	}
	for text, want := range map[string]string{
		"": "want i/n", "3": "want i/n", "3/": "want i/n", "a/8": "want i/n", "1/2/3": "want i/n", "8/8": "parts count from 0", "-1/8": "parts count from 0",
		"0/0": "0 parts", "0/100001": "100001 parts", "1e3/8": "want i/n",
	} {
		if _, err := ParsePart(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"part-3-of-8", "part-00008-of-00008", "part-00003-of-00008.json", "part-00003-of-00008-", "part-0000003-of-00008",
		"part-+0003-of-00008"} {
		if p, ok := ParsePartSuffix(text); ok {
			t.Errorf("%s is taken for %v", text, p)
		}
	}
	for _, name := range []string{"regions-00001.safetensors", "manifest.json", "part-00003-of-00008.jsonl", "regions-00003-of-00008", "x"} {
		if p := partOfFile(name); !p.IsZero() {
			t.Errorf("%s is taken for one of %v", name, p)
		}
	}
}

func writePart(t *testing.T, dir string, part Part, options StoreOptions) *StoreWriter {
	t.Helper()
	w, err := WritePart(dir, part, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Abandon)
	return w
}

// fill adds those of n images that belong to the part and are not there.
func fill(t *testing.T, w *StoreWriter, n int) {
	t.Helper()
	for i := range n {
		if id := fmt.Sprint(i); w.part.Has(id) && !w.Has(id) {
			add(t, w, id, regions(2, i%50))
		}
	}
}

// byPreset are regions by a detector.
func byPreset(preset string) vision.Regions {
	r := regions(2, 1)
	r.Preset = preset
	return r
}

// contents are the files of a directory that do not begin with a dot.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name()[0] != '.' {
			content, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all[e.Name()] = string(content)
		}
	}
	return all
}

// Parts that are written at the same time make a store that has what an undivided one has, and the same bytes each time.
func TestParts(t *testing.T) {
	const n, images = 5, 300
	options := StoreOptions{ShardBytes: 2 << 10}
	var before map[string]string
	for round := range 2 {
		dir := filepath.Join(t.TempDir(), "store")
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				part := Part{i, n}
				w, err := WritePart(dir, part, options)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range images {
					if id := fmt.Sprint(i); part.Has(id) {
						if err := w.Add(id, regions(2, i%50)); err != nil {
							t.Error(err)
						}
					}
				}
				if err := w.Close(); err != nil {
					t.Error(err)
				}
				if _, _, err := AssembleAfter(dir, part); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		sound(t, dir, images)
		s := openStore(t, dir)
		for i := range images {
			if got, err := s.Get(fmt.Sprint(i)); err != nil || got.Objects[0].ID != i%50 {
				t.Fatalf("image %d: %v", i, err)
			}
		}
		if s.Has("300") {
			t.Error("it has an image that was never added")
		}
		if m := s.Manifest(); m.Parts != n || len(m.Shards) < 2*n || len(s.IDs()) != images {
			t.Errorf("%d parts, %d shards, %d ids", m.Parts, len(m.Shards), len(s.IDs()))
		}
		got := contents(t, dir)
		if round > 0 && !reflect.DeepEqual(got, before) {
			t.Error("the second time the files differ")
		}
		before = got
	}
}

// One part of one is the store, shard for shard.
func TestPartOfOne(t *testing.T) {
	whole, one := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "one")
	w := writeStore(t, whole, StoreOptions{})
	p := writePart(t, one, Part{0, 1}, StoreOptions{})
	for _, w := range []*StoreWriter{w, p} {
		fill(t, w, 20)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Assemble(one); err != nil {
		t.Fatal(err)
	}
	if contents(t, whole)["regions-00001.safetensors"] != contents(t, one)["regions-00000-of-00001-00001.safetensors"] {
		t.Error("the shards differ")
	}
}

// TestPartsEmpty: a part may have no image, but not all of them.
func TestPartsEmpty(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		if err := writePart(t, dir, Part{i, 3}, StoreOptions{}).Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Assemble(dir); !errors.Is(err, ErrNoImages) {
		t.Errorf("nothing but empty parts: %v", err)
	}
	w := writePart(t, dir, Part{PartOf("x", 3), 3}, StoreOptions{Preset: "p"})
	add(t, w, "x", byPreset("p"))
	if _, err := Assemble(dir); err == nil || !strings.Contains(err.Error(), "not complete") {
		t.Errorf("while a part is added to: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if m, err := Assemble(dir); err != nil || m.Images != 1 || m.Preset != "p" {
		t.Errorf("%+v, %v", m, err)
	}
	sound(t, dir, 1)
}

func TestPartsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	for i := range 2 {
		w := writePart(t, dir, Part{i, 3}, StoreOptions{})
		fill(t, w, 30)
		if i == 0 {
			if _, err := WritePart(dir, Part{0, 3}, StoreOptions{}); err == nil || !strings.Contains(err.Error(), "part 0/3: another program is writing") {
				t.Errorf("a second writer: %v", err)
			}
			if _, err := OpenStore(dir); err == nil || !strings.Contains(err.Error(), "written in 3 parts and has not been assembled") {
				t.Errorf("a reader: %v", err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var unfinished *UnfinishedError
	if _, err := Assemble(dir); !errors.As(err, &unfinished) || err.Error() != dir+": of 3 parts 2/3 is missing" {
		t.Errorf("%v", err)
	}
	if _, ok, err := AssembleAfter(dir, Part{1, 3}); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	refused := func(what string, part Part, options StoreOptions, want string) {
		t.Helper()
		if _, err := WritePart(dir, part, options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	before := contents(t, dir)
	refused("another division", Part{2, 4}, StoreOptions{}, "found a store of 3 parts, want part 2/4")
	refused("another type", Part{2, 3}, StoreOptions{Float32: true}, `features of type "F16", found "F32"`)
	refused("another detector", Part{2, 3}, StoreOptions{Detector: "x"}, `part 0/3: the store has detector "", found "x"`)
	refused("no part", Part{3, 3}, StoreOptions{}, "parts count from 0")
	if _, err := WriteStore(dir, StoreOptions{}); err == nil || !strings.Contains(err.Error(), "written in 3 parts") {
		t.Errorf("a whole store: %v", err)
	}
	if !reflect.DeepEqual(contents(t, dir), before) {
		t.Error("who was refused has left something")
	}
	w := writePart(t, dir, Part{2, 3}, StoreOptions{})
	if err := w.Add("0", regions(2, 1)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("belongs to part %d/3", PartOf("0", 3))) {
		t.Errorf("an image of another part: %v", err)
	}
	fill(t, w, 30)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := AssembleAfter(dir, Part{2, 3}); !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	assembled := contents(t, dir)
	if _, err := Assemble(dir); err != nil || !reflect.DeepEqual(contents(t, dir), assembled) {
		t.Errorf("assembled twice: %v", err)
	}

	// A part is added to: the store that was there stays until all is complete again.
	w = writePart(t, dir, Part{2, 3}, StoreOptions{})
	fill(t, w, 60)
	w.Abandon()
	sound(t, dir, 30)
	if _, err := Assemble(dir); err == nil || !strings.Contains(err.Error(), "2/3 is not complete") {
		t.Errorf("%v", err)
	}
	for i := range 3 {
		w := writePart(t, dir, Part{i, 3}, StoreOptions{})
		fill(t, w, 60)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Assemble(dir); err != nil {
		t.Fatal(err)
	}
	sound(t, dir, 60)

	// What was copied together and does not fit.
	os.Remove(filepath.Join(dir, "regions-00001-of-00003-00001.safetensors"))
	if _, err := Assemble(dir); err == nil || !strings.Contains(err.Error(), "part 1/3: ") {
		t.Errorf("a shard is missing: %v", err)
	}
	os.Remove(filepath.Join(dir, "part-00000-of-00003.json"))
	refused("a part without its manifest", Part{0, 3}, StoreOptions{}, "its part-00000-of-00003.json is missing")
	refused("a part without a shard", Part{1, 3}, StoreOptions{}, "regions-00001-of-00003-00001.safetensors")
}

// TestPartsDiffer: parts that were written apart from each other are compared when they are put together.
func TestPartsDiffer(t *testing.T) {
	dir := t.TempDir()
	for i, preset := range []string{"a", "a", "b"} {
		own := t.TempDir()
		w := writePart(t, own, Part{i, 3}, StoreOptions{})
		for id := range 40 {
			if w.part.Has(fmt.Sprint(id)) {
				add(t, w, fmt.Sprint(id), byPreset(preset))
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for name, content := range contents(t, own) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := Assemble(dir); err == nil || !strings.Contains(err.Error(), `part 2/3 has preset "b", want "a" as part 0/3`) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "part-00000-of-00004.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Assemble(dir); err == nil || !strings.Contains(err.Error(), "found part 0/3 and part 0/4") {
		t.Errorf("%v", err)
	}
}

// TestTSVParts: a TSV in parts is put together of them, and a part that is added to makes it anew.
func TestTSVParts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.tsv")
	about := TSVAbout{Preset: "p", FeatureWidth: byPreset("p").FeatureWidth}
	part := func(i, n, images int) error {
		w, err := AppendTSVPart(path, Part{i, n}, about)
		if err != nil {
			return err
		}
		defer w.Abandon()
		for id := range images {
			if id := fmt.Sprint(id); (Part{i, n}).Has(id) && !w.Has(id) {
				if err := w.Add(id, byPreset("p")); err != nil {
					return err
				}
			}
		}
		return w.Close()
	}
	for i := range 2 {
		if err := part(i, 3, 40); err != nil {
			t.Fatal(err)
		}
	}
	says := func(what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	_, err := AssembleTSV(path)
	says("a part is missing", err, "of 3 parts 2/3 is missing")
	says("another division", part(1, 4, 40), "found a file of 3 parts, want part 1/4")
	_, err = AppendTSV(path, about)
	says("undivided", err, "written in 3 parts")
	if _, ok, err := AssembleTSVAfter(path, Part{1, 3}); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	for _, images := range []int{40, 60} {
		for i := range 3 {
			if err := part(i, 3, images); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if about, ok, err := AssembleTSVAfter(path, Part{2, 3}); !ok || err != nil || about.Images != images {
				t.Fatalf("%v, %+v, %v", ok, about, err)
			}
		}
		tsv, err := OpenTSV(path)
		if err != nil {
			t.Fatal(err)
		}
		defer tsv.Close()
		if r, err := tsv.Get("7"); err != nil || tsv.Len() != images || r.Preset != "p" {
			t.Errorf("%d images, %v", tsv.Len(), err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	joined := ""
	for i := range 3 {
		joined += string(read(t, PartPath(path, Part{i, 3})))
	}
	if joined != string(whole) {
		t.Error("the TSV is not its parts, one after the other")
	}

	about.Preset = "q"
	says("another preset", part(0, 3, 40), `preset "p", found "q"`)
	about.Preset = "p"
	if err := os.Truncate(PartPath(path, Part{1, 3}), 100); err != nil {
		t.Fatal(err)
	}
	_, err = AssembleTSV(path)
	says("cut off", err, "found 100 bytes")
	for i := range 3 {
		os.Remove(PartPath(path, Part{i, 3}))
	}
	says("the parts are gone", part(0, 3, 40), "is no longer there")
	_, err = AppendTSV(path, about)
	says("added to", err, "assembled of 3 parts")
}
