// Plot draws docs/performance.md's plots from what `lxmert bench --json` printed.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/bench/internal/chart"
)

//go:generate go run . -out ../../docs ../measured/answering.jsonl

func main() {
	out := flag.String("out", ".", "`directory` for latency.svg and throughput.svg")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "want a file of bench's lines of JSON")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// measurement is what is drawn of one of bench's lines.
type measurement struct {
	Batch       int     `json:"batch"`
	Threads     int     `json:"threads"`
	MedianMS    float64 `json:"median_ms"`
	PerSecond   float64 `json:"per_second"`
	ShareOfPeak float64 `json:"share_of_peak"`
	Backend     string  `json:"backend"`
}

func run(file, out string) error {
	all, err := read(file)
	if err != nil {
		return err
	}
	latency := func(m measurement) float64 { return m.MedianMS }
	batches := chart.Axis{Name: "questions in a batch", Low: 1, High: 32, Logarithmic: true, Ticks: chart.Ticks("", 1, 2, 4, 8, 16, 32)}
	byThreads := func(title, kernels string, y chart.Axis, value func(measurement) float64) chart.Panel {
		return chart.Panel{Title: title, X: batches, Y: y, Series: []chart.Series{
			{Name: "1 thread", Color: chart.Orange, Points: points(all, kernels, 1, value), Value: whole},
			{Name: "2 threads", Color: chart.Blue, Points: points(all, kernels, 2, value), Value: whole},
		}}
	}
	milliseconds := chart.Axis{Low: 16, High: 3000, Logarithmic: true, Ticks: chart.Ticks("", 20, 50, 100, 200, 500, 1000, 2000)}
	for name, panels := range map[string][]chart.Panel{
		"latency.svg": {
			byThreads("Milliseconds a batch, AVX-512", "avx512", milliseconds, latency),
			byThreads("Milliseconds a batch, AVX2", "avx2", milliseconds, latency),
		},
		"throughput.svg": {
			byThreads("Questions a second, AVX-512", "avx512", chart.Axis{High: 60, Ticks: chart.Ticks("", 0, 10, 20, 30, 40, 50, 60)},
				func(m measurement) float64 { return m.PerSecond }),
			byThreads("Percent of the multiply-add peak, AVX-512", "avx512", chart.Axis{High: 100, Ticks: chart.Ticks("", 0, 20, 40, 60, 80, 100)},
				func(m measurement) float64 { return 100 * m.ShareOfPeak }),
		},
	} {
		picture := chart.Chart{Columns: 2, Height: 340, Panels: panels}
		if err := os.WriteFile(filepath.Join(out, name), picture.SVG(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// whole is a point's value without what follows the point.
func whole(p chart.Point) string { return fmt.Sprintf("%.0f", p.Y) }

// read takes bench's lines from a file.
func read(file string) ([]measurement, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []measurement
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		var m measurement
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", file, number, err)
		}
		all = append(all, m)
	}
	return all, nil
}

// points are the medians over the runs of each batch size with those kernels on so many threads.
func points(all []measurement, kernels string, threads int, value func(measurement) float64) []chart.Point {
	runs := map[int][]float64{}
	for _, m := range all {
		if m.Threads == threads && strings.Contains(m.Backend, kernels+" ") {
			runs[m.Batch] = append(runs[m.Batch], value(m))
		}
	}
	var line []chart.Point
	for _, batch := range slices.Sorted(maps.Keys(runs)) {
		values := slices.Sorted(slices.Values(runs[batch]))
		line = append(line, chart.Point{X: float64(batch), Y: (values[(len(values)-1)/2] + values[len(values)/2]) / 2})
	}
	return line
}
