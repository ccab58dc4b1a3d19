package train_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/train"
)

// aRecord is as the command makes it.
func aRecord() *train.Record {
	return &train.Record{
		Task: "finetune vqa", Settings: map[string]string{"batch": "32", "lr": "5e-05"}, Files: map[string]string{"out": "run"},
		Data:     []train.DataFile{{Role: "train", Path: "train.json", Bytes: 3, SHA256: "aa"}, {Role: "features", Path: "f.tsv", Bytes: 4, SHA256: "bb"}},
		Versions: map[string]string{"go": "1"}, Engine: "simd", Machine: "linux", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// TestRecord writes a record and reads it again.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	if _, err := train.ReadRecord(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	want := aRecord()
	want.Settings["set"] = "[hidden_act=<relu> & others]"
	if err := want.Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := train.ReadRecord(dir); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	path := filepath.Join(dir, train.RecordName)
	if err := os.WriteFile(path, []byte(`{"task": 3}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := train.ReadRecord(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

// TestDiffers: what decides the result must be as it was, and the error names it; where files are does not matter.
func TestDiffers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*train.Record)
		want   string // "" : no difference
	}{
		"nothing":        {func(*train.Record) {}, ""},
		"moved":          {func(r *train.Record) { r.Data[0].Path, r.Files["out"] = "elsewhere/train.json", "other" }, ""},
		"later":          {func(r *train.Record) { r.Started, r.Versions["go"], r.Machine = time.Now(), "2", "other" }, ""},
		"task":           {func(r *train.Record) { r.Task = "pretrain" }, "it learned finetune vqa, not pretrain"},
		"option":         {func(r *train.Record) { r.Settings["batch"] = "64" }, "--batch was 32, is 64"},
		"option gone":    {func(r *train.Record) { delete(r.Settings, "lr") }, "--lr was 5e-05, is not given"},
		"option new":     {func(r *train.Record) { r.Settings["set"] = "[a=b]" }, "--set was not given, is [a=b]"},
		"content":        {func(r *train.Record) { r.Data[1].SHA256 = "cc" }, "the features data in f.tsv is not what f.tsv was"},
		"exchanged":      {func(r *train.Record) { r.Data[0], r.Data[1] = r.Data[1], r.Data[0] }, "the features data in f.tsv is not what train.json was"},
		"another file":   {func(r *train.Record) { r.Data = append(r.Data, r.Data[0]) }, "it read 2 files, not 3"},
		"several":        {func(r *train.Record) { r.Settings["batch"], r.Settings["lr"] = "1", "2" }, "--batch was 32, is 1; --lr was 5e-05, is 2"},
		"what to do":     {func(r *train.Record) { r.Task = "" }, "begin another"},
		"role of a file": {func(r *train.Record) { r.Data[0].Role = "valid" }, "the valid data in train.json is not what train.json was"},
	} {
		now := aRecord()
		c.change(now)
		err := now.Differs(aRecord())
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestHashData: a file's hash is of its content, a store's of its manifest; a word more in a list of words is another list.
func TestHashData(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
	got, err := train.HashData("train", put("abc.json", "abc"))
	if want := (train.DataFile{Role: "train", Path: filepath.Join(dir, "abc.json"), Bytes: 3, SHA256: abc}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	put("manifest.json", "abc")
	got, err = train.HashData("features", dir)
	if want := (train.DataFile{Role: "features", Path: dir, Bytes: 3, SHA256: abc}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := train.HashData("train", filepath.Join(dir, "none.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	hashes := map[string]bool{}
	for _, words := range [][]string{{"a", "b"}, {"b", "a"}, {"a", "b", ""}, {"a,b"}, {`a","b`}} {
		f := train.HashWords("answers", "labels.json", words)
		hashes[f.SHA256] = true
		if f.Role != "answers" || f.Path != "labels.json" || f != train.HashWords("answers", "labels.json", words) {
			t.Errorf("got %+v", f)
		}
	}
	if len(hashes) != 5 {
		t.Errorf("%d hashes of 5 lists", len(hashes))
	}
}

// TestHashLarge: of a very large file the ends count, and the size.
func TestHashLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	hashes := map[string]string{}
	for _, c := range []struct {
		size, at int64
		byte     string
	}{{1<<30 + 10, -1, ""}, {1<<30 + 11, -1, ""}, {1<<30 + 11, 5, "x"}, {1<<30 + 11, 1 << 30, "x"}} {
		if err := file.Truncate(c.size); err != nil { // takes no room
			t.Skipf("no file of a gigabyte: %v", err)
		}
		if c.at >= 0 {
			if _, err := file.WriteAt([]byte(c.byte), c.at); err != nil {
				t.Fatal(err)
			}
		}
		f, err := train.HashData("features", path)
		if err != nil || !f.Part || f.Bytes != c.size {
			t.Fatalf("got %+v, %v", f, err)
		}
		if before, ok := hashes[f.SHA256]; ok {
			t.Errorf("%+v has the hash of %s", c, before)
		}
		hashes[f.SHA256] = fmt.Sprintf("%+v", c)
	}
}
