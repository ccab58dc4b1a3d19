package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data"
)

func newDataImport() *cobra.Command {
	var run importRun
	cmd := &cobra.Command{
		Use:   "import FILE... --out STORE",
		Short: "Turn feature files into a region store",
		Long: `Import reads the regions of pictures and adds them to a region store, which is made if need be:

` + importForms + `

Features are kept in float16, which halves the store and changes them by at most 0.05 %; --float32 keeps them as they are.
An import that was interrupted, even killed, goes on where it was when it is started again: images that are
in the store are passed over. An image that two of the files have is an error. Others can read the store meanwhile.

A picture's id may be any UTF-8 text without "/". HDF5 may be of any age, however its data are cut and compressed.`,
		Example: `  lxmert data import train2014_obj36.tsv val2014_obj36.tsv --out coco
  lxmert data import vg_gqa_obj36.tsv --out vg_gqa --float32
  lxmert data import train36.hdf5 --ids train36_imgid2idx.pkl --img-prefix COCO_train2014_ --preset butd-caffe --out train36
  lxmert data import features/ --out mine --preset d2-maxnms --skip-bad`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s wants feature files; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return run.all(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&run.out, "out", "", "`directory` of the store")
	flags.BoolVar(&run.store.Float32, "float32", false, "keep features in float32")
	flags.StringVar(&run.preset, "preset", "", "`name` of the detector the regions are by, where the file does not say (butd-caffe, d2-maxnms, hf-frcnn, or your own)")
	flags.StringVar(&run.store.Detector, "detector", "", "`hash` of the detector's weights, kept in the store")
	flags.Int64Var(&run.shardMB, "shard-mb", data.DefaultShardBytes>>20, "size of a shard in `MiB`")
	flags.StringVar(&run.hdf5.IDs, "ids", "", "HDF5: `file` of {id: row}, a pickle (train36_imgid2idx.pkl) or JSON")
	flags.StringVar(&run.hdf5.Prefix, "img-prefix", "", "HDF5: `text` before ids that are numbers, which get twelve digits (COCO_train2014_)")
	flags.BoolVar(&run.basename, "basename", false, "of ids that are paths take the last part")
	flags.BoolVar(&run.skipBad, "skip-bad", false, "count images that cannot be read, and go on")
	flags.BoolVar(&run.json, "json", false, "print one JSON object")
	required(cmd, "out")
	return cmd
}

const importForms = `  FILE.tsv   bottom-up attention's TSV as LXMERT has it, ten columns
  DIR        a directory of NumPy archives NAME.npz, one for each image, with features (x, features), boxes (bbox, boxes in
             pixels, norm_bb in 0..1), image_h and image_w, and perhaps objects_id, objects_conf, attrs_id, attrs_conf; NAME
             without .jpg is the id. Pickled labels (info) are not read
  FILE.h5    HDF5 with a group for each image (VL-T5's layout), or with rows for all of them as bottom-up-attention-vqa has
             (image_features, spatial_features; pos_boxes for a varying number), which need --ids. Numbers in 4 or 8
             bytes; chunks that cut rows apart and groups in the "latest" format are refused
  STORE      another region store, to change its precision or its shards`

type importRun struct {
	out, preset             string
	store                   data.StoreOptions
	hdf5                    data.HDF5Options
	shardMB                 int64
	basename, skipBad, json bool
}

type importRecord struct {
	Images  int `json:"images"` // in the store now
	Added   int `json:"added"`
	There   int `json:"there"`
	Skipped int `json:"skipped"`
}

func (run importRun) all(ctx context.Context, files []string, out, errOut io.Writer) error {
	if run.shardMB < 1 || run.shardMB > 1<<20 {
		return usagef("--shard-mb: found %d, want 1 to %d", run.shardMB, 1<<20)
	}
	run.store.ShardBytes = run.shardMB << 20
	run.store.Preset = run.preset
	w, err := data.WriteStore(run.out, run.store)
	if err != nil {
		return err
	}
	defer w.Abandon()
	var total importRecord
	sources := map[string]string{}
	for _, file := range files {
		report, err := run.file(ctx, w, file, sources, errOut)
		total.Added += report.Added
		total.There += report.There
		total.Skipped += report.Skipped
		if err != nil {
			w.Abandon() // the next import goes on with it
			return fmt.Errorf("%w (%d images were added before)", err, total.Added)
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	total.Images = w.Len()
	if run.json {
		return printJSON(out, total)
	}
	_, err = fmt.Fprintf(out, "%s: %s images, %s added, %s there before, %s skipped\n", run.out, grouped(total.Images), grouped(total.Added), grouped(total.There), grouped(total.Skipped))
	return err
}

func (run importRun) file(ctx context.Context, w *data.StoreWriter, file string, sources map[string]string, errOut io.Writer) (data.ImportReport, error) {
	source, err := data.OpenForeign(file, run.hdf5)
	if err != nil {
		return data.ImportReport{}, err
	}
	defer source.Close()
	progress := newProgress(errOut, plain(file))
	report, err := data.Import(ctx, w, source, data.ImportOptions{
		SkipBad: run.skipBad, BaseName: run.basename, Preset: run.preset,
		Progress: progress.set, Sources: sources,
	})
	progress.end()
	if n, ok := source.(*data.NPZ); ok && n.Pickled() > 0 {
		fmt.Fprintf(errOut, "%s: %s images have pickled arrays, which were not read; labels in them are lost\n", plain(file), grouped(n.Pickled()))
	}
	for _, fault := range report.Faults {
		fmt.Fprintf(errOut, "skipped: %v\n", fault)
	}
	if rest := report.Skipped - len(report.Faults); rest > 0 {
		fmt.Fprintf(errOut, "skipped: %d more\n", rest)
	}
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("interrupted; start the same command again to go on: %w", err)
	}
	return report, err
}
