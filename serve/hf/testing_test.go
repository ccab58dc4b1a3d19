package hf

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/serve/internal/trial"
	"github.com/go-lxmert/lxmert/serve/service"
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

// routes are those of the shipped model, and of "masked", which fills masks.
func routes(t testing.TB) http.Handler {
	t.Helper()
	dir, _ := trial.PreTraining(t, scenes.FeatureWidth)
	s, err := service.New(t.Context(), service.Options{Models: []service.Source{{}, {Name: "masked", Dir: dir, Detector: scenes.Preset}}})
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
