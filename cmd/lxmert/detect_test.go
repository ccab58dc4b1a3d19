package main

import (
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

// detected runs detect --json and reads its lines.
func detected(t *testing.T, args ...string) (records []detectRecord, errOut string) {
	t.Helper()
	code, out, errOut := command(t, "", append([]string{"detect", "--json"}, args...)...)
	if code != exitOK {
		t.Fatalf("%q: exit code %d: %s%s", args, code, out, errOut)
	}
	for decoder := json.NewDecoder(strings.NewReader(out)); decoder.More(); {
		var r detectRecord
		if err := decoder.Decode(&r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records, errOut
}

// TestDetect: what is printed is what the detector finds, the surest first, with names, and boxes in pixels and as parts.
func TestDetect(t *testing.T) {
	scene := scenes.New(256759).Draw()
	path := picture(t, "scene.png", scene)
	want, err := scenes.Detector{}.Extract(t.Context(), scene)
	if err != nil {
		t.Fatal(err)
	}
	records, errOut := detected(t, path)
	if len(records) != 1 || errOut != "" {
		t.Fatalf("%d records, %s", len(records), errOut)
	}
	r := records[0]
	if r.Picture != path || r.Width != want.Size.Width || r.Height != want.Size.Height || r.Preset != scenes.Preset || r.FeatureWidth != scenes.FeatureWidth ||
		r.Found != want.Len() || len(r.Regions) != want.Len() || r.Drawing != "" || r.DecodeMS <= 0 || r.DetectMS <= 0 {
		t.Errorf("%+v", r)
	}
	for i, n := range want.Ranked(0, 0) {
		got := r.Regions[i]
		if got.Region != n || got.Object.ID != want.Objects[n].ID ||
			got.Object.Name != scenes.ObjectNames()[got.Object.ID] || got.Object.Confidence != want.Objects[n].Confidence ||
			got.Attribute.Name != scenes.AttributeNames()[want.Attributes[n].ID] {
			t.Errorf("region %d: %+v", i, got)
		}
		for k, v := range want.Box(n) {
			side := float32(r.Width)
			if k%2 == 1 {
				side = float32(r.Height)
			}
			if got.Normalized[k] != v || got.Box[k] != v*side {
				t.Errorf("region %d: box %v, %v, want %v", i, got.Normalized, got.Box, want.Box(n))
			}
		}
		if i > 0 && got.Object.Confidence > r.Regions[i-1].Object.Confidence {
			t.Errorf("region %d is surer than the one before", i)
		}
	}
	if records, _ := detected(t, path, "--top", "2"); len(records[0].Regions) != 2 || records[0].Found != want.Len() {
		t.Errorf("--top 2: %+v", records[0])
	}
	if records, _ := detected(t, path, "--min-confidence", "1"); len(records[0].Regions) == 0 ||
		len(records[0].Regions) == want.Len() || records[0].Regions[0].Object.Confidence != 1 {
		t.Errorf("--min-confidence 1: %+v", records[0])
	}
	records, _ = detected(t, path, "--detector", "grid-2x3x1")
	if r := records[0]; len(r.Regions) != 6 || r.Regions[1].Object != nil || r.Regions[1].Attribute != nil ||
		r.Regions[5].Region != 5 || r.Preset != "grid-2x3x1" {
		t.Errorf("grid: %+v", r)
	}
	table := succeeds(t, "detect", path, "--top", "3")
	for _, want := range []string{path + ": ", " regions by scenes found in ", ", 3 of them shown", "region  object", "ground  "} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is to be in:\n%s", want, table)
		}
	}
	if lines := strings.Count(table, "\n"); lines != 6 {
		t.Errorf("%d lines:\n%s", lines, table)
	}
}

// TestDetectDraws: one picture's drawing is a file, several go into a directory; the pictures stay as they were.
func TestDetectDraws(t *testing.T) {
	one, two := picture(t, "one.png", scenes.New(1).Draw()), picture(t, "two.jpg", scenes.New(2).Draw())
	dir := t.TempDir()
	for _, to := range []string{"a.png", "b.jpg"} {
		to := filepath.Join(dir, to)
		records, _ := detected(t, one, "--out", to)
		if img, err := vision.DecodeFile(to); err != nil || records[0].Drawing != to || img.Bounds().Dx() < 640 {
			t.Errorf("%s: %v", to, err)
		}
	}
	out := filepath.Join(dir, "new", "drawings")
	if text := succeeds(t, "detect", one, two, "--out", out, "--detector", "grid"); strings.Count(text, "drawn in "+out) != 2 {
		t.Error(text)
	}
	for _, name := range []string{"one.png", "two.png"} {
		if _, err := vision.DecodeFile(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	before, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{one, filepath.Dir(one)} {
		if code, _, errOut := command(t, "", "detect", one, "--out", to); code != exitUsage || !strings.Contains(errOut, "is the picture itself") {
			t.Errorf("over itself: exit code %d, %s", code, errOut)
		}
	}
	if after, err := os.ReadFile(one); err != nil || string(after) != string(before) {
		t.Errorf("the picture has changed, %v", err)
	}
}

// TestDetectNotes: what does not look like the detector's world is said; what is no picture does not end it.
func TestDetectNotes(t *testing.T) {
	photo, scene := picture(t, "photo.jpg", photograph()), picture(t, "scene.png", scenes.New(1).Draw())
	records, errOut := detected(t, photo)
	if len(records[0].Notes) != 1 || !strings.Contains(errOut, "photo.jpg does not look like a drawn scene") {
		t.Errorf("%+v, %s", records[0].Notes, errOut)
	}
	bad := file(t, "bad.png", []byte("no picture"))
	code, out, errOut := command(t, "", "detect", bad, scene)
	if code != exitFailure || !strings.Contains(out, "scene.png: ") ||
		!strings.Contains(errOut, "bad.png: the file begins with") || !strings.Contains(errOut, "1 of 2 pictures were passed over") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
}

func TestDetectRefuses(t *testing.T) {
	scene := picture(t, "scene.png", scenes.New(1).Draw())
	other := picture(t, "other.png", image.NewGray(image.Rect(0, 0, 5, 5)))
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nothing":       {nil, exitUsage, "wants pictures"},
		"detector":      {[]string{scene, "--detector", "yolo"}, exitUsage, `--detector: regions of preset "yolo"`},
		"missing":       {[]string{"nothing.png"}, exitFailure, "nothing.png"},
		"two in one":    {[]string{scene, other, "--out", "a.png"}, exitUsage, "want a directory"},
		"top":           {[]string{scene, "--top", "-1"}, exitUsage, "--top: found -1"},
		"confidence":    {[]string{scene, "--min-confidence", "2"}, exitUsage, "--min-confidence: found 2"},
		"NaN":           {[]string{scene, "--min-confidence", "nan"}, exitUsage, "--min-confidence: found NaN"},
		"unwritable":    {[]string{scene, "--out", filepath.Join(scene, "a.png")}, exitFailure, "a.png"},
		"not a picture": {[]string{file(t, "bad.png", []byte("GIF8"))}, exitFailure, "bad.png"},
	} {
		code, _, errOut := command(t, "", append([]string{"detect"}, test.args...)...)
		if code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
}
