package model

// QuestionAnsweringOperations counts the floating-point operations of the matrix products of a question-answering pass
// (a multiplication and an addition are two): questions of so many tokens about pictures of so many regions. It counts what is
// computed: in the last cross-modality layer that is the first token's row, and none of the visual side.
func (c *Config) QuestionAnsweringOperations(questions, pictures, tokens, regions int) int {
	h := c.HiddenSize
	linear := func(rows, in, out int) int { return 2 * rows * in * out }
	feedForward := func(rows int) int { return 2 * linear(rows, h, c.IntermediateSize) }
	// attention of some rows to others: four linear maps and two products.
	attention := func(rows, others int) int { return 2*linear(rows, h, h) + 2*linear(others, h, h) + 4*rows*others*h }
	language := c.LanguageLayers * (attention(tokens, tokens) + feedForward(tokens))
	vision := linear(regions, c.VisualFeatDim, h) + linear(regions, c.VisualPosDim, h) +
		c.VisionLayers*(attention(regions, regions)+feedForward(regions))
	cross := 0
	for layer := range c.CrossLayers {
		cross += attention(tokens, regions)
		if layer == c.CrossLayers-1 {
			cross += attention(1, tokens) + feedForward(1)
			continue
		}
		cross += attention(regions, tokens) + attention(tokens, tokens) + attention(regions, regions) + feedForward(tokens) + feedForward(regions)
	}
	once := 0 // what the first cross-modality layer maps of the regions, as queries and as context, before questions differ
	if c.CrossLayers > 0 {
		once = 2 * linear(regions, h, h)
		if c.CrossLayers > 1 {
			once += linear(regions, h, h)
		}
	}
	head := linear(1, h, h) + linear(1, h, 2*h) + linear(1, 2*h, c.NumQALabels)
	return questions*(language+cross-once+head) + pictures*(vision+once)
}
