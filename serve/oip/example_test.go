package oip_test

import (
	"context"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/go-lxmert/lxmert/serve/oip"
	"github.com/go-lxmert/lxmert/serve/oip/inference"
	"github.com/go-lxmert/lxmert/serve/service"
)

// Example_client asks a server over gRPC about a picture. What is before the client is a server of its own; that of lxmert serve --grpc-addr is asked alike.
func Example_client() {
	ctx := context.Background()
	s, err := service.New(ctx, service.Options{}) // the shipped model
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	server := oip.New(s, oip.Options{}).Server(oip.GRPCOptions{})
	defer server.Shutdown(ctx)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go server.Serve(listener)

	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	client := inference.NewGRPCInferenceServiceClient(conn)

	picture, err := os.ReadFile("../../examples/park.png")
	if err != nil {
		fmt.Println(err)
		return
	}
	type input = inference.ModelInferRequest_InferInputTensor
	type contents = inference.InferTensorContents
	response, err := client.ModelInfer(ctx, &inference.ModelInferRequest{
		ModelName: "shipped",
		Inputs: []*input{
			{Name: "image", Datatype: "BYTES", Shape: []int64{1}, Contents: &contents{BytesContents: [][]byte{picture}}},
			{Name: "question", Datatype: "BYTES", Shape: []int64{2}, Contents: &contents{BytesContents: [][]byte{[]byte("What color is the car?"),
				[]byte("Is there a tree?")}}},
		},
		Outputs:    []*inference.ModelInferRequest_InferRequestedOutputTensor{{Name: "answer"}, {Name: "score"}},
		Parameters: map[string]*inference.InferParameter{"top_k": {ParameterChoice: &inference.InferParameter_Int64Param{Int64Param: 1}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, answer := range response.Outputs[0].Contents.BytesContents {
		fmt.Printf("%s %.2f\n", answer, response.Outputs[1].Contents.Fp32Contents[i])
	}
	// Output:
	// red 1.00
	// yes 1.00
}
