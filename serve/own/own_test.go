package own

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/serve/service"
)

// shared is one server for the tests: the shipped model.
var shared = sync.OnceValues(func() (*service.Service, error) { return service.New(context.Background(), service.Options{}) })

func server(t testing.TB) http.Handler {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	Register(mux, s)
	return mux
}

// drawn is the file of a drawn scene.
func drawn(seed uint64) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, scenes.New(seed).Draw()); err != nil {
		panic(err) // to memory it can be written
	}
	return b.Bytes()
}

func inBase64(seed uint64) string { return base64.StdEncoding.EncodeToString(drawn(seed)) }

// post sends JSON, and reads JSON; where the path is described, the answer must be as the document says.
func post(t testing.TB, path string, body any) (int, map[string]any) {
	t.Helper()
	text, ok := body.(string)
	if !ok {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(raw)
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	return send(t, r)
}

func send(t testing.TB, r *http.Request) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	server(t).ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: status %d, %v in %.200q", r.URL, w.Code, err, w.Body)
	}
	described(t, r, w.Code, out)
	return w.Code, out
}

// at follows a path of fields and numbers into an answer.
func at(t testing.TB, v any, path ...any) any {
	t.Helper()
	whole := v
	for i, step := range path {
		ok := false
		switch step := step.(type) {
		case string:
			var m map[string]any
			if m, ok = v.(map[string]any); ok {
				v, ok = m[step]
			}
		case int:
			var l []any
			if l, ok = v.([]any); ok && step < len(l) {
				v = l[step]
			}
		}
		if !ok {
			t.Fatalf("no %v in %.300v", path[:i+1], whole)
		}
	}
	return v
}

func TestAnswers(t *testing.T) {
	code, out := post(t, "/v1/answers", map[string]any{"image": inBase64(6), "question": "What is the big purple thing?", "top_k": 2} /* two purple hats on mint */)
	if code != http.StatusOK || at(t, out, "results", 0, "answers", 0, "answer") != "hat" || len(at(t, out, "results", 0, "answers").([]any)) != 2 {
		t.Errorf("found %d, %v", code, out)
	}
	hash := at(t, out, "picture", "sha256").(string)
	code, out = post(t, "/v1/answers", map[string]any{"image": "sha256:" + hash, "questions": []string{"how many hats are there?", "is there a car?"}, "explain": true})
	if code != http.StatusOK || at(t, out, "results", 0, "answers", 0, "answer") != "2" || at(t, out, "results", 1, "answers", 0, "answer") != "no" || at(t, out, "picture", "cached") != true {
		t.Errorf("found %d, %v", code, out)
	}
	if words := at(t, out, "results", 1, "explanation", "tokens").([]any); len(words) != 7 {
		t.Errorf("found %d tokens, want 7 with [CLS] and [SEP]", len(words))
	}
	code, out = post(t, "/v1/answers", map[string]any{"image": "data:image/png;base64," + inBase64(6), "question": "is there a car?", "explain": map[string]string{"method": "rollout"}})
	if code != http.StatusOK || at(t, out, "results", 0, "explanation", "method") != "rollout" {
		t.Errorf("found %d, %v", code, out)
	}
}

func TestForm(t *testing.T) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", "x.png")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(drawn(6))
	for _, f := range [][2]string{{"question", "how many hats are there?"}, {"question", "is there a car?"}, {"top_k", "1"}, {"explain", "true"}, {"method", "raw_attention"}} {
		form.WriteField(f[0], f[1])
	}
	form.Close()
	r := httptest.NewRequest(http.MethodPost, "/v1/answers", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	code, out := send(t, r)
	if code != http.StatusOK || at(t, out, "results", 0, "answers", 0, "answer") != "2" || at(t, out, "results", 1, "explanation", "method") != "raw_attention" {
		t.Errorf("found %d, %v", code, out)
	}
}

// TestFormExplanation: a form's question is explained as one in JSON is.
func TestFormExplanation(t *testing.T) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", "x.png")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(drawn(6))
	form.WriteField("question", "how many hats are there?")
	form.Close()
	r := httptest.NewRequest("POST", "/v1/explanations", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	code, out := send(t, r)
	if code != http.StatusOK || at(t, out, "explanation", "question") != "how many hats are there?" || at(t, out, "explanation", "answer", "answer") != "2" {
		t.Errorf("found %d, %.300v", code, out)
	}
}

