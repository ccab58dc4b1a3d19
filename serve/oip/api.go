package oip

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/go-lxmert/lxmert/serve/service"
)

// Options bound what a request may ask for. The zero Options are good for most servers.
type Options struct {
	Version string // of the server, for its metadata; "" is "devel"

	MaxBytes       int64 // of a request; 0 is 64 MB
	MaxOutputBytes int64 // of the tensors of a response; 0 is 256 MB
	MaxRegions     int   // of one picture, where regions are sent; 0 is 256

	AllowReload bool        // a request may have a model loaded anew from its files
	Ready       func() bool // whether requests should be sent here, asked by health checks; nil: whenever the models are there
}

func (o Options) withDefaults() Options {
	o.Version = cmp.Or(o.Version, "devel")
	o.MaxBytes = cmp.Or(o.MaxBytes, 64<<20)
	o.MaxOutputBytes = cmp.Or(o.MaxOutputBytes, 256<<20)
	o.MaxRegions = cmp.Or(o.MaxRegions, 256)
	return o
}

// API is the protocol before a service. It is safe for concurrent use.
type API struct {
	service *service.Service
	options Options
	counts  counts
}

// New puts the protocol before a service, which stays the caller's. [API.Register] serves it over HTTP, [API.Server] over gRPC.
func New(s *service.Service, o Options) *API { return &API{service: s, options: o.withDefaults()} }

// ready reports whether requests should be sent here.
func (a *API) ready() bool {
	if a.options.Ready != nil && !a.options.Ready() {
		return false
	}
	return len(a.service.Cards()) > 0
}

// A request is one for inference, whichever way it came.
type request struct {
	model, version, id string
	parameters         parameters
	inputs             []tensor
	outputs            []string // those wanted, nil for all
}

// A response is what it gets.
type response struct {
	model, version, id string
	parameters         parameters
	outputs            []output
}

// infer runs a model. Errors are the service's.
func (a *API) infer(ctx context.Context, r *request) (answer *response, err error) {
	start := time.Now()
	m, err := a.find(r.model, r.version)
	if err != nil {
		return nil, err
	}
	defer func() {
		if fault := recover(); fault != nil {
			stack := make([]byte, 16<<10)
			a.service.Log().Error("panic", "in", "inference", "model", m.name, "fault", fmt.Sprint(fault), "stack", string(stack[:runtime.Stack(stack, false)]))
			answer, err = nil, &service.Error{Kind: service.Internal, Code: "internal", Message: "something went wrong inside; the server's log says what"}
		}
		a.counts.add(m.name, answer, time.Since(start))
	}()
	if err := r.parameters.check(m.parameters()); err != nil {
		return nil, err
	}
	if timeout, err := r.parameters.integer("timeout", 0, 0); err != nil {
		return nil, err
	} else if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(min(timeout, 1<<40))*time.Microsecond)
		defer cancel()
	}
	wanted, err := m.wanted(r.outputs)
	if err != nil {
		return nil, err
	}
	inputs, err := m.given(r.inputs)
	if err != nil {
		return nil, err
	}
	answer = &response{model: m.name, version: m.card.Version, id: r.id}
	if m.tensors {
		answer.outputs, err = a.forward(ctx, m, inputs, wanted)
	} else {
		answer.outputs, answer.parameters, err = a.answer(ctx, m, r.parameters, inputs, wanted)
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}
