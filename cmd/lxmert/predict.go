package main

import (
	"bufio"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/predict"
)

func newPredict() *cobra.Command {
	var files fileFlags
	var shard shardFlag
	cmd := &cobra.Command{
		Use:   "predict vqa|gqa|nlvr2 --model DIR --data F --features STORE [--out FILE]",
		Short: "Answer a file of questions, for submission",
		Long: `Predict answers every question of a file and writes what the data set's server takes: for vqa a JSON list of {"answer",
"question_id"}, for gqa of {"prediction", "questionId"}, for nlvr2 lines identifier,True or identifier,False. Right answers
need not be known. The file appears when all is answered; without --out, or with "-", lines with id, answer and probability,
divided by tabs, go to standard output.

` + fileForms + `

` + shardHelp + ` Of nlvr2's two pictures the first counts. All give
the same files of questions and the same --out, beside which each writes its part (FILE.part-00003-of-00008); whoever ends last writes FILE itself, the
same as without --shard, and lxmert data assemble FILE does where nobody has. Regions of part i/n of a store (lxmert extract --shard i/n) are
all that part i/n of the questions about single pictures needs.`,
		Example: `  lxmert predict vqa --model DIR --data v2_OpenEnded_mscoco_test2015_questions.json --features test2015 --out submission.json
  lxmert predict nlvr2 --model DIR --data test1.json --features nlvr2 --out test1.csv
  lxmert predict gqa --model DIR --data submission_all_questions.json --features gqa
  lxmert predict vqa --model DIR --data test2015.json --features test2015 --out submission.json --shard auto`,
		Args: oneKind,
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := questions.Kind(args[0])
			if err := shard.set(); err != nil {
				return err
			}
			files.divided = !shard.part.IsZero()
			if err := files.check(cmd, kind); err != nil {
				return err
			}
			file, err := files.read(cmd.Context(), kind)
			if err != nil {
				return err
			}
			if files.out == "-" {
				files.out = ""
			}
			if files.divided {
				return predictPart(cmd, &files, file, shard)
			}
			out, err := file.submit(files.out)
			if err != nil {
				return err
			}
			defer out.discard()
			predictions, err := files.answer(cmd.Context(), file, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			reportSkipped(cmd.ErrOrStderr(), file.skipped)
			if files.out == "" {
				return printPredictions(cmd.OutOrStdout(), predictions)
			}
			if err := out.commit(file, predict.Plain(predictions)); err != nil {
				return err
			}
			file.incomplete(cmd.ErrOrStderr(), files.out)
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s answers\n", files.out, grouped(len(predictions)))
			return err
		},
	}
	files.add(cmd)
	shard.add(cmd)
	cmd.Flags().StringVar(&files.out, "out", "", "`file` to write; lines to standard output without it, or with -")
	return cmd
}

// printPredictions writes a line for each.
func printPredictions(w io.Writer, predictions []predict.Prediction) error {
	b := bufio.NewWriter(w)
	for _, p := range predictions {
		fmt.Fprintf(b, "%s\t%s\t%.4f\n", plain(p.ID), plain(p.Answer), p.Probability)
	}
	return b.Flush()
}