func TestRegions(t *testing.T) {
	code, out := post(t, "/v1/regions", map[string]any{"image": inBase64(6), "features": true})
	regions := at(t, out, "regions").([]any)
	if code != http.StatusOK || len(regions) != 3 || at(t, regions, 1, "label") != "purple hat" || at(t, regions, 1, "attribute", "name") != "purple" {
		t.Fatalf("found %d, %v", code, regions)
	}
	if _, has := at(t, regions, 0).(map[string]any)["attribute"]; has {
		t.Error("the ground has no colour that is named, yet found an attribute")
	}
	raw, err := base64.StdEncoding.DecodeString(at(t, out, "features").(string))
	if want := 4 * 3 * int(at(t, out, "feature_width").(float64)); err != nil || len(raw) != want {
		t.Errorf("found %d bytes of features, %v, want %d", len(raw), err, want)
	}
}

func TestEmbeddings(t *testing.T) {
	code, out := post(t, "/v1/embeddings", map[string]any{"image": inBase64(6), "texts": []string{"a purple hat", "a car"}})
	if code != http.StatusOK || len(at(t, out, "data", 1, "embedding").([]any)) != int(at(t, out, "dimensions").(float64)) || at(t, out, "data", 1, "text") != "a car" {
		t.Errorf("found %d, %.200v", code, out)
	}
}

func TestExplanations(t *testing.T) {
	ask := map[string]any{"image": inBase64(6), "question": "how many hats are there?", "maps": "all"}
	code, out := post(t, "/v1/explanations", ask)
	if code != http.StatusOK || at(t, out, "explanation", "answer", "answer") != "2" || at(t, out, "answers", 0, "answer") != "2" {
		t.Fatalf("found %d, %.300v", code, out)
	}
	if n := len(at(t, out, "explanation", "maps").([]any)); n != 2+1+4*3 {
		t.Errorf("found %d maps, want 15: 2 language, 1 region, 4 in each of 3 cross-modality layers", n)
	}
	for _, answer := range []any{"CAR", 10} {
		ask["answer"], ask["maps"] = answer, "none"
		if code, out = post(t, "/v1/explanations", ask); code != http.StatusOK || at(t, out, "explanation", "answer", "answer") != "car" {
			t.Errorf("answer %v: found %d, %.300v", answer, code, out)
		}
	}
	delete(ask, "answer")
	ask["method"], ask["layer"], ask["head"] = "attention", 1, 2
	if code, out = post(t, "/v1/explanations", ask); code != http.StatusOK || at(t, out, "explanation", "layer") != 1.0 {
		t.Errorf("an attention: found %d, %.300v", code, out)
	}
}

