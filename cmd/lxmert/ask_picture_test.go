package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

// picture writes a picture in the format of the name's end, and returns its path.
func picture(t *testing.T, name string, img image.Image) string {
	t.Helper()
	var content bytes.Buffer
	var err error
	if strings.HasSuffix(name, ".png") {
		err = png.Encode(&content, img)
	} else {
		err = jpeg.Encode(&content, img, &jpeg.Options{Quality: 85})
	}
	if err != nil {
		t.Fatal(err)
	}
	return file(t, name, content.Bytes())
}

func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// photograph is soft shapes in muted colours with a sensor's noise: no picture of the drawn world.
func photograph() image.Image {
	r := rand.New(rand.NewPCG(3, 4))
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			light := 110 + 50*math.Sin(float64(x)*0.011+1)*math.Cos(float64(y)*0.008)
			shade := func(tint float64) uint8 { return uint8(max(0, min(255, light*tint+6*r.NormFloat64()))) }
			img.SetRGBA(x, y, color.RGBA{shade(1.05), shade(0.92), shade(0.75), 255})
		}
	}
	return img
}

// askJSON asks and reads what comes out.
func askJSON(t *testing.T, args ...string) (asked, string) {
	t.Helper()
	code, out, errOut := command(t, "", append([]string{"ask", "--json"}, args...)...)
	var record asked
	if err := json.Unmarshal([]byte(out), &record); code != exitOK || err != nil {
		t.Fatalf("exit code %d, %v: %s%s", code, err, out, errOut)
	}
	return record, errOut
}

// TestAskPicture: the shipped model answers about a drawn scene, PNG or JPEG, and has nothing to warn of.
func TestAskPicture(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	scene := scenes.New(3).Draw()
	for _, name := range []string{"scene.png", "scene.jpg"} {
		path := picture(t, name, scene)
		record, errOut := askJSON(t, "--top", "2", path, "What color is the car?", "How many stars are there?")
		if errOut != "" || record.Notes != nil || record.Model != "shipped" || record.Picture != path || record.ImageID != "" || record.Preset != scenes.Preset {
			t.Errorf("%s: %+v, %s", name, record, errOut)
		}
		if record.Familiar == nil || *record.Familiar < scenes.FamiliarEnough || record.Regions < 3 || record.SeeMS <= 0 || len(record.Questions) != 2 {
			t.Fatalf("%s: %+v", name, record)
		}
		for _, q := range record.Questions {
			if len(q.Answers) != 2 || q.Answers[0].Confidence != q.Answers[0].Probability || q.Answers[0].Probability <= 0 {
				t.Errorf("%s: %+v", name, q)
			}
		}
		code, out, errOut := command(t, "", "ask", path, "Is there a car?")
		if code != exitOK || errOut != "" || !strings.Contains(out, "Is there a car?\n") || !strings.Contains(out, "confidence") || !strings.Contains(out, "regions by scenes found in") {
			t.Errorf("%s: exit code %d: %s%s", name, code, out, errOut)
		}
	}
}

// TestAskForeignPicture: of what is not drawn there is an honest answer.
func TestAskForeignPicture(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	photo := picture(t, "photo.jpg", photograph())
	record, errOut := askJSON(t, photo, "Is there a car?")
	for _, want := range []string{"photo.jpg does not look like a drawn scene: ", "the shipped model knows drawn scenes only", "--model DIR --features FILE"} {
		if !strings.Contains(errOut, want) || len(record.Notes) != 1 || !strings.Contains(record.Notes[0], want) {
			t.Errorf("%q is not in: %s, %v", want, errOut, record.Notes)
		}
	}
	if record.Familiar == nil || *record.Familiar > 0.3 {
		t.Errorf("familiarity %v", record.Familiar)
	}
	for _, a := range record.Questions[0].Answers {
		if want := float64(a.Probability) * *record.Familiar / scenes.FamiliarEnough; !(math.Abs(float64(a.Confidence)-want) <= 1e-6) {
			t.Errorf("%+v: want confidence %v", a, want)
		}
	}
	blank := image.NewGray(image.Rect(0, 0, 100, 80))
	for i := range blank.Pix {
		blank.Pix[i] = 255
	}
	if record, errOut := askJSON(t, picture(t, "blank.png", blank), "Is there a car?"); record.Regions != 1 || !strings.Contains(errOut, "found no object in it") {
		t.Errorf("blank: %+v, %s", record, errOut)
	}
}

// huge is the beginning of a PNG file of 100,000 × 100,000 pixels.
func huge() []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, 100_000)
	chunk = binary.BigEndian.AppendUint32(chunk, 100_000)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	content := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(chunk)-4))
	return binary.BigEndian.AppendUint32(append(content, chunk...), crc32.ChecksumIEEE(chunk))
}

