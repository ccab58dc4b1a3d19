package pretrained

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/model"
)

// maxShardBytes is where save_pretrained begins to shard.
const maxShardBytes = 5_000_000_000

// A SaveOption is a choice made at [Save].
type SaveOption func(*saving)

type saving struct{ dtype checkpoint.DType }

// WithDType stores weights as F16 or BF16 in place of F32, or quantised: as I8, with which each weight has the type in which a network of
// [model.Int8] keeps it. A weight that has no finite counterpart there is an error, which names it. Without it weights are stored
// in the network's precision: F32, BF16 or I8.
func WithDType(dtype checkpoint.DType) SaveOption { return func(s *saving) { s.dtype = dtype } }

// savedAs is how networks are saved unless somebody says how.
var savedAs = map[model.Precision]checkpoint.DType{model.Float32: checkpoint.F32, model.BFloat16: checkpoint.BF16, model.Int8: checkpoint.I8}

// Save writes a model's config.json and weights into a directory, which is made if need be: what
// transformers and the safetensors library read. The masked-language head's decoder, tied to the word
// embedding, is left out, as they do. Each file appears when it is complete, the weights before
// the configuration; if ctx ends before that, or a weight cannot be stored, what was there stays.
func Save(ctx context.Context, dir string, n *model.Network, options ...SaveOption) error {
	s := saving{dtype: savedAs[n.Precision()]}
	for _, option := range options {
		if option != nil {
			option(&s)
		}
	}
	stored, err := storedTensors(ctx, n.Weights())
	if err != nil {
		return err
	}
	if len(stored) == 0 { // every model has weights until it is closed
		return fmt.Errorf("%s: not saved: %w", dir, model.ErrClosed)
	}
	return written{dtype: s.dtype, layout: Safetensors, maxShardBytes: maxShardBytes}.write(dir, stored, n.Config(), n.Head())
}

// torchTypes are config.json's names of the types that weights may have, those of quantised models which are not quantised.
var torchTypes = map[checkpoint.DType]string{checkpoint.F32: "float32", checkpoint.F16: "float16", checkpoint.BF16: "bfloat16", checkpoint.I8: "float32"}

// written is how a model is written.
type written struct {
	dtype         checkpoint.DType
	layout        Layout
	maxShardBytes int64
}

// write writes weights, and the configuration, which it changes.
func (how written) write(dir string, weights []checkpoint.Tensor, config *model.Config, head model.Head) error {
	torchType, ok := torchTypes[how.dtype]
	if !ok {
		return fmt.Errorf("%s: weights are saved as F32, F16, BF16 or I8, not as %s", dir, how.dtype)
	}
	if how.dtype == checkpoint.I8 && how.layout != Safetensors {
		return fmt.Errorf("%s: quantised weights are written as %s, not as %s", dir, Safetensors, how.layout)
	}
	stored := make([]checkpoint.Tensor, len(weights))
	for i, w := range weights {
		var err error
		if stored[i], err = w.As(storedAs(how.dtype, w)); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := how.layout.weightsTo(dir, stored, head, how.maxShardBytes); err != nil {
		return err
	}
	if err := how.layout.clearOthers(dir); err != nil {
		return err
	}
	if config.Extra == nil {
		config.Extra = map[string]any{}
	}
	config.Extra["architectures"] = []string{head.Class()}
	config.Extra["torch_dtype"] = torchType
	setQuantization(config, stored)
	return atomicfile.Write(filepath.Join(dir, ConfigName), 0o644, func(w io.Writer) error {
		_, err := config.WriteTo(w)
		return err
	})
}
