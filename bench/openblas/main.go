// Openblas compares this module's matrix products with OpenBLAS's, shape by shape, in turn. See README.md.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

func main() {
	program := flag.String("sgemm", "", "`program` made from sgemm.c")
	threads := flag.Int("threads", runtime.GOMAXPROCS(0), "threads of each")
	rounds := flag.Int("rounds", 7, "how often each has its turn")
	flag.Parse()
	if err := compare(os.Stdout, *program, *threads, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// shapes are the linear maps of a feed-forward network: for the questions and pictures of one pass at base size, and for 32.
func shapes() []shape {
	var list []shape
	for _, m := range []int{20, 36, 56, 1152} {
		list = append(list, shape{m, 768, 3072}, shape{m, 3072, 768})
	}
	return list
}

// turnWork is how many operations a turn has, so that it lasts some tenths of a second at most.
const turnWork = 3e10

func compare(out io.Writer, program string, threads, rounds int) error {
	if program == "" || threads < 1 || rounds < 1 {
		return fmt.Errorf("want -sgemm, and -threads and -rounds of 1 or more")
	}
	set, err := kernel.Default()
	if err != nil {
		return err
	}
	theirs, err := start(program, threads)
	if err != nil {
		return err
	}
	defer theirs.close()
	o := &ours{set: set, threads: threads, weights: map[shape][]*kernel.Packed{}}
	o.pack(768, 3072)
	o.pack(3072, 768)
	runtime.GC()
	debug.SetGCPercent(-1) // its workers would compete for the threads
	fmt.Fprintf(out, "ours: %s kernels; theirs: %s; %d threads, %d rounds\n", set, theirs.about, threads, rounds)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "product\tpeak\tours GFLOP/s\tof peak\tOpenBLAS [k,n]\tOpenBLAS [n,k]\tours / the better (rounds)")
	for _, s := range shapes() {
		operations := 2 * float64(s.m) * float64(s.k) * float64(s.n)
		runs := max(3, int(turnWork/operations))
		rate := func(ms []float64) float64 { return operations / median(ms) / 1e6 }
		var peaks, ratios []float64
		var rates [3][]float64 // of each round: ours, theirs with weights as they are, transposed
		for range rounds {
			rates[0] = append(rates[0], rate(o.time(s, runs)))
			for transposed := range 2 {
				ms, err := theirs.time(s, transposed, runs)
				if err != nil {
					return err
				}
				rates[1+transposed] = append(rates[1+transposed], rate(ms))
			}
			round := len(ratios)
			ratios = append(ratios, rates[0][round]/max(rates[1][round], rates[2][round]))
			peaks = append(peaks, o.peak())
		}
		low, high := slices.Min(ratios), slices.Max(ratios)
		peak, own := median(peaks), median(rates[0])
		fmt.Fprintf(table, "[%d,%d]x[%d,%d]\t%.0f\t%.0f\t%.0f %%\t%.0f\t%.0f\t%.2f (%.2f-%.2f)\n", s.m, s.k, s.k, s.n,
			peak, own, 100*own/peak, median(rates[1]), median(rates[2]), median(ratios), low, high)
	}
	return table.Flush()
}

// sgemm is the process that runs OpenBLAS.
type sgemm struct {
	process *exec.Cmd
	to      io.WriteCloser
	from    *bufio.Reader
	about   string
}

func start(program string, threads int) (*sgemm, error) {
	g := &sgemm{process: exec.Command(program, strconv.Itoa(threads))}
	g.process.Stderr = os.Stderr
	var err error
	if g.to, err = g.process.StdinPipe(); err != nil {
		return nil, err
	}
	from, err := g.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	g.from = bufio.NewReader(from)
	if err := g.process.Start(); err != nil {
		return nil, err
	}
	g.about, err = g.from.ReadString('\n')
	g.about = strings.TrimSpace(g.about)
	return g, err
}

// time has so many products made and returns the milliseconds of each.
func (g *sgemm) time(s shape, transposed, runs int) ([]float64, error) {
	fmt.Fprintln(g.to, s.m, s.k, s.n, transposed, runs)
	line, err := g.from.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("OpenBLAS ended: %w", err)
	}
	var ms []float64
	for _, field := range strings.Fields(line) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil, err
		}
		ms = append(ms, v)
	}
	return ms, nil
}

func (g *sgemm) close() {
	g.to.Close()
	g.process.Wait()
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}
