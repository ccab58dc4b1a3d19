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
	byThreads := func(title, kernels string, axis scale, value func(measurement) float64) panel {
		return panel{title: title, scale: axis, series: []series{
			{"1 thread", "one", points(all, kernels, 1, value)},
			{"2 threads", "two", points(all, kernels, 2, value)},
		}}
	}
	milliseconds := scale{16, 3000, true, []float64{20, 50, 100, 200, 500, 1000, 2000}}
	for name, panels := range map[string][2]panel{
		"latency.svg": {
			byThreads("Milliseconds a batch, AVX-512", "avx512", milliseconds, latency),
			byThreads("Milliseconds a batch, AVX2", "avx2", milliseconds, latency),
		},
		"throughput.svg": {
			byThreads("Questions a second, AVX-512", "avx512", scale{0, 60, false, []float64{0, 10, 20, 30, 40, 50, 60}},
				func(m measurement) float64 { return m.PerSecond }),
			byThreads("Percent of the multiply-add peak, AVX-512", "avx512", scale{0, 100, false, []float64{0, 20, 40, 60, 80, 100}},
				func(m measurement) float64 { return 100 * m.ShareOfPeak }),
		},
	} {
		if err := os.WriteFile(filepath.Join(out, name), draw(panels), 0o644); err != nil {
			return err
		}
	}
	return nil
}

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
func points(all []measurement, kernels string, threads int, value func(measurement) float64) []point {
	runs := map[int][]float64{}
	for _, m := range all {
		if m.Threads == threads && strings.Contains(m.Backend, kernels+" ") {
			runs[m.Batch] = append(runs[m.Batch], value(m))
		}
	}
	var line []point
	for _, batch := range slices.Sorted(maps.Keys(runs)) {
		values := slices.Sorted(slices.Values(runs[batch]))
		line = append(line, point{float64(batch), (values[(len(values)-1)/2] + values[len(values)/2]) / 2})
	}
	return line
}
