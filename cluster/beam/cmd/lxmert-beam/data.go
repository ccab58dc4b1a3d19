package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/go-lxmert/lxmert/cluster/beam/batch"
)

func newData() *cobra.Command {
	var job jobFlags
	var o batch.DataOptions
	cmd := &cobra.Command{
		Use:   "data KIND FILE... --out DIR --parts N",
		Short: "Turn a data set's own files into LXMERT's JSON, in parts",
		Long: `Data reads what the sites of data sets offer, as lxmert data convert and lxmert data build do, and writes the JSON that LXMERT is trained and judged
with: DIR/part-00003-of-00008.json has what is said of the images of part 3. KIND is ` + strings.Join(batch.DataKinds(), ", ") + `.

Each file is read by one worker. A record that cannot be read, or whose id came before, is a line of DIR.faults.jsonl.`,
		Example: `  lxmert-beam data vqa v2_Questions_Train_mscoco.zip --annotations v2_Annotations_Train_mscoco.zip --answers label2ans.json --out vqa --parts 8
  lxmert-beam data gqa 'train_all_questions/train_all_questions_0.json' train_all_questions/train_all_questions_1.json --out gqa --parts 64`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("%s wants a kind and its files; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			if !slices.Contains(batch.DataKinds(), args[0]) {
				return usagef("found kind %q, want %s", args[0], strings.Join(batch.DataKinds(), ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Job, o.Kind, o.Files = newJob(), args[0], args[1:]
			if err := absolute(append(pointers(o.Files), &o.Annotations, &o.Answers, &job.out, &job.scratch)...); err != nil {
				return err
			}
			o.Out, o.Parts, o.Workers, o.Scratch, o.Again = job.out, job.parts, job.workers, job.scratch, job.again
			return job.start(cmd, func() error { return o.Check(cmd.Context()) }, o.Job, func(s beam.Scope) { batch.Data(s, o) }, nil)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&job.parts, "parts", 1, "write `n` parts")
	flags.StringVar(&o.Annotations, "annotations", "", "vqa: `file` of people's answers")
	flags.StringVar(&o.Answers, "answers", "", "`file` of the answers in use; others are left out of labels")
	flags.BoolVar(&o.Pretrain, "pretrain", false, "write pre-training's form, a record for each picture; coco and vg have no other")
	flags.BoolVar(&o.Balanced, "balanced", false, "gqa: balanced questions only")
	flags.BoolVar(&o.Raw, "raw", false, "own: do not normalise answers")
	flags.StringVar(&o.Split, "split", "valid", "nlvr2: `name` of the split within uid (train, valid, test)")
	flags.StringVar(&o.Prefix, "img-prefix", "", "coco: `text` before the twelve digits of a picture's number, in place of its file's name")
	job.add(cmd, "`directory` of the parts, gs://… or s3://…")
	return cmd
}
