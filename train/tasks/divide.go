package tasks

import (
	"slices"

	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/train"
)

// predicted are the predictions for all questions to be judged by, of which each rank makes a stretch.
func (c *Common) predicted(stretch func(mine []questions.Question) ([]predict.Prediction, error)) ([]eval.Prediction, error) {
	from, to := c.stretch(len(c.Valid))
	var found []predict.Prediction
	var err error
	if from < to {
		found, err = stretch(c.Valid[from:to])
	}
	all, err := train.Confer(c.Ranks, predict.Plain(found), err)
	return slices.Concat(all...), err
}

// stretch is which of n things this rank does, from..to. The stretches of all ranks, one behind the other, are all things.
func (c *Common) stretch(n int) (from, to int) {
	if c.Ranks == nil {
		return 0, n
	}
	rank, size := c.Ranks.Rank(), c.Ranks.Size()
	return rank * n / size, (rank + 1) * n / size
}
