package hf

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	lx "github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/shipped"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// scene is the file of a drawn scene: a red car and a blue ball.
func scene(t testing.TB) []byte {
	t.Helper()
	s := &scenes.Scene{Seed: 3, Objects: []scenes.Object{
		{Kind: scenes.Car, Color: scenes.Red, Size: scenes.Big, Box: image.Rect(20, 120, 122, 180)},
		{Kind: scenes.Ball, Color: scenes.Blue, Size: scenes.Small, Box: image.Rect(160, 60, 200, 100)},
	}}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, s.Draw()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func in64(content []byte) string { return base64.StdEncoding.EncodeToString(content) }

// words are the shipped model's.
func words(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	words, err := tokenizer.LoadFS(shipped.QuestionAnswering())
	if err != nil {
		t.Fatal(err)
	}
	return words
}

// preTraining is a directory with a small pre-training model: its numbers mean nothing, but it has all heads.
func preTraining(t testing.TB) string {
	t.Helper()
	words := words(t)
	config := lx.DefaultConfig()
	config.VocabSize, config.HiddenSize, config.NumAttentionHeads, config.IntermediateSize, config.MaxPositionEmbeddings = words.VocabSize(), 32, 4, 48, 32
	config.LanguageLayers, config.VisionLayers, config.CrossLayers = 1, 1, 1
	config.NumQALabels, config.VisualFeatDim, config.NumObjectLabels, config.NumAttrLabels = 3, scenes.FeatureWidth, 5, 5
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	m, err := lx.NewLxmertForPreTraining(engine, config, config.Fresh(7))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	dir := t.TempDir()
	if err := errors.Join(pretrained.Save(t.Context(), dir, m.Network), words.Save(dir),
		lxmert.WriteLabels(filepath.Join(dir, lxmert.LabelsName), []string{"yes", "no", "red"})); err != nil {
		t.Fatal(err)
	}
	return dir
}

// routes are those of the shipped model, and of "masked", which fills masks.
func routes(t testing.TB) http.Handler {
	t.Helper()
	s, err := service.New(t.Context(), service.Options{Models: []service.Source{{}, {Name: "masked", Dir: preTraining(t), Detector: scenes.Preset}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	mux := http.NewServeMux()
	Register(mux, s)
	return mux
}

// post sends a body and returns status and answer.
func post(h http.Handler, path, contentType, body string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// ask sends JSON and wants the answer as T.
func ask[T any](t *testing.T, h http.Handler, path, body string) (out T) {
	t.Helper()
	status, text := post(h, path, "application/json", body)
	if status != http.StatusOK {
		t.Fatalf("%s %.200s: %d %s", path, body, status, text)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%s %.200s: %v in %.300s", path, body, err, text)
	}
	return out
}
