package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/extract"
	"github.com/go-lxmert/lxmert/vision"
)

func newExtract() *cobra.Command {
	var run extractRun
	cmd := &cobra.Command{
		Use:   "extract PICTURES... --out STORE|FILE.tsv",
		Short: "Find the regions of pictures and keep them",
		Long: `Extract looks at pictures and adds their regions to a region store, which is made if need be: what train, eval, predict and
ask --features read. With --out FILE.tsv it writes the TSV that LXMERT's own scripts read; what a TSV has no room for, the preset of the regions, is kept
in FILE.tsv.json. PICTURES are

` + extractInputs + `

In directories, archives and patterns pictures are known by the ends of their names
(` + strings.Join(vision.FileTypes(), ", ") + `), and what begins with a dot is passed over.

A picture's id is its file's name without its type; --id path takes the path from the directory or archive on (train/000001), for trees with
equal names. Two pictures with one id are an error; in a list or a tar archive, which are read while pictures are worked on, the second is a
bad picture.

The detector is scenes, which finds the objects of drawn scenes and makes no sense of other pictures; grid, which divides any picture into
6 × 6 cells (grid-4x5x3: 4 rows, 5 columns, 3 × 3 samples of colour in a cell) and is what a detector must beat; or a Faster R-CNN. --boxes gives boxes to
describe instead of letting them be found: JSON of {"id": [[x1, y1, x2, y2], ...]}, in pixels, or COCO's annotations.

An extraction that was interrupted, even killed, goes on where it was when it is started again: pictures that are there are passed over, and the
result is the same, byte for byte, as without the interruption.

A picture that cannot be read is a line of OUT.faults.jsonl (--report: elsewhere), with its id, path and error; the others go on, and the
exit code is 0. The next run tries it again. --strict ends at the first one with exit code 1.

` + shardHelp + ` All give the same PICTURES and the same --out, which each writes its own files
for; whoever ends last puts the store, or the TSV, together. Where nobody does (parts copied together, a file system that is slow to show files) lxmert
data assemble OUT does, or says which parts are missing. The images and their regions are those of a run without --shard, in another
order. Reports of bad pictures are OUT.part-00003-of-00008.faults.jsonl and so on.`,
		Example: `  lxmert extract pictures/ --out regions
  lxmert extract 'photos/**/*.jpg' more.zip --out regions --detector unc-nlp/frcnn-vg-finetuned
  lxmert extract -r train/ --id path --out regions.tsv --detector grid
  find . -name '*.jpg' -print0 | lxmert extract - -0 --out regions --detector grid
  seq 0 7 | xargs -P 8 -I % lxmert extract pictures/ --out regions --shard %/8`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args)+len(run.find.Lists) == 0 {
				return usagef("%s wants pictures; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			run.find.Stdin = cmd.InOrStdin()
			return run.all(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&run.out, "out", "", "`directory` of the store, or file NAME.tsv")
	run.detector.add(cmd, defaultDetector, "dtype")
	backendFlag(cmd, &run.detector.engine)
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "extractor" { // as it was called before there was a detector
			name = "detector"
		}
		return pflag.NormalizedName(name)
	})
	flags.BoolVarP(&run.find.Recursive, "recursive", "r", false, "look in the directories below a directory, too")
	flags.StringArrayVar(&run.find.Lists, "list", nil, "`file` with the paths of pictures, one a line; - is standard input")
	flags.BoolVarP(&run.find.Null, "null", "0", false, "paths in lists end with a NUL byte, as find -print0 writes them")
	flags.StringVar(&run.id, "id", "name", "what a picture's id is: `name` or path")
	flags.StringVar(&run.boxes, "boxes", "", "`file` of boxes to describe, JSON")
	flags.BoolVar(&run.store.Float32, "float32", false, "keep features in float32 (a TSV has no other)")
	flags.Int64Var(&run.shardMB, "shard-mb", data.DefaultShardBytes>>20, "size of a store's shard in `MiB`")
	flags.IntVar(&run.options.Parallel, "parallel", 0, "let the extractor look at `n` pictures at once (default: as many as keep the processors busy)")
	flags.StringVar(&run.report, "report", "", "`file` for bad pictures, JSON lines (default OUT.faults.jsonl, if there are any)\n"+
		"(of a part: with .part-00003-of-00008 behind its name)")
	flags.BoolVar(&run.options.Strict, "strict", false, "end at the first bad picture")
	run.shard.add(cmd)
	flags.BoolVar(&run.json, "json", false, "print one JSON object")
	required(cmd, "out")
	return cmd
}

