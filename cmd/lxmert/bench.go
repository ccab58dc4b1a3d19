package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/backend/simd/kernel"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

// benchmark is what bench was asked for.
type benchmark struct {
	dir, size, engine                                string
	batches                                          []int
	tokens, regions, threads, perImage, rounds, warm int
}

func newBench() *cobra.Command {
	var b benchmark
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench [--model DIR | --size base] [--batch 1,8,32]",
		Short: "Measure how fast questions are answered",
		Long: `Bench times the forward pass of question answering, without the tokenizer: median and 95th percentile over
some rounds after a warm-up, questions a second, GFLOP/s of the matrix products that are computed, and their share of the multiply-add
peak, which it measures on the same threads right after. --size base makes LXMERT's base-size model with 3,129 answers
from a formula, without a file.`,
		Example: `  lxmert bench --size base --batch 1,8,32
  lxmert bench --model DIR --batch 8 --questions-per-image 8 --json
  lxmert bench --size base --backend go:ops_sequential --batch 1 --rounds 3`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := b.check(); err != nil {
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
			return printBench(cmd.OutOrStdout(), results)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&b.dir, "model", "", "model `directory`")
	flags.StringVar(&b.size, "size", "base", "model made from a formula: base")
	flags.IntSliceVar(&b.batches, "batch", []int{1, 8, 32}, "batch `sizes`, separated by commas")
	flags.IntVar(&b.tokens, "tokens", 20, "tokens a question")
	flags.IntVar(&b.regions, "regions", 36, "regions a picture")
	flags.IntVar(&b.threads, "threads", 0, "threads of the simd engine (default: GOMAXPROCS)")
	flags.IntVar(&b.perImage, "questions-per-image", 1, "1, or the batch size: all questions about one picture")
	flags.IntVar(&b.rounds, "rounds", 20, "timed passes")
	flags.IntVar(&b.warm, "warm-up", 3, "passes before those")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object a line")
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
		if b.perImage > 1 && b.perImage != batch {
			return usagef("--questions-per-image: found %d with batch %d, want 1 or the batch size", b.perImage, batch)
		}
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

// run measures each batch size, and tells about it as soon as it is known.
func (b *benchmark) run(ctx context.Context, tell func(benchResult) error) ([]benchResult, error) {
	engine, err := backend.Open(b.engine)
	if err != nil {
		return nil, usageError{err}
	}
	defer engine.Finalize()
	start := time.Now()
	m, err := b.load(engine)
	if err != nil {
		return nil, err
	}
	defer closeUnlessEnded(ctx, m)
	loaded := milliseconds(start)
	qa := &model.LxmertForQuestionAnswering{Network: m}
	var results []benchResult
	for _, batch := range b.batches {
		in := b.inputs(m.Config(), batch)
		var times []float64
		for round := range b.warm + b.rounds {
			start := time.Now()
			if _, err := qa.Forward(ctx, in, model.Options{}); err != nil {
				return nil, err
			}
			if round >= b.warm {
				times = append(times, milliseconds(start))
			}
		}
		peak := measurePeak(b.threads) // after the passes, while all cores are awake
		slices.Sort(times)
		r := benchResult{DType: "float32", Batch: batch, Tokens: b.tokens, Regions: b.regions, Threads: b.threads, LoadMS: loaded, Backend: engine.Description()}
		r.MedianMS, r.P95MS = times[len(times)/2], times[min(len(times)-1, len(times)*95/100)]
		r.PerSecond = 1000 * float64(batch) / r.MedianMS
		pictures := batch / b.perImage
		r.GFLOPS = float64(m.Config().QuestionAnsweringOperations(batch, pictures, b.tokens, b.regions)) / r.MedianMS / 1e6
		r.PeakGFLOPS = peak
		r.ShareOfPeak = r.GFLOPS / peak
		r.RSSMB = peakMemory()
		results = append(results, r)
		if err := tell(r); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// load reads the model, or makes the base-size one.
func (b *benchmark) load(engine compute.Backend) (*model.Network, error) {
	if b.dir != "" {
		m, _, err := pretrained.Load(engine, b.dir, model.HeadQuestionAnswering, pretrained.Options{})
		return m, err
	}
	config := model.DefaultConfig()
	config.NumQALabels = 3129
	return model.New(engine, config, model.HeadQuestionAnswering, formula.Weights)
}

// inputs are random words and regions.
func (b *benchmark) inputs(c *model.Config, batch int) *model.Batch {
	random := rand.New(rand.NewPCG(1, 2))
	pictures := batch / b.perImage
	ids := make([]int32, batch*b.tokens)
	for i := range ids {
		ids[i] = int32(random.IntN(c.VocabSize))
	}
	floats := func(width int) *tensors.Tensor {
		values := make([]float32, pictures*b.regions*width)
		for i := range values {
			values[i] = random.Float32()
		}
		return tensors.FromFlatDataAndDimensions(values, pictures, b.regions, width)
	}
	return &model.Batch{
		InputIDs:    tensors.FromFlatDataAndDimensions(ids, batch, b.tokens),
		VisualFeats: floats(c.VisualFeatDim),
		VisualPos:   floats(c.VisualPosDim),
	}
}

// measurePeak is the multiply-add rate of so many threads in GFLOP/s, the best of some tries: in others a thread came late.
func measurePeak(threads int) float64 {
	set, err := kernel.Default()
	if err != nil {
		return 0
	}
	best := 0.0
	for range 20 {
		done := make(chan int, threads)
		start := time.Now()
		for range threads {
			go func() { done <- set.Peak(1 << 19) }()
		}
		operations := 0
		for range threads {
			operations += <-done
		}
		best = max(best, float64(operations)/time.Since(start).Seconds()/1e9)
	}
	return best
}

// peakMemory is the most memory that the process has held, in MB; 0 where the system does not say.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kilobytes / 1024
		}
	}
	return 0
}

func printBench(w io.Writer, results []benchResult) error {
	fmt.Fprintf(w, "%s; model ready in %.0f ms\n", results[0].Backend, results[0].LoadMS)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "batch\ttokens\tregions\tmedian ms\tp95 ms\tquestions/s\tGFLOP/s\tof peak\tpeak MB\t")
	for _, r := range results {
		fmt.Fprintf(table, "%d\t%d\t%d\t%.1f\t%.1f\t%.1f\t%.0f\t%.0f %%\t%.0f\t\n",
			r.Batch, r.Tokens, r.Regions, r.MedianMS, r.P95MS, r.PerSecond, r.GFLOPS, 100*r.ShareOfPeak, r.RSSMB)
	}
	return table.Flush()
}
