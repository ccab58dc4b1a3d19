// Onnxruntime compares question answering on this module's CPU engine with ONNX Runtime's: the same model, the same
// inputs, one machine, in turn. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/onnxruntime"
)

// comparison is what was asked for.
type comparison struct {
	dir, node    string
	variants     []string
	lengths      bool
	pictures     bool
	batches      []int
	threads      int
	rounds, runs int
}

func main() {
	var c comparison
	flag.StringVar(&c.dir, "dir", "", "`directory` for ONNX files, 830 MB each, and inputs")
	flag.StringVar(&c.node, "node", "bench/onnxruntime", "`directory` of worker.mjs and node_modules")
	written := flag.String("variants", "plain", "how the ONNX graph is written: plain, multihead, attention")
	batches := flag.String("batch", "1,8,32", "batch `sizes` of questions of 20 tokens")
	flag.BoolVar(&c.lengths, "lengths", false, "instead: five batches of 32 questions of real lengths, padded for ONNX Runtime")
	flag.BoolVar(&c.pictures, "pictures", false, "with -lengths: several questions about a picture, as in VQA, not one")
	flag.IntVar(&c.threads, "threads", runtime.GOMAXPROCS(0), "threads of each")
	flag.IntVar(&c.rounds, "rounds", 7, "how often each has its turn")
	flag.IntVar(&c.runs, "runs", 3, "timed passes a turn, after one that is not timed")
	flag.Parse()
	c.variants = strings.Split(*written, ",")
	for _, size := range strings.Split(*batches, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 1 {
			fmt.Fprintf(os.Stderr, "-batch: found %q, want numbers of 1 or more\n", size)
			os.Exit(2)
		}
		c.batches = append(c.batches, n)
	}
	if err := c.run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// contestant is somebody who answers a case.
type contestant struct {
	name string
	// turn runs the case once, for its logits, and then so many times for their milliseconds.
	turn func(c *testCase, runs int) (logits []float32, ms []float64, err error)
}

func (c *comparison) run(ctx context.Context, out io.Writer) error {
	if c.dir == "" || c.rounds < 1 || c.runs < 1 || c.threads < 1 {
		return fmt.Errorf("want a -dir, and -rounds, -runs and -threads of 1 or more")
	}
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return err
	}
	engine, err := backend.Open("simd:threads=" + strconv.Itoa(c.threads))
	if err != nil {
		return err
	}
	defer engine.Finalize()
	o, err := open(ctx, engine, filepath.Join(dir, "model"), c.lengths)
	if err != nil {
		return err
	}
	contestants := []contestant{timed("ours", func(tc *testCase) ([]float32, error) { return o.forward(ctx, tc) })}
	if c.lengths {
		contestants = []contestant{
			timed("ours, AskBatch", func(tc *testCase) ([]float32, error) { return o.ask(ctx, tc) }),
			timed("ours, padded", func(tc *testCase) ([]float32, error) { return o.forward(ctx, tc) }),
		}
	}
	for _, name := range c.variants {
		w, err := c.start(dir, name)
		if err != nil {
			return err
		}
		defer w.Close()
		contestants = append(contestants, contestant{"ONNX Runtime " + w.Version + ", " + name, turns(w)})
	}
	cases, err := c.cases(filepath.Join(dir, "cases"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s; %d rounds of %d passes\n", engine.Description(), c.rounds, c.runs)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "case\tby\tmedian ms\tquartiles\tquestions/s\ttime / ours (rounds)\tlogits differ by\tpeak GFLOP/s")
	for _, tc := range cases { // compile, pack, touch memory
		for _, by := range contestants {
			if _, _, err := by.turn(tc, 0); err != nil {
				return err
			}
		}
	}
	for _, tc := range cases {
		if err := c.compare(table, tc, contestants); err != nil {
			return err
		}
	}
	return table.Flush()
}

// start makes the ONNX file if it is not there, and a process that runs it.
func (c *comparison) start(dir, variant string) (*onnxruntime.Worker, error) {
	operators, ok := variants[variant]
	if !ok {
		return nil, fmt.Errorf("-variants: found %q, want %q", variant, slices.Sorted(maps.Keys(variants)))
	}
	name := variant
	if c.lengths {
		name += "-mask"
	}
	file := filepath.Join(dir, name+".onnx")
	if err := export(file, operators, c.lengths); err != nil {
		return nil, err
	}
	return onnxruntime.Start(c.node, file, c.threads)
}

func (c *comparison) cases(dir string) ([]*testCase, error) {
	var cases []*testCase
	add := func(name string, lengths, pictures []int) error {
		tc, err := newCase(dir, name, lengths, pictures, baseSize())
		cases = append(cases, tc)
		return err
	}
	if !c.lengths {
		for _, batch := range c.batches {
			if err := add(fmt.Sprintf("batch %d", batch), slices.Repeat([]int{20}, batch), nil); err != nil {
				return nil, err
			}
		}
		return cases, nil
	}
	for from := 0; from < len(vqaLengths); from += 32 {
		name, pictures := fmt.Sprintf("lengths %d", 1+from/32), []int(nil)
		if c.pictures {
			name, pictures = fmt.Sprintf("lengths and pictures %d", 1+from/32), vqaPictures()[from:]
		}
		if err := add(name, vqaLengths[from:from+32], pictures); err != nil {
			return nil, err
		}
	}
	return cases, nil
}

// tolerance is how far logits may lie apart; they are up to 0.1.
const tolerance = 1e-5

// compare lets each have its turn in every round. Ratios are of the medians of one round.
func (c *comparison) compare(out io.Writer, tc *testCase, contestants []contestant) error {
	times, ratios, apart := make([][]float64, len(contestants)), make([][]float64, len(contestants)), make([]float64, len(contestants))
	var want []float32
	best := 0.0
	for range c.rounds {
		var first float64
		for i, by := range contestants {
			logits, ms, err := by.turn(tc, c.runs)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", tc.name, by.name, err)
			}
			if i == 0 {
				want, first = logits, quantile(ms, 0.5)
			}
			times[i], ratios[i] = append(times[i], ms...), append(ratios[i], quantile(ms, 0.5)/first)
			apart[i] = math.Max(apart[i], distance(logits, want))
			if !(apart[i] <= tolerance) {
				return fmt.Errorf("%s: %s: the logits differ by %g from ours: it is not the same computation", tc.name, by.name, apart[i])
			}
		}
		p, err := peak(c.threads)
		if err != nil {
			return err
		}
		best = math.Max(best, p)
	}
	for i, by := range contestants {
		median := quantile(times[i], 0.5)
		fmt.Fprintf(out, "%s\t%s\t%.1f\t%.1f-%.1f\t%.1f\t%.2f (%.2f-%.2f)\t%.1g\t%.0f\n", tc.name, by.name, median,
			quantile(times[i], 0.25), quantile(times[i], 0.75), 1000*float64(len(tc.queries))/median,
			quantile(ratios[i], 0.5), slices.Min(ratios[i]), slices.Max(ratios[i]), apart[i], best)
	}
	return nil
}

// pause lets the threads of whoever was before go to sleep.
const pause = 50 * time.Millisecond

// timed is a contestant in this process.
func timed(name string, answer func(*testCase) ([]float32, error)) contestant {
	return contestant{name, func(c *testCase, runs int) (logits []float32, ms []float64, err error) {
		time.Sleep(pause)
		if logits, err = answer(c); err != nil {
			return nil, nil, err
		}
		for range runs {
			start := time.Now()
			if _, err := answer(c); err != nil {
				return nil, nil, err
			}
			ms = append(ms, float64(time.Since(start))/1e6)
		}
		return logits, ms, nil
	}}
}

// turns are those of ONNX Runtime.
func turns(w *onnxruntime.Worker) func(*testCase, int) ([]float32, []float64, error) {
	return func(c *testCase, runs int) ([]float32, []float64, error) {
		time.Sleep(pause)
		outputs, ms, err := w.Run(c.dir, runs)
		if err != nil {
			return nil, nil, err
		}
		logits, err := tensors.CopyFlatData[float32](outputs["question_answering_score"])
		return logits, ms, err
	}
}

// distance is the largest difference of two elements; infinite if there are not as many.
func distance(x, y []float32) float64 {
	if len(x) != len(y) {
		return math.Inf(1)
	}
	largest := 0.0
	for i := range x {
		largest = math.Max(largest, math.Abs(float64(x[i])-float64(y[i])))
	}
	return largest
}

// quantile sorts x.
func quantile(x []float64, q float64) float64 {
	slices.Sort(x)
	return x[int(q*float64(len(x)-1)+0.5)]
}
