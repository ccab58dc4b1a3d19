package model

import "fmt"

// A Framework says whose LXMERT is computed, where Hugging Face's two implementations differ. docs/tensorflow.md has the differences row by row.
type Framework uint8

const (
	// PyTorch is LxmertModel and its like, in modeling_lxmert.py.
	PyTorch Framework = iota
	// TensorFlow is TFLxmertModel and TFLxmertForPreTraining, in modeling_tf_lxmert.py:
	//
	//   - A masked row gets -10000 added to its attention scores, in place of float32's lowest number, so that where
	//     everything is masked the scores count.
	//   - Layer norms use the configuration's layer_norm_eps.
	//   - Looking up id 0 passes a gradient to it: the tables have no padding_idx.
	//   - No label is ignored: [IgnoreLabel] is an error (TensorFlow ends with one on a CPU, and gives NaN on a GPU).
	//   - Each visual loss is the mean over all regions, times the mean confidence, for Keras has taken the mean before the confidences
	//     come; the features' loss is Keras' Huber loss.
	TensorFlow
)

// ParseFramework reads "pytorch" (or "pt", or nothing) and "tensorflow" (or "tf").
func ParseFramework(name string) (Framework, error) {
	switch name {
	case "", "pt", "pytorch":
		return PyTorch, nil
	case "tf", "tensorflow":
		return TensorFlow, nil
	}
	return 0, fmt.Errorf("found framework %q, want pytorch or tf", name)
}

// String is "pytorch" or "tensorflow".
func (f Framework) String() string {
	if f == TensorFlow {
		return "tensorflow"
	}
	return "pytorch"
}

// in is the configuration as the graph functions of that framework want it.
func (c *Config) in(f Framework) *Config {
	if c.framework == f {
		return c
	}
	copied := *c
	copied.framework = f
	return &copied
}

// epsilon is that of every layer norm.
func (c *Config) epsilon() float64 {
	if c.framework == TensorFlow {
		return c.LayerNormEps
	}
	return layerNormEps
}
