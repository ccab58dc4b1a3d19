// Package lxmert answers questions about pictures with LXMERT (Tan & Bansal, EMNLP 2019).
//
//	m, err := lxmert.Open("model-directory")
//	if err != nil {
//		return err
//	}
//	defer m.Close()
//	regions, err := features.Get("COCO_train2014_000000132417") // of an open data.TSV
//	if err != nil {
//		return err
//	}
//	answers, err := m.Ask(ctx, regions, "What is on the table?")
//	fmt.Println(answers[0].Text, answers[0].Probability)
//
// [OpenStatements] is its counterpart for statements about two pictures (NLVR2), which are true or false.
package lxmert

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/internal/padding"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/vision"
)

// Regions are what a detector saw in one picture; see package vision.
type Regions = vision.Regions

// Model is a question-answering LXMERT with its tokenizer and its answer table. It is safe for
// concurrent use.
type Model struct {
	*reader
	labels []string
}

// Option is a choice made at [Open], [New], [OpenStatements] or [NewStatements].
type Option func(*options)

type options struct {
	engine      compute.Backend
	engineName  string
	labels      []string
	concurrency int
	maxTokens   int
	cut         bool // maxTokens was given
	allHeads    bool
	precision   *model.Precision // nil: as the checkpoint is stored
}

// choose applies the options to the defaults.
func choose(opts []Option) (options, error) {
	o := options{concurrency: 1}
	for _, option := range opts {
		if option != nil {
			option(&o)
		}
	}
	if o.concurrency < 1 {
		return o, fmt.Errorf("concurrency: found %d, want 1 or more", o.concurrency)
	}
	return o, nil
}

// limit is to how many tokens texts are cut, 0 if they are not.
func (o options) limit(config *model.Config) (int, error) {
	if o.cut && (o.maxTokens < leastTokens || o.maxTokens > config.MaxPositionEmbeddings) {
		return 0, fmt.Errorf("max tokens: found %d, want %d to %d (max_position_embeddings)", o.maxTokens, leastTokens, config.MaxPositionEmbeddings)
	}
	return o.maxTokens, nil
}

// leastTokens are a word between the two tokens that every text has.
const leastTokens = 3

// WithBackend runs the model on an engine that the caller made, and will finalize.
func WithBackend(engine compute.Backend) Option { return func(o *options) { o.engine = engine } }

// WithBackendName chooses the engine by name, see [backend.Open].
func WithBackendName(name string) Option { return func(o *options) { o.engineName = name } }

// WithLabels gives the answer of each id, in place of the directory's table.
func WithLabels(labels []string) Option {
	return func(o *options) { o.labels = slices.Clone(labels) }
}

// WithConcurrency bounds the forward passes that run at once; others wait. The default is one, for
// one pass already uses all cores.
func WithConcurrency(n int) Option { return func(o *options) { o.concurrency = n } }

// WithMaxTokens cuts questions and statements to n tokens, [CLS] and [SEP] included: the first n-2 word pieces stay. Without it one
// that is longer than the model reads is refused. The original trains and evaluates with 20.
func WithMaxTokens(n int) Option { return func(o *options) { o.maxTokens, o.cut = n, true } }

// WithAllHeads keeps the heads of pre-training, where the checkpoint has them and [Open] would leave them out: [Model.FillMask] needs them.
func WithAllHeads() Option { return func(o *options) { o.allHeads = true } }

// WithDType says how the network keeps its weights and multiplies, see [model.Precision]: they are converted as they are read. Without it a quantised
// checkpoint is kept in int8, as it is, and any other in float32. [Model.Attend] wants float32.
func WithDType(p model.Precision) Option { return func(o *options) { o.precision = &p } }

// LabelsName is the answer table's file name in a model directory.
const LabelsName = "labels.json"

// Open opens a model directory: config.json, model.safetensors (or shards with their index), the tokenizer's files
// (tokenizer.json or vocab.txt), and labels.json unless config.json has an id2label or [WithLabels] is given.
// It is an error if a weight is missing, or if the answer table has another size than the answer head. Errors name the file.
func Open(dir string, opts ...Option) (*Model, error) { return open(onDisk(dir), opts) }

// OpenFS is [Open] for a model directory that is the root of a file system, such as one embedded in a program (a directory below it is
// fs.Sub's). Nothing is written to disk. Errors name files within the file system.
func OpenFS(fsys fs.FS, opts ...Option) (*Model, error) { return open(inFS(fsys), opts) }

