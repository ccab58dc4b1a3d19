package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

func newForward() *cobra.Command {
	var (
		dir, headName, in, out, engineName, framework string
		resize                                        int
		strict                                        bool
		sets                                          []string
		options                                       pretrained.Options
		wanted                                        model.Options
	)
	cmd := &cobra.Command{
		Use:   "forward --model DIR --head HEAD --in IN.safetensors --out OUT.safetensors",
		Short: "Run a model on tensors from a file",
		Long: `Forward runs one forward pass on the tensors of a safetensors file and writes every output to
another. Tensors are named as the arguments and the output fields of Hugging Face's LXMERT are:
input_ids, visual_feats, obj_labels.attr.conf, ...; language_hidden_states.0, loss, .... With --head
nlvr2 visual_feats, visual_pos and visual_attention_mask have an axis more, for the two pictures
([batch, 2, regions, ...]), and the output is logits: false, true.

Other heads of the checkpoint are left out. Tensors that no head of LXMERT has are an error, unless
--strict=false leaves them out; weights that the model has and the checkpoint lacks are one, unless
--allow-missing lets them start fresh, named on standard error.

--framework tf computes what Hugging Face's TensorFlow classes do where they differ from PyTorch's
(docs/tensorflow.md).`,
		Example: `  lxmert forward --model DIR --head qa --in question.safetensors --out scores.safetensors
  lxmert forward --model DIR --head model --in in.safetensors --out states.safetensors --hidden-states --attentions
  lxmert forward --model DIR --head nlvr2 --in statements.safetensors --out logits.safetensors
  lxmert forward --model DIR --head pretraining --set task_qa=false --in batch.safetensors --out losses.safetensors`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			head, err := model.ParseHead(headName)
			if err != nil {
				return usageError{fmt.Errorf("--head: %w", err)}
			}
			if cmd.Flags().Changed("resize-qa-labels") && resize < 1 {
				return usagef("--resize-qa-labels: found %d, want 1 or more", resize)
			}
			if wanted.Framework, err = model.ParseFramework(framework); err != nil {
				return usageError{fmt.Errorf("--framework: %w", err)}
			}
			options.AllowUnexpected = !strict
			if dir, err = modelDir(cmd, dir); err != nil {
				return err
			}
			if options.Config, err = overriddenConfig(dir, sets); err != nil {
				return err
			}
			batch, err := pretrained.ReadBatch(in)
			if err != nil {
				return err
			}
			if err := writable(out, dir); err != nil {
				return err
			}
			engine, err := backend.Open(engineName)
			if err != nil {
				return usageError{err}
			}
			defer engine.Finalize()
			m, report, err := pretrained.Load(engine, dir, head, options)
			if err != nil {
				return err
			}
			defer closeUnlessEnded(cmd.Context(), m)
			for _, name := range report.NewlyInitialised() {
				fmt.Fprintf(cmd.ErrOrStderr(), "lxmert: %s is not in the checkpoint and starts fresh\n", name)
			}
			if resize > 0 {
				if err := m.ResizeNumQALabels(resize, options.Seed); err != nil {
					return err
				}
			}
			result, err := m.Run(cmd.Context(), batch, wanted)
			if err != nil {
				return pretrained.InFile(in, err)
			}
			for name, value := range result.Named() {
				if name != "loss" && !finite(value) { // a loss without labels is NaN
					fmt.Fprintf(cmd.ErrOrStderr(), "lxmert: warning: %s has values that are not finite: weights or inputs are damaged\n", name)
				}
			}
			return pretrained.WriteTensors(out, result.Named())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "model", "", "checkpoint `directory`, or name on the hub")
	flags.StringVar(&headName, "head", "", "`head`: model, pretraining, qa or nlvr2")
	flags.StringVar(&in, "in", "", "safetensors `file` with the inputs")
	flags.StringVar(&out, "out", "", "safetensors `file` to write the outputs to")
	flags.BoolVar(&wanted.HiddenStates, "hidden-states", false, "return all hidden states")
	flags.BoolVar(&wanted.Attentions, "attentions", false, "return attention probabilities")
	flags.StringArrayVar(&sets, "set", nil, "override a config `key=value` (repeatable)")
	flags.IntVar(&resize, "resize-qa-labels", 0, "resize the answer head to `n` answers before the pass")
	flags.StringVar(&framework, "framework", "pytorch", "`implementation` whose details are followed: pytorch or tf")
	flags.BoolVar(&strict, "strict", true, "refuse a checkpoint with tensors that no head of LXMERT has")
	flags.BoolVar(&options.AllowMissing, "allow-missing", false, "start weights that the checkpoint lacks afresh")
	flags.Uint64Var(&options.Seed, "seed", 0, "`seed` of fresh weights")
	backendFlag(cmd, &engineName)
	required(cmd, "model", "head", "in", "out")
	return cmd
}

// closeUnlessEnded frees a model, but for one whose pass was given up: Close would wait for the pass.
func closeUnlessEnded(ctx context.Context, m *model.Network) {
	if ctx.Err() == nil {
		m.Close()
	}
}

// writable finds out before the work whether its result can be written, and refuses to write it over
// the model.
func writable(out, modelDir string) error {
	if info, err := os.Stat(out); err == nil {
		files, err := checkpoint.Open(modelDir)
		if err != nil {
			return err
		}
		defer files.Close()
		for _, path := range append(files.Files(), filepath.Join(modelDir, pretrained.ConfigName)) {
			if other, err := os.Stat(path); err == nil && os.SameFile(info, other) {
				return usagef("--out: %s belongs to the model; choose another file", out)
			}
		}
	}
	file, err := atomicfile.Create(out, 0o644)
	if err != nil {
		return err
	}
	file.Discard()
	return nil
}

// finite looks for NaN and infinities.
func finite(value *tensors.Tensor) bool {
	ok := true
	tensors.MustConstFlatData(value, func(flat []float32) {
		for _, v := range flat {
			ok = ok && v-v == 0
		}
	})
	return ok
}

// overriddenConfig is the directory's configuration with key=value pairs applied.
func overriddenConfig(dir string, sets []string) (*model.Config, error) {
	config, err := pretrained.Config(dir)
	if err != nil {
		return nil, err
	}
	return config, override(config, sets)
}

// override applies --set flags.
func override(config *model.Config, sets []string) error {
	for _, set := range sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok {
			return usagef("--set: found %q, want key=value", set)
		}
		if err := config.Set(key, value); err != nil {
			return usageError{fmt.Errorf("--set: %w", err)}
		}
	}
	if err := config.Validate(); err != nil {
		return usageError{fmt.Errorf("--set: %w", err)}
	}
	return nil
}
