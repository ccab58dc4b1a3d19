package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/go-lxmert/lxmert"
)

// asked is what ask prints.
type asked struct {
	Model     string          `json:"model"` // a directory, or "shipped"
	DType     string          `json:"dtype"` // f32, bf16 or int8
	Picture   string          `json:"picture,omitempty"`
	ImageID   string          `json:"image_id,omitempty"`
	Regions   int             `json:"regions"`
	Preset    string          `json:"preset,omitempty"`
	Familiar  *float64        `json:"familiarity,omitempty"` // 0..1; nil where nothing measures it
	Notes     []string        `json:"notes,omitempty"`
	LoadMS    float64         `json:"load_ms"`
	SeeMS     float64         `json:"see_ms,omitempty"` // for the picture to be read and its regions to be found
	Detector  string          `json:"detector,omitempty"`
	Cached    bool            `json:"cached,omitempty"` // the regions were in --cache
	Stages    []stageRecord   `json:"stages,omitempty"` // of SeeMS
	Questions []askedQuestion `json:"questions"`
}

// stageRecord is how long a part took.
type stageRecord struct {
	Stage string  `json:"stage"`
	MS    float64 `json:"ms"`
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
	// Confidence is the probability, less where the picture is not of the model's world.
	Confidence float32 `json:"confidence"`
}

func newAskedQuestion(question string, answers []lxmert.Answer, trust, ms float64) askedQuestion {
	records := make([]answerRecord, len(answers))
	for i, a := range answers {
		records[i] = answerRecord{a.ID, a.Text, a.Score, a.Probability, a.Probability * float32(trust)}
	}
	return askedQuestion{question, records, ms}
}

func (a asked) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, q := range a.Questions {
		fmt.Fprintf(w, "%s\n", plain(q.Question))
		fmt.Fprintf(table, "\tscore\tconfidence\t  answer\n")
		for rank, answer := range q.Answers {
			fmt.Fprintf(table, "%d\t%.4f\t%.2f %%\t  %s\n", rank+1, answer.Score, 100*answer.Confidence, answerText(answer.Text))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(w, "  answered in %.1f ms\n\n", q.AnswerMS)
	}
	seen := ""
	if a.SeeMS > 0 {
		seen = fmt.Sprintf(" found in %.0f ms%s", a.SeeMS, parts(a.Stages))
	}
	_, err := fmt.Fprintf(w, "%s: %d regions%s%s; model loaded in %.0f ms\n", plain(a.ImageID+a.Picture), a.Regions, by(a.Preset), seen, a.LoadMS)
	return err
}

// answerText is an answer on a line; VQA's table has an empty one.
func answerText(text string) string {
	if text == "" {
		return "(the empty answer)"
	}
	return plain(text)
}

// parts says how long each part took, if they were several, and one of them long.
func parts(stages []stageRecord) string {
	const long = 100 // ms
	if len(stages) < 3 || !slices.ContainsFunc(stages, func(s stageRecord) bool { return s.MS >= long }) {
		return ""
	}
	var texts []string
	for _, s := range stages {
		if s.MS < 0.5 {
			continue
		}
		texts = append(texts, fmt.Sprintf("%s %.0f", s.Stage, s.MS))
	}
	return " (" + strings.Join(texts, ", ") + ")"
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
