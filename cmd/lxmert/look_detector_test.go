package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A small Faster R-CNN of the reference's, whose features are as wide as the shipped model's.
var (
	tinyDetector = filepath.Join("..", "..", "testdata", "frcnn", "tiny")
	photo        = filepath.Join("..", "..", "testdata", "frcnn", "images", "COCO_train2014_000000306661.jpg")
)

// From a JPEG to an answer: with a detector that is named, whose regions are kept, and a word about a model that was trained with another's.
func TestAskDetector(t *testing.T) {
	cache := t.TempDir()
	args := []string{"--detector", tinyDetector, "--cache", cache, photo, "what is it?"}
	first, notes := askJSON(t, args...)
	if first.Regions != 36 || first.Preset != "hf-frcnn" || first.Cached || len(first.Stages) < 7 || len(first.Questions) != 1 {
		t.Errorf("%+v", first)
	}
	if !strings.Contains(notes, "the regions are of preset hf-frcnn, but the model was trained with those of scenes") {
		t.Errorf("no word about presets: %s", notes)
	}
	again, _ := askJSON(t, args...)
	if !again.Cached || again.Regions != 36 || again.Questions[0].Answers[0] != first.Questions[0].Answers[0] {
		t.Errorf("from the cache: %+v, want %+v", again, first)
	}
	if other, _ := askJSON(t, append([]string{"--max-regions", "20"}, args...)...); other.Cached || other.Regions != 20 {
		t.Errorf("with other options: %+v", other)
	}
	kept, err := os.ReadDir(cache)
	if err != nil || len(kept) != 2 {
		t.Errorf("%d pictures are kept, want 2: %v", len(kept), err)
	}
	// What is in the cache but broken costs a look at the picture, and a word.
	for _, e := range kept {
		if err := os.WriteFile(filepath.Join(cache, e.Name(), "manifest.json"), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	looked, notes := askJSON(t, args...)
	if looked.Cached || !slices.ContainsFunc(looked.Stages, func(s stageRecord) bool { return s.Stage == "fifth stage" }) || !strings.Contains(notes, "were not kept") {
		t.Errorf("a broken cache: %+v, %s", looked, notes)
	}
	// On paper parts are told where one of them took long.
	if got := parts([]stageRecord{{"decode", 3}, {"resize", 0.1}, {"fifth stage", 5000}}); got != " (decode 3, fifth stage 5000)" {
		t.Errorf("parts: %q", got)
	}
	if got := parts([]stageRecord{{"decode", 3}, {"resize", 9}, {"find regions", 5}}); got != "" {
		t.Errorf("short parts: %q", got)
	}
}

func TestAskDetectorRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"with features": {[]string{"--features", exampleFeatures, "--image-id", "drawn-1", "--detector", tinyDetector, "why?"}, exitUsage, "--detector and --cache are for a picture"},
		"no detector":   {[]string{"--detector", "nothing", photo, "why?"}, exitFailure, "nothing"},
		"not its flags": {[]string{"--detector", "grid", "--proposals", "3", photo, "why?"}, exitUsage, "are a Faster R-CNN's, but --detector is grid"},
		"no preset":     {[]string{"--detector", tinyDetector, "--preset", "yolo", photo, "why?"}, exitFailure, `preset "yolo"`},
	} {
		if code, out, errOut := command(t, "", append([]string{"ask"}, c.args...)...); code != c.code || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s%s", name, code, c.code, c.want, out, errOut)
		}
	}
}

// The other verbs with a Faster R-CNN: a table with names, and a store that says by which recipe it is.
func TestFasterRCNN(t *testing.T) {
	if out := succeeds(t, "detect", "--detector", tinyDetector, "--top", "3", photo); !strings.Contains(out, "36 regions by hf-frcnn") || !strings.Contains(out, "wooden") {
		t.Errorf("%s", out)
	}
	store := filepath.Join(t.TempDir(), "regions")
	succeeds(t, "extract", "--detector", tinyDetector, "--preset", "d2-maxnms", "--out", store, filepath.Dir(photo))
	if out := succeeds(t, "data", "inspect", store); !strings.Contains(out, "d2-maxnms") {
		t.Errorf("%s", out)
	}
	boxes := lines(t, "boxes.json", `{"COCO_train2014_000000306661": [[10, 20, 200, 300.5], [0, 0, 100, 100]]}`)
	store = filepath.Join(t.TempDir(), "given")
	succeeds(t, "extract", "--detector", tinyDetector, "--boxes", boxes, "--out", store, photo)
	if out := succeeds(t, "data", "inspect", store); !strings.Contains(out, "2 to 2 an image") && !strings.Contains(out, "regions          2") {
		t.Errorf("%s", out)
	}
	if out := succeeds(t, "bench", "--detector", tinyDetector, "--rounds", "1", "--warm-up", "0"); !strings.Contains(out, "fifth stage") {
		t.Errorf("%s", out)
	}
}
