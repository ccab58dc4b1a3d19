package oip

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/serve/guard"
	"github.com/go-lxmert/lxmert/serve/oip/inference"
	"github.com/go-lxmert/lxmert/serve/service"
)

// dial serves on loopback, and connects.
func dial(t testing.TB, o Options, g GRPCOptions) (*Server, *grpc.ClientConn, inference.GRPCInferenceServiceClient) {
	t.Helper()
	server := New(testService(t), o).Server(g)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return server, conn, inference.NewGRPCInferenceServiceClient(conn)
}

type (
	input     = inference.ModelInferRequest_InferInputTensor
	contents  = inference.InferTensorContents
	wanted    = inference.ModelInferRequest_InferRequestedOutputTensor
	parameter = inference.InferParameter
)

func topK(n int64) map[string]*parameter {
	return map[string]*parameter{"top_k": {ParameterChoice: &inference.InferParameter_Int64Param{Int64Param: n}}}
}

func texts(list ...string) *contents {
	c := &contents{}
	for _, text := range list {
		c.BytesContents = append(c.BytesContents, []byte(text))
	}
	return c
}

// same compares a response with the service's answers, number by number.
func same(t *testing.T, out *inference.ModelInferResponse, want []service.Result) {
	t.Helper()
	if len(out.Outputs) != 5 {
		t.Fatalf("%d outputs", len(out.Outputs))
	}
	each := len(want[0].Answers)
	for i, o := range out.Outputs {
		if !slices.Equal(o.Shape, []int64{int64(len(want)), int64(each)}) {
			t.Fatalf("%s: shape %v", o.Name, o.Shape)
		}
		read, elements, err := newTensor(o.Name, o.Datatype, o.Shape, 1<<20)
		if err == nil && out.RawOutputContents != nil {
			err = read.setRaw(out.RawOutputContents[i], elements)
		} else if err == nil {
			err = read.setMessage(o.Contents, elements)
		}
		if err != nil {
			t.Fatal(err)
		}
		for j := range elements {
			answer := want[j/each].Answers[j%each]
			switch o.Name {
			case "answer":
				if string(read.texts[j]) != answer.Text {
					t.Errorf("answer %d: found %q, want %q", j, read.texts[j], answer.Text)
				}
			case "answer_id":
				if ids, _ := read.integers(); ids[j] != int64(answer.ID) {
					t.Errorf("answer_id %d: found %d, want %d", j, ids[j], answer.ID)
				}
			default:
				values, _ := read.floats()
				number := map[string]float32{"score": answer.Probability, "logit": answer.Score, "confidence": answer.Confidence}[o.Name]
				if math.Abs(float64(values[j]-number)) > 1e-5*max(1, math.Abs(float64(number))) {
					t.Errorf("%s %d: found %v, want %v", o.Name, j, values[j], number)
				}
			}
		}
	}
}

