package oip

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// setJSON gives the tensor the contents of a JSON list, flat or nested as the shape is. data is valid JSON.
func (t *tensor) setJSON(data string, elements int) error {
	if len(data) < 2*elements { // so that nothing is allocated for what is not there
		return t.bad("data: found %d characters, too few for the %d elements of shape %v", len(data), elements, t.shape)
	}
	l := list{tensor: t, rest: strings.TrimLeft(data, space), shape: []int{elements}}
	if inner := strings.TrimLeft(strings.TrimPrefix(l.rest, "["), space); strings.HasPrefix(inner, "[") {
		l.shape = t.shape
	}
	switch t.datatype {
	case "BYTES":
		texts := make([][]byte, 0, elements)
		if err := l.read(0, func(element string) error {
			text, err := t.text(element)
			texts = append(texts, text)
			return err
		}); err != nil {
			return err
		}
		return t.setTexts(texts, elements)
	case "FP16", "BF16":
		return t.bad("JSON has no numbers of type %s: send them as binary data, or as FP32", t.datatype)
	case "FP32", "FP64":
		values := make([]float32, 0, elements)
		if err := l.read(0, func(element string) error {
			value, err := t.float(element)
			values = append(values, value)
			return err
		}); err != nil {
			return err
		}
		return t.setFloats(values)
	}
	values := make([]int64, 0, elements)
	lowest, highest := t.span()
	if err := l.read(0, func(element string) error {
		value, err := t.integer(element, lowest, highest)
		values = append(values, value)
		return err
	}); err != nil {
		return err
	}
	return t.setIntegers(values)
}

const space = " \t\r\n"

// list reads a JSON list element by element: no number of it becomes an object of its own on the way.
type list struct {
	tensor *tensor
	rest   string // of valid JSON
	shape  []int  // how many there must be, list in list
}

// read reads the list at rest, and calls each with every element as it is written.
func (l *list) read(axis int, each func(element string) error) error {
	if !l.skip("[") {
		return l.tensor.bad("data: found %.20q, want a list, flat or nested as the shape, %v", l.rest, l.tensor.shape)
	}
	for n := 0; ; n++ {
		if l.skip("]") || n > 0 && !l.skip(",") {
			if n != l.shape[axis] {
				return l.tensor.bad("data: found a list of %d elements, want %d for shape %v", n, l.shape[axis], l.tensor.shape)
			}
			return nil
		}
		if n == l.shape[axis] {
			return l.tensor.bad("data: found a list of more than %d elements, want as many for shape %v", n, l.tensor.shape)
		}
		var err error
		if axis < len(l.shape)-1 {
			err = l.read(axis+1, each)
		} else {
			err = each(l.scalar())
		}
		if err != nil {
			return err
		}
	}
}

// skip goes beyond a character, if it is the next one.
func (l *list) skip(character string) (found bool) {
	l.rest, found = strings.CutPrefix(strings.TrimLeft(l.rest, space), character)
	return found
}

// scalar takes what is next: a string to its end, else all to the next delimiter. Of a list or an object it is a beginning, which nobody takes for a number.
func (l *list) scalar() (element string) {
	l.rest = strings.TrimLeft(l.rest, space)
	end := strings.IndexAny(l.rest, ",]"+space)
	if strings.HasPrefix(l.rest, `"`) {
		for end = 1; end < len(l.rest) && l.rest[end] != '"'; end++ {
			if l.rest[end] == '\\' {
				end++
			}
		}
		end++
	}
	if end < 0 || end > len(l.rest) {
		end = len(l.rest)
	}
	element, l.rest = l.rest[:end], l.rest[end:]
	return element
}

// text is a JSON string's text.
func (t *tensor) text(element string) ([]byte, error) {
	if !strings.HasPrefix(element, `"`) {
		return nil, t.bad("data: found %.20s, want strings for BYTES", element)
	}
	if !strings.Contains(element, `\`) {
		return []byte(element[1 : len(element)-1]), nil
	}
	var text string
	if err := json.Unmarshal([]byte(element), &text); err != nil {
		return nil, t.bad("data: found %.20s, want a string", element)
	}
	return []byte(text), nil
}

// float is a JSON number as float32.
func (t *tensor) float(element string) (float32, error) {
	if !isNumber(element) {
		return 0, t.bad("data: found %.20s, want numbers for %s", element, t.datatype)
	}
	value, err := strconv.ParseFloat(element, 32)
	if err != nil {
		return 0, t.bad("data: found %.20s, want a number that fits into float32", element)
	}
	return float32(value), nil
}

// integer is a JSON number, or true or false for BOOL.
func (t *tensor) integer(element string, lowest, highest int64) (int64, error) {
	if t.datatype == "BOOL" {
		switch element {
		case "true":
			return 1, nil
		case "false":
			return 0, nil
		}
		return 0, t.bad("data: found %.20s, want true or false for BOOL", element)
	}
	value, err := strconv.ParseInt(element, 10, 64)
	if err != nil || !isNumber(element) || value < lowest || value > highest {
		return 0, t.bad("data: found %.20s, want a whole number, %d to %d, for %s", element, lowest, highest, t.datatype)
	}
	return value, nil
}

func isNumber(element string) bool {
	return element != "" && (element[0] == '-' || element[0] >= '0' && element[0] <= '9')
}

// span is the lowest and the highest number of the tensor's integer type, as far as int64 goes.
func (t *tensor) span() (lowest, highest int64) {
	bits := datatypes[t.datatype].Bits()
	if !strings.HasPrefix(t.datatype, "U") {
		return -1 << (bits - 1), 1<<(bits-1) - 1
	}
	if bits == 64 {
		return 0, math.MaxInt64
	}
	return 0, 1<<bits - 1
}
