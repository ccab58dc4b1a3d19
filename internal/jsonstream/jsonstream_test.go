package jsonstream

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestReader(t *testing.T) {
	text := "\ufeff {\"info\": {\"deep\": [[1, {}], null]}, \"list\": [{\"n\": 1}, {\"n\": \"two\"}, {\"n\": 3}], \"last\": 5}\n"
	r := New("x.json", strings.NewReader(text))
	if b, err := r.Begins(); b != '{' || err != nil {
		t.Errorf("begins with %q, %v", b, err)
	}
	var got []int
	bad := 0
	err := r.Members(func(key string) error {
		if key != "list" {
			return r.Skip()
		}
		return r.Elements(func(i int) error {
			var v struct {
				N int `json:"n"`
			}
			err := r.Decode(&v)
			var mismatch *BadValue
			if errors.As(err, &mismatch) {
				bad++
				if i != 1 || !strings.Contains(err.Error(), "n: found a string, want a whole number") {
					t.Errorf("element %d: %v", i, err)
				}
				return nil
			}
			got = append(got, v.N)
			return err
		})
	})
	if err != nil || bad != 1 || fmt.Sprint(got) != "[1 3]" {
		t.Errorf("got %v, %d bad, %v", got, bad, err)
	}
	if err := r.End(); err != nil {
		t.Error(err)
	}
}

// What is no JSON, or not what is wanted, is named with file and place.
func TestReaderRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":        "unexpected EOF",
		"[1, 2":   "unexpected EOF",
		"{}":      "found { at byte 1, want '['",
		"[1] 2":   "found 2 at byte 5, want the end",
		"[1,, 2]": "no JSON at byte",
		"[\"" + strings.Repeat("x", MaxRecord+1<<20) + "\"]": "one value has more than",
	} {
		r := New("x.json", strings.NewReader(text))
		err := r.Elements(func(int) error { var v any; return r.Decode(&v) })
		if err == nil {
			err = r.End()
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "x.json: ") {
			t.Errorf("%.20q: got %v, want %q", text, err, want)
		}
	}
}

// A gigabyte of records takes the memory of one.
func TestReaderMemory(t *testing.T) {
	const records = 200_000
	from, to := io.Pipe()
	go func() {
		fmt.Fprint(to, "[")
		for i := range records {
			fmt.Fprintf(to, "{\"n\": %d, \"s\": %q},\n", i, strings.Repeat("x", 500))
		}
		fmt.Fprint(to, "0]")
		to.Close()
	}()
	r := New("x", from)
	var highest uint64
	err := r.Elements(func(i int) error {
		if i%20_000 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			highest = max(highest, m.HeapAlloc)
		}
		return r.Skip()
	})
	if err != nil || highest > 4<<20 {
		t.Errorf("%d bytes, %v", highest, err)
	}
}

func TestOpenZip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.zip")
	for _, names := range [][]string{{"a.json", "__MACOSX/a.json", "README"}, {"a.json", "b.json"}, {}} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range names {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, "[1, 2]")
		}
		z.Close()
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path)
		if len(names) != 3 {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("found %d files NAME.json", len(names))) {
				t.Errorf("%v: %v", names, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := r.Elements(func(int) error { n++; return r.Skip() }); err != nil || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
