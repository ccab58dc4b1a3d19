package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/pretrained"
)

func newAsk() *cobra.Command {
	var (
		dir, features, imageID, labels, engineName string
		top                                        int
		asJSON, index                              bool
	)
	cmd := &cobra.Command{
		Use:   "ask --model DIR --features F.tsv --image-id ID QUESTION...",
		Short: "Answer questions about a picture's regions",
		Long: `Ask answers questions about a picture whose regions are in a region store (lxmert data import makes one) or in a feature
file of the bottom-up-attention detector (TSV, one picture a line). Each argument is one question; put it in quotes.

The score is the model's logit; the probability is the softmax over all answers.`,
		Example: `  lxmert ask --model DIR --features train2014_obj36.tsv --image-id COCO_train2014_000000573195 "What animal is this?"
  lxmert ask --model DIR --features F.tsv --image-id ID --labels answers.json --top 3 --json "Is it raining?" "How many dogs?"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s wants a question, in quotes", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, questions []string) error {
			if top < 1 {
				return usagef("--top: found %d, want 1 or more", top)
			}
			engine, err := backend.Open(engineName)
			if err != nil {
				return usageError{err}
			}
			defer engine.Finalize()
			options := []lxmert.Option{lxmert.WithBackend(engine)}
			if cmd.Flags().Changed("labels") {
				table, err := lxmert.ReadLabels(labels)
				if err != nil {
					return err
				}
				options = append(options, lxmert.WithLabels(table))
			}
			source, err := data.Open(features, index)
			if err != nil {
				return err
			}
			defer source.Close()
			regions, err := source.Get(imageID)
			if err != nil {
				return err
			}
			start := time.Now()
			m, err := lxmert.Open(dir, options...)
			if err != nil {
				return err
			}
			defer m.Close()
			if err := regions.Check(m.Config().VisualFeatDim, m.Config().VisualPosDim); err != nil {
				return pretrained.InFile(fmt.Sprintf("%s: %s", features, imageID), err)
			}
			answered := asked{ImageID: imageID, Regions: regions.Len(), Preset: regions.Preset, LoadMS: milliseconds(start)}
			for _, question := range questions {
				start := time.Now()
				answers, err := m.Ask(cmd.Context(), regions, question)
				if err != nil {
					return fmt.Errorf("%q: %w", shortened(question), err)
				}
				answered.Questions = append(answered.Questions, newAskedQuestion(question, answers[:min(top, len(answers))], milliseconds(start)))
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), answered)
			}
			return answered.print(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "model", "", "model `directory`")
	flags.StringVar(&features, "features", "", "region store, or feature `file` (bottom-up-attention TSV)")
	flags.StringVar(&imageID, "image-id", "", "the picture's `id` in the feature file")
	flags.StringVar(&labels, "labels", "", "answer table `file`: a JSON list, a JSON object answer → id, or one answer a line\n(default: labels.json, or id2label of config.json, in the model directory)")
	flags.BoolVar(&index, "index", false, "keep an index beside the feature file, so that later calls need not read through it")
	flags.IntVar(&top, "top", 5, "print the best `n` answers")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	backendFlag(cmd, &engineName)
	required(cmd, "model", "features", "image-id")
	return cmd
}

// asked is what ask prints.
type asked struct {
	ImageID   string          `json:"image_id"`
	Regions   int             `json:"regions"`
	Preset    string          `json:"preset,omitempty"`
	LoadMS    float64         `json:"load_ms"`
	Questions []askedQuestion `json:"questions"`
}

type askedQuestion struct {
	Question string         `json:"question"`
	Answers  []answerRecord `json:"answers"`
	AnswerMS float64        `json:"answer_ms"`
}

type answerRecord struct {
	ID          int     `json:"id"`
	Text        string  `json:"text"`
	Score       float32 `json:"score"`
	Probability float32 `json:"probability"`
}

func newAskedQuestion(question string, answers []lxmert.Answer, ms float64) askedQuestion {
	records := make([]answerRecord, len(answers))
	for i, a := range answers {
		records[i] = answerRecord(a)
	}
	return askedQuestion{question, records, ms}
}

func (a asked) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, q := range a.Questions {
		fmt.Fprintf(w, "%s\n", plain(q.Question))
		fmt.Fprintf(table, "\tscore\tprobability\t  answer\n")
		for rank, answer := range q.Answers {
			text := plain(answer.Text)
			if text == "" {
				text = "(the empty answer)"
			}
			fmt.Fprintf(table, "%d\t%.4f\t%.2f %%\t  %s\n", rank+1, answer.Score, 100*answer.Probability, text)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(w, "  answered in %.1f ms\n\n", q.AnswerMS)
	}
	preset := ""
	if a.Preset != "" {
		preset = " by " + a.Preset
	}
	_, err := fmt.Fprintf(w, "%s: %d regions%s; model loaded in %.0f ms\n", plain(a.ImageID), a.Regions, preset, a.LoadMS)
	return err
}

// plain makes characters that a terminal would act on visible.
func plain(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// milliseconds since start, to a microsecond.
func milliseconds(start time.Time) float64 { return float64(time.Since(start).Microseconds()) / 1000 }

// shortened keeps a long question out of an error line.
func shortened(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
