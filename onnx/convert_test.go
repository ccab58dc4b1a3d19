package onnx_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/onnx"
	"github.com/go-lxmert/lxmert/pretrained"
)

// TestConvert: checkpoints of 16 bits and in shards give the reference's numbers, and every head of one that has several.
func TestConvert(t *testing.T) {
	eachRunner(t, func(t *testing.T, by runner) {
		full := filepath.Join(golden.Dir(), "tiny", "cases", "pre_full")
		in := golden.Inputs(t, filepath.Join(full, "inputs.safetensors"))
		for variant, outputs := range map[string]string{"bf16": "", "f16": "", "sharded": full} {
			t.Run(variant, func(t *testing.T) {
				dir := filepath.Join(golden.Dir(), "tiny", "variants", variant)
				if outputs == "" {
					outputs = dir
				}
				path := filepath.Join(t.TempDir(), "m.onnx")
				done, err := onnx.Convert(t.Context(), path, dir, "", pretrained.Options{}, onnx.Options{})
				if err != nil {
					t.Fatal(err)
				}
				info, err := os.Stat(path)
				if err != nil || done.Head != model.HeadPreTraining || len(done.Dropped) != 0 || done.Bytes != info.Size() {
					t.Errorf("%+v, %v", done, err)
				}
				compare(t, by.run(t, path, in), scores(golden.Tensors(t, filepath.Join(outputs, "outputs.safetensors"))))
			})
		}
	})
}

// TestConvertHeads: a head that the checkpoint lacks is an error, one that it has leaves the others out.
func TestConvertHeads(t *testing.T) {
	tiny, path := filepath.Join(golden.Dir(), "tiny"), filepath.Join(t.TempDir(), "m.onnx")
	_, err := onnx.Convert(t.Context(), path, tiny, model.HeadNLVR2, pretrained.Options{}, onnx.Options{})
	wantError(t, err, "logit_fc.0.weight", "LxmertForNLVR2")
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := onnx.Convert(ended, path, tiny, "", pretrained.Options{}, onnx.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after ctx's end: %v", err)
	}
	if _, err := onnx.Convert(t.Context(), path, filepath.Join(tiny, "cases"), "", pretrained.Options{}, onnx.Options{}); err == nil {
		t.Error("a directory without a model was converted")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an error left a file: %v", err)
	}
	done, err := onnx.Convert(t.Context(), path, tiny, model.HeadModel, pretrained.Options{}, onnx.Options{External: true})
	if err != nil || done.Head != model.HeadModel || len(done.Files) != 2 || len(done.Dropped) == 0 {
		t.Errorf("%+v, %v", done, err)
	}
}
