package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/hub"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

func newResizeAnswers() *cobra.Command {
	c := conversion{layout: string(pretrained.Safetensors), dtype: "f32", shard: "5GB", strict: true}
	var count int
	var seed uint64
	cmd := &cobra.Command{
		Use:   "resize-answers IN OUT [--answers N | --labels FILE]",
		Short: "Give a model's answer head other answers",
		Long: `Resize-answers copies a model with another last layer of its answer head. With --labels each answer of the new table takes over the weights that the
model has for an answer of the same text, and those that it does not know begin afresh: the model is ready to be fine-tuned, and forgets nothing that both tables
have. With --answers alone the first N answers stay, and more begin afresh, as resize_num_qa_labels of transformers does. Fresh rows are drawn as a new model's
are, with bias 0.`,
		Example: `  lxmert resize-answers lxmert-vqa mine --labels my_answers.txt
  lxmert resize-answers lxmert-vqa short --answers 100`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("%s wants IN and OUT, found %d arguments", cmd.CommandPath(), len(args))
			}
			c.in, c.out = args[0], args[1]
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (count == 0) == (c.labels == "") {
				return usagef("%s wants --answers or --labels", cmd.CommandPath())
			}
			if count < 0 {
				return usagef("--answers: found %d, want 1 or more", count)
			}
			found, err := findModel(cmd, c.in, hub.Options{})
			if err != nil {
				return err
			}
			c.in = found.Dir
			if err := c.prepare(); err != nil {
				return err
			}
			known, err := c.knownAnswers(found)
			if err != nil {
				return err
			}
			if c.labels == "" {
				c.to.Answers = &pretrained.Answers{Rows: pretrained.Resized(known.count, count), Seed: seed}
				if known.labels != nil && count <= known.count {
					c.answers = known.labels[:count]
				}
			} else {
				if known.labels == nil {
					return fmt.Errorf("%s: there is no answer table to compare --labels with; give the number alone (--answers %d), or put a labels.json beside the model", c.in, len(c.answers))
				}
				rows, err := answers.MatchLabels(known.labels, c.answers)
				if err != nil {
					return err
				}
				c.to.Answers = &pretrained.Answers{Rows: rows, Seed: seed}
			}
			done, err := pretrained.Convert(cmd.Context(), c.out, c.in, c.to)
			if err != nil {
				return err
			}
			if err := c.beside(done.Head); err != nil {
				return err
			}
			return c.printResized(cmd)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&count, "answers", 0, "keep the first `n` answers, or add some that are fresh")
	flags.StringVar(&c.labels, "labels", "", "answer table `file` that the model shall have, see lxmert ask --help")
	flags.Uint64Var(&seed, "seed", 0, "`seed` of fresh weights")
	flags.BoolVar(&c.force, "force", false, "replace a model that is there")
	return cmd
}

// known is what is known of a model's answers.
type known struct {
	count  int
	labels []string // nil if there is no table
}

func (c *conversion) knownAnswers(found *hub.Snapshot) (known, error) {
	config, err := pretrained.Config(c.in)
	if err != nil {
		return known{}, err
	}
	table, err := tableOf(found, "")
	if err != nil {
		return known{}, err
	}
	var labels []string
	if table != "" {
		labels, err = lxmert.ReadLabels(table)
	} else {
		labels, err = lxmert.DirectoryLabels(pretrained.Directory(c.in))
	}
	if errors.Is(err, lxmert.ErrNoLabels) {
		return known{count: config.NumQALabels}, nil
	}
	if err == nil && len(labels) != config.NumQALabels {
		err = fmt.Errorf("%s: found %d answers in the table, want %d as the head has", c.in, len(labels), config.NumQALabels)
	}
	return known{config.NumQALabels, labels}, err
}

func (c *conversion) printResized(cmd *cobra.Command) error {
	kept := 0
	for _, row := range c.to.Answers.Rows {
		if row >= 0 {
			kept++
		}
	}
	all := len(c.to.Answers.Rows)
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, %d answers: %d known, %d fresh\n", c.out, model.HeadQuestionAnswering.Class(), all, kept, all-kept); err != nil {
		return err
	}
	if c.answers == nil {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: there is no %s: write one that names all %d\n", c.out, filepath.Base(lxmert.LabelsName), all)
		return err
	}
	return nil
}
