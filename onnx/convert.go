package onnx

import (
	"context"
	"os"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

// Converted says what was written.
type Converted struct {
	Head    model.Head
	Files   []string // the graph, and the weights beside it if they are
	Bytes   int64    // of all files
	Dropped []string // the checkpoint's tensors that the head has no use for, by name
}

// Convert writes the model in a directory as an ONNX file at path, see [WriteFile]. The head is one that the checkpoint has, "" the one
// that it was saved with; weights of 16 bits are widened. load may give another configuration, and put up with tensors of which LXMERT knows
// nothing. If a weight is missing, or ctx ends, nothing is replaced.
func Convert(ctx context.Context, path, dir string, head model.Head, load pretrained.Options, options Options) (*Converted, error) {
	config := load.Config
	if config == nil {
		var err error
		if config, err = pretrained.Config(dir); err != nil {
			return nil, err
		}
	}
	stored, err := checkpoint.Open(dir)
	if err != nil {
		return nil, err
	}
	defer stored.Close()
	if head == "" {
		head = pretrained.HeadOf(stored, config)
	}
	source, report, err := pretrained.Source(ctx, stored, config, head, load)
	if err != nil {
		return nil, err
	}
	done := &Converted{Head: head, Dropped: report.Unexpected}
	if done.Files, err = WriteFile(path, config, head, source, options); err != nil {
		return nil, err
	}
	for _, file := range done.Files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		done.Bytes += info.Size()
	}
	return done, nil
}
