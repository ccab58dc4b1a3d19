package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// A machine has what a pickle works on: a stack, and a memory of what was made.
type machine struct {
	text    []byte
	options Options
	at      int
	steps   int
	marks   []int // where on the stack the marks are
	stack   []any
	memo    []any // forgotten{} where nothing is
}

// forgotten is in the memory where nothing was put.
type forgotten struct{}

var (
	errShort = errors.New("the pickle is cut off")
	errEmpty = errors.New("nothing is on the stack")
)

// run executes the pickle to its end.
func (m *machine) run() (any, error) {
	for {
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			return m.pop()
		}
		if m.steps++; m.steps > m.options.MaxSteps {
			return nil, fmt.Errorf("the pickle has more than %d operations", m.options.MaxSteps)
		}
		if err := m.step(op[0]); err != nil {
			return nil, err
		}
	}
}

// take is the next n bytes.
func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.text)-m.at {
		return nil, errShort
	}
	m.at += n
	return m.text[m.at-n : m.at : m.at], nil
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
func (m *machine) line() ([]byte, error) {
	i := bytes.IndexByte(m.text[m.at:], '\n')
	if i < 0 {
		return nil, errShort
	}
	b, err := m.take(i + 1)
	return b[:max(len(b)-1, 0)], err
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// above is how many values lie on the stack above the last mark.
func (m *machine) above() int {
	if len(m.marks) == 0 {
		return len(m.stack)
	}
	return len(m.stack) - m.marks[len(m.marks)-1]
}

func (m *machine) pop() (any, error) {
	values, err := m.popN(1)
	if err != nil {
		return nil, err
	}
	return values[0], nil
}

// popN is the last n values of the stack. They stay only until the next push.
func (m *machine) popN(n int) ([]any, error) {
	if m.above() < n {
		return nil, errEmpty
	}
	values := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return values, nil
}

func (m *machine) top() (any, error) {
	if m.above() == 0 {
		return nil, errEmpty
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) mark() error {
	if len(m.marks) == MaxDepth {
		return errDeep
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

// popMark is what was put on the stack since the last mark. It stays only until the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("found no mark on the stack")
	}
	from := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	values := m.stack[from:]
	m.stack = m.stack[:from]
	return values, nil
}

// remember puts the top of the stack into memory, or gets something from there.
func (m *machine) remember(op byte) error {
	key := len(m.memo)
	var err error
	switch op {
	case 'p', 'g':
		var text []byte
		if text, err = m.line(); err == nil && len(text) < 20 {
			key, err = strconv.Atoi(string(text))
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
		if key < 0 || key >= len(m.memo) || m.memo[key] == (forgotten{}) {
			return fmt.Errorf("nothing is remembered as %d", key)
		}
		m.push(m.memo[key])
		return nil
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	// Python counts from 0 or 1, one for each value. Some slack is for those who count otherwise.
	if key < 0 || key > m.steps+1024 {
		return fmt.Errorf("found something to remember as %d, after %d operations", key, m.steps)
	}
	for key >= len(m.memo) {
		m.memo = append(m.memo, forgotten{})
	}
	m.memo[key] = v
	return nil
}
