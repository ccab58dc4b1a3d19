package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/onnx"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// A conversion is the command line of convert.
type conversion struct {
	in, out                      string
	layout, dtype, head, preset  string
	shard, config, vocab, labels string
	force, strict                bool
	to                           pretrained.Conversion
	words                        *tokenizer.Tokenizer // nil where there are none
	answers                      []string             // --labels
}

func newConvert() *cobra.Command {
	var c conversion
	cmd := &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Write a model in another format, in another type, or without heads that are not wanted",
		Long: `Convert reads a model of any kind and writes a model directory: config.json and the weights, the tokenizer, the answer table (labels.json) and what the model has
learned from (trained.json).

IN is a model directory, its name on the hub (ORG/NAME), or a file of weights: safetensors, PyTorch's (.bin, .pth, of any age), TensorFlow's (.h5), the original repository's. What it is is told by its content. Where
there is no config.json the tensors' shapes show most of it; --config gives one. --vocab gives a tokenizer to a model that has none beside it, and --labels the answers.

--to says who shall read it:
  safetensors  Hugging Face's libraries, and this program
  pytorch      Hugging Face's libraries before safetensors: pytorch_model.bin
  tf           Hugging Face's TensorFlow classes: tf_model.h5
  original     the original repository: model_LXRT.pth (--loadLXMERT model), or BEST.pth of a fine-tuned one (--load BEST)
  onnx         ONNX Runtime and its like: model.onnx (docs/onnx.md)

In 16 bits a model takes half the room. It is computed with in 32 bits all the same, unless --dtype of the verb that reads it says otherwise: each weight is read as the number that the file
has. f16 keeps 11 bits of a number and bf16 8; f16 ends at 65504, and a weight beyond it is an error that names its tensor.

int8 quantises the linear maps of the encoders, with a scale for each output, and keeps the other matrices in bf16: a quarter of the room. Verbs compute with it
in int8, unless they are told otherwise (docs/precision.md). It is for safetensors alone. Converted to another type it keeps the numbers that it has: those that were lost do not come back.

--head keeps one head of several: that of a pre-trained model's that answers questions (qa), or none (model). A head that is not there is an error, and so
is a tensor that no head of LXMERT has, unless --strict=false.`,
		Example: `  lxmert convert RUN/best small --dtype f16
  lxmert convert vqa vqa-int8 --dtype int8
  lxmert convert pretrained encoders --head model --dtype bf16
  lxmert convert snap/vqa/BEST.pth vqa --vocab vocab.txt --labels trainval_label2ans.json
  lxmert convert vqa vqa-tf --to tf`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("%s wants IN and OUT, found %d arguments", cmd.CommandPath(), len(args))
			}
			c.in, c.out = args[0], args[1]
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if c.in, c.labels, err = modelAndLabels(cmd, c.in, c.labels); err != nil {
				return err
			}
			if err := c.prepare(); err != nil {
				return err
			}
			if err := c.fitAnswers(); err != nil {
				return err
			}
			done, err := c.convert(cmd.Context())
			if err != nil {
				return err
			}
			if err := c.beside(done.Head); err != nil {
				return err
			}
			return printConverted(cmd.OutOrStdout(), c.out, c.to.DType, done)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.layout, "to", "safetensors", "`format`: safetensors, pytorch, tf, original or onnx")
	flags.StringVar(&c.dtype, "dtype", "f32", "`type` of the weights: f32, f16, bf16 or int8")
	flags.StringVar(&c.head, "head", "", "keep this `head` only: model, pretraining, qa or nlvr2 (default: the one it was saved with)")
	flags.StringVar(&c.shard, "shard", "5GB", "`size` beyond which the weights go into several files: 500MB, 2GiB, 0 for never")
	flags.StringVar(&c.config, "config", "", "config.json of a model that has none, or in place of its own (`file`)")
	flags.StringVar(&c.vocab, "vocab", "", "vocabulary `file` of a model that has no tokenizer (vocab.txt)")
	flags.StringVar(&c.labels, "labels", "", "answer table `file`, in place of the model's, see lxmert ask --help")
	flags.StringVar(&c.preset, "preset", "", "note in config.json that the model was trained with regions of this preset (`name`)")
	flags.BoolVar(&c.force, "force", false, "replace a model that is there")
	flags.BoolVar(&c.strict, "strict", true, "refuse a checkpoint with tensors that no head of LXMERT has")
	return cmd
}

// layoutONNX is --to's name of what no model directory has, for this program does not read it.
const layoutONNX = "onnx"

