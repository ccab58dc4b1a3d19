package eval

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/internal/jsonerror"
)

// ReadVQA reads predictions in the form of a VQA submission, a JSON list of {"question_id": NUMBER, "answer": TEXT}. An error names the record, from
// 1, and the field.
func ReadVQA(r io.Reader) ([]Prediction, error) {
	return readJSON(r, func(raw json.RawMessage) (Prediction, error) {
		var record struct {
			ID     *int64  `json:"question_id"`
			Answer *string `json:"answer"`
		}
		if err := json.Unmarshal(raw, &record); err != nil {
			return Prediction{}, jsonerror.Explain(err)
		}
		switch {
		case record.ID == nil:
			return Prediction{}, errors.New("no question_id")
		case *record.ID < 0:
			return Prediction{}, fmt.Errorf("question_id: found %d, want a number from 0", *record.ID)
		case record.Answer == nil:
			return Prediction{}, errors.New("no answer")
		}
		return Prediction{strconv.FormatInt(*record.ID, 10), *record.Answer}, nil
	})
}

// ReadGQA reads predictions in the form of a GQA submission, a JSON list of {"questionId": TEXT, "prediction": TEXT}. See [ReadVQA].
func ReadGQA(r io.Reader) ([]Prediction, error) {
	return readJSON(r, func(raw json.RawMessage) (Prediction, error) {
		var record struct {
			ID         *string `json:"questionId"`
			Prediction *string `json:"prediction"`
		}
		if err := json.Unmarshal(raw, &record); err != nil {
			return Prediction{}, jsonerror.Explain(err)
		}
		switch {
		case record.ID == nil || *record.ID == "":
			return Prediction{}, errors.New("no questionId")
		case record.Prediction == nil:
			return Prediction{}, errors.New("no prediction")
		}
		return Prediction{*record.ID, *record.Prediction}, nil
	})
}

// readJSON reads a list record by record.
func readJSON(r io.Reader, read func(json.RawMessage) (Prediction, error)) ([]Prediction, error) {
	decoder := json.NewDecoder(bufio.NewReader(r))
	first, err := decoder.Token()
	if err == io.EOF {
		return nil, errors.New("empty, want a JSON list of predictions")
	} else if err != nil {
		return nil, err
	}
	if first != json.Delim('[') {
		return nil, errors.New("want a JSON list of predictions")
	}
	var predictions []Prediction
	for decoder.More() {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return nil, fmt.Errorf("record %d: %w", len(predictions)+1, cutShort(err))
		}
		if !utf8.Valid(raw) {
			return nil, fmt.Errorf("record %d: not UTF-8 text", len(predictions)+1)
		}
		p, err := read(raw)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", len(predictions)+1, err)
		}
		predictions = append(predictions, p)
	}
	if _, err := decoder.Token(); err != nil { // the end of the list
		return nil, fmt.Errorf("after record %d: %w", len(predictions), cutShort(err))
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("after record %d: want nothing after the list", len(predictions))
	}
	return predictions, nil
}

// cutShort says what the end of a file in the middle of a list means.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends before the list does")
	}
	return err
}

// longestLine bounds a line of an NLVR2 submission; identifiers have some 20 letters.
const longestLine = 1 << 12

// ReadNLVR2 reads predictions in the form of an NLVR2 submission, a line "identifier,True" or "identifier,False" each. An error names the line, from 1.
func ReadNLVR2(r io.Reader) ([]Prediction, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	var predictions []Prediction
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		id, answer, ok := strings.Cut(line, ",")
		if !ok {
			return nil, fmt.Errorf("line %d: found %.60q, want identifier,True or identifier,False", n, line)
		}
		if _, err := statementOf(id); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if strings.ContainsRune(id, '\r') {
			return nil, fmt.Errorf("line %d: found a carriage return in identifier %.60q, want none", n, id)
		}
		if _, err := truth(answer); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		predictions = append(predictions, Prediction{id, answer})
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d is longer than %d bytes", n+1, longestLine)
	}
	return predictions, lines.Err()
}
