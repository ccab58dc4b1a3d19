// Package questions reads what is asked and said about pictures: straight from what the data sets' sites offer,
// and in LXMERT's own JSON, which it also writes. Files may be larger than memory; each is read record by
// record.
package questions

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/internal/jsonstream"
)

// A Question is a sentence about a picture, or about two, and what is known of its answer.
type Question struct {
	ID       ID     // as the data set has it
	Image    string // the picture's id in a feature file: COCO_val2014_000000000042, 2405722
	Second   string // the right picture, where there are two (NLVR2)
	Sentence string

	// Label are the right answers and how right each is. Nil means that nobody knows, or that nothing was asked
	// (captions); empty that none of the answers in use is right.
	Label []answers.Score
	Truth *bool // NLVR2: whether the sentence is true; nil if unknown

	Source       string // in pre-training's files: mscoco, vg, vqa, gqa, visual7w
	QuestionType string // VQA's first words, such as "how many"
	AnswerType   string // VQA's "yes/no", "number" or "other"
	UID          string // NLVR2: LXMERT's own number
}

// An ID is a question's id: a number or a text, and it is written as it was read, for submissions must have it so.
type ID struct {
	text   string
	number bool
}

// NumberID and TextID make ids.
func NumberID(n int64) ID { return ID{strconv.FormatInt(n, 10), true} }

// TextID makes an id that is text.
func TextID(s string) ID { return ID{text: s} }

// String is the id without quotes.
func (id ID) String() string { return id.text }

// IsNumber is true for an id that is a whole number.
func (id ID) IsNumber() bool { return id.number }

// IsZero is true for no id.
func (id ID) IsZero() bool { return id.text == "" }

// UnmarshalJSON takes a whole number or a text that is not empty.
func (id *ID) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*id = ID{}
		if err := json.Unmarshal(b, &id.text); err != nil {
			return err
		}
		if id.text == "" || len(id.text) > 1024 {
			return fmt.Errorf("found an id of %d bytes, want 1 to 1024", len(id.text))
		}
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return fmt.Errorf("found %.40s, want an id: a whole number or a text", b)
	}
	*id = NumberID(n)
	return nil
}

// UnmarshalText takes what looks like a whole number for one, and anything else for text: for files that do not
// tell the two apart.
func (id *ID) UnmarshalText(b []byte) error {
	if n, err := strconv.ParseInt(string(b), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(b) {
		*id = NumberID(n)
		return nil
	}
	if len(b) == 0 || len(b) > 1024 {
		return fmt.Errorf("question_id: found an id of %d bytes, want 1 to 1024", len(b))
	}
	*id = TextID(string(b))
	return nil
}

// MarshalJSON writes it as it was.
func (id ID) MarshalJSON() ([]byte, error) {
	if id.number {
		return []byte(id.text), nil
	}
	return json.Marshal(id.text)
}

// A RecordError says what is wrong with one record of a file; the records after it can still be read.
type RecordError struct {
	Path   string
	Record int    // from 0
	ID     string // the question's, if it is known
	Err    error  // which field, what was found and what was expected
}

// Error is "FILE: record 17 (question 42): img_id: found …, want …".
func (e *RecordError) Error() string {
	of := ""
	if e.ID != "" {
		of = fmt.Sprintf(" (%s)", plain(e.ID))
	}
	return fmt.Sprintf("%s: record %d%s: %v", e.Path, e.Record, of, e.Err)
}

// Unwrap is what is wrong.
func (e *RecordError) Unwrap() error { return e.Err }

// plain shows text of a file in a message.
func plain(s string) string {
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "") + "…"
	}
	if quoted := strconv.Quote(s); len(quoted) != len(s)+2 {
		return quoted
	}
	return s
}

// A Seq goes through questions in the order of their file. A bad record comes as a *RecordError, and the next
// one follows; any other error is the last thing that comes.
type Seq = iter.Seq2[Question, error]

// errStop says that whoever takes the questions wants no more.
var errStop = errors.New("stop")

// read goes through a file; walk calls yield for each question or bad record.
func read(path string, walk func(r *jsonstream.Reader, yield func(Question, error) error) error) Seq {
	return func(yield func(Question, error) bool) {
		r, err := jsonstream.Open(path)
		if err != nil {
			yield(Question{}, err)
			return
		}
		defer r.Close()
		err = walk(r, func(q Question, err error) error {
			if !yield(q, err) {
				return errStop
			}
			return nil
		})
		if err != nil && err != errStop {
			yield(Question{}, err)
		}
	}
}

// decode reads a record of type T and makes a question of it; what is wrong with it becomes a RecordError, what
// is wrong with the file is returned.
func decode[T any](r *jsonstream.Reader, number int, yield func(Question, error) error, make func(T) (Question, error)) error {
	var record T
	err := r.Decode(&record)
	var bad *jsonstream.BadValue
	var q Question
	switch {
	case errors.As(err, &bad):
	case err != nil:
		return err
	default:
		if q, err = make(record); err == nil {
			err = q.check()
		}
	}
	if err != nil {
		err = &RecordError{Path: r.Path(), Record: number, ID: q.ID.String(), Err: err}
	}
	return yield(q, err)
}

const maxSentence = 1 << 16 // bytes; LXMERT reads the first 20 words

// check is what every question must be.
func (q Question) check() error {
	switch {
	case q.Image == "":
		return errors.New("img_id: found none, want a picture's id")
	case strings.TrimSpace(q.Sentence) == "":
		return errors.New("sent: found none, want a sentence")
	case len(q.Sentence) > maxSentence:
		return fmt.Errorf("sent: found %d bytes, want at most %d", len(q.Sentence), maxSentence)
	}
	for _, s := range q.Label {
		if !(s.Score >= 0 && s.Score <= 1) { // so that NaN fails
			return fmt.Errorf("label: found score %v for answer %q, want 0 to 1", s.Score, s.Answer)
		}
	}
	return nil
}

// Distinct passes questions on and makes a RecordError of each whose id has been before, in this file or, where
// seen is not nil, in those that were read with the same seen.
func Distinct(path string, seq Seq, seen map[ID]bool) Seq {
	return func(yield func(Question, error) bool) {
		before := seen
		if before == nil {
			before = map[ID]bool{}
		}
		n := -1
		for q, err := range seq {
			n++
			if err == nil && !q.ID.IsZero() {
				if before[q.ID] {
					err = &RecordError{Path: path, Record: n, ID: q.ID.String(), Err: errors.New("id: comes a second time, want each once")}
				}
				before[q.ID] = true
			}
			if !yield(q, err) {
				return
			}
		}
	}
}

// Skipped counts what Good has left out.
type Skipped struct {
	Count int
	First []error // the first hundred
}

// Add notes one.
func (s *Skipped) Add(err error) {
	const kept = 100
	if s.Count++; len(s.First) < kept {
		s.First = append(s.First, err)
	}
}

// Good passes on what can be used and counts bad records in skipped; with skipped nil the first one is the end.
func Good(seq Seq, skipped *Skipped) Seq {
	return func(yield func(Question, error) bool) {
		for q, err := range seq {
			var bad *RecordError
			if errors.As(err, &bad) && skipped != nil {
				skipped.Add(err)
				continue
			}
			if !yield(q, err) || err != nil {
				return
			}
		}
	}
}
