package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/annotate"
)

func newDetect() *cobra.Command {
	var run detectRun
	cmd := &cobra.Command{
		Use:   "detect IMAGE... [--detector NAME] [--out FILE.png|DIR]",
		Short: "Show what a detector finds in pictures",
		Long: `Detect finds the regions of pictures and prints a table for each: object, attribute, how sure the detector is of
both, and the box in pixels; the surest first. A directory stands for all pictures in it. Regions without labels, such as a grid's
cells, have their numbers only.

With --out it draws them: boxes in colours that the colour-blind can tell apart, with labels that cover each other as little as can
be. Of one picture --out is the drawing, PNG or JPEG by its ending; else a directory, in which each gets the picture's name. Large
pictures are drawn at 2048 pixels, small or crowded ones enlarged.

With --json there is an object a line for each picture:

  picture, width, height   its file, and its size in pixels
  preset, feature_width    of the regions
  found                    how many there are, before --top and --min-confidence
  regions                  the surest first: region (its number, from 0), object and attribute (id, name, confidence; absent where
                           there are none), box (x1, y1, x2, y2 in pixels), normalized_box (the same in 0..1)
  decode_ms, detect_ms     what reading the picture and finding its regions took
  drawing                  the file that was written
  notes                    what a person should know before believing it

What is no picture is named, and the others follow; then the exit code is 1.`,
		Example: `  lxmert detect examples/park.png --out park-regions.png
  lxmert detect photo.jpg --detector unc-nlp/frcnn-vg-finetuned --out seen.png
  lxmert detect photos/ --detector grid --out drawings
  lxmert detect photo.jpg --top 10 --min-confidence 0.3 --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s wants pictures; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return run.all(cmd, args)
		},
	}
	run.detector.add(cmd, defaultDetector, "dtype")
	backendFlag(cmd, &run.detector.engine)
	run.draw.add(cmd, "draw the regions: `file` for one picture (.png, .jpg), or a directory")
	cmd.Flags().BoolVar(&run.json, "json", false, "print one JSON object a line for each picture")
	return cmd
}

type detectRun struct {
	detector detectorFlags
	draw     drawFlags
	json     bool
}

// detectRecord is what is printed about a picture.
type detectRecord struct {
	Picture      string         `json:"picture"`
	Width        int            `json:"width"`
	Height       int            `json:"height"`
	Preset       string         `json:"preset"`
	FeatureWidth int            `json:"feature_width"`
	Found        int            `json:"found"`
	Regions      []regionRecord `json:"regions"`
	DecodeMS     float64        `json:"decode_ms"`
	DetectMS     float64        `json:"detect_ms"`
	Drawing      string         `json:"drawing,omitempty"`
	Notes        []string       `json:"notes,omitempty"`
}

func (run detectRun) all(cmd *cobra.Command, paths []string) error {
	ctx, out, errOut := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	if err := run.draw.check(); err != nil {
		return err
	}
	pictures, err := pictureFiles(paths)
	if err != nil {
		return err
	}
	if run.draw.one() && len(pictures) > 1 {
		return usagef("--out: found %s for %d pictures, want a directory", run.draw.out, len(pictures))
	}
	detector, release, err := run.detector.open(cmd)
	if err != nil {
		return err
	}
	defer release()
	bad := 0
	for _, picture := range pictures {
		record, err := run.one(ctx, detector, picture.id, picture.path, errOut)
		var usage usageError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (errors.As(err, &usage) || len(pictures) == 1):
			return err
		case err != nil:
			fmt.Fprintf(errOut, "lxmert: %v\n", err)
			bad++
			continue
		}
		for _, note := range record.Notes {
			fmt.Fprintf(errOut, "lxmert: %s\n", note)
		}
		if err := run.print(out, record); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d pictures were passed over", bad, len(pictures))
	}
	return nil
}

// one finds a picture's regions, and draws them if --out says where.
func (run detectRun) one(ctx context.Context, detector vision.Extractor, id, path string, errOut io.Writer) (*detectRecord, error) {
	start := time.Now()
	img, err := vision.DecodeFile(path)
	if err != nil {
		return nil, err
	}
	record := &detectRecord{Picture: path, DecodeMS: milliseconds(start)}
	start = time.Now()
	regions, err := detector.Extract(ctx, img)
	if err != nil {
		return nil, pretrained.InFile(path, err)
	}
	record.DetectMS = milliseconds(start)
	record.Width, record.Height = regions.Size.Width, regions.Size.Height
	record.Preset, record.FeatureWidth, record.Found = regions.Preset, regions.FeatureWidth, regions.Len()
	words := vision.VocabularyOf(detector)
	record.Regions = regionRecords(regions, regions.Ranked(run.draw.top, run.draw.confidence), words)
	if regions.Preset == scenes.Preset && scenes.Familiar(img) < scenes.FamiliarEnough {
		record.Notes = append(record.Notes, fmt.Sprintf(
			"%s does not look like a drawn scene, and %s finds the objects of drawn scenes only: its regions mean little here",
			plain(path), detector.Preset()))
	}
	if run.draw.out != "" {
		if record.Drawing, err = run.drawing(ctx, id, path, img, regions, words, errOut); err != nil {
			return nil, err
		}
	}
	return record, nil
}

// drawing draws regions on a picture, and returns the drawing's file.
func (run detectRun) drawing(
	ctx context.Context, id, path string, img image.Image, regions vision.Regions, words vision.Vocabulary, errOut io.Writer,
) (string, error) {
	to := run.draw.out
	if !run.draw.one() {
		var err error
		if to, err = run.draw.path(id); err != nil {
			return "", err
		}
	}
	if err := apart(to, path); err != nil {
		return "", err
	}
	d, err := annotate.Draw(ctx, img, regions, annotate.Options{Vocabulary: words, Top: run.draw.top, Confidence: run.draw.confidence})
	if err != nil {
		return "", pretrained.InFile(path, err)
	}
	var crowd crowding
	crowd.add(d)
	crowd.say(errOut, to)
	return to, annotate.Save(to, d.Picture)
}

func (run detectRun) print(w io.Writer, r *detectRecord) error {
	if run.json {
		return printJSON(w, r)
	}
	shown := ""
	if len(r.Regions) < r.Found {
		shown = fmt.Sprintf(", %d of them shown", len(r.Regions))
	}
	fmt.Fprintf(w, "%s: %d × %d pixels, %d regions%s found in %.0f ms%s\n", plain(r.Picture), r.Width, r.Height, r.Found, by(r.Preset), r.DetectMS, shown)
	if err := printRegions(w, r.Regions); err != nil {
		return err
	}
	if r.Drawing != "" {
		fmt.Fprintf(w, "drawn in %s\n", plain(r.Drawing))
	}
	_, err := fmt.Fprintln(w)
	return err
}
