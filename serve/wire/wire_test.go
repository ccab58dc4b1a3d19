package wire

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/serve/service"
)

// shipped is a service of the shipped model, under a name that the hub might have.
func shipped(t testing.TB) *service.Service {
	t.Helper()
	s, err := service.New(t.Context(), service.Options{Models: []service.Source{{}, {Name: "other"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func post(body string) *http.Request {
	return httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
}

// refused fails unless the error is of that kind and says that.
func refused(t *testing.T, what string, err error, kind service.Kind, want string) {
	t.Helper()
	if err == nil || service.KindOf(err) != kind || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: got %v (%v), want %v with %q", what, err, service.KindOf(err), kind, want)
	}
}

func TestReadJSON(t *testing.T) {
	type inner struct {
		TopK *int `json:"top_k"`
	}
	type body struct {
		Text       string `json:"text"`
		Parameters inner  `json:"parameters"`
	}
	for text, want := range map[string]string{
		"":                               "the body is empty",
		" \n":                            "the body is empty",
		"{":                              "the body is not JSON",
		"{} {}":                          "",
		`{"text": 5}`:                    "text: found number, want a string",
		`{"parameters": {"top_k": 2.5}}`: "parameters.top_k: found number 2.5, want a whole number",
		`[]`:                             "found a list, want an object",
		`{"text": x}`:                    "at byte 10",
	} {
		for name, read := range map[string]func(*http.Request, any) error{"ReadJSON": ReadJSON, "ReadStrictJSON": ReadStrictJSON} {
			refused(t, name+" "+text, read(post(text), &body{}), service.Invalid, want)
		}
	}
	good := `{"text": "a", "parameters": {"top_k": 2}, "more": [1]}`
	var b body
	if err := ReadJSON(post(good), &b); err != nil || b.Text != "a" || *b.Parameters.TopK != 2 {
		t.Errorf("%s: %+v, %v", good, b, err)
	}
	refused(t, "strict", ReadStrictJSON(post(good), &b), service.Invalid, `"more": there is no such field`)

	r := post(good)
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 10)
	refused(t, "too long", ReadJSON(r, &b), service.TooLarge, "more than 10 bytes")
	r = post("")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{io.ErrUnexpectedEOF}))
	refused(t, "cut", ReadJSON(r, &b), service.Invalid, "ends before its length")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Body = io.NopCloser(broken{errors.New("reset")})
	refused(t, "gone", ReadJSON(r.WithContext(ctx), &b), service.Cancelled, "cancel")
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestDecodeBase64(t *testing.T) {
	content := []byte{0xfb, 0xff, 0xbf, 0, 1, 2, 3}
	for _, text := range []string{
		"+/+/AAECAw==", "-_-_AAECAw==", "-_-_AAECAw", "+/+/\r\nAAEC\nAw==\n", " +/+/ AAECAw = = ",
	} {
		if got, err := DecodeBase64(text); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{"A": "end is missing", "AA==A": "after the padding", "AA\x00A": "at byte 2", "A===": "padding", "Ä": "at byte 0"} {
		_, err := DecodeBase64(text)
		refused(t, text, err, service.Invalid, want)
	}
}

func TestPicture(t *testing.T) {
	s := shipped(t)
	content := []byte("\x89PNG and so on")
	text := base64.StdEncoding.EncodeToString(content)
	for _, picture := range []string{
		text, base64.RawURLEncoding.EncodeToString(content), "data:image/png;base64," + text, "data:;base64," + text, "DATA:image/svg+xml;charset=utf-8;base64," +
			text,
		"data:application/octet-stream;base64," + text + "\n",
	} {
		if got, err := Picture(t.Context(), s, picture); err != nil || !bytes.Equal(got.Content, content) {
			t.Errorf("%s: %q, %v", picture, got.Content, err)
		}
	}
	hash := strings.Repeat("aB", 32)
	if got, err := Picture(t.Context(), s, "sha256:"+hash); err != nil || got.SHA256 != strings.ToLower(hash) || got.Content != nil {
		t.Errorf("a hash: %+v, %v", got, err)
	}
	for _, picture := range []string{"data", "http", "sha2", "dataAAAA"} { // base64, without a colon
		if p, err := Picture(t.Context(), s, picture); err != nil || len(p.Content) != len(picture)*3/4 {
			t.Errorf("%s: %d bytes, %v", picture, len(p.Content), err)
		}
	}
	for picture, want := range map[string]string{
		"":                           "it is empty",
		"not a picture!":             "neither base64",
		"data:image/png,%89":         "not in base64",
		"data:image/png;base64":      "no comma",
		"data:text/html;base64,AAAA": `found type "text/html"`,
		"data:image/png;base64,":     "nothing in it",
		"data:image/png;base64,A":    "end is missing",
		"====":                       "base64",
		"file:///etc/passwd":         "neither base64",
	} {
		_, err := Picture(t.Context(), s, picture)
		refused(t, picture, err, service.Invalid, want)
	}
	_, err := Picture(t.Context(), s, "https://example.org/x.png")
	refused(t, "a URL", Field("image", err), service.Unsupported, "image: this server reads no pictures from the network")
}

func TestForm(t *testing.T) {
	s := shipped(t)
	form := func(fill func(*multipart.Writer)) *http.Request {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		fill(w)
		w.Close()
		r := httptest.NewRequest(http.MethodPost, "/", &body)
		r.Header.Set("Content-Type", w.FormDataContentType())
		return r
	}
	f, err := ReadForm(form(func(w *multipart.Writer) {
		part, _ := w.CreateFormFile("image", "x.png")
		io.WriteString(part, "pixels")
		w.WriteField("question", "What?")
		w.WriteField("question", "Where?")
		w.WriteField("top_k", "3")
		w.WriteField("other", "AAAA")
	}))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := f.Picture(t.Context(), s, "image"); err != nil || string(p.Content) != "pixels" {
		t.Errorf("the file: %q, %v", p.Content, err)
	}
	if p, err := f.Picture(t.Context(), s, "other"); err != nil || len(p.Content) != 3 {
		t.Errorf("a picture as text: %q, %v", p.Content, err)
	}
	if n, err := f.Int("top_k"); err != nil || *n != 3 || f.Text("question") != "What?" || len(f.Values["question"]) != 2 {
		t.Errorf("texts: %v, %v, %v", f.Values, n, err)
	}
	_, err = f.Int("question")
	refused(t, "a number", err, service.Invalid, `question: found "What?", want a whole number`)
	_, err = f.Picture(t.Context(), s, "none")
	refused(t, "no picture", err, service.Invalid, "none: it is empty")

	for want, r := range map[string]*http.Request{
		"two files": form(func(w *multipart.Writer) {
			w.CreateFormFile("image", "a")
			w.CreateFormFile("image", "b")
		}),
		"with a boundary": post("x"),
	} {
		_, err := ReadForm(r)
		refused(t, want, err, service.Invalid, want)
	}
	r := form(func(w *multipart.Writer) { w.WriteField("a", strings.Repeat("x", 100)) })
	r.Body = io.NopCloser(io.LimitReader(r.Body, 120))
	_, err = ReadForm(r)
	refused(t, "cut", err, service.Invalid, "the body ends before its length")
	r = form(func(w *multipart.Writer) { w.WriteField("a", strings.Repeat("x", 1000)) })
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 500)
	_, err = ReadForm(r)
	refused(t, "too long", err, service.TooLarge, "more than 500 bytes")
	_, err = ReadForm(form(func(w *multipart.Writer) {
		for range maxParts + 1 {
			w.WriteField("a", "")
		}
	}))
	refused(t, "many", err, service.TooLarge, "more than 256 fields")
}

func TestModel(t *testing.T) {
	s := shipped(t)
	for name, want := range map[string]string{
		"": "shipped", "lxmert": "shipped", "dummy": "shipped", "http://127.0.0.1:8080/v1": "shipped", "shipped": "shipped", "other": "other",
		"go-lxmert/other": "other",
	} {
		if card, err := Model(s, name); err != nil || card.ID != want {
			t.Errorf("%q: %q, %v, want %s", name, card.ID, err, want)
		}
	}
	for _, name := range []string{"gpt-4", "other/", "shipped/x"} {
		_, err := Model(s, name)
		refused(t, name, err, service.NotFound, "only shipped, other")
	}
}

func TestRefuse(t *testing.T) {
	for kind, want := range map[service.Kind]int{
		service.Internal: 500, service.Invalid: 422, service.NotFound: 404, service.Unsupported: 422, service.TooLarge: 413, service.Busy: 429, service.Draining: 503,
		service.Timeout: 504, service.Cancelled: 499,
	} {
		w := httptest.NewRecorder()
		Refuse(w, Status(kind), kind, map[string]string{"error": "a < b"})
		retry := w.Header().Get("Retry-After")
		if w.Code != want || w.Body.String() != `{"error":"a < b"}`+"\n" || (retry == "1") != (want == 429 || want == 503) {
			t.Errorf("%v: %d %s, retry after %q, want %d", kind, w.Code, w.Body, retry, want)
		}
	}
	w := httptest.NewRecorder()
	if WriteJSON(w, 200, math.NaN()); w.Code != 500 {
		t.Errorf("a NaN: status %d", w.Code)
	}
}

func FuzzPicture(f *testing.F) {
	s := shipped(f)
	for _, seed := range []string{"", "AAAA", "data:image/png;base64,AA==", "sha256:", "https://example.org", "data:,", "a:b", "sha256:é", "sha256", "data",
		"https"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Picture(t.Context(), s, text)
		switch {
		case err != nil && service.KindOf(err) != service.Invalid && service.KindOf(err) != service.Unsupported:
			t.Errorf("%q: %v", text, err)
		case err == nil && len(p.Content) > len(text):
			t.Errorf("%q: %d bytes", text, len(p.Content))
		}
	})
}

func FuzzForm(f *testing.F) {
	f.Add("--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\nb\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"question\"\r\n\r\nc\r\n--x--\r\n")
	f.Fuzz(func(t *testing.T, body string) {
		r := post(body)
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		form, err := ReadForm(r)
		if err != nil && service.KindOf(err) != service.Invalid && service.KindOf(err) != service.TooLarge {
			t.Errorf("%q: %v", body, err)
		}
		if err == nil {
			form.Int("top_k")
		}
	})
}

// TestNote: the cause of the server's own faults is in the log, with the request's id; nothing else is.
func TestNote(t *testing.T) {
	var log bytes.Buffer
	h := Logged(slog.New(slog.NewTextHandler(&log, nil)), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "r-1")
		Note(r, service.Invalidf("the request's fault"))
		Note(r, nil)
		Note(r, errors.New("disk on fire"))
	}))
	h.ServeHTTP(httptest.NewRecorder(), post(""))
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "request_id=r-1") || !strings.Contains(text, "disk on fire") {
		t.Errorf("the log: %s", text)
	}
	Note(post(""), errors.New("nobody logs"))
}
