package pretrained

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
)

// Conversion says what a converted model shall be. The zero value copies a model as F32, with its head.
type Conversion struct {
	DType checkpoint.DType // F32, F16, BF16 or I8 (see [WithDType]); 0 means F32
	Head  model.Head       // a head that the checkpoint has; others are dropped. "" means the one that it was saved with
	// Preset, if not empty, is written into config.json as the preset of the regions that the model was trained with.
	Preset string
	Layout Layout // "" means Safetensors
	// MaxShardBytes is where another file begins, in layouts that have several; 0 means 5 GB, as transformers has it.
	MaxShardBytes int64
	// Config takes the place of the directory's config.json.
	Config *model.Config
	// AllowUnexpected leaves out tensors of which LXMERT knows nothing, rather than refusing them.
	AllowUnexpected bool
	// Answers, if not nil, gives the answer head other answers.
	Answers *Answers
}

// Answers are those of a new answer head.
type Answers struct {
	Rows []int  // for each new answer the one whose weights it takes over, -1 for fresh ones
	Seed uint64 // of the fresh ones
}

// Converted says what was written.
type Converted struct {
	Head    model.Head
	Weights int // tensors
	Values  int // numbers in them
	Bytes   int // of them, and of quantised ones' scales
	// Dequantised are how many weights were quantised in the checkpoint and no longer are: their numbers are those of the quantised ones.
	Dequantised int
	Dropped     []string // the checkpoint's tensors that the head has no use for, by name
}

// Convert writes the model in one directory into another: its weights as [Save] would, without a model being made of them, and config.json.
// Files beside these are the caller's to copy. If a weight is missing, or has no finite counterpart in the type, nothing is replaced in out;
// the error names it.
func Convert(ctx context.Context, out, dir string, to Conversion) (*Converted, error) {
	config := to.Config
	if config == nil {
		var err error
		if config, err = Config(dir); err != nil {
			return nil, err
		}
	}
	config = config.Clone()
	file, err := checkpoint.Open(dir)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if to.Head == "" {
		to.Head = HeadOf(file, config)
	}
	if to.DType == 0 {
		to.DType = checkpoint.F32
	}
	weights, report, err := weightsOf(ctx, file, config, to)
	if err != nil {
		return nil, err
	}
	if to.Answers != nil {
		if err := to.Answers.apply(weights, config); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	}
	done := &Converted{Head: to.Head, Weights: len(weights), Dropped: report.Unexpected}
	for _, w := range weights {
		done.Values += w.Len()
		dtype := storedAs(to.DType, w)
		done.Bytes += w.Len() * dtype.Size()
		if dtype == checkpoint.I8 {
			done.Bytes += w.Shape[0] * checkpoint.F32.Size() // the scales
		} else if w.Scales != nil {
			done.Dequantised++
		}
	}
	if to.Preset != "" {
		SetPreset(config, to.Preset)
	}
	if to.Layout == "" {
		to.Layout = Safetensors
	}
	if to.MaxShardBytes == 0 {
		to.MaxShardBytes = maxShardBytes
	}
	how := written{dtype: to.DType, layout: to.Layout, maxShardBytes: to.MaxShardBytes}
	if err := how.write(out, weights, config, to.Head); err != nil {
		return nil, err
	}
	return done, nil
}

// weightsOf are the weights of a head in a checkpoint, under the model's names. Each is read when it is written, until ctx ends.
func weightsOf(ctx context.Context, file *checkpoint.File, config *model.Config, to Conversion) ([]checkpoint.Tensor, *checkpoint.Report, error) {
	head := to.Head
	report, err := whole(file, config, head, Options{AllowUnexpected: to.AllowUnexpected})
	if err != nil {
		return nil, nil, err
	}
	declared, err := model.Declare(config, head)
	if err != nil {
		return nil, nil, err
	}
	weights := make([]checkpoint.Tensor, len(declared))
	for i, w := range declared {
		found, _ := report.Tensor(w.Name)
		weights[i] = checkpoint.Tensor{Name: w.Name, DType: found.DType, Shape: slices.Clone(found.Shape), Scales: found.Scales, Fetch: func() ([]byte, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			copied, err := found.Clone()
			found.Forget()
			return copied.Data, err
		}}
	}
	return weights, report, nil
}

// Source gives the weights of a head in a checkpoint, each read when it is asked for, until ctx ends, and as float32. It is an error if
// one is missing, or, but for AllowUnexpected, one is there that no head has; the report says which tensors the head has no use for.
func Source(ctx context.Context, file *checkpoint.File, config *model.Config, head model.Head, options Options) (model.Source, *checkpoint.Report, error) {
	report, err := whole(file, config, head, Options{AllowUnexpected: options.AllowUnexpected})
	if err != nil {
		return nil, nil, err
	}
	return func(name string, _ []int) ([]float32, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found, ok := report.Tensor(name)
		if !ok {
			return nil, fmt.Errorf("%s has no weight %.100q", head.Class(), name)
		}
		values, err := found.Float32s()
		found.Forget()
		return values, err
	}, report, nil
}

// whole says how a checkpoint fits a head whose weights it must all have.
func whole(file *checkpoint.File, config *model.Config, head model.Head, options Options) (*checkpoint.Report, error) {
	report, err := Match(file, config, head)
	if err != nil {
		return nil, err
	}
	if err := report.Err(options.allowed()...); err != nil {
		return nil, fmt.Errorf("%w\nfor %s", err, head.Class())
	}
	return report, nil
}
