package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// worker is a process that runs one ONNX file; see worker.mjs.
type worker struct {
	file    string
	process *exec.Cmd
	to      io.WriteCloser
	answers *bufio.Scanner
	version string
}

// startWorker starts ONNX Runtime in the folder where npm has put it.
func startWorker(node, file string, threads int) (*worker, error) {
	w := &worker{file: file, process: exec.Command("node", "worker.mjs", file, strconv.Itoa(threads))}
	w.process.Dir, w.process.Stderr = node, os.Stderr
	var err error
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
	w.version = hello.Version
	return w, nil
}

// read reads one answer.
func (w *worker) read(answer any) error {
	if !w.answers.Scan() {
		return fmt.Errorf("%s: ONNX Runtime ended: %v", w.file, w.process.Wait())
	}
	return json.Unmarshal(w.answers.Bytes(), answer)
}

// time runs a case once and then so many times, in milliseconds each. The first run's logits are then in the case's folder.
func (w *worker) time(c *testCase, runs int) ([]float64, error) {
	if err := json.NewEncoder(w.to).Encode(map[string]any{"case": c.dir, "runs": runs}); err != nil {
		return nil, err
	}
	var answer struct{ MS []float64 }
	err := w.read(&answer)
	return answer.MS, err
}

// close ends the process.
func (w *worker) close() error {
	w.to.Close()
	return w.process.Wait()
}
