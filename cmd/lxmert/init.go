package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
)

func newInit() *cobra.Command {
	var (
		out, headName, configFile, vocab, labels string
		sets                                     []string
		seed                                     uint64
		force                                    bool
	)
	cmd := &cobra.Command{
		Use:   "init --out DIR --vocab FILE [--labels FILE] [--set key=value]...",
		Short: "Make a model directory with fresh, random weights",
		Long: `Init writes a complete model directory whose weights are random: where training begins, and what
tests and examples use. It answers every question, or judges every statement, and knows nothing.

The configuration is LXMERT's base size, or --config's, with --set's changes; the vocabulary
fixes vocab_size, and the answer table num_qa_labels and id2label. The same seed gives the same weights.`,
		Example: `  lxmert init --out fresh --vocab vocab.txt --labels answers.json
  lxmert init --out tiny --vocab vocab.txt --labels answers.txt --set hidden_size=32 --set num_attention_heads=4 \
      --set intermediate_size=64 --set l_layers=2 --set r_layers=1 --set x_layers=1
  lxmert init --out pretrain --vocab vocab.txt --labels all_ans.json --head pretraining --seed 7`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			head, err := model.ParseHead(headName)
			if err != nil {
				return usageError{fmt.Errorf("--head: %w", err)}
			}
			config := model.DefaultConfig()
			if cmd.Flags().Changed("config") {
				if config, err = pretrained.ReadConfigFile(configFile); err != nil {
					return err
				}
			}
			words, err := tokenizer.LoadVocab(vocab)
			if err != nil {
				return err
			}
			config.VocabSize = words.VocabSize()
			answers := 0
			if cmd.Flags().Changed("labels") {
				table, err := lxmert.ReadLabels(labels)
				if err != nil {
					return err
				}
				answers = len(table)
				config.NumQALabels = answers
				config.ID2Label = make(map[int]string, len(table))
				for id, answer := range table {
					config.ID2Label[id] = answer
				}
			}
			if err := override(config, sets); err != nil {
				return err
			}
			if config.VocabSize < words.VocabSize() {
				return usagef("--set vocab_size=%d: the vocabulary has %d words", config.VocabSize, words.VocabSize())
			}
			if answers > 0 && (config.NumQALabels != answers || len(config.ID2Label) != answers) {
				return usagef("--set num_qa_labels or id2label: the answer table has %d answers", answers)
			}
			if err := vacant(out, force); err != nil {
				return err
			}
			engine, err := backend.Open(backend.Default)
			if err != nil {
				return err
			}
			defer engine.Finalize()
			m, err := model.New(engine, config, head, until(cmd.Context(), config.Fresh(seed)))
			if err != nil {
				return err
			}
			defer m.Close()
			if err := pretrained.Save(cmd.Context(), out, m); err != nil {
				return err
			}
			if err := words.Save(out); err != nil {
				return err
			}
			// A table that was there would win over the new one.
			if err := os.Remove(filepath.Join(out, lxmert.LabelsName)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			size := 0
			for _, value := range m.Weights() {
				size += value.Size()
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, %s random parameters\n", out, head.Class(), grouped(size))
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "model `directory` to make")
	flags.StringVar(&vocab, "vocab", "", "vocabulary `file`, one word piece a line (vocab.txt)")
	flags.StringVar(&labels, "labels", "", "answer table `file`, see lxmert ask --help")
	flags.StringVar(&configFile, "config", "", "config.json to start from (default: LXMERT's base size)")
	flags.StringArrayVar(&sets, "set", nil, "override a config `key=value` (repeatable)")
	flags.StringVar(&headName, "head", "qa", "`head`: model, pretraining, qa or nlvr2")
	flags.Uint64Var(&seed, "seed", 0, "`seed` of the weights")
	flags.BoolVar(&force, "force", false, "replace a model that is there")
	required(cmd, "out", "vocab")
	return cmd
}

// vacant refuses a directory with anything of a model in it, unless it may be replaced.
func vacant(dir string, force bool) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no directory; choose another name", dir)
	case force:
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if ext := filepath.Ext(entry.Name()); ext == ".json" || ext == ".safetensors" || entry.Name() == "vocab.txt" {
			return fmt.Errorf("%s holds %s already; choose another directory, or --force to replace the model in it", dir, entry.Name())
		}
	}
	return nil
}

// until gives weights until ctx ends.
func until(ctx context.Context, source model.Source) model.Source {
	return func(name string, dimensions []int) ([]float32, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return source(name, dimensions)
	}
}