func TestGRPCInfer(t *testing.T) {
	_, _, client := dial(t, Options{}, GRPCOptions{})
	regions, want := parkRegions(t, parkQuestions...)
	n := int64(regions.Len())
	question := &input{Name: "question", Datatype: "BYTES", Shape: []int64{2}}
	image := &input{Name: "image", Datatype: "BYTES", Shape: []int64{1}}
	feats := &input{Name: "visual_feats", Datatype: "FP32", Shape: []int64{1, n, int64(regions.FeatureWidth)}}
	pos := &input{Name: "visual_pos", Datatype: "FP32", Shape: []int64{1, n, 4}}
	for name, r := range map[string]*inference.ModelInferRequest{
		"picture, raw": {Inputs: []*input{image, question}, RawInputContents: [][]byte{rawTexts(string(park(t))), rawTexts(parkQuestions...)}},
		"picture": {Inputs: []*input{{Name: "image", Datatype: "BYTES", Shape: []int64{1}, Contents: texts(string(park(t)))},
			{Name: "question", Datatype: "BYTES", Shape: []int64{2, 1}, Contents: texts(parkQuestions...)}}},
		"regions, raw": {Inputs: []*input{question, feats, pos}, RawInputContents: [][]byte{rawTexts(parkQuestions...), rawFloats(regions.Features),
			rawFloats(regions.Boxes)}},
		"regions": {Inputs: []*input{{Name: "question", Datatype: "BYTES", Shape: []int64{2}, Contents: texts(parkQuestions...)},
			{Name: "visual_feats", Datatype: "FP32", Shape: feats.Shape, Contents: &contents{Fp32Contents: regions.Features}},
			{Name: "visual_pos", Datatype: "FP32", Shape: pos.Shape, Contents: &contents{Fp32Contents: regions.Boxes}}}},
	} {
		t.Run(name, func(t *testing.T) {
			r.ModelName, r.Id, r.Parameters = "shipped", "7", topK(3)
			out, err := client.ModelInfer(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if out.Id != "7" || out.ModelName != "shipped" || out.ModelVersion != "1" || (out.RawOutputContents != nil) != (r.RawInputContents != nil) {
				t.Errorf("found %v %v %v, raw %v", out.Id, out.ModelName, out.ModelVersion, out.RawOutputContents != nil)
			}
			same(t, out, want)
		})
	}
}

// TestGRPCTensors compares the two ways to ask for tensors, HTTP's and gRPC's.
func TestGRPCTensors(t *testing.T) {
	_, _, client := dial(t, Options{}, GRPCOptions{})
	regions, _ := parkRegions(t, "?!")
	n := int64(regions.Len())
	var half []byte
	for _, v := range regions.Features {
		half = binary.LittleEndian.AppendUint16(half, checkpoint.F16Bits(v))
	}
	var ids []byte
	for _, id := range []uint64{2, 5, 6, 3} {
		ids = binary.LittleEndian.AppendUint64(ids, id)
	}
	out, err := client.ModelInfer(t.Context(), &inference.ModelInferRequest{ModelName: "shipped-tensors",
		Inputs: []*input{{Name: "input_ids", Datatype: "INT64", Shape: []int64{1, 4}}, {Name: "visual_feats", Datatype: "FP16", Shape: []int64{1, n,
			int64(regions.FeatureWidth)}},
			{Name: "visual_pos", Datatype: "FP32", Shape: []int64{1, n, 4}}},
		Outputs:          []*wanted{{Name: "pooled_output"}},
		RawInputContents: [][]byte{ids, half, rawFloats(regions.Boxes)}})
	if err != nil {
		t.Fatal(err)
	}
	url := testServer(t, Options{}).URL
	width := regions.FeatureWidth
	body, header := binaryRequest(t, object{"inputs": []object{binaryInput("input_ids", "INT64", ids, 1, 4), binaryInput("visual_feats", "FP16", half, 1,
		int(n), width),
		binaryInput("visual_pos", "FP32", rawFloats(regions.Boxes), 1, int(n), 4)}, "outputs": []object{{"name": "pooled_output",
		"parameters": object{"binary_data": true}}}},
		ids, half, rawFloats(regions.Boxes))
	code, _, data := call(t, "POST", url+"/v2/models/shipped-tensors/infer", body, header)
	raw := out.RawOutputContents[0]
	if code != 200 || len(raw) != 4*int(out.Outputs[0].Shape[1]) || !strings.HasSuffix(string(data), string(raw)) {
		t.Errorf("status %d, %d bytes over gRPC are not at the end of %d over HTTP", code, len(raw), len(data))
	}
}

func TestGRPCMetadata(t *testing.T) {
	_, conn, client := dial(t, Options{Version: "1.2.3"}, GRPCOptions{})
	ctx := t.Context()
	if r, err := client.ServerLive(ctx, &inference.ServerLiveRequest{}); err != nil || !r.Live {
		t.Error(r, err)
	}
	if r, err := client.ServerReady(ctx, &inference.ServerReadyRequest{}); err != nil || !r.Ready {
		t.Error(r, err)
	}
	if r, err := client.ModelReady(ctx, &inference.ModelReadyRequest{Name: "shipped", Version: "1"}); err != nil || !r.Ready {
		t.Error(r, err)
	}
	if r, err := client.ServerMetadata(ctx, &inference.ServerMetadataRequest{}); err != nil || r.Name != "lxmert" || r.Version != "1.2.3" {
		t.Error(r, err)
	}
	r, err := client.ModelMetadata(ctx, &inference.ModelMetadataRequest{Name: "shipped-tensors"})
	if err != nil || r.Platform != "lxmert_go" || r.Inputs[0].Name != "input_ids" || r.Inputs[0].Datatype != "INT64" || !slices.Equal(r.Inputs[0].Shape,
		[]int64{-1, -1}) {
		t.Error(r, err)
	}
	for _, name := range []string{"other", ""} {
		want := map[string]codes.Code{"other": codes.NotFound, "": codes.InvalidArgument}[name]
		if _, err := client.ModelMetadata(ctx, &inference.ModelMetadataRequest{Name: name}); status.Code(err) != want {
			t.Error(err)
		}
		if _, err := client.ModelReady(ctx, &inference.ModelReadyRequest{Name: name}); status.Code(err) != want {
			t.Error(err)
		}
	}
	checks := healthpb.NewHealthClient(conn)
	for _, name := range []string{"", "inference.GRPCInferenceService", "shipped"} {
		if r, err := checks.Check(ctx, &healthpb.HealthCheckRequest{Service: name}); err != nil || r.Status != healthpb.HealthCheckResponse_SERVING {
			t.Error(name, r, err)
		}
	}
	if _, err := checks.Check(ctx, &healthpb.HealthCheckRequest{Service: "other"}); status.Code(err) != codes.NotFound {
		t.Error(err)
	}
	if list, err := checks.List(ctx, &healthpb.HealthListRequest{}); err != nil || len(list.Statuses) != 4 {
		t.Error(list, err)
	}
	// What grpcurl asks.
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ask := &reflectionpb.ServerReflectionRequest{}
	ask.MessageRequest = &reflectionpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "inference.GRPCInferenceService"}
	if err := stream.Send(ask); err != nil {
		t.Fatal(err)
	}
	if r, err := stream.Recv(); err != nil || len(r.GetFileDescriptorResponse().GetFileDescriptorProto()) != 1 {
		t.Error(r, err)
	}
}

