package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/extract"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

// TestExtract: a directory of pictures becomes a store of what the extractor sees in them, once.
func TestExtract(t *testing.T) {
	first := picture(t, "first.png", scenes.New(1).Draw())
	if err := os.Rename(picture(t, "second.JPG", scenes.New(2).Draw()), filepath.Join(filepath.Dir(first), "second.JPG")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(first)
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	for extractor, preset := range map[string]string{"scenes": "scenes", "grid": vision.Grid{}.Preset(), "grid-2x3x1": "grid-2x3x1"} {
		out := filepath.Join(t.TempDir(), "store")
		for round, want := range []extractRecord{{Out: out, Images: 2, Added: 2}, {Out: out, Images: 2, There: 2}} {
			code, text, errOut := command(t, "", "extract", dir, "--out", out, "--extractor", extractor, "--float32", "--json")
			var got extractRecord
			err := json.Unmarshal([]byte(text), &got)
			want.Seconds = got.Seconds
			if code != exitOK || err != nil || got != want {
				t.Fatalf("%s, round %d: exit code %d, %v: %s%s", extractor, round, code, err, text, errOut)
			}
		}
		store, err := data.OpenStore(out)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := store.Get("second"); err != nil || got.Preset != preset {
			t.Errorf("%s: preset %q, %v", extractor, got.Preset, err)
		}
		got, err := store.Get("first")
		if err != nil {
			t.Fatal(err)
		}
		if extractor == "scenes" {
			want, err := scenes.Detector{}.Extract(t.Context(), scenes.New(1).Draw())
			if err != nil || !reflect.DeepEqual(got.Features, want.Features) || !reflect.DeepEqual(got.Boxes, want.Boxes) {
				t.Errorf("the store has other regions than the detector, %v", err)
			}
		}
		store.Close()
	}
	// The shipped model is asked about the store as it is about the picture.
	out := filepath.Join(t.TempDir(), "store")
	if code, text, errOut := command(t, "", "extract", first, "--out", out); code != exitOK || !strings.Contains(text, "1 pictures, 1 added") {
		t.Fatalf("exit code %d: %s%s", code, text, errOut)
	}
	seen, _ := askJSON(t, first, "Is there a car?")
	kept, _ := askJSON(t, "--features", out, "--image-id", "first", "Is there a car?")
	if seen.Questions[0].Answers[0].Text != kept.Questions[0].Answers[0].Text {
		t.Errorf("%+v, from the store %+v", seen, kept)
	}
}

func TestExtractRefuses(t *testing.T) {
	scene := picture(t, "scene.png", scenes.New(1).Draw())
	again := picture(t, "scene.jpg", scenes.New(1).Draw())
	bad := file(t, "bad.png", []byte("no picture"))
	out := filepath.Join(t.TempDir(), "store")
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nothing":     {nil, exitUsage, "wants pictures"},
		"extractor":   {[]string{scene, "--extractor", "butd-caffe"}, exitUsage, "only for grid-6x6x4, scenes"},
		"missing":     {[]string{"nothing.png"}, exitFailure, "nothing.png"},
		"no pictures": {[]string{t.TempDir()}, exitFailure, "found no pictures in it"},
		"one id":      {[]string{scene, again}, exitFailure, "scene.jpg: its id would be scene, as that of " + scene},
		"bad":         {[]string{scene, bad, "--strict"}, exitFailure, "bad.png: the file begins with"},
		"id":          {[]string{scene, "--id", "hash"}, exitUsage, `--id: found "hash", want name or path`},
		"parallel":    {[]string{scene, "--parallel", "-1"}, exitUsage, "--parallel: found -1"},
		"shards":      {[]string{scene, "--shard-mb", "0"}, exitUsage, "--shard-mb: found 0"},
		"boxes":       {[]string{scene, "--boxes", bad}, exitUsage, "scenes finds its regions itself"},
		"no boxes":    {[]string{scene, "--boxes", bad, "--extractor", "grid"}, exitFailure, "bad.png: "},
		"report":      {[]string{scene, "--report", filepath.Join(bad, "x")}, exitFailure, "the report of bad pictures: "},
	} {
		code, _, errOut := command(t, "", append([]string{"extract", "--out", out}, test.args...)...)
		if code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
}

// TestExtractFaults: bad pictures are lines of a report, which is there if there are any, or where it is wanted.
func TestExtractFaults(t *testing.T) {
	scene := picture(t, "scene.png", scenes.New(1).Draw())
	bad := file(t, "bad.png", []byte("no picture"))
	out := filepath.Join(t.TempDir(), "store")
	report := out + ".faults.jsonl"
	for range 2 { // it is tried again
		code, text, errOut := command(t, "", "extract", "--out", out+"/", scene, bad)
		if code != exitOK || !strings.Contains(text, "1 bad: see "+report) || !strings.Contains(errOut, "bad: "+bad+": the file begins with") {
			t.Errorf("exit code %d: %s%s", code, text, errOut)
		}
		content, err := os.ReadFile(report)
		if want := `{"id":"bad","path":"` + bad + `","error":"the file begins with`; err != nil || !strings.HasPrefix(string(content), want) ||
			strings.Count(string(content), "\n") != 1 {
			t.Errorf("report %s, %v", content, err)
		}
	}
	if code, text, errOut := command(t, "", "extract", "--out", out, scene); code != exitOK || !strings.Contains(text, "0 bad\n") {
		t.Errorf("exit code %d: %s%s", code, text, errOut)
	}
	if _, err := os.Stat(report); !os.IsNotExist(err) {
		t.Errorf("the report of an earlier run is there still: %v", err)
	}
	own := filepath.Join(t.TempDir(), "own.jsonl")
	if code, _, errOut := command(t, "", "extract", "--out", out, scene, "--report", own); code != exitOK {
		t.Error(errOut)
	}
	if content, err := os.ReadFile(own); err != nil || len(content) != 0 {
		t.Errorf("%q, %v", content, err)
	}
	if code, text, errOut := command(t, "", "extract", "--out", filepath.Join(t.TempDir(), "x"), bad, "--json"); code != exitOK ||
		!strings.Contains(text, `"failed":1`) {
		t.Errorf("nothing but bad pictures: exit code %d: %s%s", code, text, errOut)
	}
}

// TestExtractInterrupted: Ctrl-C is told how to go on.
func TestExtractInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var errOut bytes.Buffer
	code := run(ctx, []string{"extract", picture(t, "scene.png", scenes.New(1).Draw()), "--out", filepath.Join(t.TempDir(), "store")},
		strings.NewReader(""), io.Discard, &errOut)
	if code != exitFailure || !strings.Contains(errOut.String(), "interrupted; start the same command again to go on") {
		t.Errorf("exit code %d: %s", code, errOut.String())
	}
}

