package frcnn

import "math"

// cellAnchors are the anchors at one place, around 0, [anchors, 4]: sizes first, then ratios of height to width. A checkpoint of Hugging Face's has them too.
func (c *Config) cellAnchors() []float32 {
	var all []float32
	for _, size := range c.AnchorSizes {
		for _, ratio := range c.AspectRatios {
			w := math.Sqrt(size * size / ratio)
			h := ratio * w
			all = append(all, float32(-w/2), float32(-h/2), float32(w/2), float32(h/2))
		}
	}
	return all
}

// anchor is the a-th at a place of the features.
func anchor(cell []float32, a, x, y int, offset float64) [4]float32 {
	dx, dy := place(x, offset), place(y, offset)
	b := cell[4*a:][:4]
	return [4]float32{dx + b[0], dy + b[1], dx + b[2], dy + b[3]}
}

// place is where features lie in the picture, as torch.arange(offset·stride, …, step=stride) has it.
func place(i int, offset float64) float32 { return float32(offset*stride + float64(i*stride)) }
