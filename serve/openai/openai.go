// Package openai answers as OpenAI's chat completions API does, as far as a classifier over a table of answers can: the last question of a conversation,
// about the last picture of it. So its clients, and programs that were written for them, can ask LXMERT; it does not chat.
package openai

import (
	"net/http"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// Register adds the routes to a mux:
//
//	POST /v1/chat/completions                  an answer, whole or as server-sent events
//	POST /models/{name}/v1/chat/completions    the same of that model, as Hugging Face's clients ask; also with organisation/name
//	GET  /v1/models, /v1/models/{id}           what is served
func Register(mux *http.ServeMux, s *service.Service) {
	a := &api{s}
	mux.HandleFunc("POST /v1/chat/completions", a.chat)
	mux.HandleFunc("POST /models/{name}/v1/chat/completions", a.chat)
	mux.HandleFunc("POST /models/{organisation}/{name}/v1/chat/completions", a.chat)
	mux.HandleFunc("GET /v1/models", a.models)
	mux.HandleFunc("GET /v1/models/{id...}", a.model)
}

type api struct{ service *service.Service }

// models lists what is served; the server's limits stand beside, so that clients need not find them out by being refused.
func (a *api) models(w http.ResponseWriter, r *http.Request) {
	list := []model{}
	for _, card := range a.service.Cards() {
		list = append(list, modelOf(card))
	}
	o := a.service.Limits()
	wire.WriteJSON(w, http.StatusOK, map[string]any{"object": "list", "data": list, "limits": limits{o.MaxFileBytes, o.MaxPixels, o.MaxQuestions, o.MaxQuestionBytes}})
}

// limits are what a request may have.
type limits struct {
	FileBytes     int64 `json:"file_bytes"` // of a picture
	Pixels        int   `json:"pixels"`     // of a picture
	Questions     int   `json:"questions"`
	QuestionBytes int   `json:"question_bytes"`
}

// model is one of them.
func (a *api) model(w http.ResponseWriter, r *http.Request) {
	card, err := wire.Model(a.service, r.PathValue("id"))
	if err != nil {
		refuse(w, r, of("model", err))
		return
	}
	wire.WriteJSON(w, http.StatusOK, modelOf(card))
}

// model is an entry of the list: OpenAI's, and our card.
type model struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"` // when it was loaded, in seconds since 1970
	OwnedBy string       `json:"owned_by"`
	Card    service.Card `json:"card"`
}

func modelOf(card service.Card) model {
	return model{card.ID, "model", card.Loaded.Unix(), "lxmert", card}
}
