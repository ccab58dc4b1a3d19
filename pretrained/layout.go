package pretrained

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
)

// A Layout is how a model is written, for the programs that shall read it.
type Layout string

// The layouts. All have config.json beside the weights.
const (
	Safetensors Layout = "safetensors" // transformers': model.safetensors, or its shards and their index
	PyTorch     Layout = "pytorch"     // transformers' before that: pytorch_model.bin, as torch.save writes it, or its shards
	TensorFlow  Layout = "tf"          // transformers' TensorFlow classes': tf_model.h5
	Original    Layout = "original"    // the original repository's: model_LXRT.pth (--loadLXMERT model), or BEST.pth of a model fine-tuned (--load BEST)
)

// Layouts are all of them.
var Layouts = []Layout{Safetensors, PyTorch, TensorFlow, Original}

// ParseLayout reads a layout's name.
func ParseLayout(name string) (Layout, error) {
	for _, layout := range Layouts {
		if name == string(layout) {
			return layout, nil
		}
	}
	var names []string
	for _, layout := range Layouts {
		names = append(names, string(layout))
	}
	return "", fmt.Errorf("found layout %q, want one of %s", name, strings.Join(names, ", "))
}

// The names of the original repository's files: it adds _LXRT.pth to the name that it is given for a pre-trained model, .pth to that of another.
const (
	originalPretrained = "model_LXRT.pth"
	originalFinetuned  = "BEST.pth"
)

// weightsTo writes the weights of a model with that head into a directory, which is there. The old weights of the same layout go.
func (l Layout) weightsTo(dir string, weights []checkpoint.Tensor, head model.Head, maxShardBytes int64) error {
	switch l {
	case Safetensors:
		return checkpoint.WriteSharded(dir, weights, map[string]string{"format": "pt"}, maxShardBytes)
	case PyTorch:
		return checkpoint.WritePyTorchSharded(dir, tied(weights), maxShardBytes)
	case TensorFlow:
		return checkpoint.WriteKeras(filepath.Join(dir, checkpoint.KerasName), weights)
	case Original:
		name := originalFinetuned
		if head == model.HeadPreTraining || head == model.HeadModel {
			name = originalPretrained
		}
		return checkpoint.WritePyTorch(filepath.Join(dir, name), checkpoint.Original(tied(weights)))
	}
	return fmt.Errorf("%s: there is no layout %q", dir, l)
}

// tied adds the tensors that safetensors leaves out because they are the same as another.
func tied(weights []checkpoint.Tensor) []checkpoint.Tensor {
	byName := map[string]checkpoint.Tensor{}
	for _, w := range weights {
		byName[w.Name] = w
	}
	out := weights
	for name, target := range checkpoint.LXMERT().Tied {
		of, ok := byName[target]
		if _, there := byName[name]; !ok || there || !hasHead(weights, name) {
			continue
		}
		of.Name, of.SameAs = name, target
		out = append(out[:len(out):len(out)], of)
	}
	return out
}

// hasHead says whether anything of the head is there that a name belongs to.
func hasHead(weights []checkpoint.Tensor, name string) bool {
	head, _, _ := strings.Cut(name, ".")
	return slices.ContainsFunc(weights, func(t checkpoint.Tensor) bool { return strings.HasPrefix(t.Name, head+".") })
}

// clearOthers removes the weights of other layouts than the one just written: a reader would prefer some of them.
func (l Layout) clearOthers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if of, ok := layoutOf(e.Name()); ok && of != l {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("the new weights are written, but other ones are still there: %w", err)
			}
		}
	}
	return nil
}

// layoutOf says to which layout a file of weights belongs.
func layoutOf(name string) (Layout, bool) {
	switch {
	case strings.HasPrefix(name, "model") && (strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".safetensors.index.json")):
		return Safetensors, true
	case strings.HasPrefix(name, "pytorch_model") && (strings.HasSuffix(name, ".bin") || strings.HasSuffix(name, ".bin.index.json")):
		return PyTorch, true
	case name == checkpoint.KerasName:
		return TensorFlow, true
	case name == originalPretrained || name == originalFinetuned:
		return Original, true
	}
	return "", false
}