func TestGRPCRefused(t *testing.T) {
	_, _, client := dial(t, Options{MaxBytes: 100_000}, GRPCOptions{})
	question := &input{Name: "question", Datatype: "BYTES", Shape: []int64{1}, Contents: texts("What?")}
	of := func(datatype string, c *contents) *inference.ModelInferRequest {
		return &inference.ModelInferRequest{ModelName: "shipped-tensors", Inputs: []*input{{Name: "input_ids", Datatype: datatype, Shape: []int64{1}, Contents: c}}}
	}
	for name, c := range map[string]struct {
		request *inference.ModelInferRequest
		code    codes.Code
		want    string
	}{
		"no name":       {&inference.ModelInferRequest{}, codes.InvalidArgument, "name is missing"},
		"no such model": {&inference.ModelInferRequest{ModelName: "x"}, codes.NotFound, "only shipped, shipped-tensors"},
		"no inputs":     {&inference.ModelInferRequest{ModelName: "shipped"}, codes.InvalidArgument, "question is missing"},
		"raw and not": {&inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{question}, RawInputContents: [][]byte{{}}},
			codes.InvalidArgument, "one of them"},
		"too many raw": {&inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{question}, RawInputContents: [][]byte{{}, {}}},
			codes.InvalidArgument, "found 2 for 1"},
		"raw's length": {&inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{{Name: "question", Datatype: "BYTES", Shape: []int64{1}}},
			RawInputContents: [][]byte{{9, 0, 0, 0, 1}}},
			codes.InvalidArgument, "element 0 has 9 bytes"},
		"raw's end": {&inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{{Name: "question", Datatype: "BYTES", Shape: []int64{1}}},
			RawInputContents: [][]byte{{0, 0, 0, 0, 1}}},
			codes.InvalidArgument, "1 bytes are left"},
		"raw's number": {&inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{{Name: "question", Datatype: "BYTES", Shape: []int64{2}}},
			RawInputContents: [][]byte{{4, 0, 0, 0, 1, 2, 3, 4}}},
			codes.InvalidArgument, "found 1 elements"},
		"negative": {&inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{{Name: "question", Datatype: "BYTES", Shape: []int64{-1}}}},
			codes.InvalidArgument, "1 or more"},
		"huge": {&inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{{Name: "question", Datatype: "BYTES",
			Shape: []int64{1 << 40, 1 << 40}}}}, codes.InvalidArgument, "more elements"},
		"no contents":    {of("INT64", nil), codes.InvalidArgument, "0 values, want 1"},
		"other contents": {of("INT64", &contents{IntContents: []int32{1}}), codes.InvalidArgument, "0 values, want 1"},
		"two contents":   {of("INT64", &contents{IntContents: []int32{1}, Int64Contents: []int64{1}}), codes.InvalidArgument, "found 2 kinds"},
		"INT8":           {of("INT8", &contents{IntContents: []int32{200}}), codes.InvalidArgument, "-128 to 127"},
		"UINT8":          {of("UINT8", &contents{UintContents: []uint32{256}}), codes.InvalidArgument, "0 to 255"},
		"UINT64":         {of("UINT64", &contents{Uint64Contents: []uint64{1 << 63}}), codes.InvalidArgument, "element 0 is 9223372036854775808"},
		"FP64":           {of("FP64", &contents{Fp64Contents: []float64{1e300}}), codes.InvalidArgument, "fits into float32"},
		"FP16":           {of("FP16", &contents{Fp32Contents: []float32{1}}), codes.InvalidArgument, "send raw_input_contents"},
		"a parameter":    {&inference.ModelInferRequest{ModelName: "shipped", Parameters: map[string]*parameter{"x": {}}}, codes.InvalidArgument, "x has no value"},
		"a big parameter": {&inference.ModelInferRequest{ModelName: "shipped",
			Parameters: map[string]*parameter{"top_k": {ParameterChoice: &inference.InferParameter_Uint64Param{Uint64Param: 1 << 63}}}}, codes.InvalidArgument,
			"at most"},
		"an output":   {&inference.ModelInferRequest{ModelName: "shipped", Outputs: []*wanted{{Name: "x"}}}, codes.InvalidArgument, `no output "x"`},
		"many inputs": {&inference.ModelInferRequest{ModelName: "shipped", Inputs: make([]*input, 20_000)}, codes.Internal, "more than 16384"},
		"many texts": {&inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{{Contents: &contents{BytesContents: make([][]byte,
			20_000)}}}}, codes.Internal, "more than 16384"},
		"a big message": {&inference.ModelInferRequest{ModelName: "shipped", RawInputContents: [][]byte{make([]byte, 100_000)}}, codes.ResourceExhausted,
			"larger than max"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.ModelInfer(t.Context(), c.request)
			if status.Code(err) != c.code || !strings.Contains(err.Error(), c.want) {
				t.Errorf("found %v, want %v %q", err, c.code, c.want)
			}
		})
	}
}

