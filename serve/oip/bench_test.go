package oip

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/go-lxmert/lxmert/serve/oip/inference"
)

// BenchmarkRead reads a question about 36 regions of 2048 numbers, in each of the ways in which it can come.
func BenchmarkRead(b *testing.B) {
	const regions, width = 36, 2048
	values := func(n int) []float32 {
		r, list := rand.New(rand.NewPCG(1, 2)), make([]float32, n)
		for i := range list {
			list[i] = r.Float32()
		}
		return list
	}
	feats, pos := values(regions*width), values(regions*4)
	check := func(b *testing.B, r *request, err error) {
		if err != nil {
			b.Fatal(err)
		}
		for _, t := range r.inputs[:2] {
			if _, err := t.floats(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("json", func(b *testing.B) {
		body, err := json.Marshal(object{"inputs": []object{{"name": "visual_feats", "datatype": "FP32", "shape": []int{1, regions, width}, "data": feats},
			{"name": "visual_pos", "datatype": "FP32", "shape": []int{1, regions, 4}, "data": pos}, bytesInput("question", "What?")}})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			r, _, err := parseRequest(body, nil, 64<<20)
			check(b, r, err)
		}
	})
	rawFeats, rawPos := rawFloats(feats), rawFloats(pos)
	b.Run("binary", func(b *testing.B) {
		head, _ := binaryRequest(b, object{"inputs": []object{binaryInput("visual_feats", "FP32", rawFeats, 1, regions, width), binaryInput("visual_pos",
			"FP32", rawPos, 1, regions, 4),
			bytesInput("question", "What?")}})
		raw := append(append([]byte{}, rawFeats...), rawPos...)
		b.SetBytes(int64(len(head) + len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			r, _, err := parseRequest(head, raw, 64<<20)
			check(b, r, err)
		}
	})
	b.Run("grpc", func(b *testing.B) {
		data, err := proto.Marshal(&inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{{Name: "visual_feats", Datatype: "FP32",
			Shape: []int64{1, regions, width}},
			{Name: "visual_pos", Datatype: "FP32", Shape: []int64{1, regions, 4}}, {Name: "question", Datatype: "BYTES", Shape: []int64{1}}},
			RawInputContents: [][]byte{rawFeats, rawPos, rawTexts("What?")}})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		c := newCodec()
		for b.Loop() {
			in := &inference.ModelInferRequest{}
			if err := c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, in); err != nil {
				b.Fatal(err)
			}
			r, err := requestOf(in, 64<<20)
			check(b, r, err)
		}
	})
}
