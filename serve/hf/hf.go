// Package hf answers as Hugging Face's inference API does, so that its clients (huggingface_hub's InferenceClient, @huggingface/inference) and those who
// write its requests by hand need no other: visual question answering, object detection, fill-mask and feature extraction. Errors are {"error": "a
// sentence"}.
package hf

import (
	"net/http"
	"strings"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// Register adds the routes to a mux:
//
//	POST /models/{name}                    visual question answering; a name of the hub, organisation/name, is found by its name alone
//	POST /models/{name}/pipeline/{task}    another task
//	POST /pipeline/{task}, /{task}         the first model's; /vqa is visual-question-answering
//	POST /                                 as the API of a single model does: visual question answering
//	GET  /models/{name}                    what the model is
//	GET  /health                           status 200 while there is a model that answers
func Register(mux *http.ServeMux, s *service.Service) {
	a := &api{s}
	mux.HandleFunc("POST /models/{path...}", func(w http.ResponseWriter, r *http.Request) {
		name, task, found := strings.Cut(r.PathValue("path"), "/pipeline/")
		if !found {
			task = service.TaskVQA
		}
		a.serve(w, r, name, task)
	})
	mux.HandleFunc("GET /models/{path...}", a.info)
	mux.HandleFunc("POST /pipeline/{task}", func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, "", r.PathValue("task")) })
	for path, task := range map[string]string{
		"/{$}": service.TaskVQA, "/vqa": service.TaskVQA, "/" + service.TaskVQA: service.TaskVQA, "/" + service.TaskDetection: service.TaskDetection,
		"/" + service.TaskFillMask: service.TaskFillMask, "/" + service.TaskEmbedding: service.TaskEmbedding, "/" + taskDocuments: taskDocuments,
	} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, "", task) })
	}
	mux.HandleFunc("GET /health", a.health)
}

// taskDocuments is a task that clients have a call for, and models of this kind no answer to.
const taskDocuments = "document-question-answering"

type api struct{ service *service.Service }

// serve answers a request for a task.
func (a *api) serve(w http.ResponseWriter, r *http.Request, name, task string) {
	out, err := a.answer(r, name, task)
	if err != nil {
		refuse(w, r, err)
		return
	}
	wire.WriteJSON(w, http.StatusOK, out)
}

func (a *api) answer(r *http.Request, name, task string) (any, error) {
	card, err := wire.Model(a.service, name)
	if err != nil {
		return nil, err
	}
	do, ok := map[string]func(*http.Request, service.Card, *request) (any, error){
		service.TaskVQA: a.visualQuestionAnswering, service.TaskDetection: a.objectDetection,
		service.TaskFillMask: a.fillMask, service.TaskEmbedding: a.featureExtraction,
	}[task]
	if !ok {
		return nil, unsupported("task %.60q is not supported, only %s", task, strings.Join(card.Tasks, ", "))
	}
	in, err := read(r)
	if err != nil {
		return nil, err
	}
	return do(r, card, in)
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	wire.Note(r, err)
	e := service.AsError(wire.Explain(err))
	wire.Refuse(w, wire.Status(e.Kind), e.Kind, map[string]string{"error": e.Message})
}
