package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// askFlags are ask's.
type askFlags struct {
	lookFlags
	top    int
	asJSON bool
}

func newAsk() *cobra.Command {
	var f askFlags
	cmd := &cobra.Command{
		Use:   "ask IMAGE QUESTION...",
		Short: "Answer questions about a picture",
		Long: `Ask answers questions about a picture (PNG, JPEG, GIF, WebP, BMP or TIFF): the first argument is the picture, each other is one question; put it in quotes.

Without --model the shipped model answers. It knows pictures of a small drawn world, such as those in examples/ (lxmert scenes generate makes
more), and nothing else; about another picture it says so, and how unlike those it is. With --model the picture's regions are found by the
detector that the model was trained with (region_preset of its config.json), if it is scenes or a grid; else by the Faster R-CNN that --detector names, that lies in the
model's directory (detector/), or that was downloaded before (lxmert pull unc-nlp/frcnn-vg-finetuned). With --cache its regions are kept by the picture's content, and found there the next time.

Regions that were made before are asked about with --features, a region store (lxmert data import or lxmert extract makes one) or a feature
file of the bottom-up-attention detector (TSV, one picture a line), and --image-id. Then every argument is a question.

The score is the model's logit. The confidence is the softmax over all answers, scaled down as far as the picture is not of the world that the model knows,
where that can be told; --json has the softmax itself too (probability).`,
		Example: `  lxmert ask examples/park.png "What color is the car?" "How many stars are there?"
  lxmert ask --top 3 --json picture.jpg "Is there a dog?"
  lxmert ask --model unc-nlp/lxmert-vqa-uncased --detector unc-nlp/frcnn-vg-finetuned --cache regions photo.jpg "What is on the table?"
  lxmert ask --model DIR --features train2014_obj36.tsv --image-id COCO_train2014_000000573195 "What animal is this?"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.top < 1 {
				return usagef("--top: found %d, want 1 or more", f.top)
			}
			return f.check(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			asked, err := f.ask(cmd, args)
			if err != nil {
				return err
			}
			for _, note := range asked.Notes {
				fmt.Fprintf(cmd.ErrOrStderr(), "lxmert: %s\n", note)
			}
			if f.asJSON {
				return printJSON(cmd.OutOrStdout(), asked)
			}
			return asked.print(cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	f.dtype.add(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.top, "top", 5, "print the best `n` answers")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	return cmd
}

// ask looks at the picture and answers.
func (f *askFlags) ask(cmd *cobra.Command, args []string) (*asked, error) {
	ctx := cmd.Context()
	view, m, err := f.openBoth(cmd, args)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	a := &asked{
		Model: f.modelName(), DType: m.Precision().String(), Picture: view.picture, ImageID: f.imageID, Regions: view.regions.Len(), Preset: view.regions.Preset, Familiar: view.familiar,
		Notes: view.notes, LoadMS: m.loadMS, SeeMS: view.seeMS, Detector: view.detector, Cached: view.cached, Stages: view.stages,
	}
	for _, question := range view.questions {
		start := time.Now()
		answers, err := m.Ask(ctx, view.regions, question)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", shortened(question), err)
		}
		a.Questions = append(a.Questions, newAskedQuestion(question, answers[:min(f.top, len(answers))], view.trust(), milliseconds(start)))
	}
	return a, nil
}