const extractInputs = `  FILE       a picture, whatever it is called
  DIR        all pictures in it; -r: also in the directories below it
  PATTERN    'train*/*.jpg', in quotes, where the shell would run out of room; ** is any number of directories
  ARCHIVE    .tar, .tar.gz, .tgz, .zip: the pictures in it; it is not unpacked onto the disk
  -          a list of files on standard input, one a line (-0: divided by NUL bytes), which need not have come to its end`

type extractRun struct {
	out, id, boxes, report string
	detector               detectorFlags
	find                   extract.FindOptions
	options                extract.Options
	store                  data.StoreOptions
	shardMB                int64
	shard                  shardFlag
	json                   bool
}

// An extractRecord is what --json prints.
type extractRecord struct {
	Out     string  `json:"out"`
	Part    string  `json:"part,omitempty"`
	Images  int     `json:"images"` // in the store or file, or in the part, now
	Added   int     `json:"added"`
	There   int     `json:"there"`
	Failed  int     `json:"failed"`
	Report  string  `json:"report,omitempty"` // the file with those that failed
	Seconds float64 `json:"seconds"`

	// Of all parts, where this was the last to come to its end.
	Assembled int `json:"assembled,omitempty"`
}

// An extractTarget is a store or a TSV that is being written.
type extractTarget interface {
	extract.Target
	Len() int
	Close() error
	Abandon()
}

func (run extractRun) all(cmd *cobra.Command, paths []string) error {
	ctx, out, errOut := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	start := time.Now()
	if err := run.check(); err != nil {
		return err
	}
	run.shard.say(errOut)
	pictures, err := extract.Find(paths, run.find)
	if err != nil {
		return err
	}
	defer pictures.Close()
	extractor, release, err := run.detector.open(cmd)
	if err != nil {
		return err
	}
	defer release()
	if _, ok := extractor.(vision.BoxExtractor); run.boxes != "" && !ok {
		return usagef("--boxes: the detector %s finds its regions itself, it cannot be given boxes", run.detector.name)
	}
	run.store.Preset = extractor.Preset()
	if run.boxes != "" {
		if run.options.Boxes, err = extract.ReadBoxes(run.boxes, run.find.PathIDs); err != nil {
			return err
		}
	}
	target, err := run.target(extractor)
	if err != nil {
		return err
	}
	defer target.Abandon()
	faults, path, err := run.faults()
	if err != nil {
		return err
	}
	defer faults.Close()
	progress := newExtractProgress(errOut, time.Now)
	run.options.Progress = progress.set
	run.options.Fault = func(f extract.Fault) error {
		progress.fault(f)
		return faults.Add(f)
	}
	report, err := extract.Run(ctx, pictures, extractor, target, run.options)
	progress.end()
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("interrupted; start the same command again to go on: %w", err)
	}
	if err == nil {
		err = errors.Join(target.Close(), faults.Close())
	}
	if err != nil {
		return fmt.Errorf("%w (%s pictures were added before)", err, grouped(report.Added))
	}
	assembled, err := run.assemble()
	if err != nil {
		return fmt.Errorf("%s%s pictures were added and the part is complete, but the parts cannot be put together: %w",
			run.shard.of(), grouped(report.Added), err)
	}
	if _, err := data.ReadManifest(run.out); err == nil && !run.shard.part.IsZero() && report.Added > 0 && assembled == 0 {
		fmt.Fprintf(errOut, "note: %s was put together before, without these pictures; it gets them when all parts are complete again\n", plain(run.out))
	}
	record := extractRecord{Out: run.out, Images: target.Len(), Added: report.Added, There: report.There, Failed: report.Failed}
	record.Part, record.Assembled = run.shard.part.String(), assembled
	record.Seconds = time.Since(start).Seconds()
	bad := ""
	if report.Failed > 0 {
		record.Report = path
		bad = ": see " + plain(path)
	}
	if run.json {
		return printJSON(out, record)
	}
	_, err = fmt.Fprintf(out, "%s: %s%s pictures, %s added, %s there before, %s bad%s\n",
		plain(run.out), run.shard.of(), grouped(record.Images), grouped(record.Added), grouped(record.There), grouped(record.Failed), bad)
	if assembled > 0 && err == nil {
		_, err = fmt.Fprintf(out, "%s: %s pictures in all %s parts\n", plain(run.out), grouped(assembled), grouped(run.shard.part.Of))
	}
	return err
}