func TestGRPCToken(t *testing.T) {
	var mu sync.Mutex
	told := map[string]int{}
	_, conn, client := dial(t, Options{}, GRPCOptions{Check: func(token string) bool { return token == "secret" }, Observe: func(method string,
		code codes.Code, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		told[method+" "+code.String()]++
	}})
	if err := conn.Invoke(t.Context(), "/made/up", &inference.ServerLiveRequest{}, &inference.ServerLiveResponse{}); status.Code(err) != codes.Unauthenticated {
		t.Error(err)
	}
	for token, want := range map[string]codes.Code{"": codes.Unauthenticated, "Bearer other": codes.Unauthenticated,
		"Basic secret": codes.Unauthenticated, "Bearer secret": codes.OK} {
		ctx := t.Context()
		if token != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", token)
		}
		if _, err := client.ServerMetadata(ctx, &inference.ServerMetadataRequest{}); status.Code(err) != want {
			t.Errorf("%q: %v", token, err)
		}
		stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
		if err != nil {
			t.Fatal(err)
		}
		stream.CloseSend()
		if _, err := stream.Recv(); (status.Code(err) == codes.Unauthenticated) != (want != codes.OK) {
			t.Errorf("reflection with %q: %v", token, err)
		}
	}
	if _, err := client.ServerReady(t.Context(), &inference.ServerReadyRequest{}); err != nil {
		t.Error(err)
	}
	if _, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Error(err)
	}
	var head metadata.MD
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer secret", "x-request-id", "mine")
	if _, err := client.ServerMetadata(ctx, &inference.ServerMetadataRequest{}, grpc.Header(&head)); err != nil ||
		!slices.Equal(head.Get("x-request-id"), []string{"mine"}) {
		t.Error(head, err)
	}
	mu.Lock()
	defer mu.Unlock()
	method := inference.GRPCInferenceService_ServerMetadata_FullMethodName
	if told[method+" Unauthenticated"] != 3 || told[method+" OK"] != 2 || told[" Unauthenticated"] != 1 {
		t.Errorf("the observer was told %v", told)
	}
}

// parkRequest is a request that is right.
func parkRequest(t testing.TB) *inference.ModelInferRequest {
	return &inference.ModelInferRequest{ModelName: "shipped", Inputs: []*input{{Name: "image", Datatype: "BYTES", Shape: []int64{1},
		Contents: texts(string(park(t)))},
		{Name: "question", Datatype: "BYTES", Shape: []int64{1}, Contents: texts("What color is the car?")}}}
}

