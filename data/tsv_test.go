package data

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

// regions are n boxes side by side with features three wide, told apart by seed.
func regions(n, seed int) vision.Regions {
	r := vision.Regions{FeatureWidth: 3, PosWidth: 4, Size: vision.Size{Width: 64, Height: 32}, Preset: vision.ButdCaffe}
	for i := range n {
		for j := range 3 {
			r.Features = append(r.Features, float32(100*seed+10*i+j))
		}
		x := float32(i) / float32(n) / 2 // exact in pixels for the n of these tests
		r.Boxes = append(r.Boxes, x, 0.25, x+0.5, 1)
		r.Objects = append(r.Objects, vision.Label{ID: seed + i, Confidence: 0.5})
		r.Attributes = append(r.Attributes, vision.Label{ID: i, Confidence: 0.25})
	}
	return r
}

// record is the line of a picture, without its end.
func record(t testing.TB, id string, r vision.Regions) string {
	t.Helper()
	var b bytes.Buffer
	if err := NewTSVWriter(&b).Write(id, r); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func save(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "regions.tsv")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func openTSV(t testing.TB, path string) *TSV {
	t.Helper()
	tsv, err := OpenTSV(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tsv.Close() })
	return tsv
}

func says(t *testing.T, err error, wants ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that says %q", wants)
		return
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to say %q", err, want)
		}
	}
}

// What was written is read, by id and in order, however the lines end.
func TestTSV(t *testing.T) {
	want := map[string]vision.Regions{"b": regions(1, 1), "a": regions(2, 2), "COCO_train2014_000000132417": regions(4, 3)}
	order := []string{"b", "a", "COCO_train2014_000000132417"}
	var lines []string
	for _, id := range order {
		lines = append(lines, record(t, id, want[id]))
	}
	for name, content := range map[string]string{
		"LF":            strings.Join(lines, "\n") + "\n",
		"CRLF":          strings.Join(lines, "\r\n") + "\r\n",
		"no last end":   strings.Join(lines, "\n"),
		"no last CRLF":  strings.Join(lines, "\r\n"),
		"empty lines":   "\n" + strings.Join(lines, "\n\r\n\n") + "\n\n\n",
		"lone CR ahead": "\r\n" + strings.Join(lines, "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			tsv := openTSV(t, save(t, content))
			if got := tsv.IDs(); !slices.Equal(got, order) || tsv.Len() != 3 {
				t.Fatalf("ids %v, want %v", got, order)
			}
			for id, want := range want {
				if got, err := tsv.Get(id); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s: got %+v, %v, want %+v", id, got, err, want)
				}
			}
			i := 0
			for got, err := range tsv.All() {
				if err != nil || got.ID != order[i] || !reflect.DeepEqual(got.Regions, want[order[i]]) {
					t.Errorf("record %d: %s, %v", i, got.ID, err)
				}
				i++
				if i == 2 {
					break
				}
			}
			if i != 2 {
				t.Errorf("stopped after %d records, want 2", i)
			}
		})
	}
	if tsv := openTSV(t, save(t, "")); tsv.Len() != 0 {
		t.Errorf("an empty file has %d records", tsv.Len())
	}
}

// Regions without labels come back with labels of no confidence.
func TestTSVWriterWithoutLabels(t *testing.T) {
	r := regions(2, 1)
	r.Objects, r.Attributes = nil, nil
	got, err := openTSV(t, save(t, record(t, "x", r))).Get("x")
	if err != nil {
		t.Fatal(err)
	}
	if none := make([]vision.Label, 2); !slices.Equal(got.Objects, none) || !slices.Equal(got.Attributes, none) {
		t.Errorf("labels %v and %v, want none", got.Objects, got.Attributes)
	}
}

func TestTSVWriterRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		id     string
		change func(*vision.Regions)
		want   string
	}{
		"no id":      {"", func(*vision.Regions) {}, "1 to 1024 bytes"},
		"tab":        {"a\tb", func(*vision.Regions) {}, "no tabs"},
		"line end":   {"a\n", func(*vision.Regions) {}, "no line ends"},
		"long":       {strings.Repeat("x", 1025), func(*vision.Regions) {}, "1 to 1024 bytes"},
		"header":     {"img_id", func(*vision.Regions) {}, "header"},
		"size":       {"a", func(r *vision.Regions) { r.Size = vision.Size{} }, "boxes in pixels"},
		"no regions": {"a", func(r *vision.Regions) { *r = vision.Regions{Size: r.Size} }, "no regions"},
		"pixels":     {"a", func(r *vision.Regions) { r.Boxes[2] = 64 }, "which is in pixels"},
		"places":     {"a", func(r *vision.Regions) { r.PosWidth = 2 }, "places are 2 numbers wide"},
	} {
		t.Run(name, func(t *testing.T) {
			r := regions(2, 1)
			c.change(&r)
			var b bytes.Buffer
			says(t, NewTSVWriter(&b).Write(c.id, r), c.want)
			if b.Len() > 0 {
				t.Errorf("%d bytes were written", b.Len())
			}
		})
	}
	w := NewTSVWriter(io.Discard)
	w.Write("a", regions(1, 1))
	says(t, w.Write("a", regions(1, 1)), "written already")
}

// What is no TSV, or has a wrong line, is refused at once, with file and line.
func TestOpenTSVRefuses(t *testing.T) {
	good := record(t, "a", regions(1, 1))
	other := record(t, "b", regions(1, 1))
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"twice":        {good + "\n" + other + "\n\n" + good + "\n", []string{`line 4: image id "a" stands on line 1 already`}},
		"header":       {"img_id\timg_h\timg_w\tobjects_id\tobjects_conf\tattrs_id\tattrs_conf\tnum_boxes\tboxes\tfeatures\n" + good, []string{"line 1: found the header", "remove this line"}},
		"one column":   {good + "\nhello\n", []string{"line 2: found 1 columns, want 10"}},
		"six columns":  {"1\t2\t3\t4\t5\t6\n", []string{"line 1: found 6 columns", "bottom-up attention's own form"}},
		"eleven":       {good + "\t\n", []string{"line 1: found 11 columns"}},
		"cut off":      {good + "\n" + other[:strings.LastIndex(other, "\t")], []string{"line 2: found 9 columns"}},
		"no id":        {"\t" + strings.SplitN(good, "\t", 2)[1], []string{"line 1: img_id is empty"}},
		"gzip":         {"\x1f\x8b\x08\x00\x00\x00", []string{"gzip", "unpacked"}},
		"long id":      {strings.Repeat("x", 1<<20+1025), []string{"line 1: image id is longer than 1024"}},
		"endless line": {"a\t" + strings.Repeat("x", maxLine), []string{"line 1 is longer than"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := save(t, c.content)
			tsv, err := OpenTSV(path)
			if err == nil {
				tsv.Close()
			}
			says(t, err, append(c.want, path)...)
		})
	}
	_, err := OpenTSV(t.TempDir())
	says(t, err, "no plain file")
	if _, err := OpenTSV("none.tsv"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// A wrong column is named with file, line and id, all of a line at once; the others are read.
func TestTSVRefusesRecords(t *testing.T) {
	good := strings.Split(record(t, "x", regions(2, 1)), "\t")
	encode := func(values ...float32) string {
		var b []byte
		for _, v := range values {
			b = appendFloat(b, v)
		}
		return base64.StdEncoding.EncodeToString(b)
	}
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		column int
		text   string
		want   []string
	}{
		"height 0":         {1, "0", []string{`img_h: found "0", want a whole number from 1`}},
		"width negative":   {2, "-5", []string{`img_w: found "-5"`}},
		"width fraction":   {2, "64.0", []string{`img_w: found "64.0"`}},
		"width huge":       {2, "99999999", []string{`img_w: found "99999999"`}},
		"long number":      {2, strings.Repeat("0", 19) + "1x", []string{"img_w: found"}},
		"no boxes":         {7, "0", []string{`num_boxes: found "0", want a whole number from 1 to 1024`}},
		"negative boxes":   {7, "-1", []string{`num_boxes: found "-1"`}},
		"huge boxes":       {7, "9000000000000000000", []string{`num_boxes: found "9000000000000000000"`}},
		"too many boxes":   {7, "999", []string{"objects_id: found 24 characters of base64", `7992 bytes for "999" boxes`, "boxes: found"}},
		"other boxes":      {7, "5", []string{"objects_id: found 24 characters of base64, want 56", "features: found 24 bytes, want a multiple of 4 × 5"}},
		"bad base64":       {3, strings.Repeat("!", 24), []string{"objects_id: illegal base64"}},
		"short ids":        {3, good[3][:20], []string{"objects_id: found 20 characters of base64, want 24"}},
		"padded otherwise": {3, strings.Repeat("A", 24), []string{"objects_id: found 18 bytes, want 16"}},
		"empty ids":        {5, "", []string{"attrs_id: found 0 characters"}},
		"short conf":       {4, "AAAA", []string{"objects_conf: found 4 characters"}},
		"negative id":      {3, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{255}, 16)), []string{"object label of region 0 is -1"}},
		"huge id":          {3, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 16)), []string{"object label of region 0 is -1"}},
		"NaN confidence":   {4, encode(nan, 0), []string{"object label of region 0 has confidence NaN"}},
		"boxes swapped":    {8, encode(10, 10, 5, 20, 0, 0, 5, 5), []string{"box of region 0", "corners are swapped", "64 × 32"}},
		"boxes too large":  {8, encode(0, 0, 64, 32, 0, 0, 70, 5), []string{"box of region 1", "leaves the picture"}},
		"boxes NaN":        {8, encode(0, 0, 64, 32, nan, 0, 60, 5), []string{"box of region 1", "finite"}},
		"features NaN":     {9, encode(1, 2, 3, 4, nan, 6), []string{"feature of region 1 has NaN at position 1"}},
		"features empty":   {9, "", []string{"features: found 0 bytes"}},
		"features bad":     {9, "====", []string{"features: illegal base64"}},
		"features odd":     {9, encode(1, 2, 3), []string{"features: found 12 bytes, want a multiple of 4 × 2"}},
		"CR in base64":     {9, "AA\rAA", []string{"features: found a line end"}},
	} {
		t.Run(name, func(t *testing.T) {
			bad := slices.Clone(good)
			bad[c.column] = c.text
			path := save(t, record(t, "first", regions(1, 1))+"\n"+strings.Join(bad, "\t")+"\n"+record(t, "last", regions(1, 1)))
			tsv := openTSV(t, path)
			_, err := tsv.Get("x")
			says(t, err, append(c.want, path+": line 2 (x): ")...)
			var read []string
			for r, err := range tsv.All() {
				read = append(read, fmt.Sprintf("%s %d %t", r.ID, r.Line, err == nil))
			}
			if want := []string{"first 1 true", "x 2 false", "last 3 true"}; !slices.Equal(read, want) {
				t.Errorf("All gave %v, want %v", read, want)
			}
		})
	}
}

