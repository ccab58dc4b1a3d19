package data

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A TSV becomes a store in the TSV's order; a second import passes over what is there.
func TestImport(t *testing.T) {
	var content strings.Builder
	out := NewTSVWriter(&content)
	for i := range 50 {
		if err := out.Write(fmt.Sprint("image", i), regions(2, i)); err != nil {
			t.Fatal(err)
		}
	}
	path := save(t, content.String())
	dir := t.TempDir()
	for round := range 2 {
		tsv := openTSV(t, path)
		w := writeStore(t, dir, StoreOptions{Float32: true})
		heard := 0
		report, err := Import(context.Background(), w, tsv, ImportOptions{Progress: func(done, of int) {
			if heard++; done != heard || of != 50 {
				t.Errorf("progress %d of %d at %d", done, of, heard)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if want := (ImportReport{Added: 50 - 50*round, There: 50 * round}); !reflect.DeepEqual(report, want) || heard != 50 {
			t.Errorf("round %d: %+v, want %+v; %d heard of", round, report, want, heard)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	sound(t, dir, 50)
	s := openStore(t, dir)
	for i, id := range s.IDs() {
		got, err := s.Get(id)
		if err != nil || id != fmt.Sprint("image", i) || !reflect.DeepEqual(got, regions(2, i)) {
			t.Errorf("%d: %s %+v, %v", i, id, got, err)
		}
	}
}

// A bad image ends the import, or is counted; what was good before it is kept.
func TestImportBad(t *testing.T) {
	bad := strings.Split(record(t, "bad", regions(1, 1)), "\t")
	bad[1] = "zero"
	path := save(t, strings.Join([]string{record(t, "a", regions(1, 1)), record(t, "dir/b", regions(1, 2)), strings.Join(bad, "\t"), record(t, "c", regions(1, 3))}, "\n"))
	tsv := openTSV(t, path)
	dir := t.TempDir()
	w := writeStore(t, dir, StoreOptions{})
	report, err := Import(context.Background(), w, tsv, ImportOptions{})
	says(t, err, path, "dir/b", "--basename")
	if report.Added != 1 {
		t.Errorf("%+v", report)
	}
	_, err = Import(context.Background(), w, tsv, ImportOptions{BaseName: true})
	says(t, err, path+": line 3 (bad): img_h")
	report, err = Import(context.Background(), w, tsv, ImportOptions{BaseName: true, SkipBad: true})
	if err != nil || report.Added != 1 || report.There != 2 || report.Skipped != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	says(t, errors.Join(report.Faults...), "line 3 (bad)")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if s := openStore(t, dir); !s.Has("b") || !s.Has("c") || s.Len() != 3 {
		t.Errorf("images %v", s.IDs())
	}
}

// An image that comes from two places is said, whether from two files or by the end of two paths.
func TestImportTwice(t *testing.T) {
	one := save(t, record(t, "train/1", regions(1, 1))+"\n"+record(t, "val/1", regions(1, 2)))
	two := save(t, record(t, "1", regions(1, 3)))
	w := writeStore(t, t.TempDir(), StoreOptions{})
	sources := map[string]string{}
	_, err := Import(context.Background(), w, openTSV(t, one), ImportOptions{BaseName: true, Sources: sources})
	says(t, err, one+": image val/1 comes from "+one+", image train/1 already")
	_, err = Import(context.Background(), w, openTSV(t, two), ImportOptions{Sources: sources})
	says(t, err, two+": image 1 comes from "+one)
}

// Whoever stops an import gets the context's error, and no goroutine stays behind.
func TestImportStopped(t *testing.T) {
	var content strings.Builder
	out := NewTSVWriter(&content)
	for i := range 200 {
		if err := out.Write(fmt.Sprint(i), regions(1, i%50)); err != nil {
			t.Fatal(err)
		}
	}
	tsv := openTSV(t, save(t, content.String()))
	before := runtime.NumGoroutine()
	w := writeStore(t, filepath.Join(t.TempDir(), "s"), StoreOptions{})
	ctx, stop := context.WithCancel(context.Background())
	report, err := Import(ctx, w, tsv, ImportOptions{Progress: func(done, of int) {
		if done == 20 {
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) || report.Added < 20 || report.Added == 200 {
		t.Errorf("%+v, %v", report, err)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// A file whose images have features of different widths is found out.
func TestCheckWidths(t *testing.T) {
	wide := regions(1, 2)
	wide.FeatureWidth, wide.Features = 4, []float32{1, 2, 3, 4}
	path := save(t, record(t, "a", regions(1, 1))+"\n"+record(t, "b", wide)+"\n"+record(t, "c", regions(1, 1)))
	report, err := Check(context.Background(), path, []string{"a", "d", "d"}, nil)
	if err != nil || report.Images != 2 || report.Count != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	says(t, errors.Join(report.Faults...), "image b: features are 4 numbers wide, want 3", "image d is missing")
}
