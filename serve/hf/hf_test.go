package hf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestVisualQuestionAnswering asks the same in all forms that clients send.
func TestVisualQuestionAnswering(t *testing.T) {
	h := routes(t)
	file := scene(t)
	picture := in64(file)
	const question = "what color is the car?"
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, _ := w.CreateFormFile("image", "scene.png")
	part.Write(file)
	w.WriteField("question", question)
	w.WriteField("top_k", "2")
	w.Close()
	for name, c := range map[string]struct{ path, kind, body string }{
		"huggingface_hub": {"/vqa", "application/json", fmt.Sprintf(`{"inputs": %q, "parameters": {"top_k": 2}, "question": %q, "image": %q}`, picture,
			question, picture)},
		"schema": {"/models/shipped", "application/json", fmt.Sprintf(`{"inputs": {"image": %q, "question": %q}, "parameters": {"top_k": 2}}`,
			picture, question)},
		"hub's name": {"/models/unc-nlp/shipped", "application/json", fmt.Sprintf(`{"inputs": {"image": %q, "question": %q}, "top_k": 2}`, picture,
			question)},
		"pipeline": {"/models/shipped/pipeline/visual-question-answering", "application/json",
			fmt.Sprintf(`{"image": %q, "question": %q, "top_k": 2}`, picture, question)},
		"data URL": {"/pipeline/visual-question-answering", "application/json",
			fmt.Sprintf(`{"inputs": {"image": "data:image/png;base64,%s", "question": %q}, "parameters": {"top_k": 2}}`, picture, question)},
		"form":    {"/vqa", w.FormDataContentType(), form.String()},
		"file":    {"/vqa?top_k=2&question=" + url.QueryEscape(question), "image/png", string(file)},
		"curl -d": {"/", "application/x-www-form-urlencoded", fmt.Sprintf(`{"image": %q, "question": %q, "top_k": 2}`, picture, question)},
		"parameters over those": {"/visual-question-answering", "application/json; charset=utf-8",
			fmt.Sprintf(`{"image": %q, "question": %q, "top_k": 7, "parameters": {"top_k": 2}}`, picture, question)},
	} {
		status, text := post(h, c.path, c.kind, c.body)
		var answers []map[string]any
		if err := json.Unmarshal([]byte(text), &answers); status != http.StatusOK || err != nil {
			t.Errorf("%s: %d %s", name, status, text)
			continue
		}
		if len(answers) != 2 || answers[0]["answer"] != "red" || answers[0]["score"].(float64) < 0.5 || len(answers[0]) != 2 {
			t.Errorf("%s: %s, want red and one more", name, text)
		}
	}
	if answers := ask[[]answered](t, h, "/vqa", fmt.Sprintf(`{"inputs": {"image": %q, "question": %q}, "parameters": {}}`, picture, question)); len(answers) != 5 {
		t.Errorf("without top_k: %d answers, want 5", len(answers))
	}
}

