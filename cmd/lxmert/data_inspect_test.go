package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

// sceneStore makes a store of drawn scenes s0, s1, …, and a directory of their pictures.
func sceneStore(t *testing.T, n int) (store, pictures string) {
	t.Helper()
	store, pictures = filepath.Join(t.TempDir(), "store"), t.TempDir()
	w, err := data.WriteStore(store, data.StoreOptions{Preset: scenes.Preset})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		img := scenes.New(uint64(i)).Draw()
		regions, err := scenes.Detector{}.Extract(t.Context(), img)
		id := fmt.Sprint("s", i)
		if err := errors.Join(err, w.Add(id, regions), os.Rename(picture(t, "s.png", img), filepath.Join(pictures, id+".png"))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return store, pictures
}

func inspectJSON(t *testing.T, args ...string) (r inspected) {
	t.Helper()
	out := succeeds(t, append([]string{"data", "inspect", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDataInspect: figures of all images or of some, with the detector's names.
func TestDataInspect(t *testing.T) {
	store, _ := sceneStore(t, 5)
	r := inspectJSON(t, store)
	if r.Path != store || r.Images != 5 || r.Figures.Images != 5 || r.Type != "F16" ||
		r.Bytes < 1000 || r.Figures.Preset != scenes.Preset || r.Figures.WithObjects != 5 {
		t.Errorf("%+v", r)
	}
	ground := false
	for _, o := range r.Objects {
		ground = ground || o.Name == "ground" && o.Count == 5 && o.ID == scenes.GroundLabel
	}
	if !ground || len(r.Attributes) == 0 || r.Attributes[0].Name == "" {
		t.Errorf("objects %v, attributes %v", r.Objects, r.Attributes)
	}
	if r := inspectJSON(t, store, "--sample", "2"); r.Images != 5 || r.Figures.Images != 2 {
		t.Errorf("--sample 2: %d of %d", r.Figures.Images, r.Images)
	}
	if r := inspectJSON(t, store, "--sample", "2", "--all"); r.Figures.Images != 5 {
		t.Errorf("--all: %d", r.Figures.Images)
	}
	text := succeeds(t, "data", "inspect", store, "--sample", "2", "--image-id", "s3", "--image-id", "s1", "--top", "3")
	for _, want := range []string{"features in F16", "what follows is of 2, evenly spaced",
		"median", "deviation", "most frequent: ", "\ns3: ", "\ns1: ", "region  object"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is to be in:\n%s", want, text)
		}
	}
	// Names of one's own, in a file.
	names := lines(t, "objects.txt", "Dog,hound", "cat", "cow")
	if r := inspectJSON(t, exampleFeatures, "--objects", names, "--image-id", "drawn-1"); r.Type != "F32" || r.Figures.Preset != vision.ButdCaffe ||
		len(r.Objects) == 0 || r.Objects[0].Name != "dog" || r.Attributes[0].Name != "gray" || r.Shown[0].Regions[0].Object.Name != "dog" {
		t.Errorf("%+v", r)
	}
	if text := succeeds(t, "data", "inspect", exampleFeatures); !strings.Contains(text, "yolk 7") {
		t.Errorf("with the names of Visual Genome: %s", text)
	}
}

// TestDataInspectDraws: on the pictures, or on plain ground; a sheet, or a file for each.
func TestDataInspectDraws(t *testing.T) {
	store, pictures := sceneStore(t, 5)
	sheet := filepath.Join(t.TempDir(), "sheet.png")
	if r := inspectJSON(t, store, "--images", pictures, "--out", sheet); len(r.Drawings) != 5 || r.Drawings["s4"] != sheet {
		t.Errorf("drawn %v", r.Drawings)
	}
	img, err := vision.DecodeFile(sheet)
	if err != nil || img.Bounds().Dx() < 3*600 || img.Bounds().Dy() < 2*480 {
		t.Fatalf("the sheet has %v, %v", img.Bounds(), err)
	}
	dir := filepath.Join(t.TempDir(), "drawings")
	if text := succeeds(t, "data", "inspect", store, "--image-id", "s2", "--image-id", "s0", "--out", dir); !strings.Contains(text, "2 images drawn in "+dir) {
		t.Error(text)
	}
	for _, id := range []string{"s2", "s0"} {
		if img, err := vision.DecodeFile(filepath.Join(dir, id+".png")); err != nil || img.Bounds().Max != image.Pt(640, 480) {
			t.Errorf("%s: %v", id, err)
		}
	}
	one := filepath.Join(t.TempDir(), "one.jpg")
	succeeds(t, "data", "inspect", store, "--image-id", "s2", "--images", pictures, "--out", one)
	if img, err := vision.DecodeFile(one); err != nil || img.Bounds().Max != image.Pt(640, 480) {
		t.Errorf("one alone: %v", err)
	}
	// A picture that is not there is said, and so is one of another size.
	if err := os.Remove(filepath.Join(pictures, "s1.png")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(picture(t, "s2.jpg", photograph()), filepath.Join(pictures, "s2.png")); err != nil {
		t.Fatal(err)
	}
	_, _, errOut := command(t, "", "data", "inspect", store, "--images", pictures, "--out", sheet)
	for _, want := range []string{"has no picture s1", "drawn on a plain ground", "s2.png has ", "is it another?"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("%q is to be in: %s", want, errOut)
		}
	}
}

func TestDataInspectRefuses(t *testing.T) {
	store, pictures := sceneStore(t, 1)
	slash, sheet := filepath.Join(t.TempDir(), "slash.tsv"), filepath.Join(t.TempDir(), "a.png")
	content, err := os.ReadFile(exampleFeatures)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(slash, []byte(strings.Replace(string(content), "drawn-1", "../../x", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nothing":     {nil, exitUsage, "wants one path"},
		"missing":     {[]string{"nothing.tsv"}, exitFailure, "nothing.tsv"},
		"id":          {[]string{store, "--image-id", "s9"}, exitFailure, `image id "s9" not found among 1`},
		"sample":      {[]string{store, "--sample", "0"}, exitUsage, "--sample: found 0"},
		"images":      {[]string{store, "--images", pictures}, exitUsage, "give --out too"},
		"names":       {[]string{store, "--objects", lines(t, "o.txt", "a", "", "b")}, exitFailure, "o.txt: line 2"},
		"over itself": {[]string{store, "--images", pictures, "--out", filepath.Join(pictures, "s0.png")}, exitUsage, "is the picture itself"},
		"id as file":  {[]string{slash, "--image-id", "../../x", "--out", t.TempDir()}, exitFailure, "cannot be the name of a file"},
		"id as path":  {[]string{slash, "--image-id", "../../x", "--images", pictures, "--out", sheet}, exitFailure, "cannot be the name of a file"},
	} {
		code, _, errOut := command(t, "", append([]string{"data", "inspect"}, test.args...)...)
		if code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
}
