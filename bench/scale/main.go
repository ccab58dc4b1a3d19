// Scale says how far batch work and training go with the number of machines: it plays them through on a clock of its own, with what was measured on one machine
// (bench/measured/scale.json) and with networks and failures of stated kinds. docs/scale.md has its tables and plots.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/bench/internal/chart"
)

//go:generate go run . -out ../../docs ../measured/scale.json

func main() {
	out := flag.String("out", ".", "`directory` for scale.svg, and for scale.md, whose tables are replaced")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "want a file of what was measured")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file, out string) error {
	m, err := readMeasured(file)
	if err != nil {
		return err
	}
	document := filepath.Join(out, "scale.md")
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	for name, table := range map[string]func(io.Writer, *measured){
		"corpora": corpora, "machines": machines, "parts": partSizes, "steps": steps, "pretraining": pretraining,
	} {
		if text, err = replaced(text, name, func(w io.Writer) { table(w, m) }); err != nil {
			return fmt.Errorf("%s: %w", document, err)
		}
	}
	picture := chart.Chart{Columns: 2, Height: 340, Panels: []chart.Panel{batchPanel(m), trainingPanel(m)}}
	if err := os.WriteFile(filepath.Join(out, "scale.svg"), picture.SVG(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(document, text, 0o644)
}
