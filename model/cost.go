package model

// QuestionAnsweringOperations counts the floating-point operations of the matrix products of a question-answering pass
// (a multiplication and an addition are two): questions of so many tokens about pictures of so many regions. It counts what is
// computed: in the last cross-modality layer that is the first token's row, and none of the visual side.
func (c *Config) QuestionAnsweringOperations(questions, pictures, tokens, regions int) int {
	cross := c.pooledCrossOperations(tokens, regions)
	once := 0 // what the first cross-modality layer maps of the regions before questions differ: context, and queries unless it is the last
	if c.CrossLayers > 0 {
		once = min(c.CrossLayers+1, 3) * linearOperations(regions, c.HiddenSize, c.HiddenSize)
	}
	return questions*(c.languageOperations(tokens)+cross-once+c.answerOperations()) + pictures*(c.visionOperations(regions)+once)
}

// NLVR2Operations counts those of a pass over statements of so many tokens about two pictures of so many regions each. A statement
// goes through the language encoder once, and so do its maps in the first cross-modality layer: queries, and context
// unless that layer is the last.
func (c *Config) NLVR2Operations(statements, tokens, regions int) int {
	h := c.HiddenSize
	once := 0
	if c.CrossLayers > 0 {
		once = min(2*c.CrossLayers-1, 3) * linearOperations(tokens, h, h)
	}
	pictures := 2 * (c.visionOperations(regions) + c.pooledCrossOperations(tokens, regions) + linearOperations(1, h, h))
	head := linearOperations(1, 2*h, 2*h) + linearOperations(1, 2*h, 2)
	return statements * (c.languageOperations(tokens) + pictures - once + head)
}

// PreTrainingOperations counts those of a pre-training pass forward, with every head that the configuration has. The way back
// multiplies each product's gradient with either side, so a training step is three times as much.
func (c *Config) PreTrainingOperations(batch, tokens, regions int) int {
	h := c.HiddenSize
	encoders := c.languageOperations(tokens) + c.visionOperations(regions) + c.CrossLayers*c.crossOperations(tokens, regions)
	heads := linearOperations(tokens, h, h) + linearOperations(tokens, h, c.VocabSize) + linearOperations(1, h, 2)
	if c.TaskQA {
		heads += c.answerOperations()
	} else {
		heads += linearOperations(1, h, h) // the pooler, which the answer head's count has in it
	}
	if c.TaskObjPredict {
		heads += linearOperations(regions, h, h)
		for _, decoder := range []struct {
			on    bool
			width int
		}{{c.VisualObjLoss, c.NumObjectLabels}, {c.VisualAttrLoss, c.NumAttrLabels}, {c.VisualFeatLoss, c.VisualFeatDim}} {
			if decoder.on {
				heads += linearOperations(regions, h, decoder.width)
			}
		}
	}
	return batch * (encoders + heads)
}

func linearOperations(rows, in, out int) int { return 2 * rows * in * out }

// attentionOperations is attention of some rows to others: four linear maps and two products.
func (c *Config) attentionOperations(rows, others int) int {
	h := c.HiddenSize
	return 2*linearOperations(rows, h, h) + 2*linearOperations(others, h, h) + 4*rows*others*h
}

func (c *Config) feedForwardOperations(rows int) int {
	return 2 * linearOperations(rows, c.HiddenSize, c.IntermediateSize)
}

func (c *Config) languageOperations(tokens int) int {
	return c.LanguageLayers * (c.attentionOperations(tokens, tokens) + c.feedForwardOperations(tokens))
}

func (c *Config) visionOperations(regions int) int {
	h := c.HiddenSize
	return linearOperations(regions, c.VisualFeatDim, h) + linearOperations(regions, c.VisualPosDim, h) +
		c.VisionLayers*(c.attentionOperations(regions, regions)+c.feedForwardOperations(regions))
}

// crossOperations is a whole cross-modality layer.
func (c *Config) crossOperations(tokens, regions int) int {
	return c.attentionOperations(tokens, regions) + c.attentionOperations(regions, tokens) +
		c.attentionOperations(tokens, tokens) + c.attentionOperations(regions, regions) +
		c.feedForwardOperations(tokens) + c.feedForwardOperations(regions)
}

// pooledCrossOperations is the cross-modality encoder where only the first token's output is read.
func (c *Config) pooledCrossOperations(tokens, regions int) int {
	if c.CrossLayers == 0 {
		return 0
	}
	last := c.attentionOperations(tokens, regions) + c.attentionOperations(1, tokens) + c.feedForwardOperations(1)
	return (c.CrossLayers-1)*c.crossOperations(tokens, regions) + last
}

// answerOperations is the pooler and the answer head.
func (c *Config) answerOperations() int {
	h := c.HiddenSize
	return linearOperations(1, h, h) + linearOperations(1, h, 2*h) + linearOperations(1, 2*h, c.NumQALabels)
}
