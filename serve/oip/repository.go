package oip

import (
	"net/http"
	"time"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// The model repository extension: what there is, and loading a model anew from its files.

func (a *API) postIndex(w http.ResponseWriter, _ *http.Request) {
	type model struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		State   string `json:"state"`
		Reason  string `json:"reason"`
	}
	index := []model{}
	for _, m := range a.all() {
		index = append(index, model{m.name, m.card.Version, "READY", ""})
	}
	wire.WriteJSON(w, http.StatusOK, index)
}

func (a *API) postLoad(w http.ResponseWriter, r *http.Request) {
	m, err := a.find(r.PathValue("name"), "")
	if err == nil && !a.options.AllowReload {
		err = &service.Error{Kind: service.Unsupported, Code: "reload_not_allowed", Message: "this server loads no models on request"}
	}
	if err == nil {
		err = a.service.Reload(r.Context(), m.card.ID)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (a *API) postUnload(w http.ResponseWriter, r *http.Request) {
	_, err := a.find(r.PathValue("name"), "")
	if err == nil {
		err = &service.Error{Kind: service.Unsupported, Code: "unload_not_supported", Message: "this server serves its models as long as it runs: it unloads none"}
	}
	a.refuse(w, r, err)
}

// The statistics extension.

type duration struct {
	Count int64 `json:"count"`
	NS    int64 `json:"ns"`
}

type statistics struct {
	Name       string              `json:"name"`
	Version    string              `json:"version"`
	Last       int64               `json:"last_inference"` // milliseconds since 1970
	Inferences int64               `json:"inference_count"`
	Stats      map[string]duration `json:"inference_stats"`
}

func (a *API) statistics(m *served) statistics {
	n := a.counts.get(m.name)
	s := statistics{m.name, m.card.Version, 0, n.inferences, map[string]duration{
		"success": {n.success, int64(n.successTime / time.Nanosecond)}, "fail": {n.failure, int64(n.failureTime / time.Nanosecond)}}}
	if !n.last.IsZero() {
		s.Last = n.last.UnixMilli()
	}
	return s
}

func (a *API) getStatistics(w http.ResponseWriter, r *http.Request) {
	m, err := a.find(r.PathValue("name"), r.PathValue("version"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	wire.WriteJSON(w, http.StatusOK, map[string][]statistics{"model_stats": {a.statistics(m)}})
}

func (a *API) getAllStatistics(w http.ResponseWriter, _ *http.Request) {
	all := []statistics{}
	for _, m := range a.all() {
		all = append(all, a.statistics(m))
	}
	wire.WriteJSON(w, http.StatusOK, map[string][]statistics{"model_stats": all})
}
