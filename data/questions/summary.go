package questions

import (
	"errors"
	"fmt"
	"strings"
)

// A Summary says what is in a file of questions.
type Summary struct {
	Questions       int            `json:"questions"`
	Pictures        int            `json:"pictures"`
	MeanWords       float64        `json:"mean_words"` // divided by white space
	MaxWords        int            `json:"max_words"`
	Labelled        int            `json:"labelled"`
	WithoutAnswer   int            `json:"without_answer_in_use"` // labelled, but with no answer
	Answers         int            `json:"answers"`               // different ones
	AnswersPerLabel float64        `json:"answers_per_label"`
	True            int            `json:"true"` // statements about two pictures
	False           int            `json:"false"`
	Sources         map[string]int `json:"sources,omitempty"`
	AnswerTypes     map[string]int `json:"answer_types,omitempty"`
	Bad             int            `json:"bad"`
	Faults          []error        `json:"-"` // the first hundred of the bad
}

// Summarize counts questions. Bad are those that cannot be read; those about a picture that has does not know, each picture once; and those
// with an answer that is not in use, each answer once. has and inUse may be nil. The error is one that ended the reading.
func Summarize(seq Seq, path string, has, inUse func(string) bool) (Summary, error) {
	s := Summary{Sources: map[string]int{}, AnswerTypes: map[string]int{}}
	pictures, known := map[string]bool{}, map[string]bool{}
	words, scored := 0, 0
	number := -1
	for q, err := range seq {
		number++
		var bad *RecordError
		if err != nil && !errors.As(err, &bad) {
			return s, err
		}
		if err != nil {
			s.fault(err)
			continue
		}
		fault := func(format string, args ...any) {
			s.fault(&RecordError{Path: path, Record: number, ID: q.ID.String(), Err: fmt.Errorf(format, args...)})
		}
		s.Questions++
		n := len(strings.Fields(q.Sentence))
		words += n
		s.MaxWords = max(s.MaxWords, n)
		for _, id := range []string{q.Image, q.Second} {
			if id != "" && !pictures[id] {
				pictures[id] = true
				if has != nil && !has(id) {
					fault("img_id: found %s, of which the features are missing", plain(id))
				}
			}
		}
		if q.Source != "" {
			s.Sources[q.Source]++
		}
		if q.AnswerType != "" {
			s.AnswerTypes[q.AnswerType]++
		}
		switch {
		case q.Truth != nil && *q.Truth:
			s.True++
		case q.Truth != nil:
			s.False++
		case q.Label != nil:
			s.Labelled++
			scored += len(q.Label)
			if len(q.Label) == 0 {
				s.WithoutAnswer++
			}
		}
		for _, score := range q.Label {
			if !known[score.Answer] {
				known[score.Answer] = true
				if inUse != nil && !inUse(score.Answer) {
					fault("label: found answer %s, which is not in use", plain(score.Answer))
				}
			}
		}
	}
	s.Pictures, s.Answers = len(pictures), len(known)
	s.MeanWords = float64(words) / float64(max(s.Questions, 1))
	s.AnswersPerLabel = float64(scored) / float64(max(s.Labelled, 1))
	return s, nil
}

func (s *Summary) fault(err error) {
	if s.Bad++; len(s.Faults) < 100 {
		s.Faults = append(s.Faults, err)
	}
}
