package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// An ablation is the recipe with something left out.
type ablation struct {
	name   string // of its directory
	what   string
	config []string // --set, beside those of the size
	tasks  string   // of pre-training; "": none is done
	hide   hiding
}

// beginning is the directory of the run whose beginning this one shares: that of everything, unless it differs from the first step on.
func (a ablation) beginning() string {
	if a.config == nil && a.hide == "" && a.name != "" {
		return ablations[0].name
	}
	return a.name
}

const fourTasks = "mask_lm,matched,obj_predict,qa"

var ablations = []ablation{
	{"all", "everything", nil, fourTasks, ""},
	{"no-pretraining", "no pre-training", nil, "", ""},
	{"no-words", "without masked words", nil, "matched,obj_predict,qa", ""},
	{"no-matching", "without matching", nil, "mask_lm,obj_predict,qa", ""},
	{"no-objects", "without masked objects", nil, "mask_lm,matched,qa", ""},
	{"no-answers", "without question answering", nil, "mask_lm,matched,obj_predict", ""},
	{"one-cross", "one cross-modality layer, not two", []string{"x_layers=1"}, fourTasks, ""},
	{"no-cross", "no cross-modality layers", []string{"x_layers=0"}, fourTasks, ""},
	{"text-only", "no pictures, no pre-training", nil, "", hidePictures},
	{"regions-only", "no questions, no pre-training", nil, "", hideSentences},
}

func newScenesAblate() *cobra.Command {
	var out string
	var small bool
	cmd := &cobra.Command{
		Use:   "ablate --out DIR",
		Short: "Leave out parts of the recipe, and see what they are worth",
		Long: `Ablate trains one model after the other on the drawn world, each without something that the paper holds to matter: pre-training, one of its tasks, the
cross-modality layers; and the baselines that see only the question or only the picture. Each begins with questions, as the shipped model does, is pre-trained for one epoch, fine-tuned on
questions for one and on statements for six, and measured on scenes that it has not seen. The table is printed, and written to DIR/ablations.md; lxmert plot draws the
runs. What was stopped goes on where it was. It takes an hour on two cores.`,
		Example: `  lxmert scenes ablate --out ablations
  lxmert plot ablations/all/answers ablations/no-pretraining/answers`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			size := scenesAblation
			if small {
				size = scenesSmall
			}
			table, err := ablateScenes(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), out, size)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), table)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`directory` for everything")
	cmd.Flags().BoolVar(&small, "small", false, "smaller models, in a quarter of an hour")
	required(cmd, "out")
	return cmd
}

// ablateScenes trains and measures all, and gives the table.
func ablateScenes(ctx context.Context, out, errOut io.Writer, dir string, size scenesSize) (string, error) {
	r := commandRunner{ctx: ctx, out: out, errOut: errOut}
	s := scenesRun{dir: dir, size: size, commandRunner: &r}
	s.draw()
	var table strings.Builder
	table.WriteString("| | VQA-like | GQA-like | NLVR2-like | matching | hidden colours |\n|---|---|---|---|---|---|\n")
	percent := func(share float64, measured bool) string {
		if !measured {
			return "-"
		}
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	for _, a := range ablations {
		results := scenesResults{}
		s.ablation = a
		var hide []string
		if a.hide != "" {
			hide = []string{"--hide", string(a.hide)}
		}
		pretrained := a.tasks != ""
		s.begin(hide...)
		if pretrained {
			s.pretrain("--tasks", a.tasks)
			s.measure(&results)
		}
		s.answer(pretrained, hide...)
		s.evaluate(&results.VQA, "vqa", "answers", hide...)
		s.evaluate(&results.GQA, "gqa", "answers", hide...)
		s.state(pretrained, hide...)
		s.evaluate(&results.NLVR2, "nlvr2", "statements", hide...)
		matched, words := strings.Contains(a.tasks, "matched"), strings.Contains(a.tasks, "mask_lm")
		fmt.Fprintf(&table, "| %s | %s | %s | %s | %s | %s |\n", a.what, percent(results.VQA, true), percent(results.GQA, true), percent(results.NLVR2, true),
			percent(results.Matching, matched), percent(results.ColorWords, words))
	}
	if r.err != nil {
		return "", r.err
	}
	return table.String(), atomicfile.WriteBytes(filepath.Join(dir, "ablations.md"), 0o644, []byte(table.String()))
}
