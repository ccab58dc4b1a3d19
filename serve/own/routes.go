package own

import (
	"encoding/base64"
	"encoding/binary"
	"image/png"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// answered is a question with its answers, and why if that was asked.
type answered struct {
	service.Result
	Explanation any `json:"explanation,omitempty"`
}

// answers answers questions about a picture.
func (a *api) answers(r *http.Request, in *request) (any, error) {
	top, err := in.top()
	if err != nil {
		return nil, err
	}
	questions := in.all()
	if len(questions) == 0 {
		return nil, service.Invalidf("question: missing; want a question, or a list as questions")
	}
	sight, err := a.look(r, in)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	results, err := a.service.Answer(r.Context(), in.Model, sight, questions, top)
	if err != nil {
		return nil, err
	}
	took := timing{Regions: ms(sight.Took), Answer: ms(time.Since(start))}
	list := make([]answered, len(results))
	for i, r := range results {
		list[i].Result = r
	}
	if in.Explain.wanted {
		start = time.Now()
		for i, question := range questions {
			e, _, err := a.service.Explain(r.Context(), in.Model, sight, question, service.ExplainOptions{Method: in.Method}, 1)
			if err != nil {
				return nil, err
			}
			list[i].Explanation = e
		}
		took.Explain = ms(time.Since(start))
	}
	return struct {
		Model   string     `json:"model"`
		Picture picture    `json:"picture"`
		Results []answered `json:"results"`
		Notes   []string   `json:"notes,omitempty"`
		Timing  timing     `json:"timing"`
	}{a.model(in), pictureOf(sight), list, sight.Notes, took}, nil
}

// regions finds the regions of a picture.
func (a *api) regions(r *http.Request, in *request) (any, error) {
	sight, err := a.look(r, in)
	if err != nil {
		return nil, err
	}
	out := struct {
		Model        string   `json:"model"`
		Picture      picture  `json:"picture"`
		Regions      []region `json:"regions"`
		Features     string   `json:"features,omitempty"`
		FeatureWidth int      `json:"feature_width"`
		Notes        []string `json:"notes,omitempty"`
		Timing       timing   `json:"timing"`
	}{a.model(in), pictureOf(sight), regionsOf(sight), "", sight.Regions.FeatureWidth, sight.Notes, timing{Regions: ms(sight.Took)}}
	if in.Features {
		raw := make([]byte, 0, 4*len(sight.Regions.Features))
		for _, v := range sight.Regions.Features {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		out.Features = base64.StdEncoding.EncodeToString(raw)
	}
	return out, nil
}

// embeddings makes a vector of each text together with the picture.
func (a *api) embeddings(r *http.Request, in *request) (any, error) {
	texts := in.all()
	if len(texts) == 0 {
		return nil, service.Invalidf("texts: missing; want a list of texts")
	}
	sight, err := a.look(r, in)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	vectors, err := a.service.Embed(r.Context(), in.Model, sight, texts)
	if err != nil {
		return nil, err
	}
	type entry struct {
		Index     int       `json:"index"`
		Text      string    `json:"text"`
		Embedding []float32 `json:"embedding"`
	}
	list := make([]entry, len(vectors))
	for i, v := range vectors {
		list[i] = entry{i, texts[i], v}
	}
	return struct {
		Model      string  `json:"model"`
		Picture    picture `json:"picture"`
		Dimensions int     `json:"dimensions"`
		Data       []entry `json:"data"`
		Timing     timing  `json:"timing"`
	}{a.model(in), pictureOf(sight), len(vectors[0]), list, timing{Regions: ms(sight.Took), Answer: ms(time.Since(start))}}, nil
}

// explanations says why a model gives an answer.
func (a *api) explanations(r *http.Request, in *request) (any, error) {
	top, err := in.top()
	if err != nil {
		return nil, err
	}
	sight, err := a.look(r, in)
	if err != nil {
		return nil, err
	}
	o := service.ExplainOptions{Method: in.Method, Maps: in.Maps, Layer: in.Layer, Head: in.Head}
	if in.Answer != nil && in.Answer.id >= 0 {
		o.Answer = &in.Answer.id
	} else if in.Answer != nil {
		o.AnswerText = in.Answer.text
	}
	start := time.Now()
	e, answers, err := a.service.Explain(r.Context(), in.Model, sight, in.Question, o, top)
	if err != nil {
		return nil, err
	}
	return struct {
		Model       string           `json:"model"`
		Picture     picture          `json:"picture"`
		Answers     []service.Answer `json:"answers"`
		Explanation any              `json:"explanation"`
		Notes       []string         `json:"notes,omitempty"`
		Timing      timing           `json:"timing"`
	}{a.model(in), pictureOf(sight), answers, e, sight.Notes, timing{Regions: ms(sight.Took), Explain: ms(time.Since(start))}}, nil
}

// seedOf reads ?seed=N.
func seedOf(r *http.Request) (uint64, error) {
	text := r.URL.Query().Get("seed")
	seed, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, service.Invalidf("seed: found %.40q, want a whole number from 0 to %d", text, uint32(math.MaxUint32))
	}
	return seed, nil
}

// scene draws a scene: pictures to try.
func (a *api) scene(w http.ResponseWriter, r *http.Request) {
	seed, err := seedOf(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "public, max-age=86400") // the same seed has the same scene
	png.Encode(w, scenes.New(seed).Draw())
}

// sceneQuestions are some to ask about a drawn scene.
func (a *api) sceneQuestions(w http.ResponseWriter, r *http.Request) {
	seed, err := seedOf(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	const some = 8
	questions := []string{}
	for _, e := range scenes.New(seed).Examples(some, seed) {
		questions = append(questions, e.Question)
	}
	wire.WriteJSON(w, http.StatusOK, map[string][]string{"questions": questions})
}