func TestAskPictureRefuses(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	scene := picture(t, "scene.png", scenes.New(3).Draw())
	whole, err := os.ReadFile(scene)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"nothing":      {nil, exitUsage, []string{"wants a picture and a question"}},
		"no question":  {[]string{scene}, exitUsage, []string{"wants a picture and a question"}},
		"no picture":   {[]string{"nothing.png", "why?"}, exitFailure, []string{"nothing.png", "the first argument is the picture", "--features and --image-id"}},
		"turned round": {[]string{"why?", scene}, exitFailure, []string{"why?", "put " + scene + " first"}},
		"text":         {[]string{file(t, "notes.txt", []byte("this is no picture")), "why?"}, exitFailure, []string{"notes.txt", "want a picture: PNG, JPEG"}},
		"GIF":          {[]string{file(t, "a.gif", []byte("GIF89a..........")), "why?"}, exitFailure, []string{"a.gif", "the GIF file"}},
		"empty":        {[]string{file(t, "empty.png", nil), "why?"}, exitFailure, []string{"empty.png", "is empty"}},
		"cut off":      {[]string{file(t, "cut.png", whole[:len(whole)/2]), "why?"}, exitFailure, []string{"cut.png", "the PNG file"}},
		"huge":         {[]string{file(t, "huge.png", huge()), "why?"}, exitFailure, []string{"huge.png", "100000 × 100000 pixels"}},
		"a directory":  {[]string{t.TempDir(), "why?"}, exitFailure, []string{"is no plain file"}},
		"blank":        {[]string{scene, " "}, exitFailure, []string{"the question is empty"}},
		"old model":    {[]string{"--model", exampleModel, scene, "why?"}, exitFailure, []string{exampleModel, "region_preset", "--features"}},
		"no model":     {[]string{"--model", t.TempDir(), scene, "why?"}, exitFailure, []string{"config.json"}},
	} {
		code, out, errOut := command(t, "", append([]string{"ask"}, test.args...)...)
		for _, want := range test.want {
			if code != test.code || out != "" || !strings.Contains(errOut, want) {
				t.Errorf("%s: exit code %d, want %d; %q is to be in: %s%s", name, code, test.code, want, out, errOut)
			}
		}
	}
}

// modelFor makes a random model for regions of a preset.
func modelFor(t *testing.T, preset string, width string) string {
	t.Helper()
	fresh, dir := filepath.Join(t.TempDir(), "fresh"), filepath.Join(t.TempDir(), "model")
	for _, args := range [][]string{
		{"init", "--out", fresh, "--vocab", "../../examples/words.txt", "--labels", "../../examples/answers.txt", "--set", "visual_feat_dim=" + width,
			"--set", "hidden_size=16", "--set", "num_attention_heads=2", "--set", "l_layers=1", "--set", "r_layers=1", "--set", "x_layers=1"},
		{"convert", fresh, dir, "--dtype", "bf16", "--preset", preset},
	} {
		if code, out, errOut := command(t, "", args...); code != exitOK {
			t.Fatalf("exit code %d: %s%s", code, out, errOut)
		}
	}
	return dir
}

// TestAskOtherModel: the picture goes through the detector that the model was trained with, or through none.
func TestAskOtherModel(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	scene := picture(t, "scene.png", scenes.New(3).Draw())
	grid := modelFor(t, "grid-3x4x2", "18")
	record, errOut := askJSON(t, "--model", grid, scene, "why?")
	if record.Regions != 12 || record.Preset != "grid-3x4x2" || record.Familiar != nil || errOut != "" || record.Model != grid {
		t.Errorf("grid: %+v, %s", record, errOut)
	}
	photo := picture(t, "photo.jpg", photograph())
	drawn := modelFor(t, scenes.Preset, "128")
	if record, errOut := askJSON(t, "--model", drawn, photo, "why?"); record.Familiar == nil || !strings.Contains(errOut, "the model in "+drawn+" knows drawn scenes only") {
		t.Errorf("scenes: %+v, %s", record, errOut)
	}
	code, _, errOut := command(t, "", "ask", "--model", modelFor(t, vision.ButdCaffe, "2048"), scene, "why?")
	for _, want := range []string{`"butd-caffe"`, "no detector for it here", "--features and --image-id"} {
		if code != exitFailure || !strings.Contains(errOut, want) {
			t.Errorf("butd-caffe: exit code %d; %q is to be in: %s", code, want, errOut)
		}
	}
	if code, _, errOut := command(t, "", "ask", "--model", modelFor(t, scenes.Preset, "64"), scene, "why?"); code != exitFailure || !strings.Contains(errOut, "128 numbers wide, want 64") {
		t.Errorf("another width: exit code %d, %s", code, errOut)
	}
}

// TestAskFeaturesOfShipped: the shipped model reads regions too, and says if they are another detector's.
func TestAskFeaturesOfShipped(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	for preset, warns := range map[string]bool{scenes.Preset: false, "mine": true} {
		dir := filepath.Join(t.TempDir(), "store")
		regions := saveStore(t, dir, preset, "s3")
		record, errOut := askJSON(t, "--features", dir, "--image-id", "s3", "Is there a car?")
		if record.ImageID != "s3" || record.Picture != "" || record.Regions != regions || strings.Contains(errOut, "its answers mean little") != warns {
			t.Errorf("%s: %+v, %s", preset, record, errOut)
		}
	}
}

// saveStore makes a store with a drawn picture's regions under a preset's name, and says how many there are.
func saveStore(t *testing.T, dir, preset, id string) int {
	t.Helper()
	regions, err := scenes.Detector{}.Extract(t.Context(), scenes.New(3).Draw())
	if err != nil {
		t.Fatal(err)
	}
	regions.Preset = preset
	w, err := data.WriteStore(dir, data.StoreOptions{Preset: preset})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Add(id, regions), w.Close()); err != nil {
		t.Fatal(err)
	}
	return regions.Len()
}