// convert writes the weights and the configuration.
func (c *conversion) convert(ctx context.Context) (*pretrained.Converted, error) {
	if c.layout != layoutONNX {
		return pretrained.Convert(ctx, c.out, c.in, c.to)
	}
	if c.to.DType != checkpoint.F32 {
		return nil, usagef("--dtype: found %s, want f32: ONNX files hold float32", c.dtype)
	}
	if c.to.Config == nil {
		config, err := pretrained.Config(c.in)
		if err != nil {
			return nil, err
		}
		c.to.Config = config
	}
	if err := os.MkdirAll(c.out, 0o755); err != nil {
		return nil, err
	}
	load := pretrained.Options{Config: c.to.Config, AllowUnexpected: c.to.AllowUnexpected}
	done, err := onnx.Convert(ctx, filepath.Join(c.out, "model.onnx"), c.in, c.to.Head, load, onnx.Options{})
	if err != nil {
		return nil, err
	}
	weights, err := model.Declare(c.to.Config, done.Head)
	if err != nil {
		return nil, err
	}
	converted := &pretrained.Converted{Head: done.Head, Weights: len(weights), Bytes: int(done.Bytes), Dropped: done.Dropped}
	for _, w := range weights {
		converted.Values += w.Size()
	}
	if c.preset != "" {
		pretrained.SetPreset(c.to.Config, c.preset)
	}
	return converted, atomicfile.Write(filepath.Join(c.out, pretrained.ConfigName), 0o644, func(w io.Writer) error {
		_, err := c.to.Config.WriteTo(w)
		return err
	})
}

// prepare reads everything that can be wrong before anything is written.
func (c *conversion) prepare() error {
	c.to = pretrained.Conversion{Preset: c.preset, AllowUnexpected: !c.strict}
	var err error
	if c.layout != layoutONNX {
		if c.to.Layout, err = pretrained.ParseLayout(c.layout); err != nil {
			return usageError{fmt.Errorf("--to: %w, or %s", err, layoutONNX)}
		}
	}
	if c.to.DType, err = parseWeightType(c.dtype); err != nil {
		return err
	}
	if c.to.MaxShardBytes, err = parseSize(c.shard); err != nil {
		return usageError{fmt.Errorf("--shard: %w", err)}
	}
	if c.head != "" {
		if c.to.Head, err = model.ParseHead(c.head); err != nil {
			return usageError{fmt.Errorf("--head: %w", err)}
		}
	}
	if c.config != "" {
		if c.to.Config, err = pretrained.ReadConfigFile(c.config); err != nil {
			return err
		}
	}
	if c.labels != "" {
		if c.answers, err = lxmert.ReadLabels(c.labels); err != nil {
			return err
		}
	}
	if same(c.in, c.out) {
		return usagef("OUT is IN: convert writes a copy; give it a directory of its own")
	}
	if err := vacant(c.out, c.force); err != nil {
		return err
	}
	if c.vocab != "" {
		c.words, err = tokenizer.LoadVocab(c.vocab)
		return err
	}
	c.words, err = tokenizer.Load(pretrained.Directory(c.in))
	if errors.Is(err, fs.ErrNotExist) { // weights alone
		return nil
	}
	return err // a broken one is no use to anybody
}

// fitAnswers checks --labels against the answer head. config.json names answers too, which then go.
func (c *conversion) fitAnswers() error {
	if c.answers == nil {
		return nil
	}
	if c.to.Config == nil {
		config, err := pretrained.Config(c.in)
		if err != nil {
			return err
		}
		c.to.Config = config
	}
	if n := c.to.Config.NumQALabels; len(c.answers) != n {
		return fmt.Errorf("%s: found %d answers, want %d as the answer head of %s has; lxmert resize-answers gives a head other answers", c.labels, len(c.answers), n, c.in)
	}
	c.to.Config.ID2Label = nil
	return nil
}

// beside writes what a model directory holds beside the model.
func (c *conversion) beside(head model.Head) error {
	if c.words != nil {
		if err := c.words.Save(c.out); err != nil {
			return err
		}
	}
	if err := copyBeside(c.out, pretrained.Directory(c.in), head); err != nil {
		return err
	}
	if c.answers != nil {
		return lxmert.WriteLabels(filepath.Join(c.out, lxmert.LabelsName), c.answers)
	}
	return nil
}

func parseWeightType(name string) (checkpoint.DType, error) {
	if name == model.Int8.String() {
		return checkpoint.I8, nil
	}
	dtype, _ := checkpoint.ParseDType(strings.ToUpper(name))
	switch dtype {
	case checkpoint.F32, checkpoint.F16, checkpoint.BF16:
		return dtype, nil
	}
	return 0, usagef("--dtype: found %q, want f32, f16, bf16 or int8", name)
}

// parseSize reads a number of bytes as Hugging Face's max_shard_size has it: 500MB, 2GiB, 1000. 0 is none.
func parseSize(text string) (int64, error) {
	unit := int64(1)
	digits := text
	for _, u := range []struct {
		name string
		size int64
	}{{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(strings.ToUpper(text), u.name); ok {
			digits, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(n >= 0 && n*float64(unit) < math.MaxInt64) {
		return 0, fmt.Errorf("found %q, want a size such as 500MB or 2GiB, or 0 for no limit", text)
	}
	if n == 0 {
		return math.MaxInt64, nil
	}
	return max(1, int64(n*float64(unit))), nil
}

// same says whether two paths lead to one directory, that of a file of weights counted as the file.
func same(a, b string) bool {
	first, errA := os.Stat(pretrained.Directory(a))
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
	if done.Dequantised > 0 {
		fmt.Fprintf(w, "%s: %d weights were quantised: they are written as the numbers that they stood for\n", out, done.Dequantised)
	}
	_, err := fmt.Fprintf(w, "%s: %s, %s parameters as %s, %.1f MB\n", out, done.Head.Class(), grouped(done.Values), dtype, float64(done.Bytes)/1e6)
	return err
}