func open(d directory, opts []Option) (*Model, error) {
	o, err := choose(opts)
	if err != nil {
		return nil, err
	}
	config, err := d.config()
	if err != nil {
		return nil, err
	}
	labels, err := answerTable(d.files, config, o.labels)
	if err != nil {
		return nil, err
	}
	head := model.HeadQuestionAnswering
	if o.allHeads && config.TaskQA {
		found, err := d.head(config)
		if err != nil {
			return nil, err
		}
		if found == model.HeadPreTraining {
			head = found
		}
	}
	r, err := openReader("question", d, config, head, o)
	if err != nil {
		return nil, err
	}
	return &Model{r, labels}, nil
}

// New makes a Model of parts that are there already: a model in training is asked through it, between two steps. The network and its engine
// stay the caller's, and must outlive the Model; options that choose an engine, a type or answers are refused. labels has the answer of each id.
func New(network *model.LxmertForQuestionAnswering, words *tokenizer.Tokenizer, labels []string, opts ...Option) (*Model, error) {
	if network == nil || network.Network == nil || words == nil {
		return nil, errors.New("lxmert.New: want a network and a tokenizer, found nil")
	}
	o, err := choose(opts)
	if err != nil {
		return nil, err
	}
	if o.engine != nil || o.engineName != "" || o.labels != nil || o.precision != nil {
		return nil, errors.New("lxmert.New: the network has its engine and its weights, and the answers are given: leave out the options for them")
	}
	config := network.Config()
	if len(labels) != config.NumQALabels {
		return nil, fmt.Errorf("%d answers, but the model scores %d (num_qa_labels): they do not belong together", len(labels), config.NumQALabels)
	}
	r, err := newReader("question", config, words, o)
	if err != nil {
		return nil, err
	}
	r.network, r.borrowed, r.few = network.Network, true, padding.Few(network.Backend())
	return &Model{r, slices.Clone(labels)}, nil
}

// answerTable finds the answers and checks that there is one for each logit.
func answerTable(dir plainfile.Dir, config *model.Config, given []string) ([]string, error) {
	labels, source := given, "the labels given"
	if given == nil {
		var err error
		if labels, source, err = directoryTable(dir, config); err != nil {
			return nil, err
		}
	}
	if len(labels) != config.NumQALabels {
		return nil, fmt.Errorf("%s: %d answers, but the model scores %d (num_qa_labels): they do not belong together", source, len(labels), config.NumQALabels)
	}
	return labels, nil
}

// ErrNoLabels is what errors.Is finds where a model directory does not say what its logits mean.
var ErrNoLabels = errors.New("no answer table")

// DirectoryLabels is the answer table of a model directory: labels.json, or else config.json's id2label. Where both have an answer for each
// logit they must be the same. The error is [ErrNoLabels] if there is neither.
func DirectoryLabels(dir string) ([]string, error) {
	config, err := pretrained.Config(dir)
	if err != nil {
		return nil, err
	}
	labels, _, err := directoryTable(plainfile.OnDisk(pretrained.Directory(dir)), config)
	return labels, err
}

// directoryTable is the answer table of a model directory, and where it is: labels.json, or else config.json's
// id2label. Where both have an answer for each logit they must be the same.
func directoryTable(dir plainfile.Dir, config *model.Config) (labels []string, source string, err error) {
	file, inConfig := dir.Path(LabelsName), dir.Path(pretrained.ConfigName)+": id2label"
	labels, err = readLabels(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(config.ID2Label) == 0:
		return nil, "", fmt.Errorf("%s: %w: neither %s nor an id2label in %s; give the answers that the model was trained with", dir, ErrNoLabels, LabelsName, pretrained.ConfigName)
	case errors.Is(err, fs.ErrNotExist):
		if labels, err = labelsByID(config.ID2Label); err != nil {
			return nil, "", fmt.Errorf("%s: %w", inConfig, err)
		}
		return labels, inConfig, nil
	case err != nil:
		return nil, "", err
	}
	named, err := labelsByID(config.ID2Label)
	if err == nil && len(named) == len(labels) && !slices.Equal(named, labels) {
		return nil, "", fmt.Errorf("%s and %s disagree about the answers: remove the one that is not the model's", file, inConfig)
	}
	return labels, file, nil
}

// Config is a copy of the model's configuration.
func (m *Model) Config() *model.Config { return m.config.Clone() }

// Precision says how the model keeps its weights, see [WithDType].
func (m *Model) Precision() model.Precision { return m.network.Precision() }

// Labels is the answer table: the answer of each id.
func (m *Model) Labels() []string { return append([]string(nil), m.labels...) }

// Tokenizer is the model's tokenizer.
func (m *Model) Tokenizer() *tokenizer.Tokenizer { return m.tokenizer }

// Close frees the model, after the questions under way; of one made by [New] the network stays open. Later questions get [model.ErrClosed].
func (m *Model) Close() error { return m.close() }
