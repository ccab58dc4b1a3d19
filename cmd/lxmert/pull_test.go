package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/hub"
)

const pulledCommit = "0123456789abcdef0123456789abcdef01234567"

// hubOf is a hub on this machine with one model, the files of a directory; package hub's tests have one that also fails.
// It counts requests.
func hubOf(t *testing.T, repo, dir string) (requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.URL.Path == "/api/models/"+repo+"/revision/main" {
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Error(err)
			}
			var files []map[string]string
			for _, entry := range entries {
				files = append(files, map[string]string{"rfilename": entry.Name()})
			}
			json.NewEncoder(w).Encode(map[string]any{"sha": pulledCommit, "siblings": files})
			return
		}
		name, ok := strings.CutPrefix(r.URL.Path, "/"+repo+"/resolve/"+pulledCommit+"/")
		content, err := os.ReadFile(filepath.Join(dir, filepath.Base(name)))
		if !ok || err != nil {
			w.Header().Set("X-Error-Code", "RepoNotFound")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		sum := sha256.Sum256(content)
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	t.Cleanup(server.Close)
	t.Setenv("HF_ENDPOINT", server.URL)
	t.Setenv("LXMERT_LABELS_ENDPOINT", server.URL)
	t.Setenv("HF_HUB_CACHE", filepath.Join(t.TempDir(), "hub"))
	for _, name := range []string{"GOMLX_BACKEND", "HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HUGGING_FACE_HUB_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_TOKEN_PATH", filepath.Join(t.TempDir(), "none"))
	return requests
}

func TestPull(t *testing.T) {
	requests := hubOf(t, "drawn/tiny", exampleModel)
	code, out, errOut := command(t, "", "pull", "drawn/tiny", "--json")
	if code != exitOK || errOut != "" {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var record pulledRecord
	if err := json.Unmarshal([]byte(out), &record); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if record.Commit != pulledCommit || record.Revision != "main" || record.Bytes == 0 || len(record.Files) != 6 {
		t.Errorf("found %+v", record)
	}
	requests.Store(0)
	if code, out, errOut = command(t, "", "pull", "drawn/tiny@"+pulledCommit); code != exitOK || out != record.Dir+"\n" || errOut != "" || requests.Load() > 0 {
		t.Errorf("exit code %d: %s%s, %d requests", code, out, errOut, requests.Load())
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"pull"}, exitUsage, "wants the name of one model"},
		{[]string{"pull", "tiny"}, exitFailure, "want ORG/NAME"},
		{[]string{"pull", "drawn/other"}, exitFailure, "no such model"},
		{[]string{"pull", "drawn/tiny", "--token-file", "nowhere"}, exitFailure, "nowhere"},
	} {
		if code, out, errOut := command(t, "", c.args...); code != c.code || out != "" || !strings.Contains(errOut, c.says) {
			t.Errorf("%v: exit code %d: %s%s", c.args, code, out, errOut)
		}
	}
}

