package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// measured is what one machine does. Times are in seconds.
type measured struct {
	Machine string // what was measured on
	Cores   int    // of it, all of them at work

	Detector []detector
	Extract  extraction
	Training training
}

// A detector looks at pictures of 600 × 800 pixels with 300 proposals.
type detector struct {
	DType   string
	Picture float64 // a picture
}

// extraction is batch work beside the detector.
type extraction struct {
	DType        string  // the detector's of the tables
	Spread       float64 // of a picture's time, as a share of it: standard deviation
	Start        float64 // from a process's start to its first picture, weights on the machine's disk
	Part         float64 // a part's own time: opening, listing, closing
	PictureBytes float64 // read
	StoredBytes  float64 // written, 36 regions in float16
}

// training is pre-training of the base size, all five tasks, float32.
type training struct {
	Weights    float64 // numbers whose gradients are added up
	Examples   int     // of the step that was measured
	Step       float64 // that step
	Update     float64 // of it: clipping and the update, which do not become less with fewer examples
	Spread     float64 // of a step's time, as a share of it: standard deviation
	Copy       float64 // of an all-reduce: packing and unpacking
	Checkpoint float64 // writing one
	Restart    float64 // from a failure to the first step: loading, compiling
}

// readMeasured reads a file of what was measured; every field must be there.
func readMeasured(file string) (*measured, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var m measured
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	e, t := m.Extract, m.Training
	for name, v := range map[string]float64{
		"Cores": float64(m.Cores), "Extract.Spread": e.Spread, "Extract.Start": e.Start, "Extract.Part": e.Part, "Extract.PictureBytes": e.PictureBytes, "Extract.StoredBytes": e.StoredBytes,
		"Training.Weights": t.Weights, "Training.Examples": float64(t.Examples), "Training.Step": t.Step, "Training.Update": t.Update, "Training.Spread": t.Spread,
		"Training.Copy": t.Copy, "Training.Checkpoint": t.Checkpoint, "Training.Restart": t.Restart,
	} {
		if !(v > 0) {
			return nil, fmt.Errorf("%s: %s is %v, want a measured figure above 0", file, name, v)
		}
	}
	if t.Update >= t.Step {
		return nil, fmt.Errorf("%s: an update takes %v s of a step of %v s", file, t.Update, t.Step)
	}
	if m.picture() == 0 {
		return nil, fmt.Errorf("%s: no detector in %s", file, e.DType)
	}
	return &m, nil
}

// picture is how long the tables' detector takes for a picture.
func (m *measured) picture() float64 {
	for _, d := range m.Detector {
		if d.DType == m.Extract.DType {
			return d.Picture
		}
	}
	return 0
}
