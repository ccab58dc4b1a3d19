package oip

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/vision"
)

// shipped is a service of the shipped model, one for all tests.
var shipped = sync.OnceValues(func() (*service.Service, error) { return service.New(context.Background(), service.Options{}) })

func testService(t testing.TB) *service.Service {
	t.Helper()
	s, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testServer(t testing.TB, o Options) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	New(testService(t), o).Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func park(t testing.TB) []byte {
	t.Helper()
	content, err := os.ReadFile("../../examples/park.png")
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// parkRegions are what the detector sees in the park, and what the service answers about them.
func parkRegions(t testing.TB, questions ...string) (vision.Regions, []service.Result) {
	t.Helper()
	s := testService(t)
	sight, err := s.See(t.Context(), "", service.Picture{Content: park(t)})
	if err != nil {
		t.Fatal(err)
	}
	results, err := s.Answer(t.Context(), "", sight, questions, 3)
	if err != nil {
		t.Fatal(err)
	}
	return sight.Regions, results
}

// call sends a request and reads the answer, JSON or not.
func call(t testing.TB, method, url string, body []byte, header map[string]string) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	data, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, w.Header, data
}

// jsonResponse is a response for inference as a client reads it.
type jsonResponse struct {
	Model      string         `json:"model_name"`
	Version    string         `json:"model_version"`
	ID         string         `json:"id"`
	Parameters map[string]any `json:"parameters"`
	Outputs    []jsonOutput   `json:"outputs"`
	Error      string         `json:"error"`
}

type jsonOutput struct {
	Name       string         `json:"name"`
	Datatype   string         `json:"datatype"`
	Shape      []int          `json:"shape"`
	Data       []any          `json:"data"`
	Parameters map[string]any `json:"parameters"`
}

func infer(t testing.TB, url, model string, request any) (int, jsonResponse) {
	t.Helper()
	body, ok := request.(string)
	if !ok {
		text, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		body = string(text)
	}
	status, _, data := call(t, "POST", url+"/v2/models/"+model+"/infer", []byte(body), nil)
	var r jsonResponse
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return status, r
}

type object = map[string]any

func bytesInput(name string, data ...string) object {
	return object{"name": name, "shape": []int{len(data)}, "datatype": "BYTES", "data": data}
}

var parkQuestions = []string{"What color is the car?", "Is there a tree?"}

func TestInferJSON(t *testing.T) {
	url := testServer(t, Options{}).URL
	encoded := base64.StdEncoding.EncodeToString(park(t))
	_, want := parkRegions(t, parkQuestions...)
	for name, image := range map[string]object{
		"base64":        bytesInput("image", encoded),
		"a data URL":    bytesInput("image", "data:image/png;base64,"+encoded),
		"one for each":  bytesInput("image", encoded, encoded),
		"the hash":      bytesInput("image", "sha256:"+hashOf(park(t))),
		"[1 1]":         {"name": "image", "shape": []int{1, 1}, "datatype": "BYTES", "data": [][]string{{encoded}}},
		"MLServer's":    {"name": "image", "shape": []int{1}, "datatype": "BYTES", "data": []string{encoded}, "parameters": object{"content_type": "base64"}},
		"line by line":  bytesInput("image", encoded[:76]+"\r\n"+encoded[76:]+"\n"),
		"not filled up": bytesInput("image", strings.TrimRight(encoded, "=")),
	} {
		t.Run(name, func(t *testing.T) {
			status, r := infer(t, url, "shipped", object{"id": "42", "model_name": "shipped", "inputs": []object{image, bytesInput("question",
				parkQuestions...)}, "parameters": object{"top_k": 3}})
			if status != 200 || r.ID != "42" || r.Model != "shipped" || r.Version != "1" || len(r.Outputs) != 5 {
				t.Fatalf("%d %+v", status, r)
			}
			compare(t, r.Outputs, want)
		})
	}
}

// compare compares JSON outputs with the service's answers.
func compare(t *testing.T, outputs []jsonOutput, want []service.Result) {
	t.Helper()
	for _, o := range outputs {
		each := len(want[0].Answers)
		if !slices.Equal(o.Shape, []int{len(want), each}) || len(o.Data) != len(want)*each {
			t.Fatalf("%s: shape %v, %d elements", o.Name, o.Shape, len(o.Data))
		}
		for i, found := range o.Data {
			answer := want[i/each].Answers[i%each]
			switch o.Name {
			case "answer":
				if found != answer.Text {
					t.Errorf("answer %d: found %v, want %v", i, found, answer.Text)
				}
			case "answer_id":
				if found != float64(answer.ID) {
					t.Errorf("answer_id %d: found %v, want %v", i, found, answer.ID)
				}
			default:
				number := map[string]float32{"score": answer.Probability, "logit": answer.Score, "confidence": answer.Confidence}[o.Name]
				if math.Abs(found.(float64)-float64(number)) > 1e-5*max(1, math.Abs(float64(number))) {
					t.Errorf("%s %d: found %v, want %v", o.Name, i, found, number)
				}
			}
		}
	}
}

// binaryRequest puts tensors in binary behind JSON.
func binaryRequest(t testing.TB, request object, raw ...[]byte) ([]byte, map[string]string) {
	t.Helper()
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	return append(text, bytes.Join(raw, nil)...), map[string]string{headerLength: strconv.Itoa(len(text))}
}

func binaryInput(name, datatype string, raw []byte, shape ...int) object {
	return object{"name": name, "shape": shape, "datatype": datatype, "parameters": object{"binary_data_size": len(raw)}}
}

func rawTexts(texts ...string) []byte { o := output{texts: texts}; return o.appendRaw(nil) }

func rawFloats(values []float32) []byte {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return raw
}

func TestInferBinary(t *testing.T) {
	url := testServer(t, Options{}).URL
	regions, want := parkRegions(t, parkQuestions...)
	n := regions.Len()
	image, question := rawTexts(string(park(t))), rawTexts(parkQuestions...)
	feats, pos := rawFloats(regions.Features), rawFloats(regions.Boxes)
	twice := append(slices.Clone(feats), feats...)
	for name, c := range map[string]struct {
		inputs []object
		raw    [][]byte
	}{
		"picture": {[]object{binaryInput("image", "BYTES", image, 1), binaryInput("question", "BYTES", question, 2)}, [][]byte{image, question}},
		"regions": {[]object{binaryInput("visual_feats", "FP32", feats, 1, n, regions.FeatureWidth), binaryInput("visual_pos", "FP32", pos, 1, n, 4),
			binaryInput("question", "BYTES", question, 2)}, [][]byte{feats, pos, question}},
		"regions, not aligned": {[]object{binaryInput("question", "BYTES", question, 2), binaryInput("visual_feats", "FP32", feats, 1, n, regions.FeatureWidth),
			binaryInput("visual_pos", "FP32", pos, 1, n, 4)}, [][]byte{question, feats, pos}},
		"regions for each question": {[]object{binaryInput("visual_feats", "FP32", twice, 2, n, regions.FeatureWidth), binaryInput("visual_pos", "FP32",
			append(slices.Clone(pos), pos...), 2, n, 4),
			bytesInput("question", parkQuestions...)}, [][]byte{twice, pos, pos}},
	} {
		t.Run(name, func(t *testing.T) {
			body, header := binaryRequest(t, object{"inputs": c.inputs, "parameters": object{"top_k": 3, "binary_data_output": true},
				"outputs": []object{{"name": "score"}, {"name": "answer"}, {"name": "answer_id", "parameters": object{"binary_data": false}}}}, c.raw...)
			status, headers, data := call(t, "POST", url+"/v2/models/shipped/versions/1/infer", body, header)
			if status != 200 {
				t.Fatalf("%d %s", status, data)
			}
			length, err := strconv.Atoi(headers.Get(headerLength))
			if err != nil {
				t.Fatal(err)
			}
			var r jsonResponse
			if err := json.Unmarshal(data[:length], &r); err != nil {
				t.Fatal(err)
			}
			data = data[length:]
			for i := range r.Outputs {
				o := &r.Outputs[i]
				size, ok := o.Parameters["binary_data_size"].(float64)
				if ok == (o.Name == "answer_id") {
					t.Fatalf("%s: parameters %v", o.Name, o.Parameters)
				}
				if !ok {
					continue
				}
				in, elements, err := newTensor(o.Name, o.Datatype, []int64{int64(o.Shape[0]), int64(o.Shape[1])}, 1<<20)
				if err == nil {
					err = in.setRaw(data[:int(size)], elements)
				}
				if err != nil {
					t.Fatal(err)
				}
				data = data[int(size):]
				for _, text := range in.texts {
					o.Data = append(o.Data, string(text))
				}
				if o.Datatype == "FP32" {
					values, _ := in.floats()
					for _, v := range values {
						o.Data = append(o.Data, float64(v))
					}
				}
			}
			if len(data) > 0 {
				t.Fatalf("%d bytes are left", len(data))
			}
			compare(t, r.Outputs, want)
		})
	}
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func TestTensors(t *testing.T) {
	url := testServer(t, Options{}).URL
	regions, _ := parkRegions(t, "?!")
	n := regions.Len()
	feats, pos := rawFloats(regions.Features), rawFloats(regions.Boxes)
	ids := object{"name": "input_ids", "datatype": "INT64", "shape": []int{1, 4}, "data": [][]int{{2, 5, 6, 3}}}
	body, header := binaryRequest(t, object{"inputs": []object{ids, binaryInput("visual_feats", "FP32", feats, 1, n, regions.FeatureWidth),
		binaryInput("visual_pos", "FP32", pos, 1, n, 4)}}, feats, pos)
	status, _, data := call(t, "POST", url+"/v2/models/shipped-tensors/infer", body, header)
	var r jsonResponse
	if err := json.Unmarshal(data, &r); err != nil || status != 200 {
		t.Fatalf("%d %.300s %v", status, data, err)
	}
	shapes := map[string][]int{}
	for _, o := range r.Outputs {
		shapes[o.Name] = o.Shape
	}
	card, _ := testService(t).Card("")
	want := map[string][]int{"question_answering_score": {1, card.Answers}, "pooled_output": {1, card.Hidden}, "language_output": {1, 4, card.Hidden},
		"vision_output": {1, n, card.Hidden}}
	if !maps.EqualFunc(shapes, want, slices.Equal) {
		t.Errorf("found %v, want %v", shapes, want)
	}
	// Half precision, masks of other types.
	var half []byte
	for _, v := range regions.Features {
		half = binary.LittleEndian.AppendUint16(half, checkpoint.BF16Bits(v))
	}
	mask := object{"name": "attention_mask", "datatype": "BOOL", "shape": []int{1, 4}, "data": []bool{true, true, true, true}}
	body, header = binaryRequest(t, object{"inputs": []object{mask, ids, binaryInput("visual_feats", "BF16", half, 1, n, regions.FeatureWidth),
		binaryInput("visual_pos", "FP32", pos, 1, n, 4)},
		"outputs": []object{{"name": "question_answering_score"}}}, half, pos)
	status, _, data = call(t, "POST", url+"/v2/models/shipped-tensors/infer", body, header)
	var rounded jsonResponse
	if err := json.Unmarshal(data, &rounded); err != nil || status != 200 || len(rounded.Outputs) != 1 {
		t.Fatalf("%d %.300s %v", status, data, err)
	}
	for i, v := range rounded.Outputs[0].Data {
		if d := v.(float64) - r.Outputs[0].Data[i].(float64); math.Abs(d) > 0.2 {
			t.Errorf("score %d: %v in bfloat16, %v in float32", i, v, r.Outputs[0].Data[i])
		}
	}
}

func TestMetadata(t *testing.T) {
	url := testServer(t, Options{Version: "1.2.3"}).URL
	for path, want := range map[string]string{
		"/v2":                                   `{"name":"lxmert","version":"1.2.3","extensions":["binary_tensor_data","model_repository","statistics"]}`,
		"/v2/health/live":                       `{"live":true}`,
		"/v2/health/ready":                      `{"ready":true}`,
		"/v2/models/shipped/ready":              `{"name":"shipped","ready":true}`,
		"/v2/models/shipped/versions/1/ready":   `{"name":"shipped","ready":true}`,
		"/v2/models/shipped-tensors/versions/1": `"name":"input_ids","datatype":"INT64","shape":[-1,-1]`,
		"/v2/models/shipped":                    `"inputs":[{"name":"image","datatype":"BYTES","shape":[-1]},{"name":"question","datatype":"BYTES","shape":[-1]}`,
		"/v2/models/shipped/stats":              `"inference_stats":`,
		"/v2/models/stats":                      `"name":"shipped-tensors"`,
	} {
		if status, _, data := call(t, "GET", url+path, nil, nil); status != 200 || !strings.Contains(string(data), want) {
			t.Errorf("%s: %d %s, want %s", path, status, data, want)
		}
	}
	if status, _, data := call(t, "POST", url+"/v2/repository/index", nil, nil); status != 200 || !strings.Contains(string(data),
		`{"name":"shipped","version":"1","state":"READY","reason":""}`) {
		t.Errorf("index: %d %s", status, data)
	}
}

// TestRefused lists what is wrong with requests, and what they are told.
func TestRefused(t *testing.T) {
	url := testServer(t, Options{MaxBytes: 200_000, MaxRegions: 10}).URL
	card, _ := testService(t).Card("")
	question, image := bytesInput("question", "What?"), bytesInput("image", base64.StdEncoding.EncodeToString(park(t)))
	in := func(inputs ...object) object { return object{"inputs": inputs} }
	with := func(o object, name string, value any) object { c := maps.Clone(o); c[name] = value; return c }
	width := strconv.Itoa(card.FeatureWidth)
	for name, c := range map[string]struct {
		model   string
		request any
		status  int
		want    string
	}{
		"no JSON":             {"shipped", "hello", 400, "the request: its JSON"},
		"half":                {"shipped", `{"inputs":`, 400, "ends early"},
		"nothing":             {"shipped", "", 400, "ends early"},
		"behind":              {"shipped", `{} x`, 400, headerLength},
		"a field":             {"shipped", `{"input":[]}`, 400, `unknown field "input"`},
		"a type":              {"shipped", `{"inputs":{}}`, 400, "inputs: found {}, want a list"},
		"a name's type":       {"shipped", `{"inputs":[{"name":1}]}`, 400, "name: found number, want a string"},
		"parameters' type":    {"shipped", `{"parameters":[]}`, 400, "parameters: found [], want an object"},
		"many inputs":         {"shipped", `{"inputs":[` + strings.Repeat("{},", 40) + `{}]}`, 400, "an input has no name"},
		"many outputs":        {"shipped", `{"outputs":[` + strings.Repeat("{},", 40) + `{}]}`, 413, "outputs: found more than 32"},
		"many axes":           {"shipped", `{"inputs":[{"name":"question","shape":[` + strings.Repeat("1,", 200) + `1]}]}`, 400, "want a list of 1 to 8"},
		"many texts":          {"shipped", in(with(question, "shape", []int64{5000})), 413, "at most 4096"},
		"no inputs":           {"shipped", `{"inputs":[]}`, 400, "question is missing"},
		"no image":            {"shipped", in(question), 400, "image is missing"},
		"no such input":       {"shipped", in(bytesInput("picture", "")), 400, `no input "picture", only image, question`},
		"twice":               {"shipped", in(question, question), 400, "question is there twice"},
		"no such model":       {"other", in(question), 404, `there is no model "other" here, only shipped, shipped-tensors`},
		"no such version":     {"shipped/versions/7", in(question), 404, "has version 1 here"},
		"parameter":           {"shipped", object{"inputs": []object{image, question}, "parameters": object{"topk": 3}}, 400, `no "topk" here, only top_k`},
		"parameter's kind":    {"shipped", object{"inputs": []object{image, question}, "parameters": object{"top_k": []int{1}}}, 400, "top_k: found [1]"},
		"top_k":               {"shipped", object{"inputs": []object{image, question}, "parameters": object{"top_k": 0}}, 400, "top_k: found 0"},
		"top_k half":          {"shipped", object{"inputs": []object{image, question}, "parameters": object{"top_k": 1.5}}, 400, "top_k: found 1.5"},
		"shared memory":       {"shipped", in(image, with(question, "parameters", object{"shared_memory_region": "x"})), 400, `no "shared_memory_region"`},
		"output":              {"shipped", object{"inputs": []object{image, question}, "outputs": []object{{"name": "x"}}}, 400, `no output "x"`},
		"output twice":        {"shipped", object{"inputs": []object{image, question}, "outputs": []object{{"name": "score"}, {"name": "score"}}}, 400, "twice"},
		"datatype":            {"shipped", in(with(question, "datatype", "STRING")), 400, `datatype: found "STRING"`},
		"question's datatype": {"shipped", in(image, object{"name": "question", "datatype": "INT8", "shape": []int{1}, "data": []int{1}}), 400, "want BYTES"},
		"no shape":            {"shipped", in(with(question, "shape", []int{})), 400, "found 0 axes"},
		"empty shape":         {"shipped", in(with(question, "shape", []int{0})), 400, "want 1 or more"},
		"negative shape":      {"shipped", in(with(question, "shape", []int{-1, -1})), 400, "want 1 or more"},
		"huge shape":          {"shipped", in(with(question, "shape", []int64{1 << 62, 1 << 62, 1 << 62})), 413, "more elements"},
		"too many elements":   {"shipped", in(with(question, "shape", []int64{4000})), 400, "too few"},
		"a shape's kind":      {"shipped", in(with(question, "shape", []float64{1.5})), 400, "shape"},
		"a wrong shape":       {"shipped", in(with(question, "shape", []int{2})), 400, "found a list of 1 elements, want 2"},
		"a wrong shape, less": {"shipped", in(with(bytesInput("question", "a", "b"), "shape", []int{1})), 400, "more than 1"},
		"too deep":            {"shipped", in(with(question, "data", [][][]string{{{"a"}}})), 400, "found ["},
		"two axes":            {"shipped", in(image, with(bytesInput("question", "a", "b"), "shape", []int{1, 2})), 400, "want [N]"},
		"numbers":             {"shipped", in(with(question, "data", []int{1})), 400, "want strings"},
		"no data":             {"shipped", in(object{"name": "question", "datatype": "BYTES", "shape": []int{1}}), 400, "neither data nor"},
		"both":                {"shipped", in(with(question, "parameters", object{"binary_data_size": 5})), 400, "one of them"},
		"nothing behind":      {"shipped", in(binaryInput("question", "BYTES", make([]byte, 5), 1)), 400, "0 bytes are left"},
		"no base64":           {"shipped", in(bytesInput("image", "!!"), question), 400, "input image: found neither base64"},
		"no picture":          {"shipped", in(bytesInput("image", "AAAA"), question), 400, ""},
		"forgotten":           {"shipped", in(bytesInput("image", "sha256:"+strings.Repeat("0", 64)), question), 404, "does not remember"},
		"pictures":            {"shipped", in(bytesInput("image", "", "", ""), bytesInput("question", "a", "b")), 400, "3 pictures for 2 questions"},
		"empty question":      {"shipped", in(image, bytesInput("question", " ")), 400, "the question is empty"},
		"second question":     {"shipped", in(image, bytesInput("question", "What?", "")), 400, "question 1: "},
		"questions":           {"shipped", in(image, bytesInput("question", make([]string, 65)...)), 413, "at most 64"},
		"long question":       {"shipped", in(image, bytesInput("question", strings.Repeat("a", 5000))), 413, "5000 bytes"},
		"body":                {"shipped", in(bytesInput("image", strings.Repeat("A", 200_000))), 413, "at most 200000"},
		"no places": {"shipped", in(question, object{"name": "visual_feats", "datatype": "FP32", "shape": []int{1, 1, 1}, "data": []int{1}}), 400,
			"visual_pos is missing"},
		"regions and picture": {"shipped", in(image, question, object{"name": "visual_feats", "datatype": "FP32", "shape": []int{1, 1, 1},
			"data": []int{1}}), 400, "one of them"},
		"width": {"shipped", in(question, object{"name": "visual_feats", "datatype": "FP32", "shape": []int{1, 1, 1}, "data": []int{1}},
			object{"name": "visual_pos", "datatype": "FP32", "shape": []int{1, 1, 4}, "data": []int{0, 0, 1, 1}}), 400, "want [1 1 " + width + "]"},
		"regions": {"shipped", in(question, object{"name": "visual_feats", "datatype": "FP32", "shape": []int{1, 11, 1}, "data": make([]int, 11)},
			object{"name": "visual_pos", "datatype": "FP32", "shape": []int{1, 1, 4}, "data": []int{0, 0, 1, 1}}), 413, "at most 10"},
		"NaN":      {"shipped-tensors", `{"inputs":[{"name":"visual_feats","datatype":"FP32","shape":[1],"data":[NaN]}]}`, 400, "invalid character 'N'"},
		"1e40":     {"shipped-tensors", `{"inputs":[{"name":"visual_feats","datatype":"FP32","shape":[1],"data":[1e40]}]}`, 400, "fits into float32"},
		"half ids": {"shipped-tensors", `{"inputs":[{"name":"input_ids","datatype":"INT64","shape":[1],"data":[1.5]}]}`, 400, "want a whole number"},
		"INT8":     {"shipped-tensors", `{"inputs":[{"name":"input_ids","datatype":"INT8","shape":[1],"data":[128]}]}`, 400, "-128 to 127"},
		"FP16":     {"shipped-tensors", `{"inputs":[{"name":"visual_feats","datatype":"FP16","shape":[1],"data":[1]}]}`, 400, "send them as binary"},
		"text":     {"shipped-tensors", `{"inputs":[{"name":"input_ids","datatype":"BYTES","shape":[1],"data":["1"]}]}`, 400, "want INT64"},
		"floats":   {"shipped-tensors", `{"inputs":[{"name":"input_ids","datatype":"FP32","shape":[1],"data":[1]}]}`, 400, "found FP32"},
		"missing":  {"shipped-tensors", `{"inputs":[]}`, 400, "visual_feats: missing"},
		"an id":    {"shipped-tensors", `{"inputs":[{"name":"input_ids","datatype":"INT64","shape":[1,1],"data":[-1]}]}`, 400, "is -1, want 0.."},
		"big batch": {"shipped-tensors", object{"inputs": []object{{"name": "input_ids", "datatype": "INT64", "shape": []int{65, 1}, "data": make([]int,
			65)}}}, 413, "at most 64"},
	} {
		t.Run(name, func(t *testing.T) {
			status, r := infer(t, url, c.model, c.request)
			if status != c.status || !strings.Contains(r.Error, c.want) || r.Error == "" || strings.Contains(r.Error, "\n") {
				t.Errorf("found %d %q, want %d %q", status, r.Error, c.status, c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		method, path string
		header       map[string]string
		status       int
		want         string
	}{
		"no route":     {"GET", "/v2/other", nil, 404, "there is no GET /v2/other here"},
		"a method":     {"PUT", "/v2/models/shipped/infer", nil, 405, "there is no PUT"},
		"a length":     {"POST", "/v2/models/shipped/infer", map[string]string{headerLength: "-1"}, 400, "-1"},
		"a long one":   {"POST", "/v2/models/shipped/infer", map[string]string{headerLength: "1000"}, 400, "1000"},
		"compressed":   {"POST", "/v2/models/shipped/infer", map[string]string{"Content-Encoding": "gzip"}, 400, "gzip"},
		"load":         {"POST", "/v2/repository/models/shipped/load", nil, 400, "loads no models"},
		"unload":       {"POST", "/v2/repository/models/shipped/unload", nil, 400, "unloads none"},
		"unload other": {"POST", "/v2/repository/models/x/unload", nil, 404, "no model"},
	} {
		status, _, data := call(t, c.method, url+c.path, []byte("{}"), c.header)
		var r jsonResponse
		if err := json.Unmarshal(data, &r); err != nil || status != c.status || !strings.Contains(r.Error, c.want) {
			t.Errorf("%s: %d %s %v, want %d %s", name, status, data, err, c.status, c.want)
		}
	}
}
