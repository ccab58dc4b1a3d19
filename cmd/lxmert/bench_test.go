package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/internal/golden"
)

// TestBench: a line a batch size, with figures that can be; contradictions are usage errors.
func TestBench(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	code, out, errOut := command(t, "", "bench", "--model", exampleModel, "--batch", "1,4", "--rounds", "3", "--warm-up", "1", "--json")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	results := benchLines(t, out)
	if len(results) != 2 || results[0].Batch != 1 || results[1].Batch != 4 {
		t.Fatalf("got %s", out)
	}
	if code, out, errOut := command(t, "", "bench", "--model", exampleModel, "--batch", "4", "--rounds", "2", "--questions-per-image", "2"); code != exitOK || !strings.Contains(out, "questions/s") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	for _, args := range [][]string{{"--batch", "0"}, {"--batch", "x"}, {"--size", "huge"}, {"--rounds", "0"}, {"--batch", "4", "--questions-per-image", "3"},
		{"--threads", "2", "--backend", "go"}, {"--threads", "-1"}} {
		if code, _, errOut := command(t, "", append([]string{"bench"}, args...)...); code != exitUsage || errOut == "" {
			t.Errorf("%v: exit code %d, %s", args, code, errOut)
		}
	}
}

// TestBenchTrain: the same of training steps, whose batch is 8 unless one says otherwise.
func TestBenchTrain(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	tiny := filepath.Join(golden.Dir(), "tiny") // has the heads of pre-training
	code, out, errOut := command(t, "", "bench", "--train", "--model", tiny, "--rounds", "2", "--warm-up", "1", "--json")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	results := benchLines(t, out)
	if len(results) != 1 || results[0].Batch != 8 {
		t.Fatalf("got %s", out)
	}
	if code, out, errOut := command(t, "", "bench", "--train", "--model", tiny, "--rounds", "2", "--batch", "1,3"); code != exitOK || !strings.Contains(out, "examples/s") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"one picture":    {[]string{"--model", tiny, "--questions-per-image", "8"}, exitUsage, "--questions-per-image is for answering"},
		"no such head":   {[]string{"--model", exampleModel}, exitFailure, "cls.predictions"},
		"too many words": {[]string{"--model", tiny, "--tokens", "100"}, exitFailure, "input_ids"},
	} {
		if code, _, errOut := command(t, "", append([]string{"bench", "--train"}, test.args...)...); code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
}

// benchLines reads what --json printed, and checks that the figures can be.
func benchLines(t *testing.T, out string) []benchResult {
	t.Helper()
	var results []benchResult
	for line := range strings.Lines(out) {
		var r benchResult
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.MedianMS <= 0 || r.P95MS < r.MedianMS || r.PerSecond <= 0 || r.GFLOPS <= 0 || r.PeakGFLOPS <= r.GFLOPS || r.LoadMS <= 0 {
			t.Errorf("%+v", r)
		}
		results = append(results, r)
	}
	return results
}
