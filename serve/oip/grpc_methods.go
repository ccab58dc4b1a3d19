package oip

import (
	"context"
	"fmt"
	"math"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/serve/oip/inference"
	"github.com/go-lxmert/lxmert/serve/service"
)

// methods are those of the protocol.
type methods struct {
	inference.UnimplementedGRPCInferenceServiceServer
	api      *API
	stopping <-chan struct{}
}

// isClosed reports whether the server is stopping.
func isClosed(stopping <-chan struct{}) bool {
	select {
	case <-stopping:
		return true
	default:
		return false
	}
}

func (s *methods) ServerLive(context.Context, *inference.ServerLiveRequest) (*inference.ServerLiveResponse, error) {
	return &inference.ServerLiveResponse{Live: true}, nil
}

func (s *methods) ServerReady(context.Context, *inference.ServerReadyRequest) (*inference.ServerReadyResponse, error) {
	return &inference.ServerReadyResponse{Ready: s.api.ready() && !isClosed(s.stopping)}, nil
}

func (s *methods) ModelReady(_ context.Context, r *inference.ModelReadyRequest) (*inference.ModelReadyResponse, error) {
	if _, err := s.api.find(r.GetName(), r.GetVersion()); err != nil {
		return nil, s.api.status(err)
	}
	return &inference.ModelReadyResponse{Ready: !isClosed(s.stopping)}, nil
}

func (s *methods) ServerMetadata(context.Context, *inference.ServerMetadataRequest) (*inference.ServerMetadataResponse, error) {
	return &inference.ServerMetadataResponse{Name: serverName, Version: s.api.options.Version}, nil // the extensions are HTTP's
}

func (s *methods) ModelMetadata(_ context.Context, r *inference.ModelMetadataRequest) (*inference.ModelMetadataResponse, error) {
	m, err := s.api.find(r.GetName(), r.GetVersion())
	if err != nil {
		return nil, s.api.status(err)
	}
	return &inference.ModelMetadataResponse{Name: m.name, Versions: []string{m.card.Version}, Platform: platform,
		Inputs: signatureMessages(m.inputs()), Outputs: signatureMessages(m.outputs()), Properties: m.properties()}, nil
}

func signatureMessages(list []signature) []*inference.ModelMetadataResponse_TensorMetadata {
	messages := make([]*inference.ModelMetadataResponse_TensorMetadata, len(list))
	for i, m := range list {
		messages[i] = &inference.ModelMetadataResponse_TensorMetadata{Name: m.Name, Datatype: m.Datatype, Shape: longs(m.Shape)}
	}
	return messages
}

func longs(shape []int) []int64 {
	long := make([]int64, len(shape))
	for i, size := range shape {
		long[i] = int64(size)
	}
	return long
}

func (s *methods) ModelInfer(ctx context.Context, in *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	r, err := requestOf(in, s.api.options.MaxBytes)
	if err != nil {
		return nil, s.api.status(err)
	}
	out, err := s.api.infer(ctx, r)
	if err != nil {
		return nil, s.api.status(err)
	}
	return responseOf(out, len(in.GetRawInputContents()) > 0), nil
}

// requestOf reads a message. The tensors keep its memory.
func requestOf(in *inference.ModelInferRequest, limit int64) (*request, error) {
	if len(in.GetInputs()) > maxTensors || len(in.GetOutputs()) > maxTensors {
		return nil, service.Invalidf("found %d inputs and %d outputs, want at most %d", len(in.GetInputs()), len(in.GetOutputs()), maxTensors)
	}
	raw := in.GetRawInputContents()
	if len(raw) > 0 && len(raw) != len(in.GetInputs()) {
		return nil, service.Invalidf("raw_input_contents: found %d for %d inputs, want none or one for each", len(raw), len(in.GetInputs()))
	}
	r := &request{model: in.GetModelName(), version: in.GetModelVersion(), id: in.GetId()}
	var err error
	if r.parameters, err = parametersOf("parameters", in.GetParameters()); err != nil {
		return nil, err
	}
	for _, o := range in.GetOutputs() {
		r.outputs = append(r.outputs, o.GetName())
		p, err := parametersOf("output "+o.GetName(), o.GetParameters())
		if err == nil {
			err = p.check([]string{"binary_data"}) // which Triton's clients send here too; the form of the inputs decides
		}
		if err != nil {
			return nil, err
		}
	}
	for i, in := range in.GetInputs() {
		t, elements, err := newTensor(in.GetName(), in.GetDatatype(), in.GetShape(), limit)
		if err != nil {
			return nil, err
		}
		p, err := parametersOf("input "+in.GetName(), in.GetParameters())
		if err == nil {
			err = p.check([]string{"content_type"})
		}
		if err != nil {
			return nil, err
		}
		t.base64 = p["content_type"] == "base64"
		switch {
		case len(raw) > 0 && in.GetContents() != nil:
			err = t.bad("found contents and raw_input_contents, want one of them")
		case len(raw) > 0:
			err = t.setRaw(raw[i], elements)
		default:
			err = t.setMessage(in.GetContents(), elements)
		}
		if err != nil {
			return nil, err
		}
		r.inputs = append(r.inputs, t)
	}
	return r, nil
}

