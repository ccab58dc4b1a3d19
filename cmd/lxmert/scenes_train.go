package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/train"
)

// A scenesSize is how large a model is, and how long it learns.
type scenesSize struct {
	pictures, valid, test int // pictures to learn from, to be judged by, to be measured on
	config                []string
	// Options of the trainings. What a model of this width sees in a picture it learns suddenly and late, and from questions soonest: it begins with those, or all of
	// pre-training waits for it. Hidden words it learns from a sentence that belongs to the picture: it learns them before half of the sentences are another picture's
	// (docs/scenes.md has the figures).
	begin, words, pretrain, answer, statement []string
}

// The sizes: the shipped model's, one for comparisons, and one for a test of two minutes.
var (
	scenesShipped = scenesSize{
		pictures: 24000, valid: 200, test: 1000,
		config:    scenesConfig(128, 8, 2, 1, 3),
		begin:     []string{"--batch", "64", "--epochs", "1", "--lr", "4e-4", "--dropout", "0"},
		words:     []string{"--batch", "64", "--epochs", "6", "--lr", "4e-4", "--dropout", "0", "--word-mask-rate", "0.3"},
		pretrain:  []string{"--batch", "64", "--epochs", "1", "--lr", "3e-4", "--dropout", "0"},
		answer:    []string{"--batch", "64", "--epochs", "1", "--lr", "3e-4", "--dropout", "0"},
		statement: []string{"--batch", "32", "--epochs", "4", "--lr", "2e-4", "--dropout", "0"},
	}
	scenesAblation = scenesSize{
		pictures: 4000, valid: 100, test: 1000,
		config:    scenesConfig(64, 8, 1, 1, 2),
		begin:     []string{"--batch", "64", "--epochs", "3", "--lr", "1e-3", "--dropout", "0"},
		pretrain:  []string{"--batch", "64", "--epochs", "1", "--lr", "8e-4", "--dropout", "0"},
		answer:    []string{"--batch", "64", "--epochs", "1", "--lr", "8e-4", "--dropout", "0"},
		statement: []string{"--batch", "32", "--epochs", "6", "--lr", "5e-4", "--dropout", "0"},
	}
	scenesSmall = scenesSize{
		pictures: 2500, valid: 50, test: 200,
		config:    scenesConfig(64, 8, 1, 1, 2),
		begin:     []string{"--batch", "64", "--epochs", "5", "--max-tokens", "14", "--lr", "1e-3", "--dropout", "0"}, // no question has more tokens
		pretrain:  []string{"--batch", "64", "--epochs", "1", "--lr", "1e-3", "--dropout", "0"},
		answer:    []string{"--batch", "64", "--epochs", "1", "--lr", "1e-3", "--dropout", "0"},
		statement: []string{"--batch", "32", "--epochs", "1", "--lr", "5e-4", "--dropout", "0"},
	}
)

// scenesConfig are the options of a model of that size for drawn scenes.
func scenesConfig(hidden, heads, language, vision, cross int) []string {
	var options []string
	for _, set := range []string{
		fmt.Sprintf("hidden_size=%d", hidden), fmt.Sprintf("num_attention_heads=%d", heads), fmt.Sprintf("intermediate_size=%d", 4*hidden),
		fmt.Sprintf("l_layers=%d", language), fmt.Sprintf("r_layers=%d", vision), fmt.Sprintf("x_layers=%d", cross),
		"max_position_embeddings=64", fmt.Sprintf("visual_feat_dim=%d", scenes.FeatureWidth),
		fmt.Sprintf("num_object_labels=%d", len(scenes.ObjectNames())), fmt.Sprintf("num_attr_labels=%d", len(scenes.AttributeNames())),
		// What serves a model of this width better than what serves one of 768: larger fresh weights, and visual losses that do not drown the others.
		"initializer_range=0.08", "visual_loss_normalizer=1",
	} {
		options = append(options, "--set", set)
	}
	return options
}

