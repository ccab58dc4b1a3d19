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
	pictures, valid, test       int // pictures to learn from, to be judged by, to be measured on
	config                      []string
	pretrain, answer, statement []string // options of the three trainings
}

// The sizes: the shipped model's, and one for a test of two minutes.
var (
	scenesShipped = scenesSize{
		pictures: 24000, valid: 200, test: 1000,
		config:    scenesConfig(128, 4, 2, 1, 3),
		pretrain:  []string{"--batch", "64", "--epochs", "2", "--lr", "4e-4", "--dropout", "0"},
		answer:    []string{"--batch", "64", "--epochs", "2", "--lr", "3e-4", "--dropout", "0"},
		statement: []string{"--batch", "32", "--epochs", "6", "--lr", "2e-4", "--dropout", "0"},
	}
	scenesSmall = scenesSize{
		pictures: 1000, valid: 50, test: 150,
		config:    scenesConfig(64, 4, 1, 1, 2),
		pretrain:  []string{"--batch", "64", "--epochs", "2", "--lr", "1e-3", "--dropout", "0"},
		answer:    []string{"--batch", "64", "--epochs", "2", "--lr", "1e-3", "--dropout", "0"},
		statement: []string{"--batch", "32", "--epochs", "2", "--lr", "5e-4", "--dropout", "0"},
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
		Long: `Train makes the model that is shipped with this program from nothing, by the commands that it prints: it draws scenes, pre-trains on the five tasks, fine-tunes
on questions (vqa.json and gqa.json together) and on statements (nlvr2.json), measures all on scenes that no model has seen, and writes
the models in 16 bits to DIR/shipped. What was stopped goes on where it was. It takes 1 to 2 hours on two cores.`,
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
	at := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	r := commandRunner{ctx: ctx, out: out, errOut: errOut}
	for i, part := range []struct {
		name     string
		pictures int
	}{{"learn", size.pictures}, {"valid", size.valid}, {"test", size.test}} {
		if _, err := os.Stat(at(part.name)); err == nil {
			continue
		}
		r.run("scenes", "generate", "--out", at(part.name), "--images", fmt.Sprint(part.pictures), "--seed", fmt.Sprint(1000+i), "--no-images")
	}
	regions := []string{"--features", at("learn", regionsDir), "--features", at("valid", regionsDir)}
	r.train(at("pretrain"), slices.Concat([]string{"pretrain", "--data", at("learn"), "--valid-data", at("valid"), "--vocab", at("learn", "vocab.txt"),
		"--labels", at("learn", "answers.json")}, size.config, size.pretrain))
	r.train(at("answers"), slices.Concat([]string{"finetune", "vqa", "--load-answers", at("pretrain", train.LastName), "--labels", at("learn", "labels.json"),
		"--train", at("learn", "vqa.json"), "--train", at("learn", "gqa.json"), "--valid", at("valid", "vqa.json"), "--valid", at("valid", "gqa.json")}, regions, size.answer))
	r.train(at("statements"), slices.Concat([]string{"finetune", "nlvr2", "--init", at("pretrain", train.LastName),
		"--train", at("learn", "nlvr2.json"), "--valid", at("valid", "nlvr2.json")}, regions, size.statement))
	results := &scenesResults{}
	for _, score := range []struct {
		to         *float64
		kind, file string
		model      string
	}{{&results.VQA, "vqa", "vqa.json", "answers"}, {&results.GQA, "gqa", "gqa.json", "answers"}, {&results.NLVR2, "nlvr2", "nlvr2.json", "statements"}} {
		var found struct {
			Accuracy float64 `json:"accuracy"`
		}
		r.json(&found, "eval", score.kind, "--model", at(score.model, train.BestName), "--data", at("test", score.file), "--features", at("test", regionsDir), "--json")
		*score.to = found.Accuracy
	}
	var measured scenesMeasured
	r.json(&measured, "scenes", "measure", "--model", at("pretrain", train.LastName), "--data", at("test"), "--json")
	results.Matching, results.ColorWords = measured.Matching, measured.ColorWords
	for _, shipped := range [][2]string{{at("answers", train.BestName), "qa"}, {at("statements", train.BestName), "nlvr2"}, {at("pretrain", train.LastName), "pretraining"}} {
		r.run("convert", "--model", shipped[0], "--out", at("shipped", shipped[1]), "--dtype", "f16", "--force")
	}
	if r.err != nil {
		return nil, r.err
	}
	results.Seconds = time.Since(start).Seconds()
	return results, atomicfile.Write(at("results.json"), 0o644, func(w io.Writer) error { return printJSON(w, results) })
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
