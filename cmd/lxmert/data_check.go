package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data"
)

func newDataCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check STORE",
		Short: "Check a region store or feature file through and through",
		Long: `Check reads every image: boxes within the picture, finite features, labels and confidences in range. Of a store it
also compares each file with its hash and its index, and looks for images that are there twice. The exit code is 1 if
anything is wrong.`,
		Example: `  lxmert data check coco
  lxmert data check train2014_obj36.tsv --json`,
		Args: onePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			progress := newProgress(cmd.ErrOrStderr(), plain(args[0]))
			report, err := data.Check(cmd.Context(), args[0], nil, progress.set)
			progress.end()
			if err != nil {
				return err
			}
			return printCheck(cmd.OutOrStdout(), args[0], report, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

type checkRecord struct {
	Images  int      `json:"images"`
	Regions int      `json:"regions"`
	Faults  int      `json:"faults"`
	First   []string `json:"first_faults"`
	Notes   []string `json:"notes"`
}

func printCheck(w io.Writer, path string, report *data.CheckReport, asJSON bool) error {
	if asJSON {
		record := checkRecord{report.Images, report.Regions, report.Count, []string{}, append([]string{}, report.Notes...)}
		for _, fault := range report.Faults {
			record.First = append(record.First, fault.Error())
		}
		if err := printJSON(w, record); err != nil {
			return err
		}
	} else {
		for _, fault := range report.Faults {
			fmt.Fprintf(w, "%v\n", fault)
		}
		for _, note := range report.Notes {
			fmt.Fprintf(w, "note: %s\n", note)
		}
		if _, err := fmt.Fprintf(w, "%s: %s images, %s regions, %s faults\n", path, grouped(report.Images), grouped(report.Regions), grouped(report.Count)); err != nil {
			return err
		}
	}
	if report.Count > 0 {
		return fmt.Errorf("%s: %d faults", path, report.Count)
	}
	return nil
}

// onePath wants one argument.
func onePath(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s wants one path, found %d; see %s --help", cmd.CommandPath(), len(args), cmd.CommandPath())
	}
	return nil
}

func newDataStats() *cobra.Command {
	var asJSON, skipBad bool
	cmd := &cobra.Command{
		Use:     "stats PATH",
		Short:   "Show figures about a region store or feature file",
		Long:    `Stats reads everything once: how many images and regions there are, and what their features, boxes and labels are like.`,
		Example: `  lxmert data stats coco`,
		Args:    onePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := data.OpenForeign(args[0])
			if err != nil {
				return err
			}
			defer source.Close()
			stats, err := data.Measure(cmd.Context(), source, skipBad)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), stats)
			}
			return printStats(cmd.OutOrStdout(), stats)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&skipBad, "skip-bad", false, "count images that cannot be read, and go on")
	return cmd
}

func printStats(w io.Writer, s data.Stats) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(table, name+"\t"+format+"\n", args...) }
	row("images", "%s", grouped(s.Images))
	if s.Skipped > 0 {
		row("skipped", "%s", grouped(s.Skipped))
	}
	row("regions", "%s, %d to %d an image", grouped(s.Regions), s.MinRegions, s.MaxRegions)
	row("preset", "%s", map[bool]string{true: "(unknown)", false: plain(s.Preset)}[s.Preset == ""])
	row("features", "%d wide, %.4g to %.4g, mean %.4f, %.1f %% are 0", s.FeatureWidth, s.MinFeature, s.MaxFeature, s.MeanFeature, 100*s.ZeroShare)
	row("boxes", "%.1f %% of their picture on average", 100*s.MeanArea)
	row("with size", "%s", grouped(s.WithSize))
	row("with objects", "%s, mean confidence %.3f", grouped(s.WithObjects), s.MeanObject)
	row("with attributes", "%s, mean confidence %.3f", grouped(s.WithAttributes), s.MeanAttribute)
	return table.Flush()
}
