package source

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-lxmert/lxmert/vision"
)

const (
	longestPath = 1 << 16
	longestLine = vision.MaxFileBytes/3*4 + longestPath
)

// eachLine calls yield for each line without its end; empty ones are passed over.
func eachLine(r io.Reader, longest int, yield func(number int, line []byte) bool) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, longest)
	number := -1
	for scanner.Scan() {
		number++
		if line := bytes.TrimSuffix(scanner.Bytes(), []byte{'\r'}); len(line) > 0 && !yield(number, line) {
			return nil
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d has more than %d bytes", number+2, longest)
	}
	return scanner.Err()
}

// lines reads a path from each line.
func lines(r io.Reader, yield func(Record, error) bool) error {
	return eachLine(r, longestPath, func(_ int, line []byte) bool { return yield(Record{Path: string(line)}, nil) })
}

// jsonLines reads an object from each line.
func jsonLines(r io.Reader, fields Fields, yield func(Record, error) bool) error {
	return eachLine(r, longestLine, func(number int, line []byte) bool {
		record, err := jsonRecord(line, fields)
		if err != nil {
			err = &RecordError{number, err}
		}
		return yield(record, err)
	})
}

func jsonRecord(line []byte, fields Fields) (Record, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(line, &all); err != nil {
		return Record{}, fmt.Errorf("want a JSON object on each line: %w", err)
	}
	text := func(names []string) (string, error) {
		for _, name := range names {
			value, ok := all[name]
			if !ok || string(value) == "null" {
				continue
			}
			var s string
			if err := json.Unmarshal(value, &s); err == nil {
				return s, nil
			}
			var n json.Number
			if err := json.Unmarshal(value, &n); err == nil {
				if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
					return strconv.FormatInt(i, 10), nil
				}
			}
			return "", fmt.Errorf("%s: found %.40s, want a text", name, value)
		}
		return "", nil
	}
	var record Record
	var encoded string
	var err error
	if record.ID, err = text(fields.ID); err != nil {
		return record, err
	}
	if record.Path, err = text(fields.Path); err != nil {
		return record, err
	}
	if record.Path != "" {
		return record, nil
	}
	if encoded, err = text(fields.Content); err != nil {
		return record, err
	}
	if encoded == "" {
		return record, fmt.Errorf("found neither a path (%q) nor a picture in base64 (%q)", fields.Path, fields.Content)
	}
	if record.Content, err = base64.StdEncoding.DecodeString(encoded); err != nil {
		return record, fmt.Errorf("the picture: %w", err)
	}
	return record, checked(record)
}

// checked says why a record is of no use.
func checked(r Record) error {
	switch {
	case r.Path == "" && len(r.Content) == 0:
		return errors.New("found neither a path nor a picture's bytes")
	case int64(len(r.Content)) > vision.MaxFileBytes:
		return tooLarge(int64(len(r.Content)))
	case r.Path == "" && r.ID == "":
		return errors.New("found a picture's bytes without an id")
	}
	return nil
}
