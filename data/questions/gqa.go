package questions

import (
	"errors"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/internal/jsonstream"
)

// GQA reads GQA's questions as its site offers them, {"ID": {"imageId", "question", "answer", "isBalanced", …}, …}: the
// balanced files, or the parts of the full ones. With balanced, questions that are not in the balanced set are left out. The label is the one
// answer; test questions have none.
func GQA(path string, balanced bool) Seq {
	return read(path, func(r *jsonstream.Reader, yield func(Question, error) error) error {
		number := -1
		err := r.Members(func(id string) error {
			number++
			left := false
			return decode(r, number, func(q Question, err error) error {
				if left && err == nil {
					return nil
				}
				return yield(q, err)
			}, func(v gqaQuestion) (Question, error) {
				q := Question{ID: TextID(id), Image: v.Image, Sentence: v.Question, QuestionType: v.Types.Structural}
				left = balanced && (v.Balanced == nil || !*v.Balanced)
				if balanced && v.Balanced == nil {
					left = false
					return q, errors.New("isBalanced: found none, but only balanced questions were asked for")
				}
				if v.Answer != nil {
					q.Label = []answers.Score{{Answer: *v.Answer, Score: 1}}
				}
				return q, nil
			})
		})
		if err != nil {
			return err
		}
		return r.End()
	})
}

type gqaQuestion struct {
	Image    string  `json:"imageId"`
	Question string  `json:"question"`
	Answer   *string `json:"answer"`
	Balanced *bool   `json:"isBalanced"`
	Types    struct {
		Structural string `json:"structural"`
	} `json:"types"`
}
