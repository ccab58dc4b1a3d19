package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/memfs"
)

// Files behave the same wherever they are.
func TestFiles(t *testing.T) {
	ctx := t.Context()
	for _, dir := range []string{filepath.Join(t.TempDir(), "a", "b"), "memfs://a/b"} {
		path := Join(dir, "x.txt")
		if found, err := In(ctx, dir, "*"); err != nil || len(found) != 0 {
			t.Errorf("%s: %q, %v", dir, found, err)
		}
		if _, err := Read(ctx, path, 10); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want ErrNotExist", path, err)
		}
		if err := errors.Join(Remove(ctx, path), Write(ctx, path, []byte("one")), Write(ctx, path, []byte("two"))); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(ctx, path, 3); string(got) != "two" || err != nil {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		if _, err := Read(ctx, path, 2); err == nil || !strings.Contains(err.Error(), "bytes") {
			t.Errorf("%s: %v", path, err)
		}
		if n, err := Size(ctx, path); n != 3 || err != nil {
			t.Errorf("%s: %d bytes, %v", path, n, err)
		}
		if ok, err := Has(ctx, path); !ok || err != nil {
			t.Errorf("%s: %v, %v", path, ok, err)
		}
		local := filepath.Join(t.TempDir(), "y")
		if err := Fetch(ctx, path, local); err != nil {
			t.Fatal(err)
		}
		if err := Put(ctx, local, Join(dir, "y.txt")); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(local); err == nil {
			t.Error("what was put is still here")
		}
		found, err := In(ctx, dir, "*.txt")
		if err != nil || len(found) != 2 || Base(found[1]) != "y.txt" {
			t.Errorf("%q, %v", found, err)
		}
		if err := Remove(ctx, path); err != nil {
			t.Fatal(err)
		}
		if ok, err := Has(ctx, path); ok || err != nil {
			t.Errorf("%s is there: %v", path, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, path := range []string{"a", "/a/b", "gs://b/x", "s3://b/x", "memfs://x"} {
		if err := Check(path); err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{"", " ", "http://x/y", "hdfs://x"} {
		if Check(path) == nil {
			t.Errorf("%q is taken", path)
		}
	}
}
