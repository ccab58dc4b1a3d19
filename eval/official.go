package eval

import (
	"errors"
	"fmt"

	"github.com/go-lxmert/lxmert/internal/jsonstream"
)

// ErrNoAnswers says that questions do not know their answers, as those of test splits: there is nothing to score by.
var ErrNoAnswers = errors.New("nothing to score by")

// ReadVQAAnnotations reads what people answered, VQA's annotations file (v2_mscoco_val2014_annotations.json, or its zip). The error names the
// record, from 0, and what is wrong with it.
func ReadVQAAnnotations(path string) ([]VQAQuestion, error) {
	r, err := jsonstream.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var questions []VQAQuestion
	found := false
	err = r.Members(func(key string) error {
		if key != "annotations" {
			return r.Skip()
		}
		found = true
		return r.Elements(func(i int) error {
			var a struct {
				ID           *int64 `json:"question_id"`
				QuestionType string `json:"question_type"`
				AnswerType   string `json:"answer_type"`
				Answers      []struct {
					Answer *string `json:"answer"`
				} `json:"answers"`
			}
			if err := r.Decode(&a); err != nil {
				return inRecord(path, i, err)
			}
			if a.ID == nil {
				return inRecord(path, i, errors.New("question_id: found none"))
			}
			q := VQAQuestion{ID: fmt.Sprint(*a.ID), QuestionType: a.QuestionType, AnswerType: a.AnswerType}
			for k, given := range a.Answers {
				if given.Answer == nil {
					return inRecord(path, i, fmt.Errorf("answers: entry %d: answer: found none", k))
				}
				q.Answers = append(q.Answers, *given.Answer)
			}
			questions = append(questions, q)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%s: found no key annotations, want VQA's annotations file", path)
	}
	return questions, r.End()
}

// inRecord says where an error is, unless it is about the file as a whole, which then has its name already.
func inRecord(path string, record any, err error) error {
	var bad *jsonstream.BadValue
	if errors.As(err, &bad) {
		err = bad.Err
	}
	return fmt.Errorf("%s: record %v: %w", path, record, err)
}

// ReadGQAQuestions reads a file of GQA's questions with all that scoring needs (testdev_balanced_questions.json, val_all_questions.json), and
// of choicesPath, unless it is "", their choices (val_choices.json). Of the questions those are read that keep wants; nil wants all. The error
// names the question; it is [ErrNoAnswers] where one has no answer.
func ReadGQAQuestions(path, choicesPath string, keep func(id string) bool) ([]GQAQuestion, error) {
	var questions []GQAQuestion
	err := gqaMembers(path, func(r *jsonstream.Reader, id string) error {
		if keep != nil && !keep(id) {
			return r.Skip()
		}
		var v gqaRecord
		if err := r.Decode(&v); err != nil {
			return inRecord(path, id, err)
		}
		q, err := v.question(id)
		if err != nil {
			return inRecord(path, id, err)
		}
		questions = append(questions, q)
		return nil
	})
	if err != nil || choicesPath == "" {
		return questions, err
	}
	byID := make(map[string]*GQAQuestion, len(questions))
	for i := range questions {
		byID[questions[i].ID] = &questions[i]
	}
	return questions, gqaMembers(choicesPath, func(r *jsonstream.Reader, id string) error {
		q := byID[id]
		if q == nil || !q.Balanced { // only those are scored, and there are many
			return r.Skip()
		}
		var choices struct{ Valid, Plausible []string }
		if err := r.Decode(&choices); err != nil {
			return inRecord(choicesPath, id, err)
		}
		q.Choices = &GQAChoice{choices.Valid, choices.Plausible}
		return nil
	})
}

// gqaMembers goes through an object by question id.
func gqaMembers(path string, each func(r *jsonstream.Reader, id string) error) error {
	r, err := jsonstream.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.Members(func(id string) error { return each(r, id) }); err != nil {
		return err
	}
	return r.End()
}

// gqaRecord is a question as GQA's files have it.
type gqaRecord struct {
	Question string  `json:"question"`
	Answer   *string `json:"answer"`
	Balanced *bool   `json:"isBalanced"`
	Types    struct {
		Structural *string `json:"structural"`
		Semantic   *string `json:"semantic"`
		Detailed   *string `json:"detailed"`
	} `json:"types"`
	Groups struct {
		Global *string `json:"global"`
	} `json:"groups"`
	Semantic []GQAStep `json:"semantic"`
	Entailed []string  `json:"entailed"`
}

func (v gqaRecord) question(id string) (GQAQuestion, error) {
	switch {
	case v.Answer == nil:
		return GQAQuestion{}, fmt.Errorf("answer: found none: %w", ErrNoAnswers)
	case v.Balanced == nil:
		return GQAQuestion{}, errors.New("isBalanced: found none, but only balanced questions are scored")
	}
	return GQAQuestion{
		ID: id, Question: v.Question, Answer: *v.Answer, Balanced: *v.Balanced,
		Structural: orEmpty(v.Types.Structural), Semantic: orEmpty(v.Types.Semantic), Detailed: orEmpty(v.Types.Detailed),
		GlobalGroup: orEmpty(v.Groups.Global), Steps: v.Semantic, Entailed: v.Entailed,
	}, nil
}

// orEmpty is "" for what a file says is null.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
