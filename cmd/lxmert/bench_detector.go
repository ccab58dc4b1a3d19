package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/vision/frcnn"
)

// formulaDetector stands for the original's detector, of real size, with weights from a formula.
const formulaDetector = "base"

// detectorResult is what bench --detector measures.
type detectorResult struct {
	Width     int           `json:"width"`
	Height    int           `json:"height"`
	Proposals int           `json:"proposals"`
	Regions   int           `json:"regions"`
	MedianMS  float64       `json:"median_ms"`
	P95MS     float64       `json:"p95_ms"`
	Stages    []stageRecord `json:"stages"` // medians
	RSSMB     float64       `json:"rss_mb"`
	LoadMS    float64       `json:"load_ms"`
	Backend   string        `json:"backend"`
}

// timeDetector is bench --detector.
func (b *benchmark) timeDetector(cmd *cobra.Command, asJSON bool) error {
	if b.detector != formulaDetector {
		dir, err := modelDir(cmd, b.detector)
		if err != nil {
			return err
		}
		b.detector = dir
	}
	r, err := b.runDetector(cmd.Context())
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), r)
	}
	return r.print(cmd.OutOrStdout())
}

// runDetector times a detector on a picture of noise.
func (b *benchmark) runDetector(ctx context.Context) (detectorResult, error) {
	var r detectorResult
	engine, err := (&detectorFlags{engine: b.engine, dtype: b.dtype}).openEngine()
	if err != nil {
		return r, usageError{err}
	}
	defer engine.Finalize()
	start := time.Now()
	d, err := b.openDetector(engine)
	if err != nil {
		return r, err
	}
	defer d.Close()
	r.LoadMS, r.Backend = milliseconds(start), engine.Description()
	img := noise(800, 600)
	stages := map[string][]float64{}
	var order []string
	var all []float64
	for round := range b.warm + b.rounds {
		start := time.Now()
		found, err := d.Detect(ctx, img)
		if err != nil {
			return r, err
		}
		if round < b.warm {
			continue
		}
		all = append(all, milliseconds(start))
		for _, t := range found.Timings {
			if stages[t.Stage] == nil {
				order = append(order, t.Stage)
			}
			stages[t.Stage] = append(stages[t.Stage], float64(t.Took.Microseconds())/1000)
		}
		r.Width, r.Height, r.Proposals, r.Regions = found.Resized.Width, found.Resized.Height, found.Proposals, len(found.Kept)
	}
	for _, stage := range order {
		slices.Sort(stages[stage])
		r.Stages = append(r.Stages, stageRecord{stage, stages[stage][len(stages[stage])/2]})
	}
	slices.Sort(all)
	r.MedianMS, r.P95MS = all[len(all)/2], all[(len(all)*95)/100]
	r.RSSMB = peakMemory()
	return r, nil
}

func (b *benchmark) openDetector(engine compute.Backend) (*frcnn.Detector, error) {
	options := frcnn.Options{Proposals: b.proposals}
	if b.detector == formulaDetector {
		return frcnn.New(engine, frcnn.Original(), formula.Detector, nil, nil, options)
	}
	return frcnn.Open(engine, b.detector, options)
}

// noise is a picture of random colours in patches, the same each time.
func noise(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	state := uint32(1)
	for y := range height {
		for x := range width {
			p := img.Pix[y*img.Stride+4*x:][:4]
			if y%8 > 0 {
				copy(p, img.Pix[(y-1)*img.Stride+4*x:][:4])
				continue
			}
			if x%8 > 0 {
				copy(p, img.Pix[y*img.Stride+4*(x-1):][:4])
				continue
			}
			state = state*1664525 + 1013904223
			p[0], p[1], p[2], p[3] = uint8(state>>24), uint8(state>>16), uint8(state>>8), 255
		}
	}
	return img
}

func (r detectorResult) print(w io.Writer) error {
	fmt.Fprintf(w, "%s; detector ready in %.0f ms\n", r.Backend, r.LoadMS)
	fmt.Fprintf(w, "a picture of %d × %d pixels, %d proposals, %d regions: %.0f ms (95th percentile %.0f), peak memory %.0f MB\n",
		r.Width, r.Height, r.Proposals, r.Regions, r.MedianMS, r.P95MS, r.RSSMB)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "stage\tms\tshare\t\n")
	for _, s := range r.Stages {
		fmt.Fprintf(table, "%s\t%.1f\t%.1f %%\t\n", s.Stage, s.MS, 100*s.MS/r.MedianMS)
	}
	return table.Flush()
}