// TestNames: verbs take a name where they take a directory, and do the same with it.
func TestNames(t *testing.T) {
	hubOf(t, "drawn/tiny", exampleModel)
	scores := filepath.Join(t.TempDir(), "scores")
	for _, c := range []struct {
		in   string
		args []string
	}{
		{"", []string{"ask", "--features", exampleFeatures, "--image-id", "drawn-1", "Is it raining?", "--json", "--model"}},
		{`{"id": 1, "text": "is it raining?"}`, []string{"tokenize", "--model"}},
		{"", []string{"forward", "--head", "nonsense", "--in", scores, "--out", scores, "--model"}},
		{"", []string{"bench", "--batch", "1", "--rounds", "1", "--warm-up", "0", "--tokens", "5", "--json", "--model"}},
	} {
		wantCode, want, wantErr := command(t, c.in, append(c.args, exampleModel)...)
		code, out, errOut := command(t, c.in, append(c.args, "drawn/tiny")...)
		if code != wantCode || errOut != wantErr || (c.args[0] == "tokenize" && out != want) || (out == "") != (want == "") {
			t.Errorf("%v: exit code %d: %s%s, want what the directory gives: %d: %s%s", c.args, code, out, errOut, wantCode, want, wantErr)
		}
	}
	features := []string{"--features", exampleFeatures, "--data", "../../examples/questions.json", "--model"}
	for _, verb := range []string{"predict", "eval"} {
		want, out := succeeds(t, append([]string{verb, "vqa"}, append(features, exampleModel)...)...), succeeds(t, append([]string{verb, "vqa"}, append(features, "drawn/tiny")...)...)
		if verb == "predict" && out != want {
			t.Errorf("predict: %s, want what the directory gives: %s", out, want)
		}
	}
	for _, flag := range []string{"--init", "--bert", "--load-answers"} {
		args := []string{"finetune", "vqa", "--train", "a.json", "--features", exampleFeatures, "--out", filepath.Join(t.TempDir(), "run"), "--labels", "../../examples/answers.txt"}
		code, _, errOut := command(t, "", append(args, flag, "drawn/other")...)
		if code != exitFailure || !strings.Contains(errOut, "drawn/other is no directory here") {
			t.Errorf("%s: exit code %d: %s", flag, code, errOut)
		}
		if code, _, errOut = command(t, "", append(args, flag, "drawn/tiny")...); code != exitFailure || !strings.Contains(errOut, "a.json") {
			t.Errorf("%s: exit code %d: %s; want it to come as far as the questions", flag, code, errOut)
		}
	}
	for _, args := range [][]string{{"ask", "a.png", "why?", "--model", "nowhere"}, {"bench", "--model", "./drawn/tiny"}, {"tokenize", "--model", "snap/BEST.pth"}} {
		if code, _, errOut := command(t, "", args...); code != exitFailure || !strings.Contains(errOut, "no such file") {
			t.Errorf("%v: exit code %d: %s", args, code, errOut)
		}
	}
	if code, _, errOut := command(t, "", "bench", "--model", "drawn/other"); code != exitFailure || !strings.Contains(errOut, "drawn/other is no directory here") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	// Without a network the copy serves, and that is said.
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1")
	code, _, errOut := command(t, `{"id": 1, "text": "why?"}`, "tokenize", "--model", "drawn/tiny")
	if code != exitOK || !strings.Contains(errOut, "lxmert: drawn/tiny: the hub cannot be reached") || !strings.Contains(errOut, "taking commit 0123456789ab from the cache") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

// TestKnownName: the authors' model, whose answers cannot be had here, is usable with --labels.
func TestKnownName(t *testing.T) {
	hubOf(t, "unc-nlp/lxmert-vqa-uncased", exampleModel)
	code, out, errOut := command(t, "", "pull", "unc-nlp/lxmert-vqa-uncased")
	if code != exitOK || !strings.Contains(out, pulledCommit) || !strings.Contains(errOut, "what its answers are is not known") || !strings.Contains(errOut, "--labels") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	if code, _, errOut = command(t, "", "pull", "--quiet", "unc-nlp/lxmert-vqa-uncased"); code != exitOK || errOut != "" {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

// TestTableOf: what is given counts most, then what the model says, then what is known of it.
func TestTableOf(t *testing.T) {
	config, err := os.ReadFile(filepath.Join(exampleModel, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var without map[string]any
	if err := json.Unmarshal(config, &without); err != nil {
		t.Fatal(err)
	}
	silent := t.TempDir()
	delete(without, "id2label")
	if config, err = json.Marshal(without); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(silent, "config.json"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	labelled := t.TempDir()
	if err := os.WriteFile(filepath.Join(labelled, "config.json"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := lxmert.WriteLabels(filepath.Join(labelled, lxmert.LabelsName), []string{"yes", "no"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, known, given, want string }{
		{silent, "known", "", "known"}, {silent, "known", "given", "given"}, {silent, "", "", ""}, {labelled, "known", "", ""}, {labelled, "known", "given", "given"},
	} {
		if got, err := tableOf(&hub.Snapshot{Dir: c.dir, Labels: c.known}, c.given); err != nil || got != c.want {
			t.Errorf("%+v: found %q, %v", c, got, err)
		}
	}
}

// TestPulling: what is shown of a download.
func TestPulling(t *testing.T) {
	var out strings.Builder
	p := newPulling(&out)
	for _, done := range []int64{0, 50e6, 914_200_000} {
		p.set(hub.Progress{File: "model.safetensors", Done: done, Of: 914_200_000, AllDone: done, All: 914_200_000})
		p.set(hub.Progress{File: "vocab.txt", Done: 1, Of: 231_508})
	}
	if want := "lxmert: downloading model.safetensors, 914.2 MB\n"; out.String() != want {
		t.Errorf("found %q, want %q", out.String(), want)
	}
	at := hub.Progress{File: "model-1.safetensors", Done: 100e6, Of: 400e6, AllDone: 200e6, All: 800e6}
	if got, want := p.text(at, 10*time.Second), "model-1.safetensors: 100.0 of 400.0 MB, in all 200.0 of 800.0 MB, 20.0 MB a second, 30s left"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}
