package model

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// wordEmbeddings is the table that the language stream looks words up in, and that the
// masked-language head is tied to.
func (c *Config) wordEmbeddings(embeddings *model.Scope, g *Graph) *Node {
	return param(embeddings.At("word_embeddings"), g, "weight", c.VocabSize, c.HiddenSize)
}

// embedTokens is the language stream's first layer (§2.1): word + position + type, normalised.
// ids or embeds give the words, types may be nil. The result is [batch, tokens, hidden].
func (c *Config) embedTokens(s *model.Scope, in *Inputs[*Node]) *Node {
	g := in.VisualFeats.Graph()
	table := c.wordEmbeddings(s, g) // declared even where embeddings are given
	x := in.InputsEmbeds
	if x == nil {
		x = c.lookup(table, in.InputIDs)
	}
	tokens := x.Shape().Dim(1)

	positions := param(s.In("position_embeddings"), g, "weight", c.MaxPositionEmbeddings, c.HiddenSize)
	x = Add(x, InsertAxes(c.lookup(positions, Iota(g, shapes.Make(dtypes.Int32, tokens), 0)), 0))

	types := param(s.In("token_type_embeddings"), g, "weight", c.TypeVocabSize, c.HiddenSize)
	ids := in.TokenTypeIDs
	if ids == nil {
		ids = Zeros(g, shapes.Make(dtypes.Int32, x.Shape().Dim(0), tokens))
	}
	x = Add(x, c.lookup(types, ids))
	return dropout(s, c.layerNorm(s.In("LayerNorm"), x), c.HiddenDropout)
}

// lookup gathers rows of a table by ids, in float32. Row 0 is the reference's padding_idx in all three
// tables: looking it up passes no gradient to it ([TensorFlow] has none).
func (c *Config) lookup(table, ids *Node) *Node {
	rows := wide(Gather(table, InsertAxes(ids, -1)))
	if c.framework == TensorFlow {
		return rows
	}
	padding := InsertAxes(Equal(ids, ScalarZero(ids.Graph(), ids.DType())), -1)
	padding = BroadcastToDims(padding, rows.Shape().Dimensions...)
	return Where(padding, StopGradient(rows), rows)
}

// embedRegions is the visual stream's first layer (§2.1): the mean of the normalised features
// and the normalised spatial encoding, both mapped to the hidden size. [batch, regions, hidden], float32.
func (c *Config) embedRegions(s *model.Scope, feats, pos *Node) *Node {
	x := c.layerNorm(s.In("visn_layer_norm"), linear(s.In("visn_fc"), feats, c.HiddenSize))
	y := c.layerNorm(s.In("box_layer_norm"), linear(s.In("box_fc"), pos, c.HiddenSize))
	return dropout(s, MulScalar(Add(x, y), 0.5), c.HiddenDropout)
}
