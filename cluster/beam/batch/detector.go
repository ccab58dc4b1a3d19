package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/hub"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/extractors"
	"github.com/go-lxmert/lxmert/vision/frcnn"
)

// A Detector says what finds regions: the flags --detector, --backend, --dtype and so on of lxmert extract.
type Detector struct {
	Name    string // scenes, grid, a Faster R-CNN's directory (which each worker must have) or its name on the hub
	Engine  string // as backend.Open has it
	DType   string // f32, bf16 or int8 for a Faster R-CNN's products; "" is f32
	Options frcnn.Options
}

var detectors once[Detector, vision.Extractor]

// open is the detector of this process.
func (d Detector) open(ctx context.Context) (vision.Extractor, error) {
	return detectors.get(d, func() (vision.Extractor, error) {
		start := time.Now()
		defer func() { loadTime.Update(ctx, time.Since(start).Milliseconds()) }()
		return d.load(ctx)
	})
}

func (d Detector) load(ctx context.Context) (vision.Extractor, error) {
	extractor, err := extractors.ByPreset(d.Name)
	if err == nil {
		if d.Options != (frcnn.Options{}) || d.DType != "" {
			return nil, fmt.Errorf("detector %s: the options given are a Faster R-CNN's", d.Name)
		}
		return extractor, nil
	}
	found, missing := hub.Find(ctx, d.Name, hub.Options{})
	if missing != nil {
		return nil, fmt.Errorf("the detector: %w", errors.Join(err, missing))
	}
	number, ok := map[string]string{"": "float32", "f32": "float32", "bf16": "bfloat16", "int8": "int8"}[d.DType]
	if !ok {
		return nil, fmt.Errorf("the detector: found type %q, want f32, bf16 or int8", d.DType)
	}
	name, err := backend.WithWeights(d.Engine, number)
	if err != nil {
		return nil, err
	}
	engine, err := backend.Open(name)
	if err != nil {
		return nil, err
	}
	detector, err := frcnn.Open(engine, found.Dir, d.Options)
	if err != nil {
		engine.Finalize()
		return nil, err
	}
	return detector, nil
}

// identity tells detectors apart that make other regions, as far as names and sizes of files tell.
func identity(name string) (string, error) {
	if _, err := extractors.ByPreset(name); err == nil || name == "" {
		return name, nil
	}
	found, err := hub.Find(context.Background(), name, hub.Options{})
	if err != nil {
		return "", err
	}
	return found.Commit + " " + filesIn(pretrained.Directory(found.Dir)), nil
}

// filesIn is a hash of the names and sizes of a directory's files.
func filesIn(dir string) string {
	hash := sha256.New()
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			fmt.Fprintf(hash, "%q %d\n", e.Name(), info.Size())
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}