// A file that shrinks or changes after it was opened is noticed.
func TestTSVChanges(t *testing.T) {
	a, b := record(t, "a", regions(1, 1)), record(t, "b", regions(1, 1))
	path := save(t, a+"\n"+b+"\n")
	tsv := openTSV(t, path)
	if err := os.WriteFile(path, []byte(b+"\n"+a[:10]), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := tsv.Get("a")
	says(t, err, "line 1 (a)", `found "b"`, "has changed")
	_, err = tsv.Get("b")
	says(t, err, "line 2 (b)", "unexpected EOF")
	tsv.Close()
	if _, err := tsv.Get("a"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestTSVConcurrent(t *testing.T) {
	var content strings.Builder
	w := NewTSVWriter(&content)
	for i := range 20 {
		if err := w.Write(fmt.Sprint("id", i), regions(2, i)); err != nil {
			t.Fatal(err)
		}
	}
	tsv := openTSV(t, save(t, content.String()))
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 20 {
				i = (i + worker) % 20
				got, err := tsv.Get(fmt.Sprint("id", i))
				if err != nil || !reflect.DeepEqual(got, regions(2, i)) {
					t.Errorf("id%d: %v, %v", i, got, err)
				}
			}
		})
	}
	wait.Wait()
}

func TestNotFound(t *testing.T) {
	var content strings.Builder
	w := NewTSVWriter(&content)
	ids := []string{"COCO_train2014_000000132417", "COCO_train2014_000000573195", "COCO_val2014_000000573195", "train-10171-0-img0", "Living_Room", "7"}
	for _, id := range ids {
		if err := w.Write(id, regions(1, 1)); err != nil {
			t.Fatal(err)
		}
	}
	path := save(t, content.String())
	tsv := openTSV(t, path)
	for asked, want := range map[string][]string{
		"132417":                               {ids[0]},
		"000000132417.jpg":                     {ids[0]},
		"000000132417":                         {ids[0]},
		"images/COCO_train2014_000000132417":   {ids[0]},
		`C:\images\000000132417.png`:           {ids[0]},
		"COCO_val2014_000000132417":            {ids[0]},
		"573195":                               {ids[1], ids[2]},
		"COCO_train2014_000000132418":          {ids[0], ids[1]},
		"train-10171-1-img0":                   {ids[3]},
		"living_room":                          {ids[4]},
		"livingroom":                           {ids[4]},
		"no such picture in here":              nil,
		strings.Repeat("132417", 1000) + "abc": nil,
	} {
		_, err := tsv.Get(asked)
		var missing *NotFoundError
		if !errors.Is(err, ErrNotFound) || !errors.As(err, &missing) || missing.ID != asked {
			t.Errorf("%.40s: %v is no NotFoundError", asked, err)
			continue
		}
		if got := missing.Near(); !slices.Equal(got, want) && !(asked == "COCO_train2014_000000132418" && got[0] == want[0]) {
			t.Errorf("%.40s: near %v, want %v", asked, got, want)
		}
		says(t, err, append(slices.Clone(want), path, "not found among 6")...)
		if len(want) > 0 {
			says(t, err, "did you mean "+want[0])
		}
	}
	says(t, &NotFoundError{Path: "p", ID: "x"}, "not found")
}

