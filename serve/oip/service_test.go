package oip

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-lxmert/lxmert/serve/internal/trial"
	"github.com/go-lxmert/lxmert/serve/service"
	shippedmodel "github.com/go-lxmert/lxmert/shipped"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// start serves models of its own.
func start(t *testing.T, s service.Options, o Options) (*service.Service, string) {
	t.Helper()
	opened, err := service.New(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.Close() })
	mux := http.NewServeMux()
	New(opened, o).Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return opened, server.URL
}

// TestTensorsAnswer asks NAME-tensors what the service was asked in words: the scores are the same.
func TestTensorsAnswer(t *testing.T) {
	url := testServer(t, Options{}).URL
	regions, want := parkRegions(t, parkQuestions...)
	words, err := tokenizer.LoadFS(shippedmodel.QuestionAnswering())
	if err != nil {
		t.Fatal(err)
	}
	for i, question := range parkQuestions {
		encoding, err := words.Encode(question, tokenizer.Call{})
		if err != nil {
			t.Fatal(err)
		}
		n := regions.Len()
		status, r := infer(t, url, "shipped-tensors", object{"inputs": []object{
			{"name": "input_ids", "datatype": "INT32", "shape": []int{1, len(encoding.IDs)}, "data": encoding.IDs},
			{"name": "token_type_ids", "datatype": "INT64", "shape": []int{1, len(encoding.IDs)}, "data": encoding.TypeIDs},
			{"name": "attention_mask", "datatype": "FP32", "shape": []int{1, len(encoding.IDs)}, "data": encoding.AttentionMask},
			{"name": "visual_feats", "datatype": "FP64", "shape": []int{1, n, regions.FeatureWidth}, "data": regions.Features},
			{"name": "visual_pos", "datatype": "FP32", "shape": []int{1, n, 4}, "data": regions.Boxes},
			{"name": "visual_attention_mask", "datatype": "INT64", "shape": []int{1, n}, "data": slices.Repeat([]int{1}, n)},
		}, "outputs": []object{{"name": "question_answering_score"}}})
		if status != 200 {
			t.Fatalf("%d %s", status, r.Error)
		}
		for _, answer := range want[i].Answers {
			if found := r.Outputs[0].Data[answer.ID].(float64); math.Abs(found-float64(answer.Score)) > 1e-4 {
				t.Errorf("%s: answer %s: found %v, want %v", question, answer.Text, found, answer.Score)
			}
		}
	}
}

// TestMask sends pictures of different numbers of regions: what fills up changes nothing.
func TestMask(t *testing.T) {
	url := testServer(t, Options{}).URL
	regions, want := parkRegions(t, parkQuestions...)
	n, width := regions.Len(), regions.FeatureWidth
	feats, pos, mask := make([]float32, 2*(n+1)*width), make([]float32, 2*(n+1)*4), make([]int, 2*(n+1))
	for i := range 2 {
		copy(feats[i*(n+1)*width:], regions.Features)
		copy(pos[i*(n+1)*4:], regions.Boxes)
		for j := range n {
			mask[i*(n+1)+j] = 1
		}
	}
	request := func(mask []int) object {
		return object{"inputs": []object{bytesInput("question", parkQuestions...),
			{"name": "visual_feats", "datatype": "FP32", "shape": []int{2, n + 1, width}, "data": feats}, {"name": "visual_pos", "datatype": "FP32",
				"shape": []int{2, n + 1, 4}, "data": pos},
			{"name": "visual_attention_mask", "datatype": "INT64", "shape": []int{2, n + 1}, "data": mask}}, "parameters": object{"top_k": 3}}
	}
	status, r := infer(t, url, "shipped", request(mask))
	if status != 200 {
		t.Fatalf("%d %s", status, r.Error)
	}
	compare(t, r.Outputs, want)
	for name, c := range map[string]struct {
		at, value int
		want      string
	}{"2": {0, 2, "row 0 has 2 at 0"}, "a gap": {n + 1, 0, "row 1 has 1 at 1"}, "a region that is none": {n, 1, "element 0: "}} {
		other := slices.Clone(mask)
		other[c.at] = c.value
		if status, r := infer(t, url, "shipped", request(other)); status != 400 || !strings.Contains(r.Error, c.want) {
			t.Errorf("%s: found %d %s, want %s", name, status, r.Error, c.want)
		}
	}
	if status, r := infer(t, url, "shipped", request(make([]int, 2*(n+1)))); status != 400 || !strings.Contains(r.Error, "row 0 is all 0") {
		t.Errorf("nothing: found %d %s", status, r.Error)
	}
}

// TestReload loads a model anew, and asks for its versions.
func TestReload(t *testing.T) {
	s, url := start(t, service.Options{}, Options{AllowReload: true})
	for _, name := range []string{"shipped", "shipped-tensors"} {
		if status, _, data := call(t, "POST", url+"/v2/repository/models/"+name+"/load", nil, nil); status != 200 {
			t.Fatalf("%d %s", status, data)
		}
	}
	for version, want := range map[string]int{"3": 200, "1": 404} {
		if status, _, data := call(t, "GET", url+"/v2/models/shipped/versions/"+version, nil, nil); status != want {
			t.Errorf("version %s: %d %s", version, status, data)
		}
	}
	s.Close()
	for _, path := range []string{"/v2/health/ready", "/v2/models/shipped/ready"} {
		if status, _, data := call(t, "GET", url+path, nil, nil); status != 503 {
			t.Errorf("%s of a closed service: %d %s", path, status, data)
		}
	}
	if status, _, _ := call(t, "GET", url+"/v2/health/live", nil, nil); status != 200 {
		t.Errorf("a closed service is not alive: %d", status)
	}
}

