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
const enough = 64

// longestSentence is how many words and signs a sentence may have: LXMERT reads 20 tokens, [CLS] and [SEP] among them.
const longestSentence = 18

// length is a sentence's number of words and signs.
func length(sentence string) int {
	n := 1
	for i := range len(sentence) {
		if c := sentence[i]; c == ' ' || c == ',' || c == '?' {
			n++
		}
	}
	return n
}

// candidates are questions that could be asked about a scene, a list for each quota.
func candidates(s *Scene, quotas []quota, chance *rand.Rand) [][]asked {
	all := make([][]asked, len(quotas))
	for i, q := range quotas {
		all[i] = gather(chance, func(add adder) { q.ask(s, add) })
	}
	return all
}

// gather takes enough of what is asked, by chance, and leaves out what is too long to be read.
func gather(chance *rand.Rand, ask func(add adder)) []asked {
	var all []asked
	ask(func(sentence, answer string, side ...string) {
		if length(sentence) > longestSentence {
			return
		}
		a := asked{sentence, answer, answer}
		if len(side) > 0 {
			a.side = side[0]
		}
		all = append(all, a)
	})
	chance.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(len(all), enough)]
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
