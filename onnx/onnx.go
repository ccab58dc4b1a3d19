// Package onnx writes LXMERT as ONNX files, for runtimes in other languages: LxmertModel, LxmertForQuestionAnswering,
// LxmertForPreTraining and LxmertForNLVR2 with their weights, ready to run with any number of examples, tokens and regions.
//
// Inputs are named as the reference's arguments, outputs as the fields of what it returns, and the numbers are the reference's
// within the tolerances of its float32 (2e-5). docs/onnx.md has the names, the shapes and a program in Python.
package onnx

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/model"
)

// Options choose among the ways to write a model. The zero value has every input, ONNX's own operators, and weights in the
// same file as the graph where they fit.
type Options struct {
	// Omit names inputs that the graph shall do without, see [OptionalInputs]. ONNX knows no optional inputs: what the
	// graph has must be given at each run.
	Omit []string
	// External puts the weights in a file beside the graph, NAME.data. [WriteFile] does so in any case where the whole would be
	// larger than 2 GiB, the most that a protocol-buffers message may be.
	External bool
	// Operators says whose operators the graph is made of.
	Operators Operators

	limit int64 // for tests: the most that one file may be; 0 means maxMessage
}

// OptionalInputs are the inputs that [Options.Omit] may name: without token_type_ids all are 0, without a mask nothing is masked.
func OptionalInputs() []string {
	return []string{"token_type_ids", "attention_mask", "visual_attention_mask"}
}

// Operators are a set of operators to write the same computation with.
type Operators string

const (
	// Standard are ONNX's own of opset 17, combined as PyTorch's exporter does. Every runtime has them, and ONNX Runtime
	// fuses what it can.
	Standard Operators = ""
	// MultiHead uses ONNX Runtime's MultiHeadAttention, SkipLayerNormalization and BiasGelu, which no other runtime has.
	MultiHead Operators = "multihead"
	// Attention is MultiHead with the linear maps of self-attention inside ONNX Runtime's Attention.
	Attention Operators = "attention"
)

// maxMessage is the largest message that protocol-buffers libraries read.
const maxMessage = 1<<31 - 1

// Write writes a model with that head as one ONNX file. Weights pass through memory one at a time, so that source may read them
// from a file; they are written as float32. The error says which weight, option or key of the configuration is wrong, or that
// the file would be too large: [WriteFile] can write it then.
func Write(w io.Writer, config *model.Config, head model.Head, source model.Source, options Options) error {
	if options.External {
		return errors.New("weights beside the graph need the name of a file: call WriteFile")
	}
	g, err := build(config, head, source, options)
	if err != nil {
		return err
	}
	if size := g.size(""); size > options.most() {
		return fmt.Errorf("the file would be %d bytes, and an ONNX file may be %d: WriteFile puts the weights beside it", size, options.most())
	}
	return g.write(w, "")
}

// WriteFile is [Write] to a file at path, which appears when it is complete. Where the weights lie beside it, in path + ".data", they
// belong together: the graph knows that file by its name, so neither can be renamed alone. It returns the paths of what it has written.
func WriteFile(path string, config *model.Config, head model.Head, source model.Source, options Options) ([]string, error) {
	g, err := build(config, head, source, options)
	if err != nil {
		return nil, err
	}
	if !options.External && g.size("") <= options.most() {
		return []string{path}, atomicfile.Write(path, 0o644, func(w io.Writer) error { return g.write(w, "") })
	}
	beside := path + ".data"
	data, err := atomicfile.Create(beside, 0o644)
	if err != nil {
		return nil, err
	}
	defer data.Discard()
	graph, err := atomicfile.Create(path, 0o644)
	if err != nil {
		return nil, err
	}
	defer graph.Discard()
	if err := g.writeData(data); err != nil {
		return nil, err
	}
	if err := g.write(graph, filepath.Base(beside)); err != nil {
		return nil, err
	}
	for _, step := range []func() error{data.Sync, graph.Sync, data.Commit, graph.Commit} { // the renames follow each other closely
		if err := step(); err != nil {
			return nil, err
		}
	}
	return []string{path, beside}, nil
}

func (o Options) most() int64 {
	if o.limit != 0 {
		return o.limit
	}
	return maxMessage
}

func (o Options) check() error {
	var errs []error
	for _, name := range o.Omit {
		if !slices.Contains(OptionalInputs(), name) {
			errs = append(errs, fmt.Errorf("no graph can do without an input %.100q; those that can be omitted are %q", name, OptionalInputs()))
		}
	}
	switch o.Operators {
	case Standard, MultiHead, Attention:
	default:
		errs = append(errs, fmt.Errorf("found operators %.100q, want %q, %q or %q", o.Operators, Standard, MultiHead, Attention))
	}
	return errors.Join(errs...)
}
