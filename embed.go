package lxmert

import (
	"context"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
)

// Embed is what the model makes of a text and a picture together: the pooled output, hidden_size numbers in -1..1 for each query, from which
// all heads that judge the whole draw (§2.3 of the paper). A text that is no question will do as well. Queries are grouped and refused as [Model.AskBatch] does.
func (m *Model) Embed(ctx context.Context, queries []Query) ([][]float32, error) {
	return m.rows(ctx, queries, func(batch *model.Batch) (*tensors.Tensor, error) {
		out, err := m.network.Encode(context.Background(), batch, model.Options{})
		if err != nil {
			return nil, err
		}
		return out.PooledOutput, nil
	})
}

// Forward runs the model on tensors of the caller's: question answering, or with [WithAllHeads] everything that the checkpoint has heads for. It
// waits for its turn like a question. The outputs are under the reference's names, see [model.Output].
func (m *Model) Forward(ctx context.Context, in *model.Batch, o model.Options) (model.Output, error) {
	return wait(ctx, m.reader, func() (model.Output, error) {
		if m.closed {
			return nil, model.ErrClosed
		}
		return m.network.Run(ctx, in, o)
	})
}

// Encode is [Model.Forward] without a head: the last hidden states of both streams and the pooled output, whatever heads the model has.
func (m *Model) Encode(ctx context.Context, in *model.Batch, o model.Options) (*model.ModelOutput[*tensors.Tensor], error) {
	return wait(ctx, m.reader, func() (*model.ModelOutput[*tensors.Tensor], error) {
		if m.closed {
			return nil, model.ErrClosed
		}
		return m.network.Encode(ctx, in, o)
	})
}
