// Package onnxruntime runs ONNX files with ONNX Runtime, in a process of its own, for tests and benchmarks. bench/onnxruntime/README.md
// says how to install it.
package onnxruntime

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
)

// Worker is a process that runs one ONNX file; see bench/onnxruntime/worker.mjs.
type Worker struct {
	Version string // ONNX Runtime's

	file    string
	process *exec.Cmd
	to      io.WriteCloser
	answers *bufio.Scanner
}

// Start starts ONNX Runtime in the directory where npm has put it, beside worker.mjs.
func Start(node, file string, threads int) (*Worker, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	w := &Worker{file: file, process: exec.Command("node", "worker.mjs", file, strconv.Itoa(threads))}
	w.process.Dir, w.process.Stderr = node, os.Stderr
	if w.to, err = w.process.StdinPipe(); err != nil {
		return nil, err
	}
	from, err := w.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.answers = bufio.NewScanner(from)
	if err := w.process.Start(); err != nil {
		return nil, err
	}
	var hello struct{ Version string }
	if err := w.read(&hello); err != nil {
		return nil, err
	}
	w.Version = hello.Version
	return w, nil
}

// read reads one answer.
func (w *Worker) read(answer any) error {
	if !w.answers.Scan() {
		return fmt.Errorf("%s: ONNX Runtime ended: %v", w.file, w.process.Wait())
	}
	return json.Unmarshal(w.answers.Bytes(), answer)
}

// tensorShape is a tensor without its bytes, as the worker and we tell each other of one.
type tensorShape struct {
	Type string `json:"type"` // ONNX Runtime's name
	Dims []int  `json:"dims"`
}

var typeNames = map[dtypes.DType]string{dtypes.Int64: "int64", dtypes.Float32: "float32"}

// WriteInputs puts a case's inputs into a directory of its own, for [Worker.Run]. They are int64 and float32; those that a graph does
// not have do no harm.
func WriteInputs(dir string, inputs map[string]*tensors.Tensor) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	shapes := map[string]tensorShape{}
	for name, value := range inputs {
		kind, ok := typeNames[value.DType()]
		if !ok {
			return fmt.Errorf("%s: found %v, want int64 or float32", name, value.DType())
		}
		shapes[name] = tensorShape{kind, append([]int{}, value.Shape().Dimensions...)}
		var err error
		if e := value.ConstBytes(func(data []byte) { err = os.WriteFile(filepath.Join(dir, name+".in"), data, 0o644) }); e != nil {
			err = e
		}
		if err != nil {
			return err
		}
	}
	content, err := json.Marshal(shapes)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "inputs.json"), content, 0o644)
}

// Run runs a case once, for its outputs, and then so many times, for their milliseconds.
func (w *Worker) Run(dir string, runs int) (outputs map[string]*tensors.Tensor, ms []float64, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, nil, err
	}
	if err := json.NewEncoder(w.to).Encode(map[string]any{"case": dir, "runs": runs}); err != nil {
		return nil, nil, err
	}
	var answer struct {
		MS      []float64
		Outputs map[string]tensorShape
	}
	if err := w.read(&answer); err != nil {
		return nil, nil, err
	}
	outputs = map[string]*tensors.Tensor{}
	for name, shape := range answer.Outputs {
		if outputs[name], err = readOutput(filepath.Join(dir, name+".out"), shape); err != nil {
			return nil, nil, fmt.Errorf("%s: output %s: %w", w.file, name, err)
		}
	}
	return outputs, answer.MS, nil
}

func readOutput(path string, shape tensorShape) (*tensors.Tensor, error) {
	if shape.Type != "float32" {
		return nil, fmt.Errorf("found %s, want float32", shape.Type)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values := make([]float32, len(raw)/4)
	copy(dtypes.UnsafeByteSliceFromAny(values), raw)
	return tensors.FromFlatDataAndDimensions(values, shape.Dims...), nil
}

// Close ends the process.
func (w *Worker) Close() error {
	w.to.Close()
	return w.process.Wait()
}
