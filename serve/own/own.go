// Package own is the server's own HTTP API: pictures in, answers, regions, vectors and explanations out, in JSON. The document at /openapi.json describes it.
package own

import (
	"math"
	"net/http"
	"time"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// Register adds the routes of the API to a mux.
func Register(mux *http.ServeMux, s *service.Service) {
	a := &api{s}
	mux.HandleFunc("POST /v1/answers", a.handle(a.answers))
	mux.HandleFunc("POST /v1/regions", a.handle(a.regions))
	mux.HandleFunc("POST /v1/embeddings", a.handle(a.embeddings))
	mux.HandleFunc("POST /v1/explanations", a.handle(a.explanations))
	mux.HandleFunc("GET /v1/scenes", a.scene)
	mux.HandleFunc("GET /v1/scenes/questions", a.sceneQuestions)
	mux.HandleFunc("GET /openapi.json", document)
}

type api struct{ service *service.Service }

// handle reads the request, lets f answer it, and writes what it gives.
func (a *api) handle(f func(r *http.Request, in *request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, err := readRequest(r)
		if err == nil {
			var out any
			if out, err = f(r, in); err == nil {
				wire.WriteJSON(w, http.StatusOK, out)
				return
			}
		}
		a.refuse(w, r, err)
	}
}

// look finds the regions that a request is about.
func (a *api) look(r *http.Request, in *request) (*service.Sight, error) {
	picture, err := in.picture(r.Context(), a.service)
	if err != nil {
		return nil, err
	}
	return a.service.See(r.Context(), in.Model, picture)
}

// model is the name of the one that was asked.
func (a *api) model(in *request) string {
	card, err := a.service.Card(in.Model)
	if err != nil {
		return in.Model
	}
	return card.ID
}

// picture is what answers say of the picture.
type picture struct {
	SHA256      string   `json:"sha256"`
	Width       int      `json:"width"`
	Height      int      `json:"height"`
	Regions     int      `json:"regions"`
	Preset      string   `json:"preset,omitempty"`
	Familiarity *float64 `json:"familiarity,omitempty"`
	Cached      bool     `json:"cached"`
}

func pictureOf(v *service.Sight) picture {
	return picture{v.SHA256, v.Size.Width, v.Size.Height, v.Regions.Len(), v.Regions.Preset, v.Familiarity, v.Cached}
}

// timing is how long parts of a request took.
type timing struct {
	Regions float64 `json:"regions_ms"`
	Answer  float64 `json:"answer_ms,omitempty"`
	Explain float64 `json:"explain_ms,omitempty"`
}

// ms has three decimals.
func ms(d time.Duration) float64 { return math.Round(float64(d.Microseconds())) / 1000 }

type label struct {
	ID         int     `json:"id"`
	Name       string  `json:"name"`
	Confidence float32 `json:"confidence"`
}

// region is one region of a picture.
type region struct {
	Box       []float32 `json:"box"` // x1, y1, x2, y2 in 0..1
	Label     string    `json:"label,omitempty"`
	Object    *label    `json:"object,omitempty"`
	Attribute *label    `json:"attribute,omitempty"`
}

func regionsOf(v *service.Sight) []region {
	list := make([]region, v.Regions.Len())
	for i := range list {
		list[i] = region{Box: v.Regions.Box(i), Label: v.Vocabulary.Name(v.Regions, i)}
		if i < len(v.Regions.Objects) {
			l := v.Regions.Objects[i]
			list[i].Object = &label{l.ID, v.Vocabulary.Object(l.ID), l.Confidence}
		}
		if i < len(v.Regions.Attributes) && !v.Vocabulary.IsNone(v.Regions.Attributes[i].ID) {
			l := v.Regions.Attributes[i]
			list[i].Attribute = &label{l.ID, v.Vocabulary.Attribute(l.ID), l.Confidence}
		}
	}
	return list
}

// failure is the body of an error.
type failure struct {
	Error struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		RequestID string `json:"request_id,omitempty"`
	} `json:"error"`
}

// refuse writes an error. The request's id is what guard has put on the answer.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	wire.Note(r, err)
	e := service.AsError(wire.Explain(err))
	var body failure
	body.Error.Code, body.Error.Message, body.Error.RequestID = e.Code, e.Message, w.Header().Get("X-Request-Id")
	wire.Refuse(w, wire.Status(e.Kind), e.Kind, body)
}
