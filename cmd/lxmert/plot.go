package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/curves"
)

func newPlot() *cobra.Command {
	var out string
	var smooth int
	cmd := &cobra.Command{
		Use:   "plot RUN...",
		Short: "Draw the curves of training runs",
		Long: `Plot reads the logs of training runs, RUN/log.jsonl, and draws loss, learning rate and norm of the gradient by step, the
loss of each task, and scores by epoch. Of several runs it draws a picture that compares them. A run may still be
going on.

What varies from step to step is drawn twice: each step faintly, and the mean over --smooth steps on top. The few
highest and lowest values may lie outside of the picture. Where a number was not finite there is a red cross at the top.`,
		Example: `  lxmert plot runs/vqa
  lxmert plot runs/first runs/second --out comparison.svg --smooth 200`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > curves.MaxRuns {
				return usagef("plot wants 1 to %d runs, found %d; see lxmert plot --help", curves.MaxRuns, len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			write := curves.WritePNG
			switch strings.ToLower(filepath.Ext(out)) {
			case ".png":
			case ".svg":
				write = curves.WriteSVG
			default:
				return usagef("--out is %q, want a name that ends in .png or .svg", out)
			}
			if smooth < 0 {
				return usagef("--smooth is %d, want 0 or more steps", smooth)
			}
			runs, err := readRuns(args)
			if err != nil {
				return err
			}
			if err := atomicfile.Write(out, 0o644, func(w io.Writer) error { return write(w, runs, smooth) }); err != nil {
				return err
			}
			for _, r := range runs {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s steps\n", plain(r.Name), grouped(r.Steps))
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "drawn in %s\n", plain(out))
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "curves.png", "picture's `file`, .png or .svg")
	cmd.Flags().IntVar(&smooth, "smooth", 0, "`steps` that the strong curves are means of; 1 for none (default: a fiftieth of each run)")
	return cmd
}

// readRuns reads runs, and names each by its directory, or its path where two directories have the same name.
func readRuns(paths []string) ([]*curves.Run, error) {
	var runs []*curves.Run
	count := map[string]int{}
	for _, path := range paths {
		r, err := curves.Read(path)
		if err != nil {
			return nil, err
		}
		if r.Steps == 0 {
			return nil, fmt.Errorf("%s: there is no step in its log yet", path)
		}
		r.Name = runName(path)
		count[r.Name]++
		runs = append(runs, r)
	}
	for i, r := range runs {
		if count[r.Name] > 1 {
			r.Name = filepath.Clean(paths[i])
		}
	}
	return runs, nil
}

// runName is the last part of a run's directory.
func runName(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole // so that "." has a name
	}
	if filepath.Base(path) == "log.jsonl" {
		path = filepath.Dir(path)
	}
	return filepath.Base(path)
}