// TestStatus lists what refusals are over HTTP and over gRPC.
func TestStatus(t *testing.T) {
	a := New(testService(t), Options{})
	for kind, want := range map[service.Kind]struct {
		status int
		code   codes.Code
		retry  bool
	}{
		service.Invalid: {400, codes.InvalidArgument, false}, service.Unsupported: {400, codes.InvalidArgument, false}, service.NotFound: {404,
			codes.NotFound, false},
		service.TooLarge: {413, codes.InvalidArgument, false}, service.Busy: {429, codes.ResourceExhausted, true}, service.Draining: {503, codes.Unavailable, true},
		service.Timeout: {504, codes.DeadlineExceeded, false}, service.Cancelled: {499, codes.Canceled, false}, service.Internal: {500, codes.Internal, false},
	} {
		err := &service.Error{Kind: kind, Message: "first\nsecond", Err: errors.New("the cause")}
		w := httptest.NewRecorder()
		a.refuse(w, httptest.NewRequest("GET", "/v2", nil), err)
		if w.Code != want.status || (w.Header().Get("Retry-After") != "") != want.retry || strings.TrimSpace(w.Body.String()) != `{"error":"first; second"}` {
			t.Errorf("%v: found %d %s", kind, w.Code, w.Body)
		}
		if found := status.Convert(a.status(err)); found.Code() != want.code || found.Message() != "first; second" {
			t.Errorf("%v: found %v", kind, found)
		}
	}
	if code := status.Code(a.status(context.DeadlineExceeded)); code != codes.DeadlineExceeded {
		t.Errorf("a deadline: found %v", code)
	}
}

func TestPreTraining(t *testing.T) {
	dir, config := trial.PreTraining(t, 3)
	_, url := start(t, service.Options{Models: []service.Source{{Dir: dir}}}, Options{MaxOutputBytes: 10_000})
	request := object{"inputs": []object{
		{"name": "input_ids", "datatype": "INT64", "shape": []int{2, 3}, "data": []int{2, 5, 3, 2, 6, 3}},
		{"name": "visual_feats", "datatype": "FP32", "shape": []int{2, 1, 3}, "data": []int{1, 2, 3, 4, 5, 6}},
		{"name": "visual_pos", "datatype": "FP32", "shape": []int{2, 1, 4}, "data": []int{0, 0, 1, 1, 0, 0, 1, 1}}}}
	want := map[string][]int{"question_answering_score": {2, 3}, "prediction_logits": {2, 3, config.VocabSize}, "cross_relationship_score": {2, 2},
		"pooled_output":   {2, config.HiddenSize},
		"language_output": {2, 3, config.HiddenSize}, "vision_output": {2, 1, config.HiddenSize}}
	found := map[string][]int{}
	status, r := infer(t, url, "whole-tensors", request)
	for _, o := range r.Outputs {
		found[o.Name] = o.Shape
	}
	if status != 200 || !maps.EqualFunc(found, want, slices.Equal) {
		t.Errorf("found %d %s %v, want %v", status, r.Error, found, want)
	}
	// One picture for two questions is for question answering alone.
	one := maps.Clone(request)
	one["inputs"] = []object{request["inputs"].([]object)[0], {"name": "visual_feats", "datatype": "FP32", "shape": []int{1, 1, 3}, "data": []int{1, 2, 3}},
		{"name": "visual_pos", "datatype": "FP32", "shape": []int{1, 1, 4}, "data": []int{0, 0, 1, 1}}}
	if status, r := infer(t, url, "whole-tensors", one); status != 400 || !strings.Contains(r.Error, "visual_feats: found shape [1 1 3]") {
		t.Errorf("found %d %s", status, r.Error)
	}
	ids := make([]int, 8*8)
	request["inputs"].([]object)[0] = object{"name": "input_ids", "datatype": "INT64", "shape": []int{8, 8}, "data": ids}
	if status, r := infer(t, url, "whole-tensors", request); status != 413 || !strings.Contains(r.Error, "want at most 10000") {
		t.Errorf("found %d %s", status, r.Error)
	}
	// A model without a detector takes no pictures, and says so.
	_, _, data := call(t, "GET", url+"/v2/models/whole", nil, nil)
	var m struct{ Inputs []signature }
	if err := json.Unmarshal(data, &m); err != nil || m.Inputs[0].Name != "question" {
		t.Errorf("found %s %v", data, err)
	}
	if status, r := infer(t, url, "whole", object{"inputs": []object{bytesInput("question", "a?")}}); status != 400 || !strings.Contains(r.Error,
		"visual_feats is missing") {
		t.Errorf("found %d %s", status, r.Error)
	}
}