// TestExtractTSV: a TSV has what a store has, and keeps the preset beside it; a list may come on standard input.
func TestExtractTSV(t *testing.T) {
	scene := picture(t, "scene.png", scenes.New(1).Draw())
	dir := t.TempDir()
	store, tsv := filepath.Join(dir, "store"), filepath.Join(dir, "regions.TSV")
	for _, out := range []string{store, tsv} {
		if code, text, errOut := command(t, scene+"\n", "extract", "-", "--out", out, "--float32", "--id", "path"); code != exitOK ||
			!strings.Contains(text, "1 pictures, 1 added") {
			t.Fatalf("exit code %d: %s%s", code, text, errOut)
		}
	}
	id := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(scene), "/"), ".png")
	var got []vision.Regions
	for _, out := range []string{store, tsv} {
		source, err := data.Open(out, false)
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		r, err := source.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if !reflect.DeepEqual(got[0].Features, got[1].Features) || got[1].Preset != "scenes" || !reflect.DeepEqual(got[0].Objects, got[1].Objects) {
		t.Errorf("%+v\n%+v", got[0], got[1])
	}
	if code, _, errOut := command(t, "", "extract", scene, "--out", tsv, "--extractor", "grid"); code != exitFailure || !strings.Contains(errOut,
		`preset "scenes", found "grid`) {
		t.Errorf("another extractor: exit code %d: %s", code, errOut)
	}
}

// TestExtractBoxes: regions are the boxes given.
func TestExtractBoxes(t *testing.T) {
	scene := picture(t, "scene.png", scenes.New(1).Draw())
	boxes := file(t, "boxes.json", []byte(`{"scene": [[0, 0, 10, 10], [5, 5, 20, 30.5]]}`))
	out := filepath.Join(t.TempDir(), "store")
	if code, text, errOut := command(t, "", "extract", scene, "--out", out, "--extractor", "grid", "--boxes", boxes); code != exitOK ||
		!strings.Contains(text, "1 added") {
		t.Fatalf("exit code %d: %s%s", code, text, errOut)
	}
	store, err := data.OpenStore(out)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if r, err := store.Get("scene"); err != nil || r.Len() != 2 || r.Box(1)[0] != 5/float32(r.Size.Width) {
		t.Errorf("%+v, %v", r.Boxes, err)
	}
}

// TestExtractProgress: where nobody looks there is a line now and then; what was there before is not counted as speed.
func TestExtractProgress(t *testing.T) {
	now := &clock{Time: time.Unix(0, 0)}
	var out strings.Builder
	p := newExtractProgress(&out, now.now)
	at := extract.Progress{Report: extract.Report{There: 1000}, Of: 2000, All: true}
	for range 100 {
		now.pass(time.Second)
		at.Added++
		p.set(at)
	}
	at.Failed = 1
	p.fault(extract.Fault{Path: "x\x1b.png", Err: os.ErrPermission})
	for range 20 {
		p.fault(extract.Fault{Path: "y.png", Err: os.ErrPermission})
	}
	at.All = false
	now.pass(30 * time.Second)
	p.set(at)
	p.end()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3+11+1 || lines[0] != "pictures: 1,030 of 2,000, 1.0/s, 16m10s left" || lines[3] != `bad: x\x1b.png: permission denied` ||
		lines[13] != "bad: more, which are not named here" ||
		lines[14] != "pictures: 1,101, 0.8/s, 1 bad" {
		t.Errorf("%q", lines)
	}
}