func TestObjectDetection(t *testing.T) {
	h := routes(t)
	file := scene(t)
	near := func(got detected, label, attribute string, want box) bool {
		within := func(a, b int) bool { return a-b <= 3 && b-a <= 3 }
		return got.Label == label && got.Attribute == attribute && got.Score > 0.5 && got.Score <= 1 &&
			within(got.Box.XMin, want.XMin) && within(got.Box.YMin, want.YMin) && within(got.Box.XMax, want.XMax) && within(got.Box.YMax, want.YMax)
	}
	for name, c := range map[string]struct{ path, kind, body string }{
		"huggingface_hub": {"/object-detection", "image/png", string(file)},
		"with a parameter": {"/models/shipped/pipeline/object-detection", "application/json",
			fmt.Sprintf(`{"inputs": %q, "parameters": {"threshold": 0.2}}`, in64(file))},
		"@huggingface/inference": {"/pipeline/object-detection", "", string(file)},
		"octets":                 {"/object-detection", "application/octet-stream", string(file)},
	} {
		status, text := post(h, c.path, c.kind, c.body)
		var objects []detected
		if err := json.Unmarshal([]byte(text), &objects); status != http.StatusOK || err != nil || len(objects) != 2 {
			t.Errorf("%s: %d %s, want two objects", name, status, text)
			continue
		}
		if objects[0].Score < objects[1].Score {
			t.Errorf("%s: %s, want the surest first", name, text)
		}
		if objects[0].Label == "ball" {
			objects[0], objects[1] = objects[1], objects[0]
		}
		if !near(objects[0], "car", "red", box{20, 120, 122, 180}) || !near(objects[1], "ball", "blue", box{160, 60, 200, 100}) {
			t.Errorf("%s: %s", name, text)
		}
	}
	if none := ask[[]detected](t, h, "/object-detection", fmt.Sprintf(`{"inputs": %q, "parameters": {"threshold": 1}}`, in64(file))); none == nil {
		t.Error("none: want an empty list, found null")
	}
}

func TestFillMask(t *testing.T) {
	h := routes(t)
	const path = "/models/masked/pipeline/fill-mask"
	one := ask[[]filled](t, h, path, `{"inputs": "the car is [MASK]", "parameters": {}}`)
	if len(one) != 5 || one[0].Score < one[1].Score || !strings.HasSuffix(one[0].Sequence, one[0].TokenStr) {
		t.Errorf("one mask: %+v", one)
	}
	two := ask[[][]filled](t, h, path, `{"inputs": "the [MASK] is [MASK]", "parameters": {"top_k": 3}}`)
	if len(two) != 2 || len(two[0]) != 3 {
		t.Errorf("two masks: %+v", two)
	}
	if list := ask[[][]filled](t, h, path, `{"inputs": ["a [MASK]", "two [MASK]"]}`); len(list) != 2 || len(list[0]) != 5 {
		t.Errorf("two texts: %+v", list)
	}
	if list := ask[[]filled](t, h, path, `{"inputs": ["the car is [MASK]"]}`); list[0] != one[0] {
		t.Errorf("a list of one text: %+v, want as the text alone", list)
	}
	targets := ask[[]filled](t, h, path, `{"inputs": "the car is [MASK]", "parameters": {"targets": ["red", " Blue"]}}`)
	if len(targets) != 2 || targets[0].TokenStr+targets[1].TokenStr != "redblue" && targets[0].TokenStr+targets[1].TokenStr != "bluered" {
		t.Errorf("targets: %+v", targets)
	}
	seen := ask[[]filled](t, h, path, fmt.Sprintf(`{"inputs": "the car is [MASK]", "image": %q}`, in64(scene(t))))
	if len(seen) != 5 || seen[0] == one[0] {
		t.Errorf("with a picture: %+v, without: %+v", seen, one)
	}
}

func TestFeatureExtraction(t *testing.T) {
	h := routes(t)
	const path = "/models/shipped/pipeline/feature-extraction"
	one := ask[[][]float32](t, h, path, `{"inputs": "what color is the car?"}`)
	if len(one) != 1 || len(one[0]) != 128 {
		t.Fatalf("one text: %d × %d", len(one), len(one[0]))
	}
	two := ask[[][]float32](t, h, "/feature-extraction", `{"inputs": ["what color is the car?", "is there a ball?"], "normalize": true}`)
	if len(two) != 2 || len(two[1]) != 128 {
		t.Fatalf("two texts: %d × %d", len(two), len(two[0]))
	}
	var sum, same float64
	for i, x := range two[0] {
		sum += float64(x) * float64(x)
		same += float64(x) * float64(one[0][i])
	}
	var length float64
	for _, x := range one[0] {
		length += float64(x) * float64(x)
	}
	if math.Abs(sum-1) > 1e-5 || math.Abs(same-math.Sqrt(length)) > 1e-3 {
		t.Errorf("normalised: square length %g; along the other %g of %g", sum, same, math.Sqrt(length))
	}
	tokens := ask[[][][]float32](t, h, path, `{"inputs": "what color is the car?", "parameters": {"pooling": "none"}}`)
	if len(tokens) != 1 || len(tokens[0]) != 8 || len(tokens[0][0]) != 128 {
		t.Errorf("tokens: %d × %d × %d, want 1 × 8 × 128", len(tokens), len(tokens[0]), len(tokens[0][0]))
	}
	seen := ask[[][]float32](t, h, path, fmt.Sprintf(`{"inputs": "what color is the car?", "image": %q}`, in64(scene(t))))
	if seen[0][0] == one[0][0] && seen[0][1] == one[0][1] {
		t.Error("a picture changes nothing")
	}
}

