package lxmert_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/scenes"
)

// memory reads a model directory into a file system of its own.
func memory(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fsys[entry.Name()] = &fstest.MapFile{Data: content}
	}
	return fsys
}

// archive packs a directory into a ZIP archive in memory.
func archive(t *testing.T, dir string) *zip.Reader {
	t.Helper()
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOpenFS: from memory, from an archive or from disk, the answers are the same to the bit.
func TestOpenFS(t *testing.T) {
	onDisk, first, second := open(t)
	for name, fsys := range map[string]fs.FS{"memory": memory(t, example), "archive": archive(t, example), "os.DirFS": os.DirFS(example)} {
		m, err := lxmert.OpenFS(fsys)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		defer m.Close()
		if !slices.Equal(m.Labels(), onDisk.Labels()) {
			t.Errorf("%s: answers %v", name, m.Labels())
		}
		for _, q := range []lxmert.Query{{first, "What color is the dog?"}, {second, "Is it raining in the street?"}} {
			want, err := onDisk.Ask(t.Context(), q.Regions, q.Question)
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Ask(t.Context(), q.Regions, q.Question)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %s: got %v, %v, want %v", name, q.Question, got, err, want)
			}
		}
	}
}

func TestOpenStatementsFS(t *testing.T) {
	network, words := fresh(t)
	dir := t.TempDir()
	if err := errors.Join(pretrained.Save(t.Context(), dir, network.Network), words.Save(dir)); err != nil {
		t.Fatal(err)
	}
	onDisk, err := lxmert.OpenStatements(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer onDisk.Close()
	inMemory, err := lxmert.OpenStatementsFS(memory(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	defer inMemory.Close()
	_, left, right := open(t)
	want, err := onDisk.Judge(t.Context(), left, right, "There are two dogs.")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := inMemory.Judge(t.Context(), left, right, "There are two dogs."); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// TestOpenFSRefuses: what is missing or damaged is named, and so is what both tables of answers say.
func TestOpenFSRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(fstest.MapFS)
		want   []string
	}{
		"nothing":      {func(f fstest.MapFS) { clear(f) }, []string{"config.json", "a model directory holds"}},
		"no weights":   {func(f fstest.MapFS) { delete(f, "model.safetensors") }, []string{"looked for model.safetensors"}},
		"cut weights":  {func(f fstest.MapFS) { f["model.safetensors"].Data = f["model.safetensors"].Data[:5000] }, []string{"model.safetensors: "}},
		"no tokenizer": {func(f fstest.MapFS) { delete(f, "tokenizer.json"); delete(f, "vocab.txt") }, []string{"neither tokenizer.json nor vocab.txt"}},
		"bad vocab": {func(f fstest.MapFS) { delete(f, "tokenizer.json"); f["vocab.txt"].Data = []byte("red\n") },
			[]string{"vocab.txt: ", "[UNK]"}},
		"few answers":   {func(f fstest.MapFS) { f["labels.json"] = &fstest.MapFile{Data: []byte(`["yes","no"]`)} }, []string{"labels.json: 2 answers, but the model scores 22"}},
		"broken labels": {func(f fstest.MapFS) { f["labels.json"] = &fstest.MapFile{Data: []byte(`["yes"`)} }, []string{"labels.json: "}},
		"a directory":   {func(f fstest.MapFS) { f["config.json"].Mode = fs.ModeDir | 0o755 }, []string{"config.json is no plain file"}},
	} {
		fsys := memory(t, example)
		test.change(fsys)
		_, err := lxmert.OpenFS(fsys)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", name, want, err)
			}
		}
	}
}

// TestShipped: the models inside the module open, and say which regions they know.
func TestShipped(t *testing.T) {
	img := scenes.New(1).Draw()
	regions, err := scenes.Detector{}.Extract(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	m, err := lxmert.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if answers, err := m.Ask(t.Context(), regions, "What color is the car?"); err != nil || len(answers) != len(m.Labels()) {
		t.Errorf("%d answers, %v", len(answers), err)
	}
	s, err := lxmert.ShippedStatements(lxmert.WithMaxTokens(16))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if verdict, err := s.Judge(t.Context(), regions, regions, "There is a red car."); err != nil || !(verdict.Probability >= 0 && verdict.Probability <= 1) {
		t.Errorf("%+v, %v", verdict, err)
	}
	for name, config := range map[string]*model.Config{"questions": m.Config(), "statements": s.Config()} {
		if preset := pretrained.Preset(config); preset != scenes.Preset {
			t.Errorf("%s: preset %q, want %q", name, preset, scenes.Preset)
		}
	}
}
