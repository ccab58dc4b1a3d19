package main

import (
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/explain"
)

const parkPicture = "../../examples/park.png"

// Explain answers as ask does, and says why: on paper, with colours, in JSON.
func TestExplain(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	code, out, errOut := command(t, "", "explain", parkPicture, "What color is the car?", "Is there a dog?")
	if code != exitOK || errOut != "" {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{
		"What color is the car?\n", "  red\n", "because of, by relevance (Chefer et al. 2021)", "  red car\n", "and of the words", "explained in",
		"7 regions by scenes",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("there are colours where there is no terminal:\n%q", out)
	}
	if _, out, _ = command(t, "", "explain", "--color", "always", parkPicture, "What color is the car?"); !strings.Contains(out, "mcolor\x1b[0m \x1b[48;5;") {
		t.Errorf("no colours:\n%q", out)
	}
	code, out, errOut = command(t, "", "explain", "--json", "--top", "2", "--answer", "Blue", "--maps", "mean", parkPicture, "What color is the car?")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var record explained
	if err := json.Unmarshal([]byte(out), &record); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	q := record.Questions[0]
	if len(q.Answers) != 2 || q.Answers[0].Text != "red" || q.Explanation.Answer.Text != "blue" || len(record.Regions) != 7 || record.Regions[2].Region != 2 ||
		len(q.Explanation.RegionScores) != 7 || len(q.Explanation.Maps) == 0 || q.ExplainMS <= 0 {
		t.Errorf("got %+v", record)
	}
	code, out, errOut = command(t, "", "explain", "--json", "--layer", "1", "--head", "3", parkPicture, "What color is the car?")
	if code != exitOK || !strings.Contains(out, `"method":"attention","layer":1,"head":3,`) {
		t.Errorf("exit code %d: %s%s", code, errOut, out)
	}
}

// Each kind of file, of one question and of several; regions without their picture are drawn on a plain ground.
func TestExplainOut(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"one.png":    {parkPicture, "What color is the car?"},
		"sheet.png":  {parkPicture, "What color is the car?", "Is there a dog?"},
		"page.html":  {parkPicture, "What color is the car?", "Is there a dog?"},
		"why.json":   {parkPicture, "What color is the car?"},
		"ground.png": {"--model", exampleModel, "--features", exampleFeatures, "--image-id", "drawn-1", "Is it raining?"},
	} {
		path := filepath.Join(dir, name)
		code, out, errOut := command(t, "", append([]string{"explain", "--out", path}, args...)...)
		if code != exitOK || !strings.Contains(out, "written to ") {
			t.Errorf("%s: exit code %d: %s%s", name, code, out, errOut)
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		switch filepath.Ext(name) {
		case ".png":
			img, err := png.Decode(strings.NewReader(string(content)))
			if err != nil || img.Bounds().Dx() < 480 || (name == "sheet.png") != (img.Bounds().Dx() > 1200) {
				t.Errorf("%s: %v, %v", name, img.Bounds(), err)
			}
		case ".html":
			page := string(content)
			if !strings.HasPrefix(page, "<!doctype html>") || strings.Count(page, `class="card"`) != 2 || !strings.Contains(page, "cross_language.2") {
				t.Errorf("%s: %.300s", name, content)
			}
		case ".json":
			var record explained
			if err := json.Unmarshal(content, &record); err != nil || record.Questions[0].Explanation.Method != explain.MethodRelevance {
				t.Errorf("%s: %v: %.300s", name, err, content)
			}
		}
	}
}

// A picture that the model does not know is explained with a warning, on the drawing too.
func TestExplainPhotograph(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	out := filepath.Join(t.TempDir(), "why.html")
	code, _, errOut := command(t, "", "explain", "--out", out, picture(t, "photo.jpg", photograph()), "What color is the car?")
	content, err := os.ReadFile(out)
	const note = "does not look like a drawn scene"
	if code != exitOK || err != nil || !strings.Contains(errOut, note) || !strings.Contains(string(content), note) {
		t.Errorf("exit code %d, %v: %s", code, err, errOut)
	}
}

func TestExplainRefuses(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no question":    {[]string{parkPicture}, exitUsage, "wants a picture and a question"},
		"no picture":     {[]string{"nothing.png", "why?"}, exitFailure, "looked for a picture"},
		"method":         {[]string{"--method", "magic", parkPicture, "why?"}, exitUsage, `--method: found "magic", want one of relevance`},
		"maps":           {[]string{"--maps", "some", parkPicture, "why?"}, exitUsage, `--maps: found "some"`},
		"layer":          {[]string{"--layer", "3", parkPicture, "why?"}, exitFailure, "found 3, but the model has cross-modality layers 0 to 2"},
		"head":           {[]string{"--head", "-1", parkPicture, "why?"}, exitFailure, "head: found -1"},
		"layer, rollout": {[]string{"--method", "rollout", "--layer", "1", parkPicture, "why?"}, exitUsage, "--layer and --head are for --method attention"},
		"answer":         {[]string{"--answer", "reddish", parkPicture, "why?"}, exitUsage, `--answer: "reddish" is none of the model's`},
		"near answer":    {[]string{"--answer", "rad", parkPicture, "why?"}, exitUsage, "did you mean red"},
		"out":            {[]string{"--out", "why.pdf", parkPicture, "why?"}, exitUsage, "want a name that ends in .png"},
		"onto itself":    {[]string{"--out", parkPicture, parkPicture, "why?"}, exitUsage, "is the picture itself"},
		"top":            {[]string{"--top", "0", parkPicture, "why?"}, exitUsage, "--top: found 0"},
		"boxes":          {[]string{"--boxes", "-1", parkPicture, "why?"}, exitUsage, "--boxes: found -1"},
		"color":          {[]string{"--color", "blue", parkPicture, "why?"}, exitUsage, "--color: found"},
		"empty":          {[]string{parkPicture, " "}, exitFailure, "the question is empty"},
		"huge":           {[]string{parkPicture, strings.Repeat("why ", 30000)}, exitFailure, "shorten it"},
		"no directory":   {[]string{"--out", "nowhere/why.png", parkPicture, "Is it red?"}, exitFailure, "nowhere"},
	} {
		code, _, errOut := command(t, "", append([]string{"explain"}, test.args...)...)
		if code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d: %.300s", name, code, test.code, errOut)
		}
	}
}
