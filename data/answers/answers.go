// Package answers knows what counts as the same answer: the normalisation of the official VQA evaluation, that of LXMERT's pre-training, the soft
// scores that ten people's answers give, and the tables of answers that a model chooses from.
package answers

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Official is an answer as the official VQA evaluation compares it (GT-Vision-Lab/VQA, vqaEval.py; its processPunctuation and
// processDigitArticle): without most punctuation, in lower case, number words as digits, without articles, contractions with their
// apostrophes. Its oddities are kept, for scores depend on them.
func Official(answer string) string {
	text := strings.NewReplacer("\n", " ", "\t", " ").Replace(answer)
	return digitsAndArticles(punctuation(strings.TrimFunc(text, isSpace)))
}

// marks are deleted or become spaces, in this order.
const marks = ";/[]\"{}()=+\\_-><@`,?!"

var commaBetweenDigits = regexp.MustCompile(`[0-9],[0-9]`)

// punctuation looks at the text as it came to decide about each mark: it is deleted where it stands beside a space anywhere, or
// where any two digits have a comma between them; else it becomes a space.
func punctuation(text string) string {
	out := text
	comma := commaBetweenDigits.MatchString(text)
	for _, mark := range marks {
		m := string(mark)
		by := " "
		if comma || strings.Contains(text, m+" ") || strings.Contains(text, " "+m) {
			by = ""
		}
		out = strings.ReplaceAll(out, m, by)
	}
	return periods(out)
}

// periods deletes those that no digit follows: the first 32 of them, for the evaluation passes re.UNICODE, which is 32, where
// the number of replacements is asked for.
func periods(text string) string {
	const most = 32
	var out strings.Builder
	deleted := 0
	for i := range len(text) {
		if text[i] == '.' && deleted < most && (i+1 == len(text) || text[i+1] < '0' || text[i+1] > '9') {
			deleted++
			continue
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

var numbers = map[string]string{
	"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
	"six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
}

func digitsAndArticles(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), isSpace)
	words = slices.DeleteFunc(words, func(word string) bool { return word == "a" || word == "an" || word == "the" })
	for i, word := range words {
		if digits, ok := numbers[word]; ok {
			word = digits
		}
		if whole, ok := contractions[word]; ok {
			word = whole
		}
		words[i] = word
	}
	return strings.Join(words, " ")
}

// isSpace is Python's notion of white space in text.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// contractions have an apostrophe where one was left out. The evaluation looks them up in lower case.
var contractions = missingApostrophes(`
	ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've
	he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've
	o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
	someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've
	there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's
	what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've
	wouldn't wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've`)

// missingApostrophes finds each word by every way to leave out one of its apostrophes.
func missingApostrophes(words string) map[string]string {
	out := map[string]string{"somebody'd": "somebodyd"} // the evaluation has this one the wrong way round
	for word := range strings.FieldsSeq(words) {
		for i := range len(word) {
			if word[i] == '\'' {
				out[word[:i]+word[i+1:]] = word
			}
		}
	}
	return out
}

// Convert is an answer as LXMERT's pre-training looks it up in its table (AnswerTable.convert_ans): lower case, one period at the end
// and one article of each kind at the beginning dropped, small numbers as digits.
func Convert(answer string) string {
	answer = strings.ToLower(answer)
	if rest, ok := strings.CutSuffix(answer, "."); ok {
		answer = strings.TrimFunc(rest, isSpace)
	}
	for _, article := range []string{"a ", "an ", "the "} {
		if rest, ok := strings.CutPrefix(answer, article); ok {
			answer = strings.TrimFunc(rest, isSpace)
		}
	}
	if answer == "grey" {
		return "gray"
	}
	if digits, ok := numbers[answer]; ok && digits != "0" {
		return digits
	}
	return answer
}
