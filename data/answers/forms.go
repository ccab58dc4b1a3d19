// Package answers knows what counts as the same answer: the forms in which answers are compared, the soft scores that ten people's
// answers give, and the tables of answers that a model chooses from.
//
// There are two forms, and they differ:
//
//   - [Official] is what the VQA evaluation makes of a prediction and of people's answers before it compares them: punctuation,
//     number words, articles anywhere, contractions.
//   - [Pretraining] is what LXMERT does to an answer before it looks it up among its 9,500 pre-training answers: one full stop at the
//     end, articles at the start, one to ten, grey.
//
// So "black, white" is "black white" to the first and stays to the second; "none" and "zero" are "0" to the first alone, "grey"
// is "gray" to the second alone; "man and a woman" loses its article in the first alone.
//
// Both were Python; here, too, text is split and trimmed where Python would. Letters become lower-case one by one, as in
// the Python 2 of the VQA evaluation: Python 3 makes two of İ and knows the Greek sigma at a word's end.
package answers

import (
	"strings"
	"unicode"
)

// Trim drops white space at both ends.
func Trim(s string) string { return strings.TrimFunc(s, isSpace) }

// Words splits at white space.
func Words(s string) []string { return strings.FieldsFunc(s, isSpace) }

// isSpace is Python's idea of white space: Unicode's and four control characters.
func isSpace(r rune) bool { return unicode.IsSpace(r) || '\x1c' <= r && r <= '\x1f' }
