package hf

import (
	"net/http"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// model is what the hub says of a model, as far as it is known here, and the whole card.
type model struct {
	ID          string       `json:"id"`
	ModelID     string       `json:"modelId"`
	PipelineTag string       `json:"pipeline_tag"`
	LibraryName string       `json:"library_name"`
	Tags        []string     `json:"tags"`
	Card        service.Card `json:"card"`
}

// info answers what a model is.
func (a *api) info(w http.ResponseWriter, r *http.Request) {
	card, err := wire.Model(a.service, r.PathValue("path"))
	if err != nil {
		refuse(w, r, err)
		return
	}
	wire.WriteJSON(w, http.StatusOK, model{card.ID, card.ID, service.TaskVQA, "lxmert", card.Tasks, card})
}

// health answers whether there is a model that answers.
func (a *api) health(w http.ResponseWriter, r *http.Request) {
	if _, err := a.service.Card(""); err != nil {
		refuse(w, r, err)
		return
	}
	wire.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