func newScenesTrain() *cobra.Command {
	var out string
	var small bool
	cmd := &cobra.Command{
		Use:   "train --out DIR",
		Short: "Make the shipped model: draw scenes, pre-train, fine-tune, measure",
		Long: `Train makes the model that is shipped with this program from nothing, by the commands that it prints: it draws scenes, learns what a picture has to do with a sentence from
questions (vqa.json), pre-trains on the masked words and objects of captions, then on all five tasks, fine-tunes on questions (vqa.json and gqa.json together) and on statements (nlvr2.json), measures
all on scenes that no model has seen, and writes the models in 16 bits to DIR/shipped. What was stopped goes on where it was. It takes 1 to 2 hours on two cores.`,
		Example: `  lxmert scenes train --out shipped-run
  lxmert scenes train --out small-run --small`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			size := scenesShipped
			if small {
				size = scenesSmall
			}
			results, err := trainScenes(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), out, size)
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), results)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "`directory` for everything")
	flags.BoolVar(&small, "small", false, "a smaller model, in two minutes")
	required(cmd, "out")
	return cmd
}

// scenesResults are shares of 1, on scenes that no model has seen.
type scenesResults struct {
	VQA        float64 `json:"vqa"`
	GQA        float64 `json:"gqa"`
	NLVR2      float64 `json:"nlvr2"`
	Matching   float64 `json:"matching"`
	ColorWords float64 `json:"color_words"`
	Seconds    float64 `json:"seconds"`
}

// trainScenes runs one command after the other.
func trainScenes(ctx context.Context, out, errOut io.Writer, dir string, size scenesSize) (*scenesResults, error) {
	start := time.Now()
	s := scenesRun{dir: dir, size: size, commandRunner: &commandRunner{ctx: ctx, out: out, errOut: errOut}}
	results := &scenesResults{}
	s.draw()
	s.begin()
	s.words()
	s.pretrain()
	s.answer(true)
	s.state(true)
	s.evaluate(&results.VQA, "vqa", "answers")
	s.evaluate(&results.GQA, "gqa", "answers")
	s.evaluate(&results.NLVR2, "nlvr2", "statements")
	s.measure(results)
	for _, shipped := range [][2]string{{s.model("answers", train.BestName), "qa"}, {s.model("statements", train.BestName), "nlvr2"}, {s.model("pretrain", train.LastName), "pretraining"}} {
		s.run("convert", shipped[0], filepath.Join(dir, "shipped", shipped[1]), "--dtype", "f16", "--force")
	}
	if s.err != nil {
		return nil, s.err
	}
	results.Seconds = time.Since(start).Seconds()
	return results, atomicfile.Write(filepath.Join(dir, "results.json"), 0o644, func(w io.Writer) error { return printJSON(w, results) })
}

// A scenesRun is a recipe under way in a directory.
type scenesRun struct {
	*commandRunner
	dir      string
	size     scenesSize
	ablation ablation // what is left out; its runs have a directory of their own beside the data
}

func (s *scenesRun) data(names ...string) string {
	return filepath.Join(append([]string{s.dir}, names...)...)
}

func (s *scenesRun) model(names ...string) string {
	return filepath.Join(append([]string{s.dir, s.ablation.name}, names...)...)
}

// config are the options of the model.
func (s *scenesRun) config() []string {
	options := slices.Clone(s.size.config)
	for _, set := range s.ablation.config {
		options = append(options, "--set", set)
	}
	return options
}

// draw makes what is learned from, judged by and measured on.
func (s *scenesRun) draw() {
	for i, part := range []struct {
		name     string
		pictures int
	}{{"learn", s.size.pictures}, {"valid", s.size.valid}, {"test", s.size.test}} {
		if _, err := os.Stat(s.data(part.name)); err == nil {
			continue
		}
		s.run("scenes", "generate", "--out", s.data(part.name), "--images", fmt.Sprint(part.pictures), "--seed", fmt.Sprint(1000+i), "--no-images")
	}
}

// begin learns to answer questions about pictures, from nothing.
func (s *scenesRun) begin(options ...string) {
	s.train(s.begun(), slices.Concat([]string{"finetune", "vqa", "--vocab", s.data("learn", "vocab.txt")}, s.config(),
		[]string{"--labels", s.data("learn", "labels.json"), "--train", s.data("learn", "vqa.json"), "--valid", s.data("valid", "vqa.json")},
		s.regions(), s.size.begin, options))
}

