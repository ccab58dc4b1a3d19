package plainfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// TestDir: a directory on disk and one in a file system read alike, and name files by their paths.
func TestDir(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "sub", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "sub", "file"), []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	memory := fstest.MapFS{"sub/file": {Data: []byte("12345")}, "sub/deep": {Mode: fs.ModeDir | 0o755}}
	for name, dir := range map[string]Dir{"disk": OnDisk(filepath.Join(root, "sub")), "memory": In(memory, "sub"), "os.DirFS": In(os.DirFS(root), "sub")} {
		if content, err := dir.Read("file", 5); err != nil || string(content) != "12345" {
			t.Errorf("%s: got %q, %v", name, content, err)
		}
		if _, err := dir.Read("file", 4); err == nil || !strings.Contains(err.Error(), dir.Path("file")+" has more than 4 bytes") {
			t.Errorf("%s: one byte too many: %v", name, err)
		}
		if _, err := dir.Read("deep", 5); err == nil || !strings.Contains(err.Error(), dir.Path("deep")+" is no plain file") {
			t.Errorf("%s: a directory: %v", name, err)
		}
		if _, err := dir.Open("nothing"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir.Path("nothing")) {
			t.Errorf("%s: nothing: %v", name, err)
		}
		if entries, err := dir.Entries(); err != nil || len(entries) != 2 || entries[1].Name() != "file" {
			t.Errorf("%s: %v, %v", name, entries, err)
		}
	}
}
