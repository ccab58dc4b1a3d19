package formula

import (
	"hash/fnv"
	"math"
	"strings"
)

// Detector is a source of weights for a Faster R-CNN of any size, as [Weights] is for LXMERT: convolutions keep the size of what goes through them (He et al. 2015),
// normalisations change nothing but that a block's last one makes it smaller than what it is added to, so that a hundred of them stay in range.
func Detector(name string, shape ...int) ([]float32, error) {
	size, fan := 1, 1
	for i, n := range shape {
		size *= n
		if i > 0 {
			fan *= n
		}
	}
	values := make([]float32, size)
	constant, scale := 0.0, 0.0
	switch {
	case strings.HasSuffix(name, ".conv3.norm.weight"):
		constant = 0.25
	case strings.HasSuffix(name, ".norm.weight"), strings.HasSuffix(name, ".running_var"):
		constant = 1
	case strings.HasSuffix(name, "cell_anchors.0"):
		return nil, nil // the configuration's
	case len(shape) == 1: // biases and means
	case strings.Contains(name, ".bbox_pred."), strings.Contains(name, ".anchor_deltas."):
		scale = 0.5 / math.Sqrt(float64(fan)) // boxes move, but not far
	case strings.HasPrefix(name, "backbone.stem."): // pixels go in as they are, up to 255
		scale = math.Sqrt(6/float64(fan)) / 64
	default:
		scale = math.Sqrt(6 / float64(fan))
	}
	hash := fnv.New64a()
	hash.Write([]byte(name))
	seed := hash.Sum64()
	for i := range values {
		u := float64(splitmix64(seed+uint64(i))>>40) / (1 << 24)
		values[i] = float32(constant + (2*u-1)*scale)
	}
	return values, nil
}
