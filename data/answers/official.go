package answers

import "strings"

// Clean is what the VQA evaluation does to every answer: line ends and tabs become spaces, and those at the ends go.
func Clean(answer string) string { return Trim(lineEnds.Replace(answer)) }

var lineEnds = strings.NewReplacer("\n", " ", "\t", " ")

// Official is the form in which the VQA evaluation compares answers to a question on which people disagree: [Clean], without
// punctuation, in lower case, with digits for number words, without articles, with the apostrophes of contractions.
func Official(answer string) string { return official(Clean(answer)) }

func official(answer string) string {
	words := Words(strings.ToLower(withoutPunctuation(answer)))
	kept := words[:0]
	for _, word := range words {
		if digits, ok := numberWords[word]; ok {
			word = digits
		}
		if word == "a" || word == "an" || word == "the" {
			continue
		}
		if full, ok := contractions[word]; ok {
			word = full
		}
		kept = append(kept, word)
	}
	return strings.Join(kept, " ")
}

var numberWords = map[string]string{
	"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4",
	"five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
}

// marks are the punctuation that goes or becomes a space; the apostrophe, the colon and others stay.
const marks = `;/[]"{}()=+\_->` + "<@`,?!"

// withoutPunctuation treats each mark alike wherever it stands: all of it goes where the answer has it beside a space at least once,
// or has a comma between digits; otherwise it becomes a space. It looks at the answer as it came, whatever other marks have become.
func withoutPunctuation(answer string) string {
	if !strings.ContainsAny(answer, marks+".") {
		return answer
	}
	groups := hasDigitGroups(answer)
	text := answer
	for i := range len(marks) {
		mark := marks[i : i+1]
		if groups || strings.Contains(answer, mark+" ") || strings.Contains(answer, " "+mark) {
			text = strings.ReplaceAll(text, mark, "")
		} else {
			text = strings.ReplaceAll(text, mark, " ")
		}
	}
	return withoutPeriods(text)
}

// hasDigitGroups reports a comma between digits, as in 1,000.
func hasDigitGroups(s string) bool {
	for i := 1; i+1 < len(s); i++ {
		if s[i] == ',' && isDigit(s[i-1]) && isDigit(s[i+1]) {
			return true
		}
	}
	return false
}

// mostPeriods is how many periods go: the evaluation hands a flag of value 32 to a parameter that counts.
const mostPeriods = 32

// withoutPeriods drops the first periods that no digit follows.
func withoutPeriods(s string) string {
	var b strings.Builder
	dropped := 0
	for i := range len(s) {
		if s[i] == '.' && dropped < mostPeriods && (i+1 == len(s) || !isDigit(s[i+1])) {
			dropped++
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
