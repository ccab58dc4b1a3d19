package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/explain/show"
	"github.com/go-lxmert/lxmert/vision"
)

// explained is what explain writes as JSON.
type explained struct {
	Model     string              `json:"model"` // a directory, or "shipped"
	Picture   string              `json:"picture,omitempty"`
	ImageID   string              `json:"image_id,omitempty"`
	Regions   []regionRecord      `json:"regions"` // in their order
	Preset    string              `json:"preset,omitempty"`
	Familiar  *float64            `json:"familiarity,omitempty"`
	Notes     []string            `json:"notes,omitempty"`
	LoadMS    float64             `json:"load_ms"`
	SeeMS     float64             `json:"see_ms,omitempty"`
	Detector  string              `json:"detector,omitempty"`
	Cached    bool                `json:"cached,omitempty"`
	Stages    []stageRecord       `json:"stages,omitempty"`
	Questions []explainedQuestion `json:"questions"`
	Out       string              `json:"out,omitempty"` // the file that was written
}

type explainedQuestion struct {
	Question    string               `json:"question"`
	Answers     []answerRecord       `json:"answers"`
	Explanation *explain.Explanation `json:"explanation"`
	ExplainMS   float64              `json:"explain_ms"` // the answers included
}

func newExplainedQuestion(x *explain.Explanation, top int, trust, ms float64) explainedQuestion {
	answers := make([]lxmert.Answer, min(top, len(x.Answers)))
	for i := range answers {
		answers[i] = lxmert.Answer(x.Answers[i])
	}
	return explainedQuestion{x.Question, newAskedQuestion(x.Question, answers, trust, ms).Answers, x, ms}
}

// printedWords say how an explanation is printed.
type printedWords struct {
	colored bool
	top     int
	names   vision.Vocabulary
	regions vision.Regions
}

func (e *explained) print(w io.Writer, p printedWords) error {
	for _, q := range e.Questions {
		x := q.Explanation
		fmt.Fprintln(w, p.question(x))
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(table, "\tscore\tconfidence\t  answer\n")
		for rank, a := range q.Answers {
			mark := ""
			if a.ID == x.Answer.ID && x.Answer.ID != x.Answers[0].ID {
				mark = "  (explained)"
			}
			fmt.Fprintf(table, "%d\t%.4f\t%.2f %%\t  %s%s\n", rank+1, a.Score, 100*a.Confidence, answerText(a.Text), mark)
		}
		fmt.Fprintf(table, "\tscore\tshade\t  because of, by %s\n", show.MethodTitle(x))
		for rank, region := range x.TopRegions(p.top) {
			fmt.Fprintf(table, "%d\t%.4f\t%.2f\t  %s\n", rank+1, x.RegionScores[region], x.RegionShades[region], plain(p.region(region)))
		}
		if len(x.TopRegions(1)) == 0 {
			fmt.Fprintf(table, "\t\t\t  no region that counts\n")
		}
		fmt.Fprintf(table, "\tscore\tshade\t  and of the words\n")
		spelt := map[int]string{}
		for _, word := range show.Words(x) {
			spelt[word.Token] = word.Text
		}
		for rank, token := range x.TopTokens(p.top) {
			fmt.Fprintf(table, "%d\t%.4f\t%.2f\t  %s\n", rank+1, x.TokenScores[token], x.TokenShades[token], plain(spelt[token]))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		if !slices.ContainsFunc(q.Answers, func(a answerRecord) bool { return a.ID == x.Answer.ID }) {
			fmt.Fprintf(w, "  explained: %s, %.2f %% of the softmax\n", answerText(x.Answer.Text), 100*x.Answer.Probability)
		}
		fmt.Fprintf(w, "  explained in %.1f ms\n\n", q.ExplainMS)
	}
	if e.Out != "" {
		fmt.Fprintf(w, "written to %s\n", plain(e.Out))
	}
	seen := ""
	if e.SeeMS > 0 {
		seen = fmt.Sprintf(" found in %.0f ms%s", e.SeeMS, parts(e.Stages))
	}
	_, err := fmt.Fprintf(w, "%s: %d regions%s%s; model loaded in %.0f ms\n", plain(e.ImageID+e.Picture), len(e.Regions), by(e.Preset), seen, e.LoadMS)
	return err
}

// region is what a region is called.
func (p printedWords) region(i int) string {
	if name := p.names.Name(p.regions, i); name != "" {
		return name
	}
	return fmt.Sprintf("region %d", i)
}

// question is as it was asked; with colours each word is on its shade.
func (p printedWords) question(x *explain.Explanation) string {
	if !p.colored {
		return plain(x.Question)
	}
	var b strings.Builder
	for i, word := range show.Words(x) {
		if word.Apart && i > 0 {
			b.WriteByte(' ')
		}
		shade := x.TokenShades[word.Token]
		fmt.Fprintf(&b, "\x1b[48;5;%d;38;5;%dm%s\x1b[0m", terminalShade(shade), terminalInk(shade), plain(word.Text))
	}
	return b.String()
}

// terminalShades are colours that every terminal with 256 of them has, from dark to light as show's.
var terminalShades = []int{236, 238, 94, 130, 166, 172, 214, 221, 228}

func terminalShade(shade float32) int {
	return terminalShades[min(max(int(shade*float32(len(terminalShades))), 0), len(terminalShades)-1)]
}

// terminalInk is white on what is dark, black on what is light.
func terminalInk(shade float32) int {
	if shade*float32(len(terminalShades)) < 4 {
		return 231
	}
	return 16
}
