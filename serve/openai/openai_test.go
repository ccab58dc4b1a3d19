package openai

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/scenes"
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
	return encoded(t, s.Draw())
}

func encoded(t testing.TB, img image.Image) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func dataURL(file []byte) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(file)
}

// routes are those of the shipped model, twice.
func routes(t testing.TB) http.Handler {
	t.Helper()
	s, err := service.New(t.Context(), service.Options{Models: []service.Source{{}, {Name: "masked"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	mux := http.NewServeMux()
	Register(mux, s)
	return mux
}

func post(h http.Handler, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// user is a message of a picture and a question.
func user(picture, question string) string {
	return fmt.Sprintf(`{"role": "user", "content": [{"type": "image_url", "image_url": {"url": %q}}, {"type": "text", "text": %q}]}`, picture, question)
}

func complete(t *testing.T, h http.Handler, path, body string) (c completion) {
	t.Helper()
	w := post(h, path, body)
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != http.StatusOK || len(c.Choices) != 1 || c.Choices[0].Message == nil {
		t.Fatalf("%.200s: %d %s", body, w.Code, w.Body)
	}
	return c
}

func TestChat(t *testing.T) {
	h := routes(t)
	car := dataURL(scene(t))
	const chat = "/v1/chat/completions"
	c := complete(t, h, chat, `{"model": "shipped", "temperature": 0.2, "max_tokens": 5, "seed": 1, "messages": [{"role": "system", "content": "Be brief."}, `+
		user(car, "what color is the car?")+`]}`)
	if c.Choices[0].Message.Content != "red" || c.Choices[0].Message.Role != "assistant" || *c.Choices[0].FinishReason != "stop" || c.Choices[0].Logprobs != nil {
		t.Errorf("%+v", c.Choices[0])
	}
	if c.Object != "chat.completion" || !strings.HasPrefix(c.ID, "chatcmpl-") || c.Model != "shipped" || c.Created == 0 || *c.Usage != (usage{8, 1, 9}) ||
		c.Notes != nil {
		t.Errorf("%+v, usage %+v", c, c.Usage)
	}
	follow := `{"messages": [` + user(dataURL(encoded(t, image.NewGray(image.Rect(0, 0, 9, 9)))), "what is this?") + `, ` + user(car, "what color is the car?") +
		`, {"role": "assistant", "content": "red"}, {"role": "user", "content": "what color is the ball?"}]}`
	for path, model := range map[string]string{chat: "shipped", "/models/masked/v1/chat/completions": "masked",
		"/models/go-lxmert/masked/v1/chat/completions": "masked"} {
		if c := complete(t, h, path, follow); c.Choices[0].Message.Content != "blue" || c.Model != model {
			t.Errorf("%s: a question about a picture before: %+v, model %s", path, c.Choices[0].Message, c.Model)
		}
	}
	for _, name := range []string{"", "lxmert", "dummy", "tgi", "shipped", "go-lxmert/shipped"} {
		if c := complete(t, h, chat, fmt.Sprintf(`{"model": %q, "messages": [%s]}`, name, user(car, "is there a car?"))); c.Model != "shipped" ||
			c.Choices[0].Message.Content != "yes" {
			t.Errorf("model %q: %+v", name, c)
		}
	}
	flat := `{"tools": [], "tool_choice": "auto", "response_format": {"type": "text"}, "n": 1, "logprobs": null, "stream": false,
		"messages": [{"role": "user", "content": [{"type": "text", "text": "what color is"}, {"type": "text", "text": "the car?"}, {"type": "image_url",
			"image_url": "` + car + `"}]}]}`
	if c := complete(t, h, chat, flat); c.Choices[0].Message.Content != "red" {
		t.Errorf("parts, and a URL that stands alone: %+v", c.Choices[0].Message)
	}
	noise := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		noise.Set(i%64, i/64, color.RGBA{uint8(i * 37), uint8(i * 91), uint8(i * 13), 255})
	}
	if c := complete(t, h, chat, `{"messages": [`+user(dataURL(encoded(t, noise)), "what color is the car?")+`]}`); len(c.Notes) == 0 {
		t.Error("a strange picture has no note")
	}
}

func TestLogprobs(t *testing.T) {
	h := routes(t)
	c := complete(t, h, "/v1/chat/completions", `{"logprobs": true, "top_logprobs": 20, "messages": [`+user(dataURL(scene(t)), "what color is the car?")+`]}`)
	content := c.Choices[0].Logprobs.Content
	if len(content) != 1 || content[0].Token != "red" || len(content[0].TopLogprobs) != 20 || content[0].TopLogprobs[0].Token != "red" ||
		fmt.Sprint(content[0].Bytes) != "[114 101 100]" {
		t.Fatalf("%+v", content)
	}
	var sum float64
	for i, l := range content[0].TopLogprobs {
		sum += math.Exp(l.Logprob)
		if i > 0 && l.Logprob > content[0].TopLogprobs[i-1].Logprob {
			t.Errorf("%d is likelier than the one before", i)
		}
	}
	if sum > 1.0001 || sum < 0.9 {
		t.Errorf("the probabilities' sum is %g", sum)
	}
	c = complete(t, h, "/v1/chat/completions", `{"logprobs": true, "messages": [`+user(dataURL(scene(t)), "what color is the car?")+`]}`)
	if l := c.Choices[0].Logprobs.Content[0]; l.TopLogprobs == nil || len(l.TopLogprobs) != 0 {
		t.Errorf("without top_logprobs: %+v, want an empty list", l)
	}
	if l := tokenOf(service.Answer{}); l.Logprob != least {
		t.Errorf("of probability 0: %g", l.Logprob)
	}
}

func TestStream(t *testing.T) {
	h := routes(t)
	for _, withUsage := range []bool{false, true} {
		w := post(h, "/v1/chat/completions", fmt.Sprintf(`{"stream": true, "logprobs": true, "stream_options": {"include_usage": %t}, "messages": [%s]}`,
			withUsage, user(dataURL(scene(t)), "what color is the car?")))
		if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
			t.Fatalf("%d %s %s", w.Code, kind, w.Body)
		}
		var pieces []completion
		var text string
		events := strings.Split(strings.TrimSuffix(w.Body.String(), "\n\n"), "\n\n")
		for _, event := range events[:len(events)-1] {
			var c completion
			if err := json.Unmarshal([]byte(strings.TrimPrefix(event, "data: ")), &c); err != nil {
				t.Fatalf("%s: %v", event, err)
			}
			if len(c.Choices) > 0 && c.Choices[0].Delta.Content != nil {
				text += *c.Choices[0].Delta.Content
			}
			pieces = append(pieces, c)
		}
		if events[len(events)-1] != "data: [DONE]" || text != "red" || pieces[0].Choices[0].Delta.Role != "assistant" ||
			*pieces[2].Choices[0].FinishReason != "stop" ||
			pieces[1].Choices[0].Logprobs == nil || pieces[1].Object != "chat.completion.chunk" || pieces[0].ID != pieces[2].ID {
			t.Errorf("%s", w.Body)
		}
		if withUsage && (len(pieces) != 4 || len(pieces[3].Choices) != 0 || pieces[3].Usage.Total != 9) || !withUsage && len(pieces) != 3 {
			t.Errorf("usage %t: %s", withUsage, w.Body)
		}
	}
	if w := post(h, "/v1/chat/completions", `{"stream": true, "messages": []}`); w.Code != http.StatusBadRequest {
		t.Errorf("an error of a stream: %d %s", w.Code, w.Body)
	}
}

func TestErrors(t *testing.T) {
	h := routes(t)
	car := dataURL(scene(t))
	about := `"messages": [` + user(car, "what color is the car?") + `]`
	for _, c := range []struct {
		body   string
		status int
		param  string
		want   string
	}{
		{``, 400, "", "the body is empty"},
		{`{"messages": 5}`, 400, "", "messages: found number, want a list"},
		{`{}`, 400, "messages", "messages: missing"},
		{`{"messages": [{"role": "system", "content": "hello"}]}`, 400, "messages", "none of role user"},
		{`{"messages": [{"role": "user", "content": "hello"}]}`, 400, "messages", "there is no picture"},
		{`{"messages": [{"role": "user", "content": null}]}`, 400, "messages", "there is no picture"},
		{`{"messages": [{"role": "user", "content": 5}]}`, 400, "", "content: found 5, want a text or a list of parts"},
		{`{"messages": [{"role": "user", "content": [5]}]}`, 400, "", "messages: content: found number, want an object"},
		{`{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 5}}]}]}`, 400, "", "url: found number, want a string"},
		{`{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": []}]}]}`, 400, "", "image_url: found [], want an object"},
		{`{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}`, 400, "messages", "messages[0].content[0].image_url: missing"},
		{`{"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}`, 400, "messages", `messages[0].content[0].type: found "input_audio"`},
		{`{"messages": [` + user(car, " ") + `]}`, 400, "messages", "has no text"},
		{`{"messages": [` + user(car, strings.Repeat("car ", 200)) + `]}`, 400, "messages", "the question"},
		{`{"messages": [` + user("AAAA", "what?") + `]}`, 400, "messages", "picture"},
		{`{"messages": [` + user("data:image/png;base64,!", "what?") + `]}`, 400, "messages", "image_url: the data URL: base64"},
		{`{"messages": [` + user("https://example.org/x.png", "what?") + `]}`, 400, "messages", "reads no pictures from the network"},
		{`{"messages": [` + user("sha256:"+strings.Repeat("0", 64), "what?") + `]}`, 404, "messages", "send the picture itself"},
		{`{"model": "gpt-4o", ` + about + `}`, 404, "model", `no model "gpt-4o" here, only shipped, masked`},
		{`{"n": 2, ` + about + `}`, 400, "n", "n: found 2, want 1"},
		{`{"top_logprobs": 2, ` + about + `}`, 400, "top_logprobs", "wants logprobs"},
		{`{"logprobs": true, "top_logprobs": 21, ` + about + `}`, 400, "top_logprobs", "found 21, want 0 to 20"},
		{`{"stream_options": {"include_usage": true}, ` + about + `}`, 400, "stream_options", "stream"},
		{`{"tools": [{"type": "function"}], ` + about + `}`, 400, "tools", "tools is not supported"},
		{`{"tool_choice": "required", ` + about + `}`, 400, "tool_choice", "not supported"},
		{`{"functions": [{}], ` + about + `}`, 400, "functions", "not supported"},
		{`{"audio": {}, ` + about + `}`, 400, "audio", "not supported"},
		{`{"response_format": {"type": "json_object"}, ` + about + `}`, 400, "response_format", "not supported"},
	} {
		w := post(h, "/v1/chat/completions", c.body)
		var body failure
		err := json.Unmarshal(w.Body.Bytes(), &body)
		param := ""
		if body.Error.Param != nil {
			param = *body.Error.Param
		}
		if err != nil || w.Code != c.status || param != c.param || !strings.Contains(body.Error.Message, c.want) || body.Error.Type != "invalid_request_error" ||
			body.Error.Code == nil {
			t.Errorf("%.120s: %d %s, want %d %q about %q", c.body, w.Code, w.Body, c.status, c.want, c.param)
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	refuse(w, r, &service.Error{Kind: service.Busy, Code: "busy", Message: "later"})
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"type":"rate_limit_error"`) {
		t.Errorf("busy: %d %v %s", w.Code, w.Header(), w.Body)
	}
	w = httptest.NewRecorder()
	if refuse(w, r, fmt.Errorf("disk on fire")); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "fire") ||
		!strings.Contains(w.Body.String(), `"type":"server_error"`) {
		t.Errorf("a fault of ours: %d %s", w.Code, w.Body)
	}
}

func TestModels(t *testing.T) {
	h := routes(t)
	get := func(path string) (int, map[string]any) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		var body map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%s: %s", path, w.Body)
		}
		return w.Code, body
	}
	status, list := get("/v1/models")
	data, _ := list["data"].([]any)
	if status != http.StatusOK || list["object"] != "list" || len(data) != 2 {
		t.Fatalf("%d %v", status, list)
	}
	if limits := list["limits"].(map[string]any); limits["file_bytes"] != 20.0*(1<<20) || limits["pixels"] != 40e6 || limits["questions"] != 64.0 || limits["question_bytes"] != 4096.0 {
		t.Errorf("limits %v", limits)
	}
	status, one := get("/v1/models/shipped")
	if fmt.Sprint(one) != fmt.Sprint(data[0]) || status != http.StatusOK || one["object"] != "model" || one["card"].(map[string]any)["answers"].(float64) < 2 ||
		one["created"].(float64) < 1e9 {
		t.Errorf("%d %v", status, one)
	}
	if status, body := get("/v1/models/meta/llama"); status != http.StatusNotFound || body["error"].(map[string]any)["code"] != "model_not_found" {
		t.Errorf("%d %v", status, body)
	}
}

// FuzzChat: whatever comes is answered or refused, with a status that says it was the client's fault.
func FuzzChat(f *testing.F) {
	h := routes(f)
	f.Add(`{"model":"shipped","messages":[` + user("data:image/png;base64,AAAA", "what?") + `],"stream":true,"stream_options":{"include_usage":true}}`)
	f.Add(`{"messages":[{"role":"user","content":"what?"},` +
		`{"role":"user","content":[{"type":"image_url","image_url":"sha256:00"}]}],"logprobs":true,"top_logprobs":3}`)
	f.Add(`{"messages":[{"role":"user","content":[{"type":"text"}]}],"tools":[ ],"response_format":{"type": "text"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		if w := post(h, "/v1/chat/completions", body); w.Code >= 500 {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}