// setMessage gives the tensor the contents of the field of its datatype.
func (t *tensor) setMessage(c *inference.InferTensorContents, elements int) error {
	given := 0
	for _, n := range []int{len(c.GetBoolContents()), len(c.GetIntContents()), len(c.GetInt64Contents()), len(c.GetUintContents()), len(c.GetUint64Contents()),
		len(c.GetFp32Contents()), len(c.GetFp64Contents()), len(c.GetBytesContents())} {
		if n > 0 {
			given++
		}
	}
	if given > 1 {
		return t.bad("contents: found %d kinds of contents, want the one for %s", given, t.datatype)
	}
	switch t.datatype {
	case "BYTES":
		return t.setTexts(c.GetBytesContents(), elements)
	case "FP16", "BF16":
		return t.bad("there are no contents of type %s: send raw_input_contents", t.datatype)
	case "FP32":
		return t.setFloats(c.GetFp32Contents())
	case "FP64":
		values := make([]float32, len(c.GetFp64Contents()))
		for i, v := range c.GetFp64Contents() {
			if values[i] = float32(v); math.IsInf(float64(values[i]), 0) {
				return t.bad("element %d is %v, want a number that fits into float32", i, v)
			}
		}
		return t.setFloats(values)
	case "INT64":
		return t.setIntegers(c.GetInt64Contents())
	case "BOOL":
		values := make([]int64, len(c.GetBoolContents()))
		for i, on := range c.GetBoolContents() {
			if on {
				values[i] = 1
			}
		}
		return t.setIntegers(values)
	case "UINT64":
		return setSpanned(t, c.GetUint64Contents())
	case "UINT8", "UINT16", "UINT32":
		return setSpanned(t, c.GetUintContents())
	}
	return setSpanned(t, c.GetIntContents())
}

// setSpanned is setIntegers for numbers of another type than the tensor's.
func setSpanned[N int32 | uint32 | uint64](t *tensor, numbers []N) error {
	lowest, highest := t.span()
	values := make([]int64, len(numbers))
	for i, v := range numbers {
		if values[i] = int64(v); N(values[i]) != v || values[i] < lowest || values[i] > highest {
			return t.bad("element %d is %d, want %d to %d for %s", i, v, lowest, highest, t.datatype)
		}
	}
	return t.setIntegers(values)
}

// parametersOf reads parameters.
func parametersOf(where string, in map[string]*inference.InferParameter) (parameters, error) {
	if len(in) == 0 {
		return nil, nil
	}
	p := parameters{}
	for name, value := range in {
		switch v := value.GetParameterChoice().(type) {
		case *inference.InferParameter_BoolParam:
			p[name] = v.BoolParam
		case *inference.InferParameter_Int64Param:
			p[name] = v.Int64Param
		case *inference.InferParameter_StringParam:
			p[name] = v.StringParam
		case *inference.InferParameter_DoubleParam:
			p[name] = v.DoubleParam
		case *inference.InferParameter_Uint64Param:
			if v.Uint64Param > math.MaxInt64 {
				return nil, service.Invalidf("%.80s: %.80s: found %d, want at most %d", where, name, v.Uint64Param, int64(math.MaxInt64))
			}
			p[name] = int64(v.Uint64Param)
		default:
			return nil, service.Invalidf("%.80s: %.80s has no value", where, name)
		}
	}
	return p, nil
}

// responseOf is a response as a message, with raw contents or with those of their types.
func responseOf(r *response, raw bool) *inference.ModelInferResponse {
	m := &inference.ModelInferResponse{ModelName: r.model, ModelVersion: r.version, Id: r.id}
	for name, value := range r.parameters {
		if m.Parameters == nil {
			m.Parameters = map[string]*inference.InferParameter{}
		}
		m.Parameters[name] = &inference.InferParameter{ParameterChoice: &inference.InferParameter_StringParam{StringParam: fmt.Sprint(value)}}
	}
	for i := range r.outputs {
		o := &r.outputs[i]
		out := &inference.ModelInferResponse_InferOutputTensor{Name: o.Name, Datatype: o.Datatype, Shape: longs(o.Shape)}
		if raw {
			m.RawOutputContents = append(m.RawOutputContents, o.raw())
		} else {
			out.Contents = &inference.InferTensorContents{Fp32Contents: o.floats, Int64Contents: o.integers}
			for _, text := range o.texts {
				out.Contents.BytesContents = append(out.Contents.BytesContents, []byte(text))
			}
		}
		m.Outputs = append(m.Outputs, out)
	}
	return m
}

// raw is the contents in the binary form, without a copy where that can be.
func (o *output) raw() []byte {
	if o.floats != nil {
		stored, _ := checkpoint.FromFloat32s(o.Name, []int{len(o.floats)}, o.floats)
		return stored.Data
	}
	return o.appendRaw(nil)
}
