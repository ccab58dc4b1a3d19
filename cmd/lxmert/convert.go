package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
)

func newConvert() *cobra.Command {
	var (
		dir, out, dtype, head, preset string
		force                         bool
	)
	cmd := &cobra.Command{
		Use:   "convert --model DIR --out DIR [--dtype f32|f16|bf16] [--head HEAD]",
		Short: "Copy a model with its weights in another type, or without heads that are not wanted",
		Long: `Convert writes a model directory anew: config.json and the weights, the tokenizer, the answer table (labels.json) and what the model has
learned from (trained.json).

In 16 bits a model takes half the room. It is computed with in 32 bits all the same: each weight is read as the number that the file
has. f16 keeps 11 bits of a number and bf16 8; f16 ends at 65504, and a weight beyond it is an error that names its tensor.

--head keeps one head of several: that of a pre-trained model's that answers questions (qa), or none (model). A head that is not there is an error.`,
		Example: `  lxmert convert --model RUN/best --out small --dtype f16
  lxmert convert --model pretrained --out encoders --head model --dtype bf16`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			to := pretrained.Conversion{Preset: preset}
			var err error
			if to.DType, err = parseWeightType(dtype); err != nil {
				return err
			}
			if head != "" {
				if to.Head, err = model.ParseHead(head); err != nil {
					return usageError{fmt.Errorf("--head: %w", err)}
				}
			}
			if same(dir, out) {
				return usagef("--out is --model: convert writes a copy; give it a directory of its own")
			}
			if err := vacant(out, force); err != nil {
				return err
			}
			words, err := tokenizer.Load(dir) // a model without one, or with a broken one, is no use to anybody
			if err != nil {
				return err
			}
			done, err := pretrained.Convert(cmd.Context(), out, dir, to)
			if err != nil {
				return err
			}
			if err := words.Save(out); err != nil {
				return err
			}
			if err := copyBeside(out, dir, done.Head); err != nil {
				return err
			}
			return printConverted(cmd.OutOrStdout(), out, to.DType, done)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "model", "", "model `directory` to copy")
	flags.StringVar(&out, "out", "", "model `directory` to make")
	flags.StringVar(&dtype, "dtype", "f32", "`type` of the weights: f32, f16 or bf16")
	flags.StringVar(&head, "head", "", "keep this `head` only: model, pretraining, qa or nlvr2 (default: the one it was saved with)")
	flags.StringVar(&preset, "preset", "", "note in config.json that the model was trained with regions of this preset (`name`)")
	flags.BoolVar(&force, "force", false, "replace a model that is there")
	required(cmd, "model", "out")
	return cmd
}

func parseWeightType(name string) (checkpoint.DType, error) {
	dtype, _ := checkpoint.ParseDType(strings.ToUpper(name))
	switch dtype {
	case checkpoint.F32, checkpoint.F16, checkpoint.BF16:
		return dtype, nil
	}
	return 0, usagef("--dtype: found %q, want f32, f16 or bf16", name)
}

// same says whether two paths lead to one directory.
func same(a, b string) bool {
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(first, second)
}

// copyBeside copies what a model directory holds beside the model and the tokenizer. Files of a model that was replaced go.
func copyBeside(out, dir string, head model.Head) error {
	const limit = 64 << 20
	answers := head == model.HeadQuestionAnswering || head == model.HeadPreTraining
	for _, name := range []string{lxmert.LabelsName, eval.TrainedName} {
		content, err := plainfile.Read(filepath.Join(dir, name), limit)
		switch to := filepath.Join(out, name); {
		case errors.Is(err, fs.ErrNotExist), name == lxmert.LabelsName && !answers:
			err = os.Remove(to)
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			if err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			if err := atomicfile.WriteBytes(to, 0o644, content); err != nil {
				return err
			}
		}
	}
	return nil
}

func printConverted(w io.Writer, out string, dtype checkpoint.DType, done *pretrained.Converted) error {
	if n := len(done.Dropped); n > 0 {
		fmt.Fprintf(w, "%s: left out %d tensors that %s has no use for, the first is %s\n", out, n, done.Head.Class(), done.Dropped[0])
	}
	_, err := fmt.Fprintf(w, "%s: %s, %s parameters as %s, %.1f MB\n", out, done.Head.Class(), grouped(done.Values), dtype, float64(done.Bytes)/1e6)
	return err
}
