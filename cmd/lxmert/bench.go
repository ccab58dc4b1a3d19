package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/model"
)

// benchmark is what bench was asked for.
type benchmark struct {
	dir, size, engine, detector                      string
	proposals, devices                               int
	batches                                          []int
	train                                            bool
	tokens, regions, threads, perImage, rounds, warm int
	dtype                                            dtypeFlag
}

func newBench() *cobra.Command {
	var b benchmark
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench [--model DIR | --size base] [--batch 1,8,32]",
		Short: "Measure how fast questions are answered, or a model is trained",
		Long: `Bench times the forward pass of question answering, without the tokenizer: median and 95th percentile over
some rounds after a warm-up, questions a second, GFLOP/s of the matrix products that are computed, and their share of the multiply-add
peak in float32, which it measures on the same threads between passes (not for the engine xla). Peak memory is the whole process's, up to then. --size base
makes LXMERT's base-size model with 3,129 answers from a formula, without a file.

With --train it times whole steps of pre-training: the loss of all five tasks with dropout, its gradient, clipped, and BertAdam's
update; --dtype bf16 is then that of the recipe, with weights in float32. The base-size model then has 9,500 answers. The way back counts as twice the operations of the way forth.

With --detector it times a Faster R-CNN, stage by stage, on a picture of 600 × 800 pixels: base is the original's, of real size, with weights from a formula.

With --questions-per-image K there is a picture for each K questions, and a pass for each picture, which is encoded once.`,
		Example: `  lxmert bench --size base --batch 1,8,32
  lxmert bench --model DIR --batch 8 --questions-per-image 8 --json
  lxmert bench --size base --dtype int8 --batch 1
  lxmert bench --size base --train --threads 2
  lxmert bench --detector base --rounds 5
  lxmert bench --size base --backend go:ops_sequential --batch 1 --rounds 3`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.train && !cmd.Flags().Changed("batch") {
				b.batches = []int{8}
			}
			if err := b.check(); err != nil {
				return err
			}
			if b.detector != "" {
				return b.timeDetector(cmd, asJSON)
			}
			var err error
			if b.dir, err = modelDir(cmd, b.dir); err != nil {
				return err
			}
			results, err := b.run(cmd.Context(), func(r benchResult) error {
				if asJSON {
					return printJSON(cmd.OutOrStdout(), r)
				}
				return nil
			})
			if err != nil || asJSON {
				return err
			}
			return b.print(cmd.OutOrStdout(), results)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&b.dir, "model", "", "model `directory`, or name on the hub")
	flags.StringVar(&b.size, "size", "base", "model made from a formula: base")
	flags.StringVar(&b.detector, "detector", "", "time a Faster R-CNN: its `directory`, its name on the hub, or base")
	flags.IntVar(&b.proposals, "proposals", 0, "with --detector: look at `n` proposals at most (default: as its configuration says, 300)")
	flags.IntSliceVar(&b.batches, "batch", []int{1, 8, 32}, "batch `sizes`, separated by commas (default with --train: 8)")
	flags.IntVar(&b.tokens, "tokens", 20, "tokens a question")
	flags.IntVar(&b.regions, "regions", 36, "regions a picture")
	flags.IntVar(&b.threads, "threads", 0, "threads of the simd engine (default: GOMAXPROCS)")
	flags.IntVar(&b.perImage, "questions-per-image", 1, "questions about each picture; divides the batch size")
	flags.BoolVar(&b.train, "train", false, "time training steps")
	flags.IntVar(&b.devices, "devices", 1, "with --train: `devices` of the engine that divide the batch")
	flags.IntVar(&b.rounds, "rounds", 20, "timed passes")
	flags.IntVar(&b.warm, "warm-up", 3, "passes before those")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	b.dtype.add(cmd)
	backendFlag(cmd, &b.engine)
	return cmd
}

// check refuses what cannot be measured.
func (b *benchmark) check() error {
	for name, value := range map[string]int{"--tokens": b.tokens, "--regions": b.regions, "--rounds": b.rounds, "--questions-per-image": b.perImage} {
		if value < 1 {
			return usagef("%s: found %d, want 1 or more", name, value)
		}
	}
	if len(b.batches) == 0 || slices.Min(b.batches) < 1 {
		return usagef("--batch: want sizes of 1 or more, separated by commas")
	}
	for _, batch := range b.batches {
		if batch%b.perImage != 0 {
			return usagef("--questions-per-image: found %d with batch %d, want a divisor of it", b.perImage, batch)
		}
	}
	if b.train && b.perImage != 1 {
		return usagef("--questions-per-image is for answering; training encodes each example's own picture")
	}
	if b.devices < 1 || b.devices > 1 && !b.train {
		return usagef("--devices: found %d, want 1 or more, with --train", b.devices)
	}
	for _, batch := range b.batches {
		if batch%b.devices != 0 {
			return usagef("--devices: found %d with batch %d, want a divisor of it", b.devices, batch)
		}
	}
	if b.train && b.dtype.or(model.Float32) == model.Int8 {
		return usagef("--dtype: found int8 with --train, want f32 or bf16: a quantised model is not trained")
	}
	if b.dir == "" && b.size != "base" {
		return usagef("--size: found %q, want base", b.size)
	}
	if b.threads < 0 || b.warm < 0 {
		return usagef("--threads and --warm-up: want 0 or more")
	}
	if b.threads > 0 {
		if b.engine != "" && b.engine != "simd" {
			return usagef("--threads is for the simd engine; give %s its own option", b.engine)
		}
		b.engine = "simd:threads=" + strconv.Itoa(b.threads)
	} else {
		b.threads = runtime.GOMAXPROCS(0)
	}
	return nil
}

// benchResult is one line of bench.
type benchResult struct {
	DType       string  `json:"dtype"`
	Batch       int     `json:"batch"`
	Tokens      int     `json:"tokens"`
	Regions     int     `json:"regions"`
	Threads     int     `json:"threads"`
	MedianMS    float64 `json:"median_ms"`
	P95MS       float64 `json:"p95_ms"`
	PerSecond   float64 `json:"per_second"`
	GFLOPS      float64 `json:"gflops"`
	PeakGFLOPS  float64 `json:"peak_gflops"`
	ShareOfPeak float64 `json:"share_of_peak"`
	RSSMB       float64 `json:"rss_mb"`
	LoadMS      float64 `json:"load_ms"`
	Backend     string  `json:"backend"`
}

// print writes the results as a table.
func (b *benchmark) print(w io.Writer, results []benchResult) error {
	each := "questions"
	if b.train {
		each = "examples"
	}
	fmt.Fprintf(w, "%s, %s; model ready in %.0f ms\n", results[0].Backend, results[0].DType, results[0].LoadMS)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "batch\ttokens\tregions\tmedian ms\tp95 ms\t%s/s\tGFLOP/s\tof peak\tpeak MB\t\n", each)
	for _, r := range results {
		share := "-" // not known
		if r.PeakGFLOPS > 0 {
			share = fmt.Sprintf("%.0f %%", 100*r.ShareOfPeak)
		}
		fmt.Fprintf(table, "%d\t%d\t%d\t%.1f\t%.1f\t%.1f\t%.0f\t%s\t%.0f\t\n",
			r.Batch, r.Tokens, r.Regions, r.MedianMS, r.P95MS, r.PerSecond, r.GFLOPS, share, r.RSSMB)
	}
	return table.Flush()
}