// words pre-trains on captions and all tasks but matching, so that every sentence is about its picture.
func (s *scenesRun) words() {
	if s.size.words != nil {
		s.train(s.model("words"), slices.Concat(s.pretraining(filepath.Join(s.begun(), train.LastName)), []string{"--sets", "scenes", "--tasks", "mask_lm,obj_predict,qa"}, s.size.words))
	}
}

// pretrain pre-trains on all tasks, unless options say otherwise.
func (s *scenesRun) pretrain(options ...string) {
	init := filepath.Join(s.begun(), train.LastName)
	if s.size.words != nil {
		init = s.model("words", train.LastName)
	}
	s.train(s.model("pretrain"), slices.Concat(s.pretraining(init), s.size.pretrain, options))
}

func (s *scenesRun) pretraining(init string) []string {
	return []string{"pretrain", "--init", init, "--data", s.data("learn"), "--valid-data", s.data("valid"), "--labels", s.data("learn", "answers.json")}
}

// before is the model that fine-tuning begins with.
func (s *scenesRun) before(pretrained bool) string {
	if pretrained {
		return s.model("pretrain", train.LastName)
	}
	return filepath.Join(s.begun(), train.LastName)
}

// begun is the run of begin.
func (s *scenesRun) begun() string { return s.data(s.ablation.beginning(), "begin") }

// answer fine-tunes on questions of both kinds.
func (s *scenesRun) answer(pretrained bool, options ...string) {
	s.train(s.model("answers"), slices.Concat([]string{"finetune", "vqa", "--init", s.before(pretrained), "--labels", s.data("learn", "labels.json"),
		"--train", s.data("learn", "vqa.json"), "--train", s.data("learn", "gqa.json"), "--valid", s.data("valid", "vqa.json"), "--valid", s.data("valid", "gqa.json")},
		s.regions(), s.size.answer, options))
}

// state fine-tunes on statements.
func (s *scenesRun) state(pretrained bool, options ...string) {
	s.train(s.model("statements"), slices.Concat([]string{"finetune", "nlvr2", "--init", s.before(pretrained),
		"--train", s.data("learn", "nlvr2.json"), "--valid", s.data("valid", "nlvr2.json")}, s.regions(), s.size.statement, options))
}

func (s *scenesRun) regions() []string {
	return []string{"--features", s.data("learn", regionsDir), "--features", s.data("valid", regionsDir)}
}

// evaluate scores a model on scenes that it has not seen.
func (s *scenesRun) evaluate(to *float64, kind, model string, options ...string) {
	var found struct {
		Accuracy float64 `json:"accuracy"`
	}
	s.json(&found, slices.Concat([]string{"eval", kind, "--model", s.model(model, train.BestName), "--data", s.data("test", kind+".json"),
		"--features", s.data("test", regionsDir), "--json"}, options)...)
	*to = found.Accuracy
}

// measure asks the pre-trained model.
func (s *scenesRun) measure(to *scenesResults) {
	var measured scenesMeasured
	s.json(&measured, "scenes", "measure", "--model", s.model("pretrain", train.LastName), "--data", s.data("test"), "--json")
	to.Matching, to.ColorWords = measured.Matching, measured.ColorWords
}

// A commandRunner runs commands of this program until one fails.
type commandRunner struct {
	ctx         context.Context
	out, errOut io.Writer
	err         error
}

// run runs one, and shows it first.
func (r *commandRunner) run(args ...string) {
	if r.err == nil {
		fmt.Fprintf(r.out, "\n$ lxmert %s\n", strings.Join(args, " "))
		r.err = r.quietly(r.out, args)
	}
}

// train runs a training, or goes on with it.
func (r *commandRunner) train(out string, args []string) {
	r.run(append(args, "--out", out, "--resume")...)
}

// json runs one that prints an object.
func (r *commandRunner) json(to any, args ...string) {
	if r.err != nil {
		return
	}
	var printed bytes.Buffer
	fmt.Fprintf(r.out, "\n$ lxmert %s\n", strings.Join(args, " "))
	if r.err = r.quietly(&printed, args); r.err == nil {
		r.out.Write(printed.Bytes())
		r.err = json.Unmarshal(printed.Bytes(), to)
	}
}

func (r *commandRunner) quietly(out io.Writer, args []string) error {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(r.errOut)
	return root.ExecuteContext(r.ctx)
}