// assemble puts all parts together if this was the last, and says how many images that are; 0: it was not, or there are none.
func (run extractRun) assemble() (images int, err error) {
	switch {
	case run.shard.part.IsZero():
		return 0, nil
	case run.isTSV():
		var about data.TSVAbout
		about, _, err = data.AssembleTSVAfter(run.out, run.shard.part)
		images = about.Images
	default:
		var m data.Manifest
		m, _, err = data.AssembleAfter(run.out, run.shard.part)
		images = m.Images
	}
	if errors.Is(err, data.ErrNoImages) {
		err = nil
	}
	return images, err
}

// check looks at the flags.
func (run *extractRun) check() error {
	switch {
	case run.id != "name" && run.id != "path":
		return usagef("--id: found %q, want name or path", run.id)
	case run.shardMB < 1 || run.shardMB > 1<<20:
		return usagef("--shard-mb: found %d, want 1 to %d", run.shardMB, 1<<20)
	case run.options.Parallel < 0 || run.options.Parallel > 1024:
		return usagef("--parallel: found %d, want 0 to 1024", run.options.Parallel)
	}
	if err := run.shard.set(); err != nil {
		return err
	}
	run.find.PathIDs, run.find.Part = run.id == "path", run.shard.part
	run.store.ShardBytes = run.shardMB << 20
	return nil
}

// isTSV says whether a TSV is written: if it is called so and is no directory.
func (run extractRun) isTSV() bool {
	info, err := os.Stat(run.out)
	return strings.EqualFold(filepath.Ext(run.out), ".tsv") && (err != nil || !info.IsDir())
}

// target opens what is written, or the part of it.
func (run extractRun) target(extractor vision.Extractor) (extractTarget, error) {
	about := data.TSVAbout{Preset: extractor.Preset(), FeatureWidth: extractor.FeatureWidth()}
	switch part := run.shard.part; {
	case run.isTSV() && part.IsZero():
		return opened(data.AppendTSV(run.out, about))
	case run.isTSV():
		return opened(data.AppendTSVPart(run.out, part, about))
	case part.IsZero():
		return opened(data.WriteStore(run.out, run.store))
	default:
		return opened(data.WritePart(run.out, part, run.store))
	}
}

// opened keeps a nil pointer from becoming a target that is not nil.
func opened[T extractTarget](target T, err error) (extractTarget, error) {
	if err != nil {
		return nil, err
	}
	return target, nil
}

// faults begins the report of bad pictures, beside what is written unless told otherwise; each part has its own.
func (run extractRun) faults() (*extract.FaultFile, string, error) {
	path := data.PartPath(run.report, run.shard.part)
	if run.report == "" {
		path = data.PartPath(filepath.Clean(run.out), run.shard.part) + ".faults.jsonl"
	}
	faults, err := extract.CreateFaults(path, run.report != "")
	if err != nil {
		err = fmt.Errorf("the report of bad pictures: %w", err)
	}
	return faults, path, err
}
