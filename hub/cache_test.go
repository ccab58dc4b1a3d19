package hub

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pythonCache lays a cache out by hand as huggingface_hub 1.29 does after from_pretrained: only what transformers asked for is there.
func pythonCache(t *testing.T, root string) (repo string) {
	t.Helper()
	repo = filepath.Join(root, "models--some-org--tiny.model")
	files := tinyModel("old")
	for _, name := range []string{"config.json", "vocab.txt", "pytorch_model.bin"} {
		etag := gitHash(files[name])
		if name == "pytorch_model.bin" {
			etag = contentSHA256(files[name])
		}
		write(t, filepath.Join(repo, "blobs", etag), files[name])
		link := filepath.Join(repo, "snapshots", oldCommit, name)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("..", "..", "blobs", etag), link); err != nil {
			t.Skipf("this system has no links: %v", err)
		}
	}
	write(t, filepath.Join(repo, "refs", "main"), oldCommit)
	write(t, filepath.Join(repo, ".no_exist", oldCommit, "tokenizer.json"), "")
	write(t, filepath.Join(root, "CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55")
	write(t, filepath.Join(repo, "trees", oldCommit+".json"), "{}")
	return repo
}

// TestPythonCache: what Python has downloaded is found.
func TestPythonCache(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	pythonCache(t, d.Cache)
	before := tree(t, d.Cache)
	d.Offline = true
	got := d.pull(t, testRepo)
	if want := []string{"config.json", "vocab.txt", "pytorch_model.bin"}; got.Commit != oldCommit || !slices.Equal(got.Files, want) {
		t.Errorf("found %+v, want %v", got, want)
	}
	sameTree(t, tree(t, d.Cache), before)

	d.Offline = false
	s.commits[newCommit] = tinyModel("old")
	delete(s.commits[newCommit], "model.safetensors")
	delete(s.commits[newCommit], "tokenizer_config.json")
	s.branches["main"] = newCommit
	if next := d.pull(t, testRepo); next.Bytes != 0 || next.Commit != newCommit {
		t.Errorf("of a commit with the same content %d bytes were downloaded: %+v", next.Bytes, next)
	}
}

// TestPartOfPythonCache: a snapshot that Python has only a part of is filled up, a link to nowhere is replaced.
func TestPartOfPythonCache(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	repo := pythonCache(t, d.Cache)
	if err := os.Remove(filepath.Join(repo, "blobs", gitHash(tinyModel("old")["vocab.txt"]))); err != nil {
		t.Fatal(err)
	}
	got := d.pull(t, testRepo)
	if content, err := os.ReadFile(filepath.Join(got.Dir, "vocab.txt")); err != nil || string(content) != "[PAD]\n[UNK]\n" {
		t.Errorf("vocab.txt: %q, %v", content, err)
	}
	if _, err := os.Readlink(filepath.Join(got.Dir, "vocab.txt")); err != nil {
		t.Errorf("a link to nowhere became a copy: %v", err)
	}
	if len(s.requests("GET", "/config.json")) > 0 {
		t.Error("config.json was asked for though it is there")
	}
}

// TestNoRefs: caches of programs that write no refs/.
func TestNoRefs(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	repo := pythonCache(t, d.Cache)
	if err := os.RemoveAll(filepath.Join(repo, "refs")); err != nil {
		t.Fatal(err)
	}
	d.Offline = true
	if got := d.pull(t, testRepo); got.Commit != oldCommit || len(d.notes) != 1 || !strings.Contains(d.notes[0], "which one main is") {
		t.Errorf("found %+v, notes %q", got, d.notes)
	}
	d.fails(t, testRepo+"@v1", ErrNotCached, "nothing of revision v1", oldCommit)
	write(t, filepath.Join(repo, "refs", "main"), "../../somewhere")
	d.pull(t, testRepo)
}

// TestWithoutLinks: the files are there under both names.
func TestWithoutLinks(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	t.Setenv("HF_HUB_DISABLE_SYMLINKS", "1")
	got := d.pull(t, testRepo)
	for name, content := range tree(t, got.Dir) {
		if content != s.commits[oldCommit][name] {
			t.Errorf("%s: %.40q", name, content)
		}
	}
	if len(tree(t, got.Dir)) != 4 || len(tree(t, filepath.Join(d.Cache, "models--some-org--tiny.model", "blobs"))) != 4 {
		t.Error("want four files, and their blobs")
	}
	d.Offline = true
	d.pull(t, testRepo)
}

func TestNestedFile(t *testing.T) {
	c := newRepoCache(t.TempDir(), testRepo)
	etag := gitHash("x")
	write(t, c.blob(etag), "x")
	if err := c.place(etag, oldCommit, "deep/er/file", false); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(c.file(oldCommit, "deep/er/file")); err != nil || string(content) != "x" {
		t.Errorf("found %q, %v", content, err)
	}
	if target, err := os.Readlink(c.file(oldCommit, "deep/er/file")); err == nil && filepath.ToSlash(target) != "../../../../blobs/"+etag {
		t.Errorf("the link goes to %s", target)
	}
}
