package eval

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-lxmert/lxmert/data/answers"
)

// VQAQuestion is what the official VQA evaluation knows about a question.
type VQAQuestion struct {
	ID           string
	Answers      []string // what people answered, ten in VQA's own data
	QuestionType string   // how it begins, such as "how many"; empty if unknown
	AnswerType   string   // "yes/no", "number" or "other"; empty if unknown
}

// Score is the official accuracy of an answer, 0..1. An answer counts as right as far as three people gave it; so that
// people can be scored likewise, each is left out in turn and the mean is taken: with ten people, 0, 0.3, 0.6, 0.9 for 0, 1, 2, 3 who
// agree, and 1 for more.
//
// If all people gave the same answer, it and theirs are compared as they are, and normalised is false; otherwise in their official
// form, without punctuation and articles ("the 2 dogs." is "2 dogs").
func (q *VQAQuestion) Score(answer string) (score float64, normalised bool) {
	if len(q.Answers) == 0 {
		return 0, false
	}
	form := answers.Clean
	for _, a := range q.Answers[1:] {
		if a != q.Answers[0] && answers.Clean(a) != answers.Clean(q.Answers[0]) {
			form, normalised = answers.Official, true
			break
		}
	}
	answer = form(answer)
	agree := make([]bool, len(q.Answers))
	all := 0
	for i, a := range q.Answers {
		if agree[i] = form(a) == answer; agree[i] {
			all++
		}
	}
	sum := 0.0
	for i := range q.Answers {
		others := all
		if agree[i] {
			others--
		}
		sum += min(1, float64(others)/3)
	}
	return sum / float64(len(q.Answers)), normalised
}

// VQAScore is the official VQA accuracy, in percent with two decimals.
type VQAScore struct {
	Accuracy       float64          `json:"accuracy"`
	Questions      int              `json:"questions"`
	ByAnswerType   map[string]Group `json:"perAnswerType"`
	ByQuestionType map[string]Group `json:"perQuestionType"`
}

// VQA is the official VQA accuracy of predictions, one for each question. The error names questions that are missing, unknown or
// predicted twice (a *[MatchError]), or that nobody has answered.
func VQA(questions []VQAQuestion, predictions []Prediction) (*VQAScore, error) {
	if len(questions) == 0 {
		return nil, errNoQuestions
	}
	answerTo, err := answersTo(ids(questions, func(q *VQAQuestion) string { return q.ID }), predictions)
	if err != nil {
		return nil, err
	}
	var unanswered []string
	var all tally
	byAnswer, byQuestion := tallies[string]{}, tallies[string]{}
	for i := range questions {
		q := &questions[i]
		if len(q.Answers) == 0 {
			unanswered = append(unanswered, q.ID)
			continue
		}
		score, _ := q.Score(answerTo[q.ID])
		all.add(score)
		if q.AnswerType != "" {
			byAnswer.add(q.AnswerType, score)
		}
		if q.QuestionType != "" {
			byQuestion.add(q.QuestionType, score)
		}
	}
	if unanswered != nil {
		return nil, errors.New(named(len(unanswered), "question") + " without people's answers: " + some(unanswered))
	}
	return &VQAScore{
		Accuracy:       roundedPercent(all),
		Questions:      all.count,
		ByAnswerType:   byAnswer.groups(roundedPercent),
		ByQuestionType: byQuestion.groups(roundedPercent),
	}, nil
}

// roundedPercent rounds to two decimals as Python 3 does: to the nearer, of two equally near to the even one. Python 2 rounds
// those up; they are numbers such as 62.125, so the score of a multiple of 8 questions.
func roundedPercent(t tally) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(100*t.sum/float64(t.count), 'f', 2, 64), 64)
	return rounded
}

func (s *VQAScore) String() string {
	var r report
	fmt.Fprintf(&r, "Accuracy: %.2f%% (%d questions)\n", s.Accuracy, s.Questions)
	reportGroups(&r, "Accuracy / answer type", s.ByAnswerType)
	reportGroups(&r, "Accuracy / question type", s.ByQuestionType)
	return r.String()
}

// MarshalJSON adds the unit.
func (s *VQAScore) MarshalJSON() ([]byte, error) {
	type plain VQAScore
	return withUnit("percent", (*plain)(s))
}
