package scenes

import (
	"math/rand/v2"
	"strings"
)

// An asked is a question that could be asked about a scene, or a statement that could be made, and what is right.
type asked struct {
	sentence string
	answer   string
	side     string // what is kept even; the answer, except where that is one of two that the sentence names
}

// An adder takes a question. The side may be left out where it is the answer.
type adder func(sentence, answer string, side ...string)

// A quota is how many questions of a template each picture is asked.
type quota struct {
	template string
	times    int
	ask      func(s *Scene, add adder) // all that could be asked
	sides    []string                  // what is kept exactly even; nil for many answers, which are as even as the scenes allow
}

// The sides of templates with few answers.
var (
	yesOrNo       = []string{"yes", "no"}
	bigOrSmall    = []string{"big", "small"}
	firstOrSecond = []string{"first", "second"}
	directions    = []string{"left", "right", "above", "below"}
	trueOrFalse   = []string{"true", "false"}
)

// enough is how many questions of a template are looked at for each picture: a choice of them is as good as all.
const enough = 128

// candidates are questions that could be asked about a scene, a list for each quota, in an order left to chance.
func candidates(s *Scene, quotas []quota, chance *rand.Rand) [][]asked {
	all := make([][]asked, len(quotas))
	for i, q := range quotas {
		q.ask(s, func(sentence, answer string, side ...string) {
			a := asked{sentence, answer, answer}
			if len(side) > 0 {
				a.side = side[0]
			}
			all[i] = append(all[i], a)
		})
		chance.Shuffle(len(all[i]), func(j, k int) { all[i][j], all[i][k] = all[i][k], all[i][j] })
		all[i] = all[i][:min(len(all[i]), enough)]
	}
	return all
}

// yesNo is the answer to a yes/no question.
func yesNo(b bool) string { return oneOf(b, "yes", "no") }

// oneOf is one of two.
func oneOf(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// answerType is VQA's name for the kind of an answer.
func answerType(answer string) string {
	switch {
	case answer == "yes" || answer == "no":
		return "yes/no"
	case strings.Trim(answer, "0123456789") == "":
		return "number"
	}
	return "other"
}