// TestRefusals says what is wrong, and whose fault it is.
func TestRefusals(t *testing.T) {
	picture := inBase64(6)
	for _, c := range []struct {
		path, body string
		code       int
		words      string
	}{
		{"/v1/answers", ``, 422, "the body is empty"},
		{"/v1/answers", `{`, 422, "not JSON"},
		{"/v1/answers", `[]`, 422, "want"},
		{"/v1/answers", `{"image":"` + picture + `"}`, 422, "question: missing"},
		{"/v1/answers", `{"question":"why?"}`, 422, "image: missing"},
		{"/v1/answers", `{"image":"` + picture + `","question":""}`, 422, "the question is empty"},
		{"/v1/answers", `{"image":"` + picture + `","question":7}`, 422, "question: found 7, want a string"},
		{"/v1/answers", `{"image":"` + picture + `","question":"why?","top_k":0}`, 422, "top_k: found 0"},
		{"/v1/answers", `{"image":"` + picture + `","question":"why?","topk":1}`, 422, `found field "topk", want some of model`},
		{"/v1/answers", `{"image":"` + picture + `","question":"why?","model":"vqa"}`, 404, `no model "vqa" here, only shipped`},
		{"/v1/answers", `{"image":"` + picture + `","image_url":"http://x/","question":"why?"}`, 422, "several pictures"},
		{"/v1/answers", `{"image_url":"http://127.0.0.1/x.png","question":"why?"}`, 422, "reads no pictures from the network"},
		{"/v1/answers", `{"image":"hello!","question":"why?"}`, 422, "image: found neither base64"},
		{"/v1/answers", `{"image":"aGVsbG8=","question":"why?"}`, 422, ""},
		{"/v1/answers", `{"image":"sha256:` + strings.Repeat("0", 64) + `","question":"why?"}`, 404, "does not remember"},
		{"/v1/answers", `{"image":"` + picture + `","question":"why?","explain":{"method":"tea leaves"}}`, 422, "tea leaves"},
		{"/v1/answers", `{"image":"` + picture + `","question":"` + strings.Repeat("why ", 600) + `"}`, 422, "tokens"},
		{"/v1/explanations", `{"image":"` + picture + `","question":"why?","answer":"paris"}`, 422, "knows no answer"},
		{"/v1/explanations", `{"image":"` + picture + `","question":"why?","answer":9999}`, 422, "9999"},
		{"/v1/explanations", `{"image":"` + picture + `","question":"why?","answer":[]}`, 422, "answer: found []"},
		{"/v1/explanations", `{"image":"` + picture + `","question":"why?","layer":1}`, 422, "layer"},
		{"/v1/explanations", `{"image":"` + picture + `"}`, 422, "empty"},
		{"/v1/embeddings", `{"image":"` + picture + `"}`, 422, "texts: missing"},
	} {
		code, out := post(t, c.path, c.body)
		message, _ := at(t, out, "error", "message").(string)
		if code != c.code || !strings.Contains(message, c.words) {
			t.Errorf("%s %.60s: found %d %q, want %d with %q", c.path, strings.ReplaceAll(c.body, picture, "…"), code, message, c.code, c.words)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/answers", strings.NewReader("<x/>"))
	r.Header.Set("Content-Type", "text/xml")
	if code, out := send(t, r); code != 422 || !strings.Contains(fmt.Sprint(out), "text/xml") {
		t.Errorf("XML: found %d %v", code, out)
	}
	r = httptest.NewRequest(http.MethodPost, "/v1/answers", strings.NewReader(`{"question":"`+strings.Repeat("x", 5000)+`"}`))
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 1000)
	if code, out := send(t, r); code != 413 {
		t.Errorf("a body that is too large: found %d %v", code, out)
	}
}

func TestScenes(t *testing.T) {
	w := httptest.NewRecorder()
	server(t).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/scenes?seed=7", nil))
	if img, err := png.Decode(w.Body); err != nil || img.Bounds().Empty() || w.Header().Get("Content-Type") != "image/png" {
		t.Errorf("found %v, %v", err, w.Header())
	}
	code, out := send(t, httptest.NewRequest(http.MethodGet, "/v1/scenes/questions?seed=7", nil))
	if code != http.StatusOK || len(at(t, out, "questions").([]any)) != 8 {
		t.Errorf("found %d %v", code, out)
	}
	for _, seed := range []string{"", "-1", "x", "4294967296"} {
		if code, _ := send(t, httptest.NewRequest(http.MethodGet, "/v1/scenes/questions?seed="+seed, nil)); code != 422 {
			t.Errorf("seed %q: found %d, want 422", seed, code)
		}
	}
}

// FuzzRequests throws bodies at every route: whatever they are, the answer is JSON, and never the server's fault.
func FuzzRequests(f *testing.F) {
	picture := inBase64(6)
	for _, seed := range []string{
		``, `{}`, `{"image":"` + picture + `","question":"is there a car?"}`, `{"image":"sha256:00","questions":["a",""],"top_k":-1,"explain":{"method":1}}`,
		`{"image":"data:image/png;base64,` + picture[:200] + `","question":"x","answer":3,"maps":"mean","layer":-1}`, `{"texts":[null]}`, `{"image":null}`,
	} {
		for kind := range byte(5) {
			f.Add(kind, seed)
		}
	}
	paths := []string{"/v1/answers", "/v1/regions", "/v1/embeddings", "/v1/explanations"}
	f.Fuzz(func(t *testing.T, kind byte, body string) {
		r := httptest.NewRequest(http.MethodPost, paths[int(kind)%len(paths)], strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if kind >= 128 {
			r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		}
		w := httptest.NewRecorder()
		server(t).ServeHTTP(w, r)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("found %d %.200q", w.Code, w.Body)
		}
		io.Copy(io.Discard, w.Body)
	})
}
