package hub

import (
	"context"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestLayout compares all that a download leaves with what huggingface_hub would, file by file.
func TestLayout(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	snapshot := d.pull(t, testRepo)
	files := s.commits[oldCommit]
	want := map[string]string{"models--some-org--tiny.model/refs/main": oldCommit, "CACHEDIR.TAG": backupNote}
	for _, name := range []string{"config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"} {
		etag := gitHash(files[name])
		if name == "model.safetensors" {
			etag = contentSHA256(files[name])
		}
		want["models--some-org--tiny.model/blobs/"+etag] = files[name]
		want["models--some-org--tiny.model/snapshots/"+oldCommit+"/"+name] = "→ ../../blobs/" + etag
		want[".locks/models--some-org--tiny.model/"+etag+".lock"] = ""
	}
	for _, name := range []string{"tokenizer.json", "special_tokens_map.json", "added_tokens.json", "labels.json", "trained.json",
		"model.safetensors.index.json", "pytorch_model.bin.index.json", "tf_model.h5"} {
		want["models--some-org--tiny.model/.no_exist/"+oldCommit+"/"+name] = ""
	}
	if runtime.GOOS != "windows" { // there links want privileges
		sameTree(t, tree(t, d.Cache), want)
	}
	if snapshot.Commit != oldCommit || snapshot.Revision != "main" || snapshot.Repo != testRepo || snapshot.Labels != "" ||
		snapshot.Dir != filepath.Join(d.Cache, "models--some-org--tiny.model", "snapshots", oldCommit) {
		t.Errorf("found %+v", snapshot)
	}
	if want := []string{"config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"}; !slices.Equal(snapshot.Files, want) {
		t.Errorf("files: found %v, want %v", snapshot.Files, want)
	}
	total := 0
	for _, name := range snapshot.Files {
		total += len(files[name])
	}
	if snapshot.Bytes != int64(total) {
		t.Errorf("found %d bytes, want %d", snapshot.Bytes, total)
	}
	if len(d.notes) > 0 {
		t.Errorf("notes: %q", d.notes)
	}
}

func sameTree(t *testing.T, found, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got, ok := found[name]; !ok {
			t.Errorf("%s is missing", name)
		} else if got != want[name] {
			t.Errorf("%s: found %.80q, want %.80q", name, got, want[name])
		}
	}
	for name := range found {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: nobody expects it", name)
		}
	}
}

// TestAgain: what is there is not asked for again, what has changed is, and equal content is shared.
func TestAgain(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	d.pull(t, testRepo)
	s.forget()
	if again := d.pull(t, testRepo); again.Bytes != 0 || len(s.requests()) != 1 {
		t.Errorf("the second time: %d bytes, requests %v; want the listing alone", again.Bytes, s.requests())
	}
	s.forget()
	if at := d.pull(t, testRepo+"@"+oldCommit); at.Dir != d.pull(t, testRepo).Dir || len(s.requests(oldCommit)) != 0 {
		t.Errorf("a commit that is there: requests %v, want none", s.requests())
	}
	s.commits[newCommit] = tinyModel("old")
	s.commits[newCommit]["config.json"] = "{ }"
	s.branches["main"] = newCommit
	s.forget()
	next := d.pull(t, testRepo)
	if next.Commit != newCommit || next.Bytes != 3 {
		t.Errorf("the next commit: %+v; want the 3 bytes of config.json", next)
	}
	if got := tree(t, d.Cache)["models--some-org--tiny.model/refs/main"]; got != newCommit {
		t.Errorf("refs/main is %q", got)
	}
	if content, err := os.ReadFile(filepath.Join(next.Dir, "vocab.txt")); err != nil || string(content) != "[PAD]\n[UNK]\n" {
		t.Errorf("vocab.txt: %q, %v", content, err)
	}
}

func TestRevisions(t *testing.T) {
	s := newStandIn(t)
	s.commits[newCommit] = tinyModel("new")
	s.branches["refs/pr/1"] = newCommit
	d := s.desk(t)
	if got := d.pull(t, testRepo+"@refs/pr/1"); got.Commit != newCommit {
		t.Errorf("refs/pr/1 is %s", got.Commit)
	}
	if got := tree(t, d.Cache)["models--some-org--tiny.model/refs/refs/pr/1"]; got != newCommit {
		t.Errorf("refs/refs/pr/1 is %q", got)
	}
	d.Revision = oldCommit
	if got := d.pull(t, testRepo); got.Commit != oldCommit {
		t.Errorf("the option's revision is %s", got.Commit)
	}
	d.fails(t, testRepo+"@main", nil, "which is it")
}

