package eval

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// WriteVQA writes the file that the VQA server takes, a JSON list of {"answer", "question_id"}, in the order of the official list of
// questions. Nothing is written unless the predictions are one for each of these (else a *[MatchError]) and ids are whole
// numbers.
func WriteVQA(w io.Writer, questions []string, predictions []Prediction) error {
	return writeJSON(w, questions, predictions, func(id, answer string) (string, error) {
		if !isNumber(id) {
			return "", fmt.Errorf("question %.60q: VQA's questions have whole numbers", id)
		}
		return `"answer": ` + answer + ",\n        " + `"question_id": ` + id, nil
	})
}

// WriteGQA writes the file that the GQA server takes, a JSON list of {"prediction", "questionId"}, where ids are strings, for GQA's
// begin with zeros. See [WriteVQA].
func WriteGQA(w io.Writer, questions []string, predictions []Prediction) error {
	return writeJSON(w, questions, predictions, func(id, answer string) (string, error) {
		if id == "" || !utf8.ValidString(id) {
			return "", fmt.Errorf("question %.60q: want a name in UTF-8", id)
		}
		return `"prediction": ` + answer + ",\n        " + `"questionId": ` + quoted(id), nil
	})
}

// WriteNLVR2 writes the file that NLVR2's evaluation takes, a line "identifier,True" or "identifier,False" for each example. See [WriteVQA].
func WriteNLVR2(w io.Writer, examples []string, predictions []Prediction) error {
	answerTo, err := answersTo(examples, predictions)
	if err != nil {
		return err
	}
	if len(examples) == 0 {
		return errNothingToWrite
	}
	var b strings.Builder
	var errs []error
	for _, id := range examples {
		if _, err := statementOf(id); err != nil {
			errs = append(errs, err)
		} else if strings.ContainsAny(id, ",\r\n") {
			errs = append(errs, fmt.Errorf("identifier %.60q would break the line it stands in", id))
		}
		answer, err := truth(answerTo[id])
		if err != nil {
			errs = append(errs, fmt.Errorf("prediction for %.60q: %w", id, err))
		}
		b.WriteString(id)
		if answer {
			b.WriteString(",True\n")
		} else {
			b.WriteString(",False\n")
		}
	}
	if errs != nil {
		return firstErrors(errs)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

var errNothingToWrite = errors.New("no questions to write answers to")

// writeJSON writes a list of records as Python's json.dump does with an indent of 4, as the original's files are. fields writes a record's, given its
// answer in JSON.
func writeJSON(w io.Writer, questions []string, predictions []Prediction, fields func(id, answer string) (string, error)) error {
	answerTo, err := answersTo(questions, predictions)
	if err != nil {
		return err
	}
	if len(questions) == 0 {
		return errNothingToWrite
	}
	var b strings.Builder
	var errs []error
	separator := "[\n"
	for _, id := range questions {
		if !utf8.ValidString(answerTo[id]) {
			errs = append(errs, fmt.Errorf("prediction for %.60q: %.60q is not UTF-8 text", id, answerTo[id]))
			continue
		}
		record, err := fields(id, quoted(answerTo[id]))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		b.WriteString(separator + "    {\n        " + record + "\n    }")
		separator = ",\n"
	}
	if errs != nil {
		return firstErrors(errs)
	}
	b.WriteString("\n]")
	_, err = io.WriteString(w, b.String())
	return err
}

// isNumber reports a whole number in its only decimal form that fits an int64.
func isNumber(id string) bool {
	n, err := strconv.ParseInt(id, 10, 64)
	return err == nil && n >= 0 && strconv.FormatInt(n, 10) == id
}

// quoted is a string in JSON that is ASCII, as Python writes it.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case ' ' <= r && r <= '~':
			b.WriteRune(r)
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}
