package questions

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/internal/jsonstream"
)

// LXMERT reads the JSON that LXMERT's authors give out, a list of records of one of three forms, told apart by their keys:
//
//	{"img_id", "sent", "label": {ANSWER: SCORE}, "question_id", "question_type", "answer_type"}   VQA, GQA
//	{"img0", "img1", "sent", "label": 0 or 1, "identifier", "uid"}                                NLVR2
//	{"img_id", "sentf": {SOURCE: [sentence, …]}, "labelf": {SOURCE: [{ANSWER: SCORE}, …]}}         pre-training
//
// A record of pre-training is a question for each of its sentences. question_type, answer_type, and label where
// nothing is known, may be missing. Labels are in the order of the file.
func LXMERT(path string) Seq {
	return read(path, func(r *jsonstream.Reader, yield func(Question, error) error) error {
		err := r.Elements(func(i int) error {
			var v lxmertRecord
			err := r.Decode(&v)
			var bad *jsonstream.BadValue
			if err != nil && !errors.As(err, &bad) {
				return err
			}
			var all []Question
			if err == nil {
				all, err = v.questions()
			}
			if err != nil {
				return yield(Question{}, &RecordError{Path: path, Record: i, ID: v.id().String(), Err: err})
			}
			for _, q := range all {
				err := q.check()
				if err != nil {
					err = &RecordError{Path: path, Record: i, ID: v.id().String(), Err: err}
				}
				if err := yield(q, err); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return r.End()
	})
}

// An lxmertRecord has the keys of all three forms, in the order in which LXMERT's files have them.
type lxmertRecord struct {
	AnswerType   string                 `json:"answer_type,omitempty"`
	Identifier   ID                     `json:"identifier,omitzero"`
	Image0       string                 `json:"img0,omitempty"`
	Image1       string                 `json:"img1,omitempty"`
	Image        string                 `json:"img_id,omitempty"`
	Label        *labelValue            `json:"label,omitempty"`
	Labels       *perSource[labelValue] `json:"labelf,omitempty"`
	ID           ID                     `json:"question_id,omitzero"`
	QuestionType string                 `json:"question_type,omitempty"`
	Sentence     string                 `json:"sent,omitempty"`
	Sentences    *perSource[string]     `json:"sentf,omitempty"`
	UID          string                 `json:"uid,omitempty"`
}

// perSource are lists by source.
type perSource[T any] map[string][]T

func (v lxmertRecord) id() ID {
	if v.ID.IsZero() {
		return v.Identifier
	}
	return v.ID
}

func (v lxmertRecord) questions() ([]Question, error) {
	q := Question{ID: v.id(), Image: v.Image, Sentence: v.Sentence, QuestionType: v.QuestionType, AnswerType: v.AnswerType, UID: v.UID}
	switch {
	case v.Sentences != nil:
		return v.expand()
	case v.Image0 != "" || v.Image1 != "":
		if v.Image0 == "" || v.Image1 == "" {
			return nil, errors.New("img0, img1: found one of them, want both")
		}
		q.Image, q.Second = v.Image0, v.Image1
		if v.Label != nil {
			if v.Label.number == nil || *v.Label.number != 0 && *v.Label.number != 1 {
				return nil, errors.New("label: want 0 or 1 where there are two pictures")
			}
			truth := *v.Label.number == 1
			q.Truth = &truth
		}
	case v.Label != nil:
		if v.Label.number != nil {
			return nil, fmt.Errorf("label: found %v, want an object answer → score", *v.Label.number)
		}
		q.Label = v.Label.scores
	}
	return []Question{q}, nil
}

// expand makes a question of each sentence, source by source.
func (v lxmertRecord) expand() ([]Question, error) {
	var out []Question
	var labels perSource[labelValue]
	if v.Labels != nil {
		labels = *v.Labels
	}
	for _, source := range slices.Sorted(maps.Keys(*v.Sentences)) {
		of, labelled := labels[source]
		sentences := (*v.Sentences)[source]
		if labelled && len(of) != len(sentences) {
			return nil, fmt.Errorf("labelf: found %d labels for %s, want %d as in sentf", len(of), plain(source), len(sentences))
		}
		for i, sentence := range sentences {
			q := Question{Image: v.Image, Sentence: sentence, Source: source}
			if labelled {
				if of[i].number != nil {
					return nil, fmt.Errorf("labelf: %s: entry %d: found a number, want an object answer → score", plain(source), i)
				}
				q.Label = of[i].scores
			}
			out = append(out, q)
		}
	}
	for source := range labels {
		if _, ok := (*v.Sentences)[source]; !ok {
			return nil, fmt.Errorf("labelf: found %s, which sentf does not have", plain(source))
		}
	}
	return out, nil
}

// A labelValue is 0 or 1, or scores by answer in the order of the file.
type labelValue struct {
	number *float64
	scores []answers.Score
}

// UnmarshalJSON refuses an answer that comes twice, which a map would not see.
func (l *labelValue) UnmarshalJSON(text []byte) error {
	*l = labelValue{}
	if len(text) > 0 && text[0] != '{' {
		if err := json.Unmarshal(text, &l.number); err != nil || l.number == nil {
			return fmt.Errorf("label: found %.40s, want an object answer → score, or 0 or 1", text)
		}
		return nil
	}
	var scores map[string]float64
	if err := json.Unmarshal(text, &scores); err != nil {
		return fmt.Errorf("label: found %.60s, want an object answer → score", text)
	}
	l.scores = make([]answers.Score, 0, len(scores))
	return orderedKeys(text, func(key string) error {
		score, ok := scores[key]
		if !ok {
			return fmt.Errorf("label: answer %q comes twice, want each once", key)
		}
		delete(scores, key)
		l.scores = append(l.scores, answers.Score{Answer: key, Score: score})
		return nil
	})
}

// MarshalJSON writes an object in the label's order.
func (l labelValue) MarshalJSON() ([]byte, error) {
	if l.number != nil {
		return json.Marshal(*l.number)
	}
	out := []byte{'{'}
	for i, s := range l.scores {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := encode(s.Answer)
		if err != nil {
			return nil, err
		}
		value, err := encode(s.Score)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, key...), ':'), value...)
	}
	return append(out, '}'), nil
}
