package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/vision"
)

// How much data inspect looks at, unless told otherwise.
const (
	inspectSample  = 1000 // images for the figures
	inspectDrawn   = 12   // of them drawn
	maxDrawn       = 100  // on one sheet
	mostLabels     = 10   // shown
	mostLabelsJSON = 100
)

func newDataInspect() *cobra.Command {
	var run inspectRun
	cmd := &cobra.Command{
		Use:   "inspect STORE|FILE [--image-id ID]... [--images DIR] [--out FILE.png|DIR]",
		Short: "Show what is in a region store or feature file, in figures and in pictures",
		Long: `Inspect says what a region store or feature file is: how many images, by which detector, of which type and size; how many
regions an image has, what their features, boxes and labels are like, and which labels are most frequent. The figures are those of
1,000 images, evenly spaced, and say so where there are more: a store of a million is not read through. --all reads every image;
--sample N takes another number.

With --image-id the regions of those images are printed too.

With --out regions are drawn, of the images of --image-id or else of 12, evenly spaced: on one sheet (--out FILE.png), or each in a
file of its own, named by its id (--out DIR). --images has the pictures, by id (ID.jpg, ID.png); without it boxes are drawn on a plain
ground of the picture's size.

--json prints one object: path, bytes, feature_type (F16 or F32), images (all), figures (as lxmert data stats has them, of the images
that were looked at), objects and attributes (the 100 most frequent: id, name, count), shown (the images of --image-id, with regions
as lxmert detect has them), drawings (files by image id).

Names of labels are those of the detector, where it is one of this program's; for others give --objects and --attributes, such as
bottom-up attention's objects_vocab.txt and attributes_vocab.txt.`,
		Example: `  lxmert data inspect regions
  lxmert data inspect train2014_obj36.tsv --objects objects_vocab.txt --attributes attributes_vocab.txt --images train2014 --out sheet.png
  lxmert data inspect regions --image-id park --images pictures --out drawings`,
		Args: onePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := run.check(); err != nil {
				return err
			}
			return run.all(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&run.ids, "image-id", nil, "image whose regions are printed and drawn, by `id`; may be given several times")
	flags.StringVar(&run.images, "images", "", "`directory` of the pictures, by id")
	flags.IntVar(&run.sample, "sample", inspectSample, "take the figures of `n` images, evenly spaced")
	flags.BoolVar(&run.every, "all", false, "take the figures of all images")
	run.names.add(cmd)
	run.draw.add(cmd, "draw regions: one sheet in a `file` (.png, .jpg), or a picture each in a directory")
	flags.BoolVar(&run.json, "json", false, "print one JSON object")
	return cmd
}

type inspectRun struct {
	ids         []string
	images      string
	sample      int
	every, json bool
	names       vocabularyFlags
	draw        drawFlags
}

func (run *inspectRun) check() error {
	switch {
	case run.sample < 1:
		return usagef("--sample: found %d, want 1 or more; --all takes all", run.sample)
	case run.images != "" && run.draw.out == "":
		return usagef("--images are for drawings: give --out too")
	case len(run.ids) > maxDrawn && run.draw.one():
		return usagef("--out: found %d images for one sheet, want at most %d, or a directory", len(run.ids), maxDrawn)
	}
	return run.draw.check()
}

// inspected is what inspect prints.
type inspected struct {
	Path       string            `json:"path"`
	Bytes      int64             `json:"bytes"`
	Type       string            `json:"feature_type,omitempty"` // F16 or F32; absent where it is not the file's
	Images     int               `json:"images"`
	Figures    data.Stats        `json:"figures"` // of the sample
	Objects    []countRecord     `json:"objects"` // the most frequent
	Attributes []countRecord     `json:"attributes"`
	Shown      []inspectedImage  `json:"shown,omitempty"`
	Drawings   map[string]string `json:"drawings,omitempty"` // files by image id

	different int // labels
	kinds     int
}

// countRecord is how many regions have a label.
type countRecord struct {
	ID    int    `json:"id"`
	Name  string `json:"name,omitempty"`
	Count int    `json:"count"`
}

// inspectedImage is an image of --image-id.
type inspectedImage struct {
	ID      string         `json:"image_id"`
	Width   int            `json:"width,omitempty"`
	Height  int            `json:"height,omitempty"`
	Found   int            `json:"found"`
	Regions []regionRecord `json:"regions"`
}

func (run *inspectRun) all(ctx context.Context, path string, out, errOut io.Writer) error {
	source, err := data.OpenForeign(path, data.HDF5Options{})
	if err != nil {
		return err
	}
	defer source.Close()
	words, err := run.names.of(data.PresetOf(source))
	if err != nil {
		return err
	}
	record, err := run.figures(ctx, source, words, errOut)
	if err != nil {
		return err
	}
	for _, id := range run.ids {
		r, err := source.Get(id)
		if err != nil {
			return err
		}
		records := regionRecords(r, r.Ranked(run.draw.top, run.draw.confidence), words)
		record.Shown = append(record.Shown, inspectedImage{id, r.Size.Width, r.Size.Height, r.Len(), records})
	}
	if run.draw.out != "" {
		d := inspectDrawings{run: run, source: source, words: words, errOut: errOut}
		if record.Drawings, err = d.all(ctx); err != nil {
			return err
		}
	}
	if run.json {
		return printJSON(out, record)
	}
	return record.print(out, run.draw.out)
}

// figures looks at a sample of the images.
func (run *inspectRun) figures(ctx context.Context, source data.Source, words vision.Vocabulary, errOut io.Writer) (*inspected, error) {
	r := &inspected{Path: source.Path(), Images: source.Len()}
	var err error
	if r.Bytes, err = bytesAt(r.Path); err != nil {
		return nil, err
	}
	switch s := source.(type) {
	case *data.Store:
		r.Type = s.Manifest().DType
	case *data.TSV:
		r.Type = "F32"
	}
	of := source
	if !run.every {
		of = data.Sample(source, run.sample)
	}
	progress := newProgress(errOut, plain(r.Path))
	r.Figures, err = data.Measure(ctx, of, false, progress.set)
	progress.end()
	if err != nil {
		return nil, err
	}
	most := mostLabels
	if run.json {
		most = mostLabelsJSON
	}
	r.Objects, r.Attributes = countRecords(r.Figures.Objects, most, words.Objects), countRecords(r.Figures.Attributes, most, words.Attributes)
	r.different, r.kinds = len(r.Figures.Objects), len(r.Figures.Attributes)
	return r, nil
}

func countRecords(counts data.LabelCounts, n int, names []string) []countRecord {
	records := []countRecord{}
	for _, c := range counts.Most(n) {
		record := countRecord{ID: c.ID, Count: c.Count}
		if c.ID >= 0 && c.ID < len(names) {
			record.Name = names[c.ID]
		}
		records = append(records, record)
	}
	return records
}

// bytesAt is how large a file is, or all in a directory.
func bytesAt(path string) (sum int64, err error) {
	err = filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil && e.Type()&fs.ModeSymlink != 0 { // path itself may be a link
			info, err = os.Stat(path)
		}
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

func (r *inspected) print(w io.Writer, out string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(table, name+"\t"+format+"\n", args...) }
	kind := ""
	if r.Type != "" {
		kind = ", features in " + r.Type
	}
	size := megabytes(r.Bytes) + " MB"
	if r.Bytes < 1e6 {
		size = grouped(int(r.Bytes)) + " bytes"
	}
	row("file", "%s, %s%s", plain(r.Path), size, kind)
	if r.Figures.Images < r.Images {
		row("all images", "%s; what follows is of %s, evenly spaced", grouped(r.Images), grouped(r.Figures.Images))
	}
	statsRows(row, r.Figures)
	for _, labels := range []struct {
		name      string
		different int
		most      []countRecord
	}{{"objects", r.different, r.Objects}, {"attributes", r.kinds, r.Attributes}} {
		if labels.different > 0 {
			row(labels.name, "%s different; most frequent: %s", grouped(labels.different), frequent(labels.most))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, image := range r.Shown {
		size := "of unknown size"
		if image.Width > 0 {
			size = fmt.Sprintf("%d × %d pixels", image.Width, image.Height)
		}
		fmt.Fprintf(w, "\n%s: %s, %d regions\n", plain(image.ID), size, image.Found)
		if err := printRegions(w, image.Regions); err != nil {
			return err
		}
	}
	if n := len(r.Drawings); n > 0 {
		fmt.Fprintf(w, "\n%d images drawn in %s\n", n, plain(out))
	}
	return nil
}

// frequent are labels with their numbers, in a line.
func frequent(most []countRecord) string {
	parts := make([]string, len(most))
	for i, c := range most {
		name := plain(c.Name)
		if name == "" {
			name = fmt.Sprintf("number %d", c.ID)
		}
		parts[i] = fmt.Sprintf("%s %s", name, grouped(c.Count))
	}
	return strings.Join(parts, ", ")
}
