package openai

import (
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// TestRecorded sends what clients sent to this server: testdata/recorded.json has their requests, with marks in the place of the picture, and what the
// answer must hold.
func TestRecorded(t *testing.T) {
	text, err := os.ReadFile("testdata/recorded.json")
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
	h, file := routes(t), scene(t)
	picture := strings.NewReplacer("{{file}}", string(file), "{{base64}}", base64.StdEncoding.EncodeToString(file))
	for _, c := range recorded {
		r := httptest.NewRequest(c.Method, c.Path, strings.NewReader(picture.Replace(c.Body)))
		if c.ContentType != "" {
			r.Header.Set("Content-Type", c.ContentType)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.Status || !strings.Contains(w.Body.String(), c.Has) {
			t.Errorf("%s: %s %s %s: %d %.300s, want %d and %s", c.Client, c.Method, c.Path, c.Body, w.Code, w.Body, c.Status, c.Has)
		}
	}
}
