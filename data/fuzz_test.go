package data

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// No line makes the parser panic, and what it accepts can be written and read again.
func FuzzRecord(f *testing.F) {
	good := record(f, "x", regions(2, 1))
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(good, "\t2\t", "\t99999999999999999999\t", 1)))
	f.Add([]byte(strings.Replace(good, "64", "-1", 1)))
	f.Add([]byte("\t\t\t\t\t\t\t\t\t"))
	f.Fuzz(func(t *testing.T, line []byte) {
		id, r, err := parseRecord(line)
		if err != nil {
			return
		}
		if err := r.Check(r.FeatureWidth, 4); err != nil {
			t.Fatalf("accepted regions that do not pass: %v", err)
		}
		var b bytes.Buffer
		if NewTSVWriter(&b).Write(id, r) != nil {
			return // an id that cannot be written: scan refuses it
		}
		_, again, err := parseRecord(bytes.TrimSuffix(b.Bytes(), []byte{'\n'}))
		if err != nil {
			return // multiplied and divided, an edge may have moved onto its neighbour
		}
		again.Boxes = r.Boxes
		if !reflect.DeepEqual(r, again) {
			t.Errorf("read %+v, wrote and read %+v", r, again)
		}
	})
}

// No file makes the reader panic, and its index cached gives the same records.
func FuzzTSV(f *testing.F) {
	a, b := record(f, "a", regions(1, 1)), record(f, "b", regions(1, 2))
	f.Add([]byte(a + "\n" + b + "\n"))
	f.Add([]byte(a + "\r\n\n" + b))
	f.Add([]byte("img_id\timg_h\n"))
	f.Add([]byte("\x1f\x8b"))
	f.Add([]byte(strings.Repeat("\t", 9) + "\n" + a))
	path := filepath.Join(f.TempDir(), "x.tsv")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		os.Remove(path + IndexSuffix)
		tsv, err := OpenTSV(path)
		if err != nil {
			return
		}
		defer tsv.Close()
		for r := range tsv.All() {
			if r.ID == "" {
				t.Error("a record without id")
			}
		}
		tsv.Get("ab")
		(&NotFoundError{ID: "ab", among: tsv}).Near()
		for range 2 {
			cached, err := OpenTSVCached(path)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(tsv.records, cached.records) {
				t.Errorf("records %v, cached %v", tsv.records, cached.records)
			}
			cached.Close()
		}
	})
}

// No index makes the parser panic or points out of the file.
func FuzzIndex(f *testing.F) {
	f.Add("lxmert-tsv-index-1\t100\t1\t2\n1\t0\t40\ta\n2\t41\t40\tb\n")
	f.Add("lxmert-tsv-index-1\t100\t1\t0\n")
	f.Add("lxmert-tsv-index-1\t100\t1\t1\n1\t-1\t9223372036854775807\ta\n")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := parseIndex(text, "100\t1", 100)
		if err != nil {
			return
		}
		for _, r := range records {
			if r.offset < 0 || r.length < 0 || r.offset+int64(r.length) > 100 {
				t.Errorf("%+v is not within the file", r)
			}
		}
		again, err := parseIndex(string(encodeIndex(records, "100\t1")), "100\t1", 100)
		if err != nil || !reflect.DeepEqual(records, again) {
			t.Errorf("read %v, wrote and read %v, %v", records, again, err)
		}
	})
}
