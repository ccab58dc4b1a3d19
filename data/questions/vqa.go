package questions

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/internal/jsonstream"
)

// VQA reads VQA 2.0 as its site offers it: questions (v2_OpenEnded_mscoco_val2014_questions.json) and, unless the path is "", annotations
// (v2_mscoco_val2014_annotations.json); each may still be in its zip. Questions come in the order of the annotations, or of the questions where
// there are none.
//
// The label has answers.Soft of the ten answers, of those that are in use; with inUse nil, of all. Pictures are named as
// LXMERT's feature files do, COCO_val2014_ and twelve digits, from the questions' data_subtype.
//
// The questions' text is kept in memory while annotations are read: about 100 bytes a question.
func VQA(questionsPath, annotationsPath string, inUse func(answer string) bool) Seq {
	if annotationsPath == "" {
		return read(questionsPath, func(r *jsonstream.Reader, yield func(Question, error) error) error {
			return vqaQuestions(r, yield)
		})
	}
	return func(yield func(Question, error) bool) {
		asked := map[ID]Question{}
		for q, err := range read(questionsPath, vqaQuestions) {
			if err == nil && !asked[q.ID].ID.IsZero() {
				err = &RecordError{Path: questionsPath, Record: len(asked), ID: q.ID.String(), Err: errors.New("question_id: comes a second time, want each once")}
			}
			if err != nil {
				var bad *RecordError
				if !yield(q, err) || !errors.As(err, &bad) {
					return
				}
				continue
			}
			asked[q.ID] = q
		}
		annotated := 0
		for q, err := range read(annotationsPath, func(r *jsonstream.Reader, yield func(Question, error) error) error {
			return vqaAnnotations(r, asked, inUse, yield)
		}) {
			var bad *RecordError
			if !yield(q, err) || err != nil && !errors.As(err, &bad) {
				return
			}
			annotated++
		}
		if len(asked) > 0 { // annotated questions were taken out
			first := slices.MinFunc(slices.Collect(maps.Keys(asked)), func(a, b ID) int { return strings.Compare(a.text, b.text) })
			yield(asked[first], &RecordError{Path: annotationsPath, Record: annotated, ID: first.String(), Err: fmt.Errorf("found no annotation for this question and %d others of %s", len(asked)-1, questionsPath)})
		}
	}
}

type vqaQuestion struct {
	ID       ID          `json:"question_id"`
	Image    json.Number `json:"image_id"`
	Question string      `json:"question"`
}

// vqaQuestions needs data_subtype for the pictures' names, which may come after the questions; so those wait.
func vqaQuestions(r *jsonstream.Reader, yield func(Question, error) error) error {
	type waiting struct {
		record int
		q      Question
		err    error
	}
	subset := ""
	found := false
	var all []waiting
	pass := func(i int, q Question, err error) error {
		if err == nil {
			q.Image, err = cocoName(subset, q.Image)
			if err != nil {
				err = &RecordError{Path: r.Path(), Record: i, ID: q.ID.String(), Err: err}
			}
		}
		return yield(q, err)
	}
	err := r.Members(func(key string) error {
		switch key {
		case "data_subtype":
			return r.Decode(&subset)
		case "questions":
			found = true
			return r.Elements(func(i int) error {
				return decode(r, i, func(q Question, err error) error {
					if subset == "" {
						all = append(all, waiting{i, q, err})
						return nil
					}
					return pass(i, q, err)
				}, func(v vqaQuestion) (Question, error) {
					q := Question{ID: v.ID, Image: v.Image.String(), Sentence: v.Question}
					if v.ID.IsZero() {
						return q, errors.New("question_id: found none")
					}
					return q, nil
				})
			})
		}
		return r.Skip()
	})
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s: found no key questions, want VQA's questions file", r.Path())
	}
	for _, w := range all {
		if err := pass(w.record, w.q, w.err); err != nil {
			return err
		}
	}
	return r.End()
}

// cocoName is a picture's name in LXMERT's feature files. test-dev's pictures are test's.
func cocoName(subset, number string) (string, error) {
	if subset == "test-dev2015" {
		subset = "test2015"
	}
	switch subset {
	case "train2014", "val2014", "test2015":
	default:
		return "", fmt.Errorf("data_subtype: found %q, want train2014, val2014, test2015 or test-dev2015", subset)
	}
	for _, digit := range number {
		if digit < '0' || digit > '9' {
			return "", fmt.Errorf("image_id: found %s, want a whole number", plain(number))
		}
	}
	return fmt.Sprintf("COCO_%s_%012s", subset, number), nil
}

type vqaAnnotation struct {
	ID           ID     `json:"question_id"`
	QuestionType string `json:"question_type"`
	AnswerType   string `json:"answer_type"`
	Answers      []struct {
		Answer *string `json:"answer"`
	} `json:"answers"`
}

// vqaAnnotations takes the questions out of asked as they are annotated.
func vqaAnnotations(r *jsonstream.Reader, asked map[ID]Question, inUse func(string) bool, yield func(Question, error) error) error {
	found := false
	done := map[ID]bool{}
	err := r.Members(func(key string) error {
		if key != "annotations" {
			return r.Skip()
		}
		found = true
		return r.Elements(func(i int) error {
			return decode(r, i, yield, func(v vqaAnnotation) (Question, error) {
				q, ok := asked[v.ID]
				if !ok {
					q.ID = v.ID
					if done[v.ID] {
						return q, fmt.Errorf("question_id: found %s a second time, want each once", v.ID)
					}
					return q, fmt.Errorf("question_id: found %q, which the questions do not have", v.ID)
				}
				delete(asked, v.ID)
				done[v.ID] = true
				q.QuestionType, q.AnswerType = v.QuestionType, v.AnswerType
				var given []string
				for k, a := range v.Answers {
					if a.Answer == nil {
						return q, fmt.Errorf("answers: entry %d: answer: found none", k)
					}
					given = append(given, *a.Answer)
				}
				if len(given) == 0 {
					return q, errors.New("answers: found none, want those of ten people")
				}
				q.Label = []answers.Score{}
				for _, s := range answers.Soft(given) {
					if inUse == nil || inUse(s.Answer) {
						q.Label = append(q.Label, s)
					}
				}
				return q, nil
			})
		})
	})
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s: found no key annotations, want VQA's annotations file", r.Path())
	}
	return r.End()
}

// VQAMostCommon goes through an annotations file and gives the answer that most people gave to each question, as it was given: what
// the list of answers in use is made of.
func VQAMostCommon(annotationsPath string, each func(answer string)) error {
	r, err := jsonstream.Open(annotationsPath)
	if err != nil {
		return err
	}
	defer r.Close()
	err = r.Members(func(key string) error {
		if key != "annotations" {
			return r.Skip()
		}
		return r.Elements(func(i int) error {
			var v struct {
				Answer *string `json:"multiple_choice_answer"`
			}
			err := r.Decode(&v)
			if err == nil && v.Answer == nil {
				err = errors.New("multiple_choice_answer: found none")
			}
			if err != nil {
				return &RecordError{Path: annotationsPath, Record: i, Err: err}
			}
			each(*v.Answer)
			return nil
		})
	})
	if err != nil {
		return err
	}
	return r.End()
}
