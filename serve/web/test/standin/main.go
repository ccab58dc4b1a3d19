// Command standin answers the server's own API as far as the page needs it: with the shipped model's answers about real pictures, and explanations that are made up.
// It is for work on the page where the server itself is not wanted.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"image/png"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/serve/web"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/vision"
)

//go:embed openapi.json
var openapi []byte

type object = map[string]any

type server struct {
	model *lxmert.Model
	mu    sync.Mutex
	seen  map[string]sight
}

type sight struct {
	regions  lxmert.Regions
	familiar float64
	sha      string
}

type failure struct {
	status        int
	code, message string
}

func (f *failure) Error() string { return f.message }

func main() {
	address := flag.String("addr", "127.0.0.1:0", "where to listen")
	flag.Parse()
	m, err := lxmert.Shipped()
	if err != nil {
		log.Fatal(err)
	}
	s := &server{model: m, seen: map[string]sight{}}
	mux := http.NewServeMux()
	mux.Handle("/", web.Handler())
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(openapi)
	})
	mux.HandleFunc("GET /v1/models", answer(func(*http.Request) (any, error) { return models(), nil }))
	mux.HandleFunc("GET /v1/scenes", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		png.Encode(w, scenes.New(seed(r)).Draw())
	})
	mux.HandleFunc("GET /v1/scenes/questions", answer(func(r *http.Request) (any, error) { return object{"questions": questions(seed(r))}, nil }))
	mux.HandleFunc("POST /v1/regions", answer(s.regions))
	mux.HandleFunc("POST /v1/answers", answer(s.answers))
	mux.HandleFunc("POST /v1/explanations", answer(s.explanations))
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, mux))
}

func seed(r *http.Request) uint64 {
	n, _ := strconv.ParseUint(r.FormValue("seed"), 10, 32)
	return n
}

func answer(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "standin-1")
		value, err := f(r)
		if err != nil {
			f, ok := err.(*failure)
			if !ok {
				f = &failure{http.StatusInternalServerError, "internal", err.Error()}
			}
			w.WriteHeader(f.status)
			value = object{"error": object{"code": f.code, "message": f.message, "request_id": "standin-1"}}
		}
		json.NewEncoder(w).Encode(value)
	}
}

func models() object {
	card := func(id, about string, notes ...string) object {
		return object{"id": id, "object": "model", "created": time.Now().Unix(), "owned_by": "lxmert", "card": object{
			"description": about, "source": "shipped", "tasks": []string{"visual-question-answering", "object-detection", "feature-extraction"},
			"answers": 33, "preset": "scenes", "detector": "scenes", "hidden": 128, "heads": 4, "language_layers": 2, "vision_layers": 1, "cross_layers": 3,
			"parameters": 2_100_000, "max_tokens": 32, "version": "1", "loaded": time.Now().UTC().Format(time.RFC3339), "notes": notes}}
	}
	return object{"object": "list", "data": []object{
		card("shipped", "A small LXMERT that has learned a drawn world: cartoon objects in eight colours.", "It knows drawn scenes only; of a photograph it can say nothing."),
		card("shipped-again", "The same model under another name."),
	}}
}

func questions(seed uint64) []string {
	s := scenes.New(seed)
	out := []string{"How many things are there?"}
	seen := map[string]bool{}
	for _, o := range s.Objects {
		if kind := o.Kind.String(); !seen[kind] && len(out) < 6 {
			seen[kind] = true
			out = append(out, []string{"What color is the " + kind + "?", "Is there a " + kind + "?", "How many of the things are " + o.Color.String() + "?"}[len(out)%3])
		}
	}
	return out
}

// request is a request's fields, however they came.
type request struct {
	Model, Image, Question, Method, Maps string
	Questions                            []string
	Answer                               any
	file                                 []byte
}

func read(r *http.Request) (*request, error) {
	q := &request{}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		if err := json.NewDecoder(r.Body).Decode(q); err != nil {
			return nil, &failure{400, "invalid_request", err.Error()}
		}
		return q, nil
	}
	file, _, err := r.FormFile("image")
	if err != nil {
		return nil, &failure{400, "invalid_request", "the field image is missing"}
	}
	if q.file, err = io.ReadAll(file); err != nil {
		return nil, err
	}
	q.Question, q.Method, q.Maps = r.FormValue("question"), r.FormValue("method"), r.FormValue("maps")
	if a := r.FormValue("answer"); a != "" {
		q.Answer = a
	}
	return q, nil
}

