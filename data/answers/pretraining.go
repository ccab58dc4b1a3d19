package answers

import "strings"

// Pretraining is the form in which LXMERT looks answers up among those of its pre-training: lower case, without one full stop at the
// end, without "a", "an" and "the" at the start, each once and in this order, and then one of the original's replacements.
func Pretraining(answer string) string {
	answer = strings.ToLower(answer)
	if rest, ok := strings.CutSuffix(answer, "."); ok {
		answer = Trim(rest)
	}
	for _, article := range [...]string{"a ", "an ", "the "} {
		if rest, ok := strings.CutPrefix(answer, article); ok {
			answer = Trim(rest)
		}
	}
	if other, ok := replacements[answer]; ok {
		return other
	}
	return answer
}

// replacements lack "none" and "zero", which are answers of their own in pre-training. An article is left to be replaced only where there
// were two, as in "the a man".
var replacements = map[string]string{
	"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
	"grey": "gray", "a man": "man", "the man": "man", "a woman": "woman", "the woman": "woman",
}
