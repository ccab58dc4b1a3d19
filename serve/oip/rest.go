package oip

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// Register serves the protocol under /v2. Errors are {"error": "a sentence"} with a status that says whose fault they are.
func (a *API) Register(mux *http.ServeMux) {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /v2/{$}", a.getServer)
	routes.HandleFunc("GET /v2", a.getServer)
	routes.HandleFunc("GET /v2/health/live", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteJSON(w, http.StatusOK, map[string]bool{"live": true})
	})
	routes.HandleFunc("GET /v2/health/ready", a.getReady)
	for _, path := range []string{"/v2/models/{name}", "/v2/models/{name}/versions/{version}"} {
		routes.HandleFunc("GET "+path, a.getModel)
		routes.HandleFunc("GET "+path+"/ready", a.getModelReady)
		routes.HandleFunc("GET "+path+"/stats", a.getStatistics)
		routes.HandleFunc("POST "+path+"/infer", a.postInfer)
	}
	routes.HandleFunc("GET /v2/models/stats", a.getAllStatistics)
	routes.HandleFunc("POST /v2/repository/index", a.postIndex)
	routes.HandleFunc("POST /v2/repository/models/{name}/load", a.postLoad)
	routes.HandleFunc("POST /v2/repository/models/{name}/unload", a.postUnload)
	serve := func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := routes.Handler(r); pattern == "" {
			w = &plainErrors{ResponseWriter: w, request: r}
		}
		routes.ServeHTTP(w, r)
	}
	mux.HandleFunc("/v2", serve)
	mux.HandleFunc("/v2/", serve)
}

// plainErrors turns what a ServeMux says where it knows no route into the protocol's errors.
type plainErrors struct {
	http.ResponseWriter
	request *http.Request
	told    bool
}

func (w *plainErrors) WriteHeader(status int) {
	w.told = true
	w.Header().Del("Content-Length")
	wire.WriteJSON(w.ResponseWriter, status, sentence(fmt.Sprintf("there is no %s %.200s here", w.request.Method, w.request.URL.Path)))
}

func (w *plainErrors) Write(data []byte) (int, error) {
	if !w.told {
		w.WriteHeader(http.StatusNotFound)
	}
	return len(data), nil
}

// extensions of the protocol that are served.
var extensions = []string{"binary_tensor_data", "model_repository", "statistics"}

func (a *API) getServer(w http.ResponseWriter, _ *http.Request) {
	wire.WriteJSON(w, http.StatusOK, struct {
		Name       string   `json:"name"`
		Version    string   `json:"version"`
		Extensions []string `json:"extensions"`
	}{serverName, a.options.Version, extensions})
}

// serverName is what the metadata say.
const serverName = "lxmert"

func (a *API) getReady(w http.ResponseWriter, _ *http.Request) {
	status, ready := http.StatusOK, a.ready()
	if !ready {
		status = http.StatusServiceUnavailable
	}
	wire.WriteJSON(w, status, map[string]bool{"ready": ready})
}

func (a *API) getModel(w http.ResponseWriter, r *http.Request) {
	m, err := a.find(r.PathValue("name"), r.PathValue("version"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	wire.WriteJSON(w, http.StatusOK, struct {
		Name       string            `json:"name"`
		Versions   []string          `json:"versions"`
		Platform   string            `json:"platform"`
		Inputs     []signature       `json:"inputs"`
		Outputs    []signature       `json:"outputs"`
		Properties map[string]string `json:"properties"`
	}{m.name, []string{m.card.Version}, platform, m.inputs(), m.outputs(), m.properties()})
}

func (a *API) getModelReady(w http.ResponseWriter, r *http.Request) {
	m, err := a.find(r.PathValue("name"), r.PathValue("version"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	wire.WriteJSON(w, http.StatusOK, map[string]any{"name": m.name, "ready": true})
}

func (a *API) postInfer(w http.ResponseWriter, r *http.Request) {
	in, form, err := a.readRequest(w, r)
	if err == nil {
		in.model, in.version = r.PathValue("name"), r.PathValue("version")
		var out *response
		if out, err = a.infer(r.Context(), in); err == nil {
			err = writeResponse(w, out, form)
		}
	}
	if err != nil {
		a.refuse(w, r, err)
	}
}

// refuse answers with an error.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	wire.Note(r, err)
	e := service.AsError(wire.Explain(err))
	status := wire.Status(e.Kind)
	if e.Kind == service.Invalid || e.Kind == service.Unsupported {
		status = http.StatusBadRequest // as KServe and Triton have it
	}
	wire.Refuse(w, status, e.Kind, sentence(e.Message))
}

// sentence is the protocol's error. The lines of one that tells several faults come behind each other.
func sentence(message string) map[string]string { return map[string]string{"error": oneLine(message)} }

func oneLine(message string) string { return strings.ReplaceAll(message, "\n", "; ") }

// body reads at most limit bytes of a body, size if that is known.
func body(r io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, tooLarge("body_too_large", "the request has %d bytes, want at most %d", size, limit)
	}
	// What a client only announces takes no memory, beyond a little.
	data := make([]byte, 0, max(512, min(size, firstRead)))
	for {
		n, err := r.Read(data[len(data):min(cap(data), int(limit)+1)])
		data = data[:len(data)+n]
		if int64(len(data)) > limit {
			return nil, tooLarge("body_too_large", "the request has more than %d bytes", limit)
		}
		switch {
		case err == io.EOF || int64(len(data)) == size:
			return data, nil
		case err != nil:
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				return nil, tooLarge("body_too_large", "the request has more than %d bytes", large.Limit)
			}
			return nil, service.Invalidf("the request's body ended early: %w", err)
		}
		if len(data) == cap(data) {
			data = slices.Grow(data, min(len(data), max(1, int(size)-len(data))))
		}
	}
}

// firstRead is for how much of a body memory is taken at once: a picture, or the regions of a dozen.
const firstRead = 4 << 20
