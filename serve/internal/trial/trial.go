// Package trial has what tests of several protocols share: a small model with all heads, and requests that clients were seen to send.
package trial

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/shipped"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// PreTraining is a directory, whose name is "whole", with a small pre-training model for regions of so many features: its numbers mean nothing, but it has all heads. It has the
// shipped model's words and the answers yes, no and red.
func PreTraining(t testing.TB, features int) (dir string, config *model.Config) {
	t.Helper()
	words, err := tokenizer.LoadFS(shipped.QuestionAnswering())
	if err != nil {
		t.Fatal(err)
	}
	config = model.DefaultConfig()
	config.VocabSize, config.HiddenSize, config.NumAttentionHeads, config.IntermediateSize, config.MaxPositionEmbeddings = words.VocabSize(), 32, 4, 48, 32
	config.LanguageLayers, config.VisionLayers, config.CrossLayers = 1, 1, 1
	config.NumQALabels, config.VisualFeatDim, config.NumObjectLabels, config.NumAttrLabels = 3, features, 5, 5
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	m, err := model.NewLxmertForPreTraining(engine, config, config.Fresh(7))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	dir = filepath.Join(t.TempDir(), "whole")
	if err := errors.Join(pretrained.Save(t.Context(), dir, m.Network), words.Save(dir),
		lxmert.WriteLabels(filepath.Join(dir, lxmert.LabelsName), []string{"yes", "no", "red"})); err != nil {
		t.Fatal(err)
	}
	return dir, config
}

// Recorded sends what clients sent to a server: a file has their requests, with marks in the place of the picture, and what the answer must hold.
func Recorded(t *testing.T, path string, h http.Handler, picture []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Client      string `json:"client"`
		Method      string `json:"method"`
		Path        string `json:"path"`
		ContentType string `json:"content_type"`
		Body        string `json:"body"`
		Status      int    `json:"status"`
		Has         string `json:"has"`
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded) == 0 {
		t.Fatalf("%s: no requests", path)
	}
	marks := strings.NewReplacer("{{file}}", string(picture), "{{base64}}", base64.StdEncoding.EncodeToString(picture))
	for _, c := range recorded {
		r := httptest.NewRequest(c.Method, c.Path, strings.NewReader(marks.Replace(c.Body)))
		if c.ContentType != "" {
			r.Header.Set("Content-Type", c.ContentType)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.Status || !strings.Contains(w.Body.String(), c.Has) {
			t.Errorf("%s: %s %s %s: %d %.300s, want %d and %s", c.Client, c.Method, c.Path, c.Body, w.Code, w.Body, c.Status, c.Has)
		}
	}
}
