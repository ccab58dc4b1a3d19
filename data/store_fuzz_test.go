package data

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/vision"
)

// smallStore is a store of three images, and the names of its shard and index.
func smallStore(t testing.TB) (dir, shard, index string) {
	t.Helper()
	dir = t.TempDir()
	w := writeStore(t, dir, StoreOptions{})
	for i, id := range []string{"a", "b", "c"} {
		add(t, w, id, regions(1+i, i))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "regions-00001.safetensors"), filepath.Join(dir, "regions-00001.index")
}

// Whatever an index says, nothing outside of the shard is read, and regions that come out are sound.
func FuzzStoreIndex(f *testing.F) {
	dir, _, index := smallStore(f)
	f.Add(read(f, index))
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(index, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := OpenStore(dir)
		if err != nil {
			return
		}
		defer s.Close()
		for record, err := range s.All() {
			if err == nil && record.Regions.Check(3, 4) != nil {
				t.Errorf("%q: %+v", record.ID, record.Regions)
			}
		}
		s.Has("a")
	})
}

// A shard with a foreign header, or bytes that are no regions, is an error.
func FuzzStoreShard(f *testing.F) {
	dir, shard, _ := smallStore(f)
	f.Add(read(f, shard))
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(shard, content, 0o600); err != nil {
			t.Fatal(err)
		}
		raw, err := checkpoint.OpenRaw(shard)
		if err != nil {
			return
		}
		if parts, _, err := raw.Parts(); err == nil {
			if images, err := indexOf(parts, 3, checkpoint.F16); err == nil {
				if _, err := indexTensors(images); err != nil {
					t.Logf("%v", err)
				}
			}
		}
		raw.Close()
		s, err := OpenStore(dir)
		if err != nil {
			return
		}
		defer s.Close()
		for record, err := range s.All() {
			if err == nil && record.Regions.Check(3, 4) != nil {
				t.Errorf("%q: %+v", record.ID, record.Regions)
			}
		}
	})
}

// No manifest makes the parser panic; what it accepts is written and read the same.
func FuzzManifest(f *testing.F) {
	dir, _, _ := smallStore(f)
	f.Add(read(f, filepath.Join(dir, ManifestName)))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := ParseManifest(content)
		if err != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseManifest(again); err != nil {
			t.Errorf("%s: %v", again, err)
		}
		for _, s := range m.Shards {
			if s.File != filepath.Base(s.File) {
				t.Errorf("file %q leaves the directory", s.File)
			}
		}
	})
}

// Whatever a journal says, a writer goes on, and the store is sound in the end.
func FuzzJournal(f *testing.F) {
	dir := f.TempDir()
	w := writeStore(f, dir, StoreOptions{})
	add(f, w, "a", regions(1, 1))
	add(f, w, "b", regions(2, 2))
	w.Abandon()
	journal := filepath.Join(dir, "regions-00001.journal")
	partial := filepath.Join(dir, "regions-00001.safetensors"+checkpoint.PartialSuffix)
	content := read(f, partial)
	f.Add(read(f, journal))
	f.Add(bytes.ReplaceAll(read(f, journal), []byte(`"begin":0`), []byte(`"begin":9`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "regions-00001.journal"), text)
		write(t, filepath.Join(dir, "regions-00001.safetensors"+checkpoint.PartialSuffix), content)
		w, err := WriteStore(dir, StoreOptions{})
		if err != nil {
			return // another width or type
		}
		defer w.Abandon()
		if err := w.Add("new", regions(1, 3)); err != nil {
			return
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		s := openStore(t, dir)
		for record, err := range s.All() {
			if err != nil {
				t.Errorf("%q: %v", record.ID, err)
			}
		}
	})
}

// No archive makes the reader panic, and regions that come out are sound.
func FuzzNPZ(f *testing.F) {
	f.Add(npz(f, milvlg()))
	path := filepath.Join(f.TempDir(), "x.npz")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, _, err := readNPZ(path); err == nil && (r.Len() == 0 || r.Len() > vision.MaxRegions || r.Check(r.FeatureWidth, 4) != nil) {
			t.Errorf("%+v", r)
		}
	})
}

// Whatever the manifests of parts say, what is assembled of them is a manifest, and files of other directories are not touched.
func FuzzPartManifest(f *testing.F) {
	dir := f.TempDir()
	for i := range 2 {
		w, err := WritePart(dir, Part{i, 2}, StoreOptions{})
		if err != nil {
			f.Fatal(err)
		}
		for _, id := range []string{"a", "b", "c"} {
			if w.part.Has(id) {
				add(f, w, id, regions(2, 1))
			}
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
	}
	first := read(f, filepath.Join(dir, "part-00000-of-00002.json"))
	other, err := ParsePartManifest(read(f, filepath.Join(dir, "part-00001-of-00002.json")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(first)
	f.Add(bytes.ReplaceAll(first, []byte("00000-of-00002"), []byte("../x")))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := ParsePartManifest(content)
		if err != nil {
			return
		}
		whole, err := JoinParts("x", []PartManifest{other, m})
		if err != nil {
			return
		}
		text, err := whole.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseManifest(text); err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
	})
}