// The index beside the file is used while it fits, and made anew when it does not.
func TestOpenTSVCached(t *testing.T) {
	a, b := record(t, "a", regions(1, 1)), record(t, "b", regions(2, 2))
	path := save(t, a+"\r\n\n"+b+"\n")
	check := func(want ...string) {
		t.Helper()
		tsv, err := OpenTSVCached(path)
		if err != nil {
			t.Fatal(err)
		}
		defer tsv.Close()
		if got := tsv.IDs(); !slices.Equal(got, want) {
			t.Errorf("ids %v, want %v", got, want)
		}
		for _, id := range want {
			if _, err := tsv.Get(id); err != nil {
				t.Error(err)
			}
		}
	}
	check("a", "b")
	index, err := os.ReadFile(path + IndexSuffix)
	if err != nil {
		t.Fatal(err)
	}
	check("a", "b")
	for _, damaged := range []string{"", "x", string(index[:len(index)-3]), string(index) + "1\t2\n", strings.Replace(string(index), "\t0\t", "\t5\t", 1)} {
		if err := os.WriteFile(path+IndexSuffix, []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if tsv, err := OpenTSVCached(path); err == nil { // an offset that is wrong but possible shows at Get
			tsv.Get("a")
			tsv.Close()
		} else {
			t.Errorf("index %q: %v", damaged, err)
		}
	}
	if err := os.WriteFile(path, []byte(b+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	check("b")
	if err := os.WriteFile(path, []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = OpenTSVCached(path)
	says(t, err, path, "line 1", "found 1 columns")
}

// Opening holds a buffer, not the file.
func TestOpenTSVMemory(t *testing.T) {
	r := regions(2, 1)
	r.FeatureWidth = 100_000
	r.Features = make([]float32, 2*r.FeatureWidth)
	path := filepath.Join(t.TempDir(), "regions.tsv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := NewTSVWriter(file)
	for i := range 20 { // a megabyte each
		if err := w.Write(fmt.Sprint(i), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tsv := openTSV(t, path)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 3<<20 || tsv.Len() != 20 {
		t.Errorf("opening %d records allocated %d bytes", tsv.Len(), got)
	}
}
