package mapfile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A mapped file has its bytes, also after its pages were dropped; an empty one has none.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for _, size := range []int{0, 1, 100_000} {
		want := bytes.Repeat([]byte("x"), size)
		path := filepath.Join(dir, "file")
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		Drop(m.Data)
		if !bytes.Equal(m.Data, want) {
			t.Errorf("%d bytes: found %d others", size, len(m.Data))
		}
		for range 2 {
			if err := m.Close(); err != nil || m.Data != nil {
				t.Errorf("Close: %v", err)
			}
		}
	}
	if _, err := Open(dir); err == nil {
		t.Error("a directory was opened")
	}
}
