// Package pickle reads those of Python's pickles that are a table of numbers and texts, such as the one from
// image id to row that goes with feature files in HDF5. A pickle is a program; everything that could do more
// than build a dict or a list of numbers and texts is refused.
package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// A Pair is a key of a dict and its value, each int64 or string.
type Pair struct{ Key, Value any }

// ReadDict reads a dict in the order in which it was written, or a list as a dict from its texts and numbers to
// their places. Every protocol of Python 2 and 3 will do.
func ReadDict(text []byte) ([]Pair, error) {
	m := machine{text: text}
	top, err := m.run()
	if err != nil {
		return nil, fmt.Errorf("at byte %d: %w", m.at, err)
	}
	switch top := top.(type) {
	case *dict:
		return top.pairs, nil
	case *list:
		var out []Pair
		for i, v := range top.values {
			out = append(out, Pair{v, int64(i)})
		}
		return out, nil
	}
	return nil, errors.New("found no dict and no list in it")
}

type dict struct{ pairs []Pair }

type list struct{ values []any }

type mark struct{}

// A machine has what a pickle works on: a stack, and a memory of what was made.
type machine struct {
	text  []byte
	at    int
	stack []any
	memo  map[int]any
}

var errShort = errors.New("the pickle is cut off")

// take is the next n bytes.
func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.text)-m.at {
		return nil, errShort
	}
	m.at += n
	return m.text[m.at-n : m.at], nil
}

// number is a little-endian number of n bytes.
func (m *machine) number(n int) (int, error) {
	b, err := m.take(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	u := binary.LittleEndian.Uint64(wide[:])
	if u > 1<<62 {
		return 0, errShort
	}
	return int(u), nil
}

// line is the rest of a line.
func (m *machine) line() (string, error) {
	i := bytes.IndexByte(m.text[m.at:], '\n')
	if i < 0 {
		return "", errShort
	}
	b, err := m.take(i + 1)
	return string(b[:max(len(b)-1, 0)]), err
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errors.New("nothing is on the stack")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// popMark is what was put on the stack since the last mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			values := m.stack[i+1:]
			m.stack = m.stack[:i]
			return values, nil
		}
	}
	return nil, errors.New("found no mark on the stack")
}

// run executes the pickle to its end.
func (m *machine) run() (any, error) {
	m.memo = map[int]any{}
	for {
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			return m.pop()
		}
		if err := m.step(op[0]); err != nil {
			return nil, err
		}
	}
}

func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // protocol
		_, err := m.take(1)
		return err
	case 0x95: // frame
		_, err := m.take(8)
		return err
	case '(':
		m.push(mark{})
	case '}':
		m.push(&dict{})
	case ']':
		m.push(&list{})
	case 'd':
		values, err := m.popMark()
		if err != nil {
			return err
		}
		d := &dict{}
		m.push(d)
		return d.set(values)
	case 'l':
		values, err := m.popMark()
		if err != nil {
			return err
		}
		l := &list{}
		m.push(l)
		return l.add(values)
	case 's', 'u', 'a', 'e':
		return m.fill(op)
	case 'p', 'q', 'r', 0x94, 'g', 'h', 'j':
		return m.remember(op)
	case 'I', 'L', 'J', 'K', 'M', 0x8a:
		return m.integer(op)
	case 'V', 'S', 'X', 'U', 'T', 0x8c:
		return m.string(op)
	default:
		return fmt.Errorf("found operation %q, want a dict of numbers and texts: other pickles are programs, and are not run", op)
	}
	return nil
}

