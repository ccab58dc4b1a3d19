package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	for _, content := range []string{"old", strings.Repeat("new ", 100_000), ""} {
		err := Write(path, 0o644, func(w io.Writer) error {
			_, err := io.WriteString(w, content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		holds(t, path, content)
	}
	alone(t, dir, "out.txt")
}

// A writer that gives up, or panics, leaves the old file and nothing else.
func TestWriteLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	if err := WriteBytes(path, 0o600, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := Write(path, 0o600, func(w io.Writer) error {
		w.Write(make([]byte, 1<<20))
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's own error", err)
	}
	func() {
		defer func() { recover() }()
		Write(path, 0o600, func(io.Writer) error { panic("broken promise") })
	}()
	holds(t, path, "old")
	alone(t, dir, "out.txt")
}

func TestWriteKeepsPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits to keep")
	}
	path := filepath.Join(t.TempDir(), "secret")
	for _, perm := range []fs.FileMode{0o600, 0o644} { // the second must not widen the first
		if err := WriteBytes(path, perm, nil); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("permissions %o, want 600", got)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := WriteBytes(dir, 0o644, nil); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("onto a directory: %v", err)
	}
	missing := filepath.Join(dir, "none", "out.txt")
	if err := WriteBytes(missing, 0o644, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a missing directory: %v", err)
	}
	if runtime.GOOS != "windows" {
		if err := WriteBytes(os.DevNull, 0o644, nil); err == nil || !strings.Contains(err.Error(), "device") {
			t.Errorf("onto a device: %v", err)
		}
	}
}

func TestWriteReplacesALink(t *testing.T) {
	dir := t.TempDir()
	blob, link := filepath.Join(dir, "blob"), filepath.Join(dir, "link")
	if err := os.WriteFile(blob, []byte("shared"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(blob, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := WriteBytes(link, 0o644, []byte("mine")); err != nil {
		t.Fatal(err)
	}
	holds(t, blob, "shared")
	holds(t, link, "mine")
}

// Several files can be finished before any of them appears.
func TestCreateCommitDiscard(t *testing.T) {
	dir := t.TempDir()
	a, err := Create(filepath.Join(dir, "a"), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Create(filepath.Join(dir, "b"), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(a, "A")
	if err := a.Sync(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a is there before Commit: %v", err)
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	a.Discard()
	b.Discard()
	if _, err := b.Write(nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write after Discard: %v", err)
	}
	if err := b.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("commit after Discard: %v", err)
	}
	holds(t, filepath.Join(dir, "a"), "A")
	alone(t, dir, "a")
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s holds %d bytes, want %d", filepath.Base(path), len(got), len(want))
	}
}

func alone(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != name {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

// Sweep removes what killed writers of these files left, and nothing else.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	keep := []string{".a.tmp-0123456", ".b.tmp-01234567", ".c.lock", "a", "a.tmp-01234567"}
	for _, name := range append([]string{".a.tmp-01234567", ".ab.tmp-fedcba98"}, keep...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(dir, func(name string) bool { return name[0] == 'a' }); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if !slices.Equal(left, keep) {
		t.Errorf("%q are left, want %q", left, keep)
	}
}
