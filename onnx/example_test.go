package onnx_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/onnx"
	"github.com/go-lxmert/lxmert/pretrained"
)

// The question-answering part of a pre-trained model, with its weights beside the graph.
func ExampleConvert() {
	dir, err := os.MkdirTemp("", "onnx")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "answers.onnx")
	done, err := onnx.Convert(context.Background(), path, "../testdata/lxmert/tiny", model.HeadQuestionAnswering, pretrained.Options{}, onnx.Options{External: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, file := range done.Files {
		fmt.Println(filepath.Base(file))
	}
	fmt.Println(done.Head.Class())
	// Output:
	// answers.onnx
	// answers.onnx.data
	// LxmertForQuestionAnswering
}