// TestErrors: each is a sentence that says what to do, and a status that says whose fault it is.
func TestErrors(t *testing.T) {
	h := routes(t)
	picture := in64(scene(t))
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/vqa", ``, 422, "the body is empty"},
		{"/vqa", `{`, 422, "not JSON"},
		{"/vqa", `{"inputs": 5}`, 422, "inputs: found 5, want an object"},
		{"/vqa", `{"inputs": {"image": 5}}`, 422, "inputs: image: found number, want a string"},
		{"/vqa", `{"inputs": {"question": "what?"}}`, 422, "inputs.image: missing"},
		{"/vqa", `{"inputs": {"image": "` + picture + `"}}`, 422, "question: missing"},
		{"/vqa", `{"inputs": {"image": "` + picture + `", "question": " "}}`, 422, "the question is empty"},
		{"/vqa", `{"inputs": {"image": "` + picture + `", "question": "a?"}, "parameters": {"top_k": 0}}`, 422, "top_k: found 0"},
		{"/vqa", `{"inputs": {"image": "` + picture + `", "question": "a?"}, "parameters": {"top_k": "x"}}`, 422,
			"parameters.top_k: found a string, want a whole number"},
		{"/vqa", `{"inputs": {"image": "AAAA", "question": "a?"}}`, 422, "picture"},
		{"/vqa", `{"inputs": {"image": "https://example.org/x.png", "question": "a?"}}`, 422, "inputs.image: this server reads no pictures"},
		{"/vqa", `{"inputs": {"image": "sha256:` + strings.Repeat("0", 64) + `", "question": "a?"}}`, 404, "send the picture itself"},
		{"/models/vilt", `{}`, 404, "only shipped, masked"},
		{"/models/shipped/pipeline/text-to-speech", `{}`, 422, "not supported, only visual-question-answering"},
		{"/document-question-answering", `{"inputs": {"question": "a?", "image": "AAAA"}, "parameters": {}}`, 422, "not supported"},
		{"/object-detection", `{"inputs": {}}`, 422, "inputs: found an object, want a string"},
		{"/object-detection", `{}`, 422, "inputs: missing"},
		{"/object-detection", `{"inputs": "` + picture + `", "parameters": {"threshold": 2}}`, 422, "threshold: found 2, want 0 to 1"},
		{"/fill-mask", `{"inputs": "a [MASK]"}`, 422, "no masked-language head"},
		{"/models/masked/pipeline/fill-mask", `{"inputs": "a car"}`, 422, "[MASK]"},
		{"/models/masked/pipeline/fill-mask", `{"inputs": []}`, 422, "empty list"},
		{"/models/masked/pipeline/fill-mask", `{"inputs": [5]}`, 422, "inputs: found number, want a string"},
		{"/models/masked/pipeline/fill-mask", `{}`, 422, "inputs: missing"},
		{"/models/masked/pipeline/fill-mask", `{"inputs": "a [MASK]", "parameters": {"targets": ["xylophone"]}}`, 422, `targets: "xylophone": it is no word`},
		{"/models/masked/pipeline/fill-mask", `{"inputs": "a [MASK]", "parameters": {"targets": []}}`, 422, "no words"},
		{"/models/masked/pipeline/fill-mask", `{"inputs": "` + strings.Repeat("[MASK] ", 20) + `", "top_k": 100000}`, 413,
			"for each of 20 masks, want at most 4096 in all"},
		{"/models/masked/pipeline/fill-mask", `{"inputs": ["` + strings.Repeat(`a [MASK]", "`, 60) + `a [MASK]"], "top_k": 150}`, 413, "more than 4096 words"},
		{"/models/masked/pipeline/fill-mask", `{"inputs": ["` + strings.Repeat(`a [MASK]", "`, 64) + `a [MASK]"]}`, 413, "found 65 texts, want at most 64"},
		{"/feature-extraction", `{"inputs": "a car", "dimensions": 64}`, 422, "have 128"},
		{"/feature-extraction", `{"inputs": "a car", "encoding_format": "base64"}`, 422, "encoding_format"},
		{"/feature-extraction", `{"inputs": "a car", "pooling": "mean"}`, 422, "pooling"},
		{"/feature-extraction", `{"inputs": "a car", "prompt_name": "query"}`, 422, "no prompts"},
		{"/feature-extraction", `{"inputs": {"a": 1}}`, 422, "want a text or a list"},
		{"/feature-extraction", `{"inputs": "` + strings.Repeat("car ", 200) + `", "parameters": {"pooling": "none"}}`, 422, "tokens"},
	} {
		status, text := post(h, c.path, "application/json", c.body)
		var body map[string]string
		if err := json.Unmarshal([]byte(text), &body); err != nil || status != c.status || !strings.Contains(body["error"], c.want) || len(body) != 1 {
			t.Errorf("%s %.80s: %d %.300s, want %d %q", c.path, c.body, status, text, c.status, c.want)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/vqa", strings.NewReader(`{"inputs": "`+picture+`"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	r.Body = http.MaxBytesReader(w, r.Body, 100)
	if h.ServeHTTP(w, r); w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), `{"error":"the body has more than 100 bytes`) {
		t.Errorf("a large body: %d %s", w.Code, w.Body)
	}
}

