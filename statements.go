package lxmert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/padding"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// Statements is an LXMERT that says whether a statement about two pictures is true (NLVR2), with its tokenizer. It is
// safe for concurrent use.
type Statements struct{ *reader }

// Pair is two pictures' regions and a statement about them.
type Pair struct {
	Left, Right Regions
	Statement   string
}

// Verdict is whether the model holds a statement to be true.
type Verdict struct {
	True        bool
	Score       [2]float32 // the model's logits: false, true
	Probability float32    // that it is true
}

// OpenStatements opens a model directory: config.json, model.safetensors (or shards with their index) and the tokenizer's files
// (tokenizer.json or vocab.txt). It is an error if a weight is missing; a model fine-tuned for questions has no head for
// statements. Errors name the file.
func OpenStatements(dir string, opts ...Option) (*Statements, error) {
	return openStatements(onDisk(dir), opts)
}

// OpenStatementsFS is [OpenStatements] for a model directory that is the root of a file system, see [OpenFS].
func OpenStatementsFS(fsys fs.FS, opts ...Option) (*Statements, error) {
	return openStatements(inFS(fsys), opts)
}

func openStatements(d directory, opts []Option) (*Statements, error) {
	o, err := choose(opts)
	if err != nil {
		return nil, err
	}
	if o.labels != nil {
		return nil, errors.New("lxmert.OpenStatements: statements are true or false; leave out the option for answers")
	}
	config, err := d.config()
	if err != nil {
		return nil, err
	}
	r, err := openReader("statement", d, config, model.HeadNLVR2, o)
	if err != nil {
		return nil, err
	}
	return &Statements{r}, nil
}

// NewStatements makes Statements of parts that are there already, as [New] does a Model: the network and its engine stay the caller's, and
// must outlive the Statements; options that choose an engine, a type or answers are refused.
func NewStatements(network *model.LxmertForNLVR2, words *tokenizer.Tokenizer, opts ...Option) (*Statements, error) {
	if network == nil || network.Network == nil || words == nil {
		return nil, errors.New("lxmert.NewStatements: want a network and a tokenizer, found nil")
	}
	o, err := choose(opts)
	if err != nil {
		return nil, err
	}
	if o.engine != nil || o.engineName != "" || o.labels != nil || o.precision != nil {
		return nil, errors.New("lxmert.NewStatements: the network has its engine and its weights, and statements are true or false: leave out the options for them")
	}
	r, err := newReader("statement", network.Config(), words, o)
	if err != nil {
		return nil, err
	}
	r.network, r.borrowed, r.few = network.Network, true, padding.Few(network.Backend())
	return &Statements{r}, nil
}

// Judge says whether a statement about two pictures is true. Regions that cannot be right (see [Regions.Check]), an empty
// statement, one that is not UTF-8 or longer than the model reads are refused. When ctx ends it returns ctx's error.
func (s *Statements) Judge(ctx context.Context, left, right Regions, statement string) (Verdict, error) {
	verdicts, err := s.JudgeBatch(ctx, []Pair{{left, right, statement}})
	if err != nil {
		var bad *PairError
		if errors.As(err, &bad) {
			err = bad.Err // there is only one: its number says nothing
		}
		return Verdict{}, err
	}
	return verdicts[0], nil
}

// PairError says which pair of a batch is wrong.
type PairError struct {
	Index int // in the batch, from 0
	Err   error
}

func (e *PairError) Error() string { return fmt.Sprintf("pair %d: %v", e.Index, e.Err) }

// Unwrap is the pair's own error.
func (e *PairError) Unwrap() error { return e.Err }

