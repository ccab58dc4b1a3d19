package questions

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/internal/jsonstream"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// Own reads a data set of one's own, a record for each question: CSV with a header, or JSON objects (.jsonl: one after the other; .json: a list).
//
//	image        the picture's id in the feature file; also img_id, image_id
//	question     also sent, sentence
//	answers      what people answered: in JSON a list of texts, or of {"answer": text}; in CSV texts divided by "|"
//	answer       a single answer, or in CSV several columns answer, answer1, answer_2, …; empty ones do not count
//	question_id  also id; without it questions are numbered from 0
//
// Other columns and keys are passed over. normalise is applied to each answer before they are counted (answers.Official, or nil); the label
// is answers.Soft of them, nil where a question has no answers.
func Own(path string, normalise func(string) string) Seq {
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		return ownCSV(path, normalise)
	}
	return read(path, func(r *jsonstream.Reader, yield func(Question, error) error) error {
		first, err := r.Begins()
		if err != nil {
			return err
		}
		record := func(i int) error {
			return decode(r, i, yield, func(v ownRecord) (Question, error) { return v.question(i, normalise) })
		}
		if first == '[' {
			if err := r.Elements(record); err != nil {
				return err
			}
			return r.End()
		}
		return r.Values(record)
	})
}

type ownRecord struct {
	ID, QuestionID        ID
	Image, ImgID, ImageID ID
	Question, Sent        string
	Sentence              string
	Answer                *string
	Answers               []ownAnswer
}

// question puts together what goes by several names.
func (v ownRecord) question(number int, normalise func(string) string) (Question, error) {
	image := firstID(v.Image, v.ImgID, v.ImageID)
	q := Question{ID: firstID(v.QuestionID, v.ID), Image: image.String()}
	if q.ID.IsZero() {
		q.ID = NumberID(int64(number))
	}
	for _, s := range []string{v.Question, v.Sent, v.Sentence} {
		if q.Sentence == "" {
			q.Sentence = strings.TrimSpace(s)
		}
	}
	var given []string
	for _, a := range v.Answers {
		given = append(given, string(a))
	}
	if v.Answer != nil {
		given = append(given, *v.Answer)
	}
	q.Label = label(given, normalise)
	return q, nil
}

func firstID(ids ...ID) ID {
	for _, id := range ids {
		if !id.IsZero() {
			return id
		}
	}
	return ID{}
}

func label(given []string, normalise func(string) string) []answers.Score {
	if len(given) == 0 {
		return nil
	}
	if normalise != nil {
		given = slices.Clone(given)
		for i, answer := range given {
			given[i] = normalise(answer)
		}
	}
	return answers.Soft(given)
}

// UnmarshalJSON reads the keys by their names; Go would take them in any case, and without underscores.
func (v *ownRecord) UnmarshalJSON(text []byte) error {
	var keys struct {
		ID         ID          `json:"id"`
		QuestionID ID          `json:"question_id"`
		Image      ID          `json:"image"`
		ImgID      ID          `json:"img_id"`
		ImageID    ID          `json:"image_id"`
		Question   string      `json:"question"`
		Sent       string      `json:"sent"`
		Sentence   string      `json:"sentence"`
		Answer     *string     `json:"answer"`
		Answers    []ownAnswer `json:"answers"`
	}
	err := json.Unmarshal(text, &keys)
	*v = ownRecord(keys)
	return err
}

// An ownAnswer is a text, or VQA's object with one.
type ownAnswer string

func (a *ownAnswer) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '{' {
		var v struct {
			Answer *string `json:"answer"`
		}
		if err := json.Unmarshal(text, &v); err != nil || v.Answer == nil {
			return fmt.Errorf("answers: found %.60s, want texts or objects with an answer", text)
		}
		*a = ownAnswer(*v.Answer)
		return nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("answers: found %.60s, want texts or objects with an answer", text)
	}
	*a = ownAnswer(s)
	return nil
}

func ownCSV(path string, normalise func(string) string) Seq {
	return func(yield func(Question, error) bool) {
		file, err := plainfile.Open(path)
		if err != nil {
			yield(Question{}, err)
			return
		}
		defer file.Close()
		if err := readCSV(path, file, normalise, yield); err != nil {
			yield(Question{}, fmt.Errorf("%s: %w", path, err))
		}
	}
}

// readCSV returns what ends the reading of the file, nil if nobody wants more.
func readCSV(path string, from io.Reader, normalise func(string) string, yield func(Question, error) bool) error {
	bounds := &csvBounds{from: from, left: maxCSVRecord}
	reader := csv.NewReader(bounds)
	header, err := reader.Read()
	if err == io.EOF {
		return errors.New("the file is empty, want a header: image,question,answer")
	}
	if err != nil {
		return err
	}
	columns, err := csvColumns(header)
	if err != nil {
		return err
	}
	for number := 0; ; number++ {
		bounds.left = maxCSVRecord
		row, err := reader.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, csv.ErrFieldCount) {
			return err
		}
		var q Question
		if err != nil {
			err = fmt.Errorf("found %d columns, want %d as in the header", len(row), len(header))
		} else if q, err = csvQuestion(row, columns, number, normalise); err == nil {
			err = q.check()
		}
		if err != nil {
			line, _ := reader.FieldPos(0)
			err = &RecordError{Path: path, Record: number, ID: q.ID.String(), Err: fmt.Errorf("(line %d) %w", line, err)}
		}
		if !yield(q, err) {
			return nil
		}
	}
}

// csvColumns finds what each column is.
func csvColumns(header []string) ([]string, error) {
	columns := make([]string, len(header))
	found := map[string]int{}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		switch name {
		case "image", "img_id", "image_id":
			columns[i] = "image"
		case "question", "sent", "sentence":
			columns[i] = "question"
		case "question_id", "id":
			columns[i] = "id"
		case "answers":
			columns[i] = "answers"
		default:
			if rest, ok := strings.CutPrefix(name, "answer"); ok && strings.Trim(rest, "_ 0123456789") == "" {
				columns[i] = "answer"
			}
		}
		found[columns[i]]++
	}
	for _, name := range []string{"image", "question", "id"} {
		if n := found[name]; n > 1 || n == 0 && name != "id" {
			return nil, fmt.Errorf("header: found %d columns for %s in %.100q, want one", n, name, header)
		}
	}
	return columns, nil
}

func csvQuestion(row, columns []string, number int, normalise func(string) string) (Question, error) {
	q := Question{ID: NumberID(int64(number))}
	var given []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			given = append(given, text)
		}
	}
	for i, field := range row {
		switch columns[i] {
		case "image":
			q.Image = strings.TrimSpace(field)
		case "question":
			q.Sentence = strings.TrimSpace(field)
		case "id":
			if err := q.ID.UnmarshalText([]byte(strings.TrimSpace(field))); err != nil {
				return q, err
			}
		case "answer":
			add(field)
		case "answers":
			for text := range strings.SplitSeq(field, "|") {
				add(text)
			}
		}
	}
	q.Label = label(given, normalise)
	return q, nil
}

// maxCSVRecord bounds a record: a quote that is never closed would take in the whole file.
const maxCSVRecord = 1 << 20

type csvBounds struct {
	from io.Reader
	left int
}

func (b *csvBounds) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("one record has more than %d bytes: is a quote not closed?", maxCSVRecord)
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