func TestGRPCLimits(t *testing.T) {
	limiter := guard.NewLimiter(1, 1, 10*time.Second)
	server, conn, client := dial(t, Options{}, GRPCOptions{Limiter: limiter, MaxCalls: 3, Timeout: time.Second})
	leave, err := limiter.Enter(t.Context()) // the only place
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.ModelInfer(short, parkRequest(t)); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("the client's deadline: %v", err)
	}
	idle := func() { // until the server, too, has noticed that a call ended
		for limiter.Waiting() > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	idle()
	if _, err := client.ModelInfer(t.Context(), parkRequest(t)); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("the server's deadline: %v", err)
	}
	idle()
	gone, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := client.ModelInfer(gone, parkRequest(t)); status.Code(err) != codes.Canceled {
		t.Errorf("a client that goes: %v", err)
	}
	idle()
	var all sync.WaitGroup
	found := make([]codes.Code, 8)
	for i := range found {
		all.Go(func() {
			_, err := client.ModelInfer(t.Context(), parkRequest(t))
			found[i] = status.Code(err)
		})
	}
	all.Wait() // one waits until its time is up, the others are turned away
	if slices.Contains(found, codes.OK) || !slices.Contains(found, codes.ResourceExhausted) || !slices.Contains(found, codes.DeadlineExceeded) {
		t.Errorf("found %v", found)
	}
	// A client that sends its head and nothing else is not waited for.
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, inference.GRPCInferenceService_ModelInfer_FullMethodName)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := stream.RecvMsg(&inference.ModelInferResponse{}); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("a head without a message: %v after %v", err, time.Since(start))
	}
	leave()
	if _, err := client.ModelInfer(t.Context(), parkRequest(t)); err != nil {
		t.Error(err)
	}
	for range 100 {
		if server.door.calls.Load() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d calls are still counted", server.door.calls.Load())
}

func TestGRPCShutdown(t *testing.T) {
	limiter := guard.NewLimiter(1, 1, 10*time.Second)
	server, conn, client := dial(t, Options{}, GRPCOptions{Limiter: limiter})
	watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := watch.Recv(); err != nil || r.Status != healthpb.HealthCheckResponse_SERVING {
		t.Fatal(r, err)
	}
	leave, err := limiter.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answered, stopped := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := client.ModelInfer(t.Context(), parkRequest(t))
		answered <- err
	}()
	for limiter.Waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	go func() { stopped <- server.Shutdown(t.Context()) }()
	if r, err := watch.Recv(); err != nil || r.Status != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Error(r, err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	select {
	case err := <-stopped:
		t.Fatalf("it stopped with a call under way: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	leave()
	if err := <-answered; err != nil {
		t.Errorf("the call that was under way: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestGRPCShutdownDeadline(t *testing.T) {
	limiter := guard.NewLimiter(1, 1, 10*time.Second)
	server, _, client := dial(t, Options{}, GRPCOptions{Limiter: limiter})
	leave, err := limiter.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	answered := make(chan error, 1)
	go func() {
		_, err := client.ModelInfer(t.Context(), parkRequest(t))
		answered <- err
	}()
	for limiter.Waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := <-answered; err == nil {
		t.Error("a call was answered that had no place")
	}
}

// TestGRPCPanic lets a method panic: the caller is told nothing, and the next call is answered.
func TestGRPCPanic(t *testing.T) {
	d := &door{api: New(testService(t), Options{})}
	_, err := d.unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/x/y"}, func(context.Context, any) (any, error) { panic("a secret") })
	if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// TestGRPCMany asks at the same time, over one connection, with some that go away.
func TestGRPCMany(t *testing.T) {
	_, _, client := dial(t, Options{}, GRPCOptions{})
	_, want := parkRegions(t, "What color is the car?")
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			ctx := t.Context()
			if i%4 == 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*time.Millisecond/4)
				defer cancel()
			}
			r := parkRequest(t)
			r.Parameters = topK(3)
			out, err := client.ModelInfer(ctx, r)
			switch {
			case err == nil:
				same(t, out, want)
			case i%4 != 0 || status.Code(err) != codes.DeadlineExceeded:
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// internal reports whether an error is the server's fault.
func internal(err error) bool {
	return status.Code(err) == codes.Internal || status.Code(err) == codes.Unknown
}