// JudgeBatch is [Statements.Judge] for many pairs: the verdicts in the pairs' order, each as if it had been asked for alone. Statements
// of like length about pictures with like numbers of regions go through the model together. The error joins a [PairError] for
// each pair that is refused; then none is judged.
func (s *Statements) JudgeBatch(ctx context.Context, pairs []Pair) ([]Verdict, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	encodings, err := encodeAll(len(pairs), func(i int) (tokenizer.Encoding, error) {
		encoding, err := s.encode(pairs[i])
		if err != nil {
			err = &PairError{i, err}
		}
		return encoding, err
	})
	if err != nil {
		return nil, err
	}
	logits, err := wait(ctx, s.reader, func() ([][]float32, error) { return s.logits(ctx, pairs, encodings) })
	if err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, len(pairs))
	for i := range verdicts {
		if verdicts[i], err = verdict(logits[i]); err != nil {
			return nil, &PairError{i, err}
		}
	}
	return verdicts, nil
}

// encode checks one pair and tokenizes its statement.
func (s *Statements) encode(p Pair) (tokenizer.Encoding, error) {
	var errs []error
	for _, picture := range []struct {
		side    string
		regions Regions
	}{{"left", p.Left}, {"right", p.Right}} {
		if err := picture.regions.Check(s.config.VisualFeatDim, s.config.VisualPosDim); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", picture.side, err))
		}
	}
	encoding, err := s.tokenize(p.Statement)
	return encoding, errors.Join(append(errs, err)...)
}

// logits are two for each pair; mu is held.
func (s *Statements) logits(ctx context.Context, pairs []Pair, encodings []tokenizer.Encoding) ([][]float32, error) {
	network := &model.LxmertForNLVR2{Network: s.network}
	return s.run(ctx, len(pairs), s.groups(pairs, encodings), func(group []int) (*tensors.Tensor, error) {
		out, err := network.Forward(context.Background(), s.batch(pairs, encodings, group), model.Options{})
		if err != nil {
			return nil, err
		}
		return out.Logits, nil
	})
}

// groups divides pairs into the forward passes that cost the least, all told.
func (s *Statements) groups(pairs []Pair, encodings []tokenizer.Encoding) [][]int {
	items := make([]item, len(pairs))
	for i, p := range pairs {
		items[i] = item{i, len(encodings[i].IDs), max(p.Left.Len(), p.Right.Len())}
	}
	groups, _ := divide(items, func(statements, tokens, regions int) int {
		return s.config.NLVR2Operations(statements, tokens, regions) + s.overhead()
	})
	return groups
}

// batch puts the pairs of a group side by side, padded as [Model]'s are.
func (s *Statements) batch(pairs []Pair, encodings []tokenizer.Encoding, group []int) *model.Batch {
	batch := &model.Batch{}
	if s.few {
		group = filledUp(group)
	}
	s.putTexts(batch, encodings, group, s.few)
	var pictures []Regions
	for _, i := range group {
		pictures = append(pictures, pairs[i].Left, pairs[i].Right)
	}
	putPictures(batch, pictures, s.few, len(group), 2)
	return batch
}

// verdict reads a pair's logits; of two alike the statement is false.
func verdict(logits []float32) (Verdict, error) {
	no, yes := logits[0], logits[1]
	if no-no != 0 || yes-yes != 0 { // true of NaN and the infinities only
		return Verdict{}, fmt.Errorf("the model scores false with %v and true with %v: its weights or the regions' features are damaged", no, yes)
	}
	return Verdict{yes > no, [2]float32{no, yes}, float32(1 / (1 + math.Exp(float64(no)-float64(yes))))}, nil
}

// Config is a copy of the model's configuration.
func (s *Statements) Config() *model.Config { return s.config.Clone() }

// Precision says how the model keeps its weights, see [WithDType].
func (s *Statements) Precision() model.Precision { return s.network.Precision() }

// Tokenizer is the model's tokenizer.
func (s *Statements) Tokenizer() *tokenizer.Tokenizer { return s.tokenizer }

// Close frees the model, after the statements under way; of one made by [NewStatements] the network stays open. Later statements get
// [model.ErrClosed].
func (s *Statements) Close() error { return s.close() }