// TestChoice: one set of weights, the best there is.
func TestChoice(t *testing.T) {
	index := `{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}}`
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"shards", map[string]string{"model.safetensors.index.json": index, "model-1.safetensors": "1", "model-2.safetensors": "2", "pytorch_model.bin": "p"},
			[]string{"config.json", "model.safetensors.index.json", "model-1.safetensors", "model-2.safetensors"}},
		{"pickle", map[string]string{"pytorch_model.bin": "p", "tf_model.h5": "t"}, []string{"config.json", "pytorch_model.bin"}},
		{"pickled shards", map[string]string{"pytorch_model.bin.index.json": strings.ReplaceAll(index, "safetensors", "bin"), "model-1.bin": "1", "model-2.bin": "2"},
			[]string{"config.json", "pytorch_model.bin.index.json", "model-1.bin", "model-2.bin"}},
		{"tensorflow", map[string]string{"tf_model.h5": "t", "flax_model.msgpack": "f"}, []string{"config.json", "tf_model.h5"}},
		{"everything", map[string]string{"tokenizer.json": "{}", "labels.json": "[]", "special_tokens_map.json": "{}", "model.safetensors": "s", "model.safetensors.index.json": "?"},
			[]string{"config.json", "tokenizer.json", "special_tokens_map.json", "labels.json", "model.safetensors"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStandIn(t)
			c.files["config.json"] = "{ }"
			s.commits[oldCommit] = c.files
			d := s.desk(t)
			snapshot := d.pull(t, testRepo)
			if !slices.Equal(snapshot.Files, c.want) {
				t.Errorf("found %v, want %v", snapshot.Files, c.want)
			}
			d.Offline = true
			offline := d.pull(t, testRepo)
			if !slices.Equal(slices.Sorted(slices.Values(offline.Files)), slices.Sorted(slices.Values(c.want))) || offline.Dir != snapshot.Dir {
				t.Errorf("offline: found %v, want %v", offline.Files, c.want)
			}
		})
	}
}

func TestWithoutWeights(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	d.WithoutWeights = true
	if got := d.pull(t, testRepo); slices.Contains(got.Files, "model.safetensors") || len(s.requests("safetensors")) > 0 {
		t.Errorf("found %v", got.Files)
	}
	d.Offline = true
	d.pull(t, testRepo)
	d.WithoutWeights = false
	d.fails(t, testRepo, ErrNotCached, "lacks [weights (model.safetensors", "offline was asked for")
}

// TestProgress: bytes only grow, end at the whole, and are called for by one at a time.
func TestProgress(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	done := map[string]int64{}
	var last Progress
	inside := false
	d.Progress = func(p Progress) {
		if inside {
			t.Error("two calls at once")
		}
		inside = true
		defer func() { inside = false }()
		if p.Done < done[p.File] || p.Done > p.Of || p.AllDone > p.All || p.AllDone < last.AllDone {
			t.Errorf("found %+v after %+v", p, last)
		}
		done[p.File], last = p.Done, p
	}
	d.pull(t, testRepo)
	for name, n := range done {
		if want := int64(len(s.commits[oldCommit][name])); n != want {
			t.Errorf("%s ends at %d, want %d", name, n, want)
		}
	}
	if len(done) != 4 || last.AllDone != last.All {
		t.Errorf("found %v, %+v", done, last)
	}
}

// TestToken: it goes to the hub, also behind a redirect there; that it goes nowhere else the stand-in's store sees to.
func TestToken(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	d.Token = "hf_secret"
	without := 0
	s.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if !strings.HasPrefix(r.URL.Path, "/store/") && r.Header.Get("Authorization") != "Bearer hf_secret" {
			without++
		}
		return false
	}
	d.pull(t, testRepo)
	if without > 0 || len(s.requests("GET /store/")) == 0 || len(s.requests("/api/resolve-cache/")) == 0 {
		t.Errorf("%d requests to the hub without the token; %v", without, s.requests())
	}
}

func TestResolve(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	t.Chdir(t.TempDir())
	write(t, filepath.FromSlash("some-org/tiny.model/config.json"), "{}")
	dir, err := Resolve(context.Background(), testRepo, d.Options)
	if err != nil || dir != testRepo || len(s.requests()) > 0 {
		t.Errorf("a directory that is called like a model: %q, %v, %v", dir, err, s.requests())
	}
	for _, path := range []string{"./some-org/other", "/some-org/other", "../x/y", "nothing", "a/b/c", "~/models/x", "", "runs/last/", `runs\last`, "a--b/c", "snap/BEST.pth", "vqa/model.safetensors"} {
		_, err := Resolve(context.Background(), path, d.Options)
		wantError(t, err, os.ErrNotExist)
	}
	if len(s.requests()) > 0 {
		t.Errorf("paths made requests: %v", s.requests())
	}
	_, err = Resolve(context.Background(), "some-org/other", d.Options)
	wantError(t, err, ErrNotFound, "some-org/other is no directory here", "HF_TOKEN")
	if err := os.RemoveAll("some-org"); err != nil {
		t.Fatal(err)
	}
	if dir, err = Resolve(context.Background(), testRepo, d.Options); err != nil || !strings.HasSuffix(dir, oldCommit) {
		t.Errorf("a name: %q, %v", dir, err)
	}
}

// TestDetector: a detector has config.yaml in place of config.json, and no words.
func TestDetector(t *testing.T) {
	s := newStandIn(t)
	s.commits[oldCommit] = map[string]string{"config.yaml": "version: 2", "pytorch_model.bin": "weights", "objects_vocab.txt": "cat", "notes.txt": "no part of it"}
	d := s.desk(t)
	want := []string{"config.yaml", "objects_vocab.txt", "pytorch_model.bin"}
	if got := d.pull(t, testRepo); !slices.Equal(got.Files, want) {
		t.Errorf("files: found %v, want %v", got.Files, want)
	}
	d.Offline = true
	if got := d.pull(t, testRepo); !slices.Equal(got.Files, want) {
		t.Errorf("from the cache: found %v, want %v", got.Files, want)
	}
}
