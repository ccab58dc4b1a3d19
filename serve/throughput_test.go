package serve

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/vision"
)

// Of one batch of the throughput benchmark.
const (
	perBatch = 32
	words    = 18 // and [CLS] and [SEP]
	regions  = 36
)

// BenchmarkThroughput asks a model of the base size questions of 20 tokens, each about 36 regions that are sent with it: in the library, 32 at once, and over HTTP,
// 64 clients with one question each, as binary tensors of the Open Inference Protocol. Both report questions a second.
func BenchmarkThroughput(b *testing.B) {
	m := baseModel(b)
	queries := make([]lxmert.Query, perBatch)
	bodies := make([][]byte, perBatch)
	heads := make([]string, perBatch)
	for i := range queries {
		queries[i] = lxmert.Query{Question: strings.TrimSpace(strings.Repeat("word ", words)), Regions: randomRegions(uint64(i))}
		heads[i], bodies[i] = inferRequest(b, queries[i])
	}
	b.Run("library", func(b *testing.B) {
		for b.Loop() {
			if _, err := m.AskBatch(b.Context(), queries); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N*perBatch)/b.Elapsed().Seconds(), "questions/s")
	})
	b.Run("http", func(b *testing.B) {
		s, err := service.New(b.Context(), service.Options{Models: []service.Source{{Name: "base", Model: m}}})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		server := httptest.NewServer(Handler(s, Options{Concurrency: 2 * perBatch}))
		defer server.Close()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * perBatch}}
		ask := func(questions int) {
			var next atomic.Int64
			var clients sync.WaitGroup
			for range 2 * perBatch {
				clients.Go(func() {
					for {
						i := int(next.Add(1) - 1)
						if i >= questions {
							return
						}
						if err := infer(client, server.URL, heads[i%perBatch], bodies[i%perBatch]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			clients.Wait()
		}
		ask(4 * perBatch) // connections, and graphs for the batches that come about
		b.ResetTimer()
		ask(b.N * perBatch)
		b.ReportMetric(float64(b.N*perBatch)/b.Elapsed().Seconds(), "questions/s")
	})
}

// baseModel has the base size, and weights by a formula.
func baseModel(b *testing.B) *lxmert.Model {
	engine, err := backend.Open("")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(engine.Finalize)
	config := model.DefaultConfig()
	config.NumQALabels = 3129
	network, err := model.New(engine, config, model.HeadQuestionAnswering, formula.Weights)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { network.Close() })
	vocabulary, err := tokenizer.LoadFS(fstest.MapFS{"vocab.txt": {Data: []byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nword\n")}})
	if err != nil {
		b.Fatal(err)
	}
	labels := make([]string, config.NumQALabels)
	for i := range labels {
		labels[i] = fmt.Sprint("answer ", i)
	}
	m, err := lxmert.New(&model.LxmertForQuestionAnswering{Network: network}, vocabulary, labels)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	return m
}

func randomRegions(seed uint64) vision.Regions {
	r := rand.New(rand.NewPCG(seed, 1))
	v := vision.Regions{Features: make([]float32, regions*2048), FeatureWidth: 2048, Boxes: make([]float32, regions*4)}
	for i := range v.Features {
		v.Features[i] = r.Float32()
	}
	for i := range regions {
		copy(v.Boxes[4*i:], []float32{0.1, 0.1, 0.2 + 0.5*r.Float32(), 0.2 + 0.5*r.Float32()})
	}
	return v
}

// inferRequest is a question as the Open Inference Protocol has it, with binary tensors, and how long its JSON part is.
func inferRequest(b *testing.B, q lxmert.Query) (head string, body []byte) {
	question := binary.LittleEndian.AppendUint32(nil, uint32(len(q.Question)))
	question = append(question, q.Question...)
	var raw bytes.Buffer
	raw.Write(question)
	binary.Write(&raw, binary.LittleEndian, q.Regions.Features)
	binary.Write(&raw, binary.LittleEndian, q.Regions.Boxes)
	input := func(name, kind string, bytes int, shape ...int) map[string]any {
		return map[string]any{"name": name, "datatype": kind, "shape": shape, "parameters": map[string]int{"binary_data_size": bytes}}
	}
	text, err := json.Marshal(map[string]any{"inputs": []any{
		input("question", "BYTES", len(question), 1),
		input("visual_feats", "FP32", 4*len(q.Regions.Features), 1, regions, 2048),
		input("visual_pos", "FP32", 4*len(q.Regions.Boxes), 1, regions, 4),
	}})
	if err != nil {
		b.Fatal(err)
	}
	return fmt.Sprint(len(text)), append(text, raw.Bytes()...)
}

func infer(client *http.Client, url, head string, body []byte) error {
	request, err := http.NewRequest(http.MethodPost, url+"/v2/models/base/infer", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Inference-Header-Content-Length", head)
	request.Header.Set("Content-Type", "application/octet-stream")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("found %d %.200s, %v", answer.StatusCode, text, err)
	}
	return nil
}
