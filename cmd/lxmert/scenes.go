package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/scenes"
)

// newScenes is the parent of the verbs of the drawn world.
func newScenes() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scenes VERB",
		Short: "Draw a world to learn in",
		Long: `A drawn world of cartoon objects, about which everything is known: pictures, what a detector sees in them, captions, and questions
and statements as VQA, GQA and NLVR2 have them, without downloads. It is small enough that pre-training and fine-tuning a small model in it takes an hour on
a processor.`,
		Example: `  lxmert scenes generate --out scenes --images 10000 --seed 1
  lxmert scenes generate --out minival --images 1000 --seed 2`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q; see %s --help", args[0], cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newScenesGenerate(), newScenesDraw(), newScenesTrain(), newScenesAblate(), newScenesMeasure())
	return cmd
}

func newScenesGenerate() *cobra.Command {
	var run generateRun
	cmd := &cobra.Command{
		Use:   "generate --out DIR --images N",
		Short: "Make a data set of drawn pictures",
		Long: `Generate draws pictures and writes all that LXMERT is trained and judged on:

  captions.json            pre-training: captions, and the questions with their answers
  vqa.json, gqa.json       questions: colours, kinds, numbers, places, comparisons; and those that take several steps
  nlvr2.json               statements about two pictures, half of them true
  regions/                 what the detector sees in the pixels, a region store
  images/                  the pictures themselves (--no-images leaves them out)
  answers.json             all answers: pre-training's table (all_ans.json)
  labels.json              the same as a list, for --labels of finetune
  vocab.txt                the tokenizer's vocabulary
  objects.txt, attributes.txt   what the regions' labels mean
  config.json              what a model must have to read the regions: for --config of pretrain, with --set for its size
  scenes.json              what is in each picture

All answers are true by construction, and they are balanced: who sees the questions alone cannot guess them. The same numbers give the same
files, on any machine; another --seed gives other pictures with other ids (s7-000123), so that sets can be put together. Vocabulary and answers are the same for
all seeds. DIR appears when it is complete.`,
		Example: `  lxmert scenes generate --out scenes --images 10000 --seed 1
  lxmert scenes generate --out minival --images 1000 --seed 2 --no-images`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run.all(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&run.out, "out", "", "`directory` to make")
	flags.IntVar(&run.options.Images, "images", 10000, "how many pictures")
	flags.Uint64Var(&run.options.Seed, "seed", 1, "`seed` of the pictures")
	flags.BoolVar(&run.options.NoImages, "no-images", false, "leave the pictures themselves out")
	flags.BoolVar(&run.options.Force, "force", false, "replace drawn scenes that are there")
	flags.BoolVar(&run.balance, "balance", false, "print how often each answer is right, for each sort of question")
	flags.BoolVar(&run.json, "json", false, "print one JSON object")
	required(cmd, "out")
	return cmd
}

type generateRun struct {
	out           string
	options       scenes.Options
	balance, json bool
}

func (run generateRun) all(ctx context.Context, out, errOut io.Writer) error {
	if run.options.Images < 1 || run.options.Images > scenes.MaxImages {
		return usagef("--images: found %d, want 1 to %d", run.options.Images, scenes.MaxImages)
	}
	if run.options.Seed > scenes.MaxSeed {
		return usagef("--seed: found %d, want 0 to %d", run.options.Seed, uint64(scenes.MaxSeed))
	}
	progress := newProgress(errOut, plain(run.out))
	run.options.Progress = progress.set
	report, err := scenes.Generate(ctx, run.out, run.options)
	progress.end()
	if errors.Is(err, scenes.ErrExists) {
		return fmt.Errorf("%w, or --force", err)
	}
	if err != nil {
		return err
	}
	if run.json {
		return printJSON(out, report)
	}
	_, err = fmt.Fprintf(out, "%s: %s pictures with %s objects (%s regions); %s captions, %s questions as in VQA, %s as in GQA, %s statements\n", run.out, grouped(report.Images),
		grouped(report.Objects), grouped(report.Regions), grouped(report.Captions), grouped(report.VQA), grouped(report.GQA), grouped(report.Statements))
	if !run.balance {
		return err
	}
	for _, template := range slices.Sorted(maps.Keys(report.Templates)) {
		counts := report.Templates[template]
		line := template + ":"
		for _, answer := range slices.Sorted(maps.Keys(counts)) {
			line += fmt.Sprintf(" %s %s", answer, grouped(counts[answer]))
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}
