package oip

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/go-lxmert/lxmert/serve/oip/inference"
)

// FuzzJSON sends bodies of JSON: what comes back is an answer or a refusal, in JSON, and no fault of the server.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1","inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["AAAA"],"parameters":{"content_type":"base64"}},` +
			`{"name":"question","shape":[1],"datatype":"BYTES","data":["a\u0020?"]}],"parameters":{"top_k":2}}`,
		`{"inputs":[{"name":"input_ids","shape":[1,2],"datatype":"INT64","data":[[1,2]]},` +
			`{"name":"visual_feats","shape":[1,1,1],"datatype":"FP32","data":[[[1e3]]]}],` +
			`"outputs":[{"name":"score","parameters":{"binary_data":true}}]}`,
		`{"inputs":[{"name":"attention_mask","shape":[-1,9223372036854775807],"datatype":"BOOL","data":[true,false]}]}`,
		`{"inputs":[{"name":"visual_pos","shape":[4294967296,4294967296],"datatype":"FP64","data":[[[[]]]]}]}`,
		`{"inputs":[{"name":"question","shape":[2],"datatype":"BYTES","data":["\ud800","\""]}]}`,
		`{"inputs":[{"name":"question","shape":[1],"datatype":"UINT8","data":[{"a":[1]}]}]}`,
	} {
		f.Add(seed)
	}
	mux := http.NewServeMux()
	New(testService(f), Options{MaxBytes: 1 << 16}).Register(mux)
	f.Fuzz(func(t *testing.T, body string) {
		for _, model := range []string{"shipped", "shipped-tensors"} {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest("POST", "/v2/models/"+model+"/infer", strings.NewReader(body)))
			checkAnswer(t, w)
		}
	})
}

// FuzzBinary sends tensors in binary behind JSON, and says how much of it is JSON.
func FuzzBinary(f *testing.F) {
	text := `{"inputs":[{"name":"question","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}},` +
		`{"name":"visual_feats","shape":[1,1,1],"datatype":"FP32","parameters":{"binary_data_size":4}}],"parameters":{"binary_data_output":true}}`
	f.Add([]byte(text+"\x01\x00\x00\x00a\x00\x00\xc0\x7f"), int64(len(text)))
	f.Add([]byte(text+"\xff\xff\xff\xffa\x00\x00\xc0\x7f"), int64(len(text)))
	f.Add([]byte(text), int64(math.MaxInt64))
	f.Add([]byte(text), int64(-1))
	f.Add([]byte(strings.Replace(text, `:5`, `:9223372036854775807`, 1)), int64(len(text)))
	mux := http.NewServeMux()
	New(testService(f), Options{MaxBytes: 1 << 16}).Register(mux)
	f.Fuzz(func(t *testing.T, body []byte, length int64) {
		for _, model := range []string{"shipped", "shipped-tensors"} {
			r := httptest.NewRequest("POST", "/v2/models/"+model+"/infer", bytes.NewReader(body))
			r.Header.Set(headerLength, strconv.FormatInt(length, 10))
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			checkAnswer(t, w)
		}
	})
}

func checkAnswer(t *testing.T, w *httptest.ResponseRecorder) {
	body := w.Body.Bytes()
	if n := w.Result().Header.Get(headerLength); n != "" {
		length, err := strconv.Atoi(n)
		if err != nil || length > len(body) {
			t.Fatalf("%s: found %s, of %d bytes", headerLength, n, len(body))
		}
		body = body[:length]
	}
	if w.Code >= 500 || !json.Valid(body) {
		t.Fatalf("%d %s", w.Code, body)
	}
}

// FuzzMessage sends messages of gRPC as they come from the network.
func FuzzMessage(f *testing.F) {
	for _, r := range []*inference.ModelInferRequest{
		parkRequest(f),
		{ModelName: "shipped-tensors", Inputs: []*input{{Name: "input_ids", Datatype: "INT64", Shape: []int64{1, 2}}},
			RawInputContents: [][]byte{binary.LittleEndian.AppendUint64(make([]byte, 8), 1)}},
		{ModelName: "shipped", Inputs: []*input{{Name: "visual_feats", Datatype: "FP32", Shape: []int64{-1, math.MaxInt64},
			Contents: &contents{Fp32Contents: []float32{float32(math.NaN())}}}}, Parameters: topK(-1)},
	} {
		if len(r.Inputs) > 0 && r.Inputs[0].Name == "image" {
			r.Inputs[0].Contents = texts("no picture")
		}
		data, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	s := &methods{api: New(testService(f), Options{MaxBytes: 1 << 16})}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &inference.ModelInferRequest{}
		err := newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, r)
		if plain := proto.Unmarshal(data, &inference.ModelInferRequest{}); err == nil && plain != nil {
			t.Fatalf("read in spite of %v", plain)
		}
		if err != nil {
			return
		}
		if out, err := s.ModelInfer(context.Background(), r); err == nil {
			if _, err := proto.Marshal(out); err != nil {
				t.Fatal(err)
			}
		} else if internal(err) {
			t.Fatal(err)
		}
	})
}
