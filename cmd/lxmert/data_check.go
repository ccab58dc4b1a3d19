package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
)

func newDataCheck() *cobra.Command {
	var asJSON bool
	var features, answers string
	cmd := &cobra.Command{
		Use:   "check STORE | FILE",
		Short: "Check a region store, a feature file or questions through and through",
		Long: `Check reads every image of a store or a feature file: boxes within the picture, finite features, labels and
confidences in range. Of a store it also compares each file with its hash and its index, and looks for images that
are there twice.

Of questions in LXMERT's JSON (.json) it checks every record: ids that come twice, empty sentences, scores out of
range; with --features that every picture is there, with --answers that every answer of a label is in use.

The exit code is 1 if anything is wrong.`,
		Example: `  lxmert data check coco
  lxmert data check train2014_obj36.tsv --json
  lxmert data check vqa/train.json --features coco --answers vqa/trainval_label2ans.json`,
		Args: onePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			var report *data.CheckReport
			var err error
			if isQuestions(args[0]) {
				report, err = checkQuestions(args[0], features, answers)
			} else {
				progress := newProgress(cmd.ErrOrStderr(), plain(args[0]))
				report, err = data.Check(cmd.Context(), args[0], nil, progress.set)
				progress.end()
			}
			if err != nil {
				return err
			}
			return printCheck(cmd.OutOrStdout(), args[0], report, asJSON)
		},
	}
	cmd.Flags().StringVar(&features, "features", "", "region store or feature `file` that must have the questions' pictures")
	cmd.Flags().StringVar(&answers, "answers", "", "`file` of the answers in use")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func isQuestions(path string) bool {
	return strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".json.zip")
}

// checkQuestions gives what is wrong with questions as faults; Images is how many pictures they are about.
func checkQuestions(path, features, answers string) (*data.CheckReport, error) {
	inUse, err := answersInUse(answers)
	if err != nil {
		return nil, err
	}
	has := func(string) bool { return true }
	if features != "" {
		source, err := data.Open(features, false)
		if err != nil {
			return nil, err
		}
		defer source.Close()
		have := map[string]bool{}
		for _, id := range source.IDs() {
			have[id] = true
		}
		has = func(id string) bool { return have[id] }
	}
	s, err := questions.Summarize(questions.Distinct(path, questions.LXMERT(path), nil), path, has, inUse)
	if err != nil {
		return nil, err
	}
	return &data.CheckReport{Images: s.Pictures, Faults: s.Faults, Count: s.Bad, Notes: []string{fmt.Sprintf("%s questions", grouped(s.Questions))}}, nil
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
		Use:   "stats PATH",
		Short: "Show figures about a region store, a feature file or questions",
		Long: `Stats reads everything once: how many images and regions there are, and what their features, boxes and labels are
like; or, of questions in LXMERT's JSON (.json), how many there are, about how many pictures, with which answers.`,
		Example: `  lxmert data stats coco
  lxmert data stats vqa/train.json --json`,
		Args: onePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			if isQuestions(args[0]) {
				return questionStats(cmd.OutOrStdout(), args[0], skipBad, asJSON)
			}
			source, err := data.OpenForeign(args[0], data.HDF5Options{})
			if err != nil {
				return err
			}
			defer source.Close()
			stats, err := data.Measure(cmd.Context(), source, skipBad, nil)
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
	statsRows(func(name, format string, args ...any) { fmt.Fprintf(table, name+"\t"+format+"\n", args...) }, s)
	return table.Flush()
}

// statsRows are figures as the rows of a table.
func statsRows(row func(name, format string, args ...any), s data.Stats) {
	row("images", "%s", grouped(s.Images))
	if s.Skipped > 0 {
		row("skipped", "%s", grouped(s.Skipped))
	}
	row("regions", "%s, %d to %d an image, median %d", grouped(s.Regions), s.MinRegions, s.MaxRegions, s.MedianRegions)
	row("preset", "%s", map[bool]string{true: "(unknown)", false: plain(s.Preset)}[s.Preset == ""])
	row("features", "%d wide, %.4g to %.4g, mean %.4f, deviation %.4f, %.1f %% are 0",
		s.FeatureWidth, s.MinFeature, s.MaxFeature, s.MeanFeature, s.StdFeature, 100*s.ZeroShare)
	row("boxes", "%.1f %% of their picture on average (%.0f %% wide, %.0f %% high); %.1f %% of them are below %.0f %%, %.1f %% above %.0f %%",
		100*s.MeanArea, 100*s.MeanWidth, 100*s.MeanHeight, 100*s.SmallBoxes, 100*data.SmallArea, 100*s.LargeBoxes, 100*data.LargeArea)
	row("with size", "%s", grouped(s.WithSize))
	row("with objects", "%s, mean confidence %.3f", grouped(s.WithObjects), s.MeanObject)
	row("with attributes", "%s, mean confidence %.3f", grouped(s.WithAttributes), s.MeanAttribute)
}

func questionStats(w io.Writer, path string, skipBad, asJSON bool) error {
	s, err := questions.Summarize(questions.Distinct(path, questions.LXMERT(path), nil), path, nil, nil)
	if err != nil {
		return err
	}
	if s.Bad > 0 && !skipBad {
		return s.Faults[0]
	}
	if asJSON {
		return printJSON(w, s)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(table, name+"\t"+format+"\n", args...) }
	row("questions", "%s about %s pictures", grouped(s.Questions), grouped(s.Pictures))
	if s.Bad > 0 {
		row("skipped", "%s", grouped(s.Bad))
	}
	row("words", "%.1f on average, %d at most", s.MeanWords, s.MaxWords)
	row("labels", "%s, of them %s without an answer in use", grouped(s.Labelled), grouped(s.WithoutAnswer))
	row("answers", "%s different, %.2f a label", grouped(s.Answers), s.AnswersPerLabel)
	if s.True+s.False > 0 {
		row("statements", "%s true, %s false", grouped(s.True), grouped(s.False))
	}
	for _, counts := range []struct {
		name string
		of   map[string]int
	}{{"source", s.Sources}, {"answer type", s.AnswerTypes}} {
		for _, name := range slices.Sorted(maps.Keys(counts.of)) {
			row(counts.name+" "+plain(name), "%s", grouped(counts.of[name]))
		}
	}
	return table.Flush()
}