func TestInfo(t *testing.T) {
	h := routes(t)
	for path, want := range map[string]string{
		"/models/shipped": `"pipeline_tag":"visual-question-answering"`, "/models/unc-nlp/masked": `"fill-mask"`, "/health": `{"status":"ok"}`,
	} {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil)); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// FuzzRequest: whatever comes is read or refused, with a status that says it was the client's fault.
func FuzzRequest(f *testing.F) {
	h := routes(f)
	f.Add("/vqa", "application/json", `{"inputs":"AAAA","parameters":{"top_k":2},"question":"What?","image":"AAAA"}`)
	f.Add("/vqa", "application/json", `{"inputs":{"image":"AAAA","question":"what?"}}`)
	f.Add("/object-detection", "image/png", "\x89PNG")
	f.Add("/models/masked/pipeline/fill-mask", "", `{"inputs":["a [MASK]"],"targets":["red"]}`)
	f.Add("/feature-extraction", "text/plain", `{"inputs":"a","parameters":{"pooling":"none","normalize":true}}`)
	f.Add("/vqa", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"inputs\"\r\n\r\nb\r\n--x--\r\n")
	f.Fuzz(func(t *testing.T, path, kind, body string) {
		if u, err := url.ParseRequestURI(path); err != nil || u.Host != "" || u.Path == "" || strings.ContainsAny(path, " \n") {
			t.Skip()
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.URL, _ = url.ParseRequestURI(path)
		r.Header["Content-Type"] = []string{kind}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code >= 500 {
			t.Errorf("%s %s %q: %d %s", path, kind, body, w.Code, w.Body)
		}
	})
}
