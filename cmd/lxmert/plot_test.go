package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlot: two runs of one name are told apart, a picture of either kind appears, and faults name what they are about.
func TestPlot(t *testing.T) {
	dir := t.TempDir()
	write := func(name, log string) string {
		run := filepath.Join(dir, name)
		if err := os.MkdirAll(run, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(run, "log.jsonl"), []byte(log), 0o644); err != nil {
			t.Fatal(err)
		}
		return run
	}
	var log strings.Builder
	for step := 1; step <= 1500; step++ {
		fmt.Fprintf(&log, `{"step":%d,"epoch":1,"loss":%g,"grad_norm":2.1,"lr":0.0001,"seconds":0.93}`+"\n", step, 1/float64(step))
	}
	log.WriteString(`{"epoch":1,"step":1500,"train_loss":1.1,"valid_score":0.52,"seconds":312.5}` + "\n")
	first, second := write("a/vqa", log.String()), write("b/vqa", log.String()+`{"step":15`)
	out := filepath.Join(dir, "both.svg")
	code, printed, errOut := command(t, "", "plot", first, filepath.Join(second, "log.jsonl"), "--out", out, "--smooth", "7")
	if code != exitOK || !strings.Contains(printed, "1,500 steps") || !strings.Contains(printed, out) {
		t.Fatalf("exit code %d: %s%s", code, printed, errOut)
	}
	picture, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{first, second, ">mean over 7 steps<", ">Score<", ">Gradient norm<"} {
		if !strings.Contains(string(picture), want) {
			t.Errorf("%q is not in the picture", want)
		}
	}
	out = filepath.Join(dir, "one.PNG")
	if code, _, errOut := command(t, "", "plot", first, "--out", out); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	if picture, err := os.ReadFile(out); err != nil || !strings.HasPrefix(string(picture), "\x89PNG") {
		t.Errorf("%s is no PNG (%v)", out, err)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no run":       {nil, exitUsage, "1 to 8 runs"},
		"too many":     {strings.Split(strings.Repeat("r ", 9), " ")[:9], exitUsage, "found 9"},
		"other kind":   {[]string{first, "--out", "curves.jpg"}, exitUsage, "curves.jpg"},
		"bad smooth":   {[]string{first, "--smooth", "-1"}, exitUsage, "--smooth"},
		"nowhere":      {[]string{filepath.Join(dir, "nowhere")}, exitFailure, "nowhere"},
		"nothing yet":  {[]string{write("new", "")}, exitFailure, "no step"},
		"broken line":  {[]string{write("broken", `{"step":1,"epoch":1,"loss":1}`+"\n}\n")}, exitFailure, "line 2"},
		"no directory": {[]string{first, "--out", filepath.Join(dir, "x", "y.png")}, exitFailure, "y.png"},
	} {
		if code, _, errOut := command(t, "", append([]string{"plot"}, test.args...)...); code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
}
