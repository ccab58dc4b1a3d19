package atomicdir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// fill writes one file.
func fill(content string) func(string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o644) }
}

func holds(t *testing.T, dir, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, "file"))
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", filepath.Base(dir), got, err, want)
	}
}

// alone checks that nothing else lies beside the directories named.
func alone(t *testing.T, parent string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != len(names) {
		t.Errorf("found %v (%v), want %v", entries, err, names)
	}
}

func TestWrite(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "last")
	for _, content := range []string{"one", "two"} {
		if err := Write(dir, "", fill(content)); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, content)
		alone(t, parent, "last")
	}
	kept := filepath.Join(parent, "step-2")
	if err := Write(dir, kept, fill("three")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "three")
	holds(t, kept, "two")
	alone(t, parent, "last", "step-2")

	failure := errors.New("no space left on device")
	err := Write(dir, "", func(temp string) error {
		if err := fill("four")(temp); err != nil {
			t.Fatal(err)
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	holds(t, dir, "three")
	alone(t, parent, "last", "step-2")
}

// TestRecover cuts a replacement off at each place where a program can be killed.
func TestRecover(t *testing.T) {
	for name, c := range map[string]struct {
		there map[string]string // directories, and what they hold
		want  string
	}{
		"while writing":               {map[string]string{"last": "one", "last.partial": "two"}, "one"},
		"before the first rename":     {map[string]string{"last": "one", "last.new": "two"}, "two"},
		"between the renames":         {map[string]string{"last.old": "one", "last.new": "two"}, "two"},
		"before the end":              {map[string]string{"last": "two", "last.old": "one"}, "two"},
		"in the middle of a recovery": {map[string]string{"last": "one", "last.old": "zero", "last.new": "two"}, "two"},
		"the very first":              {map[string]string{"last.new": "one"}, "one"},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			for dir, content := range c.there {
				if err := os.Mkdir(filepath.Join(parent, dir), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := fill(content)(filepath.Join(parent, dir)); err != nil {
					t.Fatal(err)
				}
			}
			if err := Recover(filepath.Join(parent, "last")); err != nil {
				t.Fatal(err)
			}
			holds(t, filepath.Join(parent, "last"), c.want)
			alone(t, parent, "last")
		})
	}
	if err := Recover(filepath.Join(t.TempDir(), "nothing")); err != nil {
		t.Error(err)
	}
}

// TestWriteAfterKill: what a program that was killed has left is in nobody's way, and what it had completed is what the next one replaces.
func TestWriteAfterKill(t *testing.T) {
	parent := t.TempDir()
	dir, kept := filepath.Join(parent, "last"), filepath.Join(parent, "step-1")
	for name, content := range map[string]string{"last.partial": "torn", "last.old": "zero", "last.new": "two", "last": "one", "step-1": "older"} {
		if err := os.Mkdir(filepath.Join(parent, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := fill(content)(filepath.Join(parent, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(dir, kept, fill("three")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "three")
	holds(t, kept, "two")
	alone(t, parent, "last", "step-1")
	if err := Write(filepath.Join(parent, "none", "last"), "", fill("four")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
