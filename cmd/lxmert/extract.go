package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/vision/extractors"
)

func newExtract() *cobra.Command {
	var run extractRun
	cmd := &cobra.Command{
		Use:   "extract IMAGE... --out STORE",
		Short: "Find the regions of pictures and keep them in a region store",
		Long: `Extract looks at pictures, PNG or JPEG, and adds their regions to a region store, which is made if need be: what train, eval, predict and
ask --features read. A directory stands for all pictures in it. A picture's id is its file's name without its type.

The extractor is scenes, which finds the objects of drawn scenes and makes no sense of other pictures; or grid, which divides any picture into
6 × 6 cells (grid-4x5x3: 4 rows, 5 columns, 3 × 3 samples of colour in a cell) and is what a detector must beat.

An extraction that was interrupted, even killed, goes on where it was when it is started again: pictures that are in the store are passed over.`,
		Example: `  lxmert extract pictures/ --out regions
  lxmert extract a.png b.jpg --out regions --extractor grid`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s wants pictures; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return run.all(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&run.out, "out", "", "`directory` of the store")
	flags.StringVar(&run.extractor, "extractor", "scenes", "`name` of what finds the regions: scenes, grid or grid-ROWSxCOLUMNSxSAMPLES")
	flags.BoolVar(&run.float32, "float32", false, "keep features in float32")
	flags.BoolVar(&run.skipBad, "skip-bad", false, "name and count files that are no pictures, and go on")
	flags.BoolVar(&run.json, "json", false, "print one JSON object")
	required(cmd, "out")
	return cmd
}

type extractRun struct {
	out, extractor         string
	float32, skipBad, json bool
}

func (run extractRun) all(ctx context.Context, paths []string, out, errOut io.Writer) error {
	extractor, err := extractors.ByPreset(run.extractor)
	if err != nil {
		return usageError{fmt.Errorf("--extractor: %w", err)}
	}
	pictures, err := data.FindPictures(extractor, paths...)
	if err != nil {
		return err
	}
	w, err := data.WriteStore(run.out, data.StoreOptions{Preset: extractor.Preset(), Float32: run.float32})
	if err != nil {
		return err
	}
	defer w.Abandon()
	progress := newProgress(errOut, "pictures")
	report, err := data.Import(ctx, w, pictures, data.ImportOptions{SkipBad: run.skipBad, Progress: progress.set})
	progress.end()
	for _, fault := range report.Faults {
		fmt.Fprintf(errOut, "skipped: %v\n", fault)
	}
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("interrupted; start the same command again to go on: %w", err)
	}
	if err != nil {
		return fmt.Errorf("%w (%d pictures were added before)", err, report.Added)
	}
	if err := w.Close(); err != nil {
		return err
	}
	total := importRecord{Images: w.Len(), Added: report.Added, There: report.There, Skipped: report.Skipped}
	if run.json {
		return printJSON(out, total)
	}
	_, err = fmt.Fprintf(out, "%s: %s pictures, %s added, %s there before, %s skipped\n", run.out, grouped(total.Images), grouped(total.Added), grouped(total.There), grouped(total.Skipped))
	return err
}