// fill adds to the dict or list on the stack.
func (m *machine) fill(op byte) error {
	var values []any
	var err error
	switch op {
	case 'u', 'e':
		values, err = m.popMark()
	default:
		n := map[byte]int{'s': 2, 'a': 1}[op]
		if len(m.stack) < n {
			return errors.New("nothing is on the stack")
		}
		values = m.stack[len(m.stack)-n:]
		m.stack = m.stack[:len(m.stack)-n]
	}
	if err != nil {
		return err
	}
	if len(m.stack) == 0 {
		return errors.New("nothing is on the stack")
	}
	switch top := m.stack[len(m.stack)-1].(type) {
	case *dict:
		if op == 's' || op == 'u' {
			return top.set(values)
		}
	case *list:
		if op == 'a' || op == 'e' {
			return top.add(values)
		}
	}
	return fmt.Errorf("operation %q wants a dict or a list", op)
}

func (d *dict) set(values []any) error {
	if len(values)%2 != 0 {
		return errors.New("a key has no value")
	}
	for i := 0; i < len(values); i += 2 {
		if !plainValue(values[i]) || !plainValue(values[i+1]) {
			return errors.New("found a dict of other things than numbers and texts")
		}
		d.pairs = append(d.pairs, Pair{values[i], values[i+1]})
	}
	return nil
}

func (l *list) add(values []any) error {
	for _, v := range values {
		if !plainValue(v) {
			return errors.New("found a list of other things than numbers and texts")
		}
		l.values = append(l.values, v)
	}
	return nil
}

func plainValue(v any) bool {
	switch v.(type) {
	case int64, string:
		return true
	}
	return false
}

// remember puts the top of the stack into memory, or gets something from there.
func (m *machine) remember(op byte) error {
	key := len(m.memo)
	var err error
	switch op {
	case 'p', 'g':
		var text string
		if text, err = m.line(); err == nil {
			key, err = strconv.Atoi(text)
		}
	case 'q', 'h':
		key, err = m.number(1)
	case 'r', 'j':
		key, err = m.number(4)
	}
	if err != nil {
		return err
	}
	if op == 'g' || op == 'h' || op == 'j' {
		v, ok := m.memo[key]
		if !ok {
			return fmt.Errorf("nothing is remembered as %d", key)
		}
		m.push(v)
		return nil
	}
	if len(m.stack) == 0 {
		return errors.New("nothing is on the stack")
	}
	m.memo[key] = m.stack[len(m.stack)-1]
	return nil
}

func (m *machine) integer(op byte) error {
	var v int64
	switch op {
	case 'I', 'L':
		text, err := m.line()
		if err != nil {
			return err
		}
		if op == 'L' && len(text) > 0 && text[len(text)-1] == 'L' {
			text = text[:len(text)-1]
		}
		if v, err = strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("found %.40q, want a whole number", text)
		}
	case 0x8a: // so many bytes, the last with the sign
		n, err := m.number(1)
		if err != nil {
			return err
		}
		b, err := m.take(n)
		if err != nil || n > 8 {
			return errors.Join(err, fmt.Errorf("found a number of %d bytes", n))
		}
		for i, by := range b {
			v |= int64(by) << (8 * i)
		}
		if n > 0 {
			shift := 64 - 8*n
			v = v << shift >> shift
		}
	default:
		n, err := m.number(map[byte]int{'J': 4, 'K': 1, 'M': 2}[op])
		if err != nil {
			return err
		}
		v = int64(n)
		if op == 'J' {
			v = int64(int32(n))
		}
	}
	m.push(v)
	return nil
}

func (m *machine) string(op byte) error {
	if op == 'V' || op == 'S' {
		text, err := m.line()
		if err != nil {
			return err
		}
		if op == 'S' && len(text) >= 2 {
			text = text[1 : len(text)-1] // in quotes
		}
		if bytes.IndexByte([]byte(text), '\\') >= 0 {
			return fmt.Errorf("found %.40q, want a text without escapes", text)
		}
		m.push(text)
		return nil
	}
	n, err := m.number(map[byte]int{'X': 4, 'T': 4, 'U': 1, 0x8c: 1}[op])
	if err != nil {
		return err
	}
	b, err := m.take(n)
	m.push(string(b))
	return err
}