func (s *server) see(ctx context.Context, q *request) (sight, object, error) {
	file := q.file
	if sha, ok := strings.CutPrefix(q.Image, "sha256:"); ok {
		s.mu.Lock()
		known, ok := s.seen[sha]
		s.mu.Unlock()
		if !ok {
			return sight{}, nil, &failure{404, "picture_unknown", "the picture is not known here any more: send it again"}
		}
		return known, picture(known, true), nil
	}
	if file == nil {
		_, data, _ := strings.Cut(q.Image, ",")
		file, _ = base64.StdEncoding.DecodeString(data)
	}
	img, err := vision.Decode(bytes.NewReader(file))
	if err != nil {
		return sight{}, nil, &failure{422, "not_a_picture", "image: " + err.Error()}
	}
	regions, err := scenes.Detector{}.Extract(ctx, img)
	if err != nil {
		return sight{}, nil, err
	}
	sum := sha256.Sum256(file)
	found := sight{regions, scenes.Familiar(img), hex.EncodeToString(sum[:])}
	s.mu.Lock()
	s.seen[found.sha] = found
	s.mu.Unlock()
	return found, picture(found, false), nil
}

func picture(s sight, cached bool) object {
	return object{"sha256": s.sha, "width": s.regions.Size.Width, "height": s.regions.Size.Height, "regions": s.regions.Len(), "preset": "scenes",
		"familiarity": s.familiar, "cached": cached}
}

func notes(s sight) []string {
	if s.familiar >= scenes.FamiliarEnough {
		return []string{}
	}
	return []string{fmt.Sprintf("The picture does not look like a drawn scene: %.0f %% of it has the colours of one, where scenes have 75 %% and more; the model knows drawn scenes only. "+
		"What it says about this picture means little, and its confidence is scaled down.", 100*s.familiar)}
}

func label(r lxmert.Regions, i int) string {
	objects, attributes := scenes.ObjectNames(), scenes.AttributeNames()
	if r.Objects[i].ID == scenes.GroundLabel {
		return "ground"
	}
	return attributes[r.Attributes[i].ID] + " " + objects[r.Objects[i].ID]
}

func (s *server) regions(r *http.Request) (any, error) {
	q, err := read(r)
	if err != nil {
		return nil, err
	}
	seen, pic, err := s.see(r.Context(), q)
	if err != nil {
		return nil, err
	}
	objects, attributes := scenes.ObjectNames(), scenes.AttributeNames()
	var list []object
	for i := range seen.regions.Len() {
		o, a := seen.regions.Objects[i], seen.regions.Attributes[i]
		list = append(list, object{"box": seen.regions.Boxes[4*i : 4*i+4], "label": label(seen.regions, i),
			"object":    object{"id": o.ID, "name": objects[o.ID], "confidence": o.Confidence},
			"attribute": object{"id": a.ID, "name": attributes[a.ID], "confidence": a.Confidence}})
	}
	return object{"model": "shipped", "picture": pic, "regions": list, "notes": notes(seen), "timing": object{"regions_ms": 3.2}}, nil
}

func (s *server) ask(ctx context.Context, seen sight, question string) ([]object, error) {
	answers, err := s.model.Ask(ctx, seen.regions, question)
	if err != nil {
		return nil, &failure{422, "invalid_request", "question: " + err.Error()}
	}
	var out []object
	for _, a := range answers[:5] {
		trust := min(seen.familiar/scenes.FamiliarEnough, 1)
		out = append(out, object{"id": a.ID, "answer": a.Text, "score": a.Score, "probability": a.Probability, "confidence": float64(a.Probability) * trust})
	}
	return out, nil
}

func (s *server) answers(r *http.Request) (any, error) {
	q, err := read(r)
	if err != nil {
		return nil, err
	}
	seen, pic, err := s.see(r.Context(), q)
	if err != nil {
		return nil, err
	}
	if q.Question == "" && len(q.Questions) > 0 {
		q.Question = q.Questions[0]
	}
	answers, err := s.ask(r.Context(), seen, q.Question)
	if err != nil {
		return nil, err
	}
	return object{"model": "shipped", "picture": pic, "results": []object{{"question": q.Question, "answers": answers}}, "notes": notes(seen),
		"timing": object{"regions_ms": 0.1, "answer_ms": 2.1, "explain_ms": 0}}, nil
}

func (s *server) explanations(r *http.Request) (any, error) {
	q, err := read(r)
	if err != nil {
		return nil, err
	}
	seen, pic, err := s.see(r.Context(), q)
	if err != nil {
		return nil, err
	}
	answers, err := s.ask(r.Context(), seen, q.Question)
	if err != nil {
		return nil, err
	}
	chosen := answers[0]
	for _, a := range answers {
		if a["answer"] == q.Answer || fmt.Sprint(a["id"]) == fmt.Sprint(q.Answer) {
			chosen = a
		}
	}
	encoding, err := s.model.Tokenizer().Encode(q.Question, tokenizer.Call{})
	if err != nil {
		return nil, err
	}
	e := explain(seen.regions, q, encoding.Tokens(), encoding.Offsets)
	e["answer"] = chosen
	return object{"model": "shipped", "picture": pic, "answers": answers, "explanation": e, "timing": object{"explain_ms": 9.4}}, nil
}
