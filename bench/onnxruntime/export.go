package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/onnx"
)

// variants are the ways to write the graph, by the names of -variants.
var variants = map[string]onnx.Operators{"plain": onnx.Standard, "multihead": onnx.MultiHead, "attention": onnx.Attention}

// baseSize is the model that is compared, its weights those of [formula.Weights].
func baseSize() *model.Config {
	config := model.DefaultConfig()
	config.NumQALabels = 3129
	return config
}

// export writes LXMERT's question answering as an ONNX file of 830 MB, unless it is there.
func export(file string, operators onnx.Operators, withMask bool) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	omit := []string{"visual_attention_mask"}
	if !withMask {
		omit = append(omit, "attention_mask")
	}
	_, err := onnx.WriteFile(file, baseSize(), model.HeadQuestionAnswering, formula.Weights, onnx.Options{Omit: omit, Operators: operators})
	return err
}
