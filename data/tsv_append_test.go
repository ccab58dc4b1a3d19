package data

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

func appendTSV(t testing.TB, path string) *TSVFile {
	t.Helper()
	w, err := AppendTSV(path, TSVAbout{Preset: vision.HFFRCNN, FeatureWidth: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Abandon)
	return w
}

func byHF(n, seed int) vision.Regions {
	r := regions(n, seed)
	r.Preset = vision.HFFRCNN
	return r
}

// A TSV that was cut off at any byte goes on where its last whole record ends, and becomes what it would have been.
func TestAppendTSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "[regions.tsv")
	w := appendTSV(t, path)
	for i := range 4 {
		if err := w.Add(fmt.Sprint("image", i), byHF(2, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil || w.Len() != 4 {
		t.Fatalf("%d records, %v", w.Len(), err)
	}
	whole := read(t, path)
	lines := bytes.SplitAfter(whole, []byte{'\n'})
	for cut := 0; cut <= len(whole); cut += 7 {
		write(t, path, whole[:cut])
		w := appendTSV(t, path)
		want := bytes.Count(whole[:cut], []byte{'\n'})
		if w.Len() != want {
			t.Fatalf("cut off at byte %d: %d records, want %d", cut, w.Len(), want)
		}
		for i := range 4 {
			id := fmt.Sprint("image", i)
			if w.Has(id) != (i < want) {
				t.Errorf("cut off at byte %d: has %s: %v", cut, id, w.Has(id))
			}
			if err := w.Add(id, byHF(2, i)); (err != nil) != (i < want) {
				t.Errorf("cut off at byte %d: %s: %v", cut, id, err)
			}
		}
		w.Abandon()
		if !bytes.Equal(read(t, path), whole) {
			t.Fatalf("cut off at byte %d it has become another file", cut)
		}
	}
	for _, open := range []func(string) (*TSV, error){OpenTSV, OpenTSVCached, OpenTSVCached} {
		tsv, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tsv.Get("image3"); err != nil || !reflect.DeepEqual(got, byHF(2, 3)) {
			t.Errorf("%+v, %v", got, err)
		}
		tsv.Close()
	}
	write(t, path, append(append([]byte{}, lines[1]...), lines[1]...))
	_, err := AppendTSV(path, TSVAbout{Preset: vision.HFFRCNN, FeatureWidth: 3})
	says(t, err, path, `line 2: image id "image1" stands on a line before`)
}

func TestAppendTSVRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "regions.tsv")
	w := appendTSV(t, path)
	_, err := AppendTSV(path, TSVAbout{Preset: vision.HFFRCNN, FeatureWidth: 3})
	says(t, err, path+": another program is writing")
	says(t, w.Add("a", regions(1, 1)), `preset "butd-caffe", want "hf-frcnn"`)
	says(t, w.Add("a\tb", byHF(1, 1)), "no tabs")
	wide := byHF(1, 1)
	wide.FeatureWidth = 1
	says(t, w.Add("a", wide), "1 numbers wide, want 3")
	if err := w.Add("a", byHF(1, 1)); err != nil || w.Err() != nil {
		t.Fatal(err, w.Err())
	}
	says(t, w.Add("a", byHF(1, 1)), "written already")
	w.Abandon()
	if err := w.Add("b", byHF(1, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Abandon: %v", err)
	}
	_, err = AppendTSV(path, TSVAbout{Preset: vision.D2MaxNMS, Detector: "x", FeatureWidth: 4})
	says(t, err, `preset "hf-frcnn", found "d2-maxnms"`, `detector "", found "x"`, "width 3, found 4")
	_, err = AppendTSV(path, TSVAbout{})
	says(t, err, "0 numbers wide")

	foreign := save(t, record(t, "a", regions(1, 1))) // without an end that a resumed file would lose
	_, err = AppendTSV(foreign, TSVAbout{Preset: vision.HFFRCNN, FeatureWidth: 3})
	says(t, err, foreign+" is there already and not by this program")
	_, err = AppendTSV(t.TempDir(), TSVAbout{Preset: vision.HFFRCNN, FeatureWidth: 3})
	says(t, err, "no plain file")
}

// What is said of a TSV is heeded if it is ours, and must then be whole.
func TestTSVAbout(t *testing.T) {
	path := save(t, record(t, "a", regions(1, 1))+"\n")
	preset := func() string {
		tsv := openTSV(t, path)
		r, err := tsv.Get("a")
		if err != nil {
			t.Fatal(err)
		}
		return r.Preset
	}
	if got := preset(); got != vision.ButdCaffe {
		t.Errorf("preset %q", got)
	}
	for content, want := range map[string]string{
		`{"format": "lxmert region TSV", "version": 1, "preset": "mine", "feature_width": 3}`: "mine",
		`{"format": 5}`: vision.ButdCaffe, `["another program's"]`: vision.ButdCaffe,
	} {
		write(t, path+TSVAboutSuffix, []byte(content))
		if got := preset(); got != want {
			t.Errorf("%s: preset %q, want %q", content, got, want)
		}
	}
	for content, want := range map[string]string{
		`{"format": "lxmert reg`: "JSON", `{"format": "lxmert region TSV", "version": 2}`: "version: found 2, want 1",
		`{"format": "lxmert region TSV", "version": 1}`: "feature_width: found 0", `{"format": "lxmert region TSV", "version": 1, "preset": 5}`: "preset",
	} {
		write(t, path+TSVAboutSuffix, []byte(content))
		_, err := OpenTSV(path)
		says(t, err, path+".json", want)
	}
	if err := os.Remove(path + TSVAboutSuffix); err != nil {
		t.Fatal(err)
	}
}
