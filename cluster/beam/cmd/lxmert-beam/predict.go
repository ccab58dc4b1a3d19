package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"

	"github.com/go-lxmert/lxmert/cluster/beam/batch"
	"github.com/go-lxmert/lxmert/data/questions"
)

func newPredict() *cobra.Command {
	var job jobFlags
	var o batch.PredictOptions
	var formats, submission string
	cmd := &cobra.Command{
		Use:   "predict vqa|gqa|nlvr2 FILE... --regions STORE --out DIR",
		Short: "Answer files of questions",
		Long: `Predict answers questions about images whose regions are in a store. Of a store that is divided into parts (lxmert-beam extract, lxmert extract
--shard) each part is read by the worker that has the questions about its images; regions are not sent between workers. Answers are in
DIR/answers-part-00003-of-00008.jsonl, and with --format jsonl,parquet in .parquet beside it; --submission FILE writes what the data set's server takes, too.

FILE has the data set's form, LXMERT's, or one's own, as lxmert predict --data has it. A question that cannot be asked is a line of DIR.faults.jsonl.`,
		Example: `  lxmert-beam predict vqa vqa.json --regions regions --out answers --submission submission.json
  lxmert-beam predict gqa s3://bucket/gqa.json --regions s3://bucket/regions --model /models/lxmert-gqa --out s3://bucket/answers --format jsonl,parquet`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("%s wants a kind and files of questions; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, err := questions.ParseKind(args[0])
			if err != nil {
				return usageError{err}
			}
			o.Job, o.Kind, o.Questions = newJob(), kind, args[1:]
			for _, format := range strings.Split(formats, ",") {
				switch format {
				case "jsonl":
				case "parquet":
					o.Parquet = true
				default:
					return usagef("--format: found %q, want jsonl or jsonl,parquet", formats)
				}
			}
			if submission != "" && *jobopts.Async {
				return usagef("--submission is written when the job is done, which --async does not wait for")
			}
			if err := absolute(append(pointers(o.Questions), &o.Regions, &job.out, &job.scratch, &submission, local(&o.Model.Name), &o.Model.Labels)...); err != nil {
				return err
			}
			o.Out, o.Parts, o.Workers, o.Scratch, o.Again = job.out, job.parts, job.workers, job.scratch, job.again
			check := func() error {
				note, err := o.Check(cmd.Context())
				if note != "" {
					fmt.Fprintf(cmd.ErrOrStderr(), "lxmert-beam: %s\n", note)
				}
				return err
			}
			after := func() error {
				if submission == "" {
					return nil
				}
				n, err := batch.Submit(cmd.Context(), o, submission)
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %d answers\n", submission, n)
				}
				return err
			}
			return job.start(cmd, check, o.Job, func(s beam.Scope) { batch.Predict(s, o) }, after)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Regions, "regions", "", "`directory` of the region store")
	flags.IntVar(&job.parts, "parts", 1, "divide the questions into `n` parts where the store is not divided")
	flags.StringVar(&o.Model.Name, "model", "",
		"model `directory`, which each worker must have, or its name on the hub (default: the model for drawn scenes that is part of the program)")
	flags.StringVar(&o.Model.Labels, "labels", "", "`file` of the model's answers, where it does not say them")
	flags.StringVar(&o.Model.Engine, "backend", "", "`engine` (default: simd, or what GOMLX_BACKEND says)")
	flags.StringVar(&o.Model.DType, "dtype", "", "multiply weights as `type` f32, bf16 or int8")
	flags.IntVar(&o.Model.MaxTokens, "max-tokens", 0, "cut questions to `n` tokens")
	flags.IntVar(&o.Batch, "batch", 0, "ask `n` questions at once (default 32)")
	flags.StringVar(&formats, "format", "jsonl", "`formats` of the answers: jsonl, or jsonl,parquet")
	flags.StringVar(&submission, "submission", "", "`file` for the data set's server, written at the end")
	job.add(cmd, "`directory` of the answers, gs://… or s3://…")
	required(cmd, "regions")
	return cmd
}
