package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/go-lxmert/lxmert/cluster/beam/batch"
	"github.com/go-lxmert/lxmert/cluster/beam/source"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision/extractors"
)

func newExtract() *cobra.Command {
	var job jobFlags
	var o batch.ExtractOptions
	var id string
	var shardMB int64
	fields := source.DefaultFields()
	cmd := &cobra.Command{
		Use:   "extract PICTURES... --out STORE --parts N",
		Short: "Find the regions of pictures and keep them in a store that is divided into parts",
		Long: `Extract finds the regions of pictures. The store is the one that lxmert extract --shard i/n writes of the same pictures, sorted by their ids, byte for
byte, with any number of workers. PICTURES are files, directories and patterns ('train*/*.jpg', 's3://bucket/train/*.jpg'); --list takes files that list
pictures:

  NAME           a path on each line
  NAME.jsonl     {"id": ..., "path": ...} on each line, or the picture in base64 ("image")
  NAME.tfrecord  tf.train.Example with image/encoded or image/filename
  NAME.parquet   a column path, or the picture's bytes in image, image.bytes or bytes

A picture that cannot be read or described is a line of OUT.faults.jsonl; the job goes on. A part that is whole is not done again when the command is
started again with the same pictures and options.`,
		Example: `  lxmert-beam extract pictures/ --out regions --parts 8
  lxmert-beam extract --list 's3://bucket/cc3m-*.parquet' --out s3://bucket/regions --parts 1000 --detector /models/frcnn \
      --runner flink --endpoint jobserver:8099 --environment_type EXTERNAL --environment_config workers:50000`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Job, o.Sources.Pictures, o.Sources.Fields = newJob(), args, fields
			switch {
			case len(args)+len(o.Sources.Lists) == 0:
				return usagef("%s wants pictures; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			case id != "name" && id != "path":
				return usagef("--id: found %q, want name or path", id)
			case shardMB < 1 || shardMB > 1<<20:
				return usagef("--shard-mb: found %d, want 1 to %d", shardMB, 1<<20)
			}
			o.Sources.PathIDs, o.ShardBytes = id == "path", shardMB<<20
			if err := absolute(append(pointers(o.Sources.Pictures, o.Sources.Lists), &job.out, &job.scratch, local(&o.Detector.Name))...); err != nil {
				return err
			}
			o.Out, o.Parts, o.Workers, o.Scratch, o.Again = job.out, job.parts, job.workers, job.scratch, job.again
			return job.start(cmd, func() error { return o.Check(cmd.Context()) }, o.Job, func(s beam.Scope) { batch.Extract(s, o) }, nil)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&job.parts, "parts", 1, "divide the store into `n` parts; one is one element of the pipeline")
	flags.StringArrayVar(&o.Sources.Lists, "list", nil, "`pattern` of files that list pictures")
	flags.BoolVarP(&o.Sources.Recursive, "recursive", "r", false, "look in the directories below a directory, too")
	flags.StringVar(&id, "id", "name", "what a picture's id is where nothing says it: `name` or path")
	flags.StringSliceVar(&fields.ID, "id-field", fields.ID, "`names` of the field of a list's records with the id")
	flags.StringSliceVar(&fields.Path, "path-field", fields.Path, "`names` of the field with the path")
	flags.StringSliceVar(&fields.Content, "image-field", fields.Content, "`names` of the field with the picture's bytes")
	flags.StringVar(&o.Detector.Name, "detector", scenes.Preset,
		"what finds the regions: `name` scenes, grid, or a Faster R-CNN: its directory, which each worker must have, or its name on the hub")
	flags.StringVar(&o.Detector.Engine, "backend", "", "`engine` of a Faster R-CNN (default: simd, or what GOMLX_BACKEND says)")
	flags.StringVar(&o.Detector.DType, "dtype", "", "multiply a Faster R-CNN's weights as `type` f32, bf16 or int8")
	flags.StringVar(&o.Detector.Options.Preset, "preset", "", "how a Faster R-CNN finds regions: `name` hf-frcnn or d2-maxnms")
	flags.BoolVar(&o.Float32, "float32", false, "keep features in float32")
	flags.Int64Var(&shardMB, "shard-mb", data.DefaultShardBytes>>20, "size of the store's files in `MiB`")
	flags.IntVar(&o.Parallel, "parallel", 0, "let the extractor look at `n` pictures of a part at once (default: as many as keep the processors busy)")
	job.add(cmd, "`directory` of the store, gs://… or s3://…")
	return cmd
}

// pointers are those to all texts of some lists.
func pointers(lists ...[]string) []*string {
	var all []*string
	for _, list := range lists {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	return all
}

// local is a name if it is a path of this machine, and not one of a preset or on the hub.
func local(name *string) *string {
	if _, err := extractors.ByPreset(*name); err == nil {
		return new(string)
	}
	if _, err := os.Stat(*name); err != nil {
		return new(string)
	}
	return name
}
