package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/model"
)

// baseSize is the model that is compared, its weights those of [formula.Weights].
func baseSize() *model.Config {
	config := model.DefaultConfig()
	config.NumQALabels = 3129
	return config
}

// export writes LXMERT's question answering as an ONNX file of 830 MB, unless it is there.
func export(file string, kind variant, withMask bool) error {
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	e := &exporter{Config: baseSize(), variant: kind, source: formula.Weights, used: map[string]bool{}}
	e.questionAnswering(withMask)
	if err := e.complete(); err != nil {
		return err
	}
	return atomicfile.Write(file, 0o644, e.write)
}

// complete checks that the graph reads every weight of the model, but for the last layer's visual side.
func (e *exporter) complete() error {
	weights, err := model.Declare(e.Config, model.HeadQuestionAnswering)
	if err != nil {
		return err
	}
	unread := fmt.Sprintf("lxmert.encoder.x_layers.%d.visn_", e.CrossLayers-1)
	for _, w := range weights {
		if e.used[w.Name] == strings.HasPrefix(w.Name, unread) {
			return fmt.Errorf("%s: read by the graph: %v", w.Name, e.used[w.Name])
		}
	}
	return nil
}
