package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
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
		for round, want := range []importRecord{{Images: 2, Added: 2}, {Images: 2, There: 2}} {
			code, text, errOut := command(t, "", "extract", dir, "--out", out, "--extractor", extractor, "--float32", "--json")
			var got importRecord
			if err := json.Unmarshal([]byte(text), &got); code != exitOK || err != nil || got != want {
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
		"bad":         {[]string{scene, bad}, exitFailure, "bad.png: the file begins with"},
	} {
		code, _, errOut := command(t, "", append([]string{"extract", "--out", out}, test.args...)...)
		if code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
	if code, text, errOut := command(t, "", "extract", "--out", filepath.Join(t.TempDir(), "store"), "--skip-bad", scene, bad); code != exitOK ||
		!strings.Contains(text, "1 added, 0 there before, 1 skipped") || !strings.Contains(errOut, "skipped: "+bad) {
		t.Errorf("--skip-bad: exit code %d: %s%s", code, text, errOut)
	}
}
