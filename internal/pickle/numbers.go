package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

func (m *machine) integer(op byte) error {
	switch op {
	case 'I', 'L':
		return m.digits(op)
	case 0x8a, 0x8b: // so many bytes, the last with the sign
		n, err := m.number(map[byte]int{0x8a: 1, 0x8b: 4}[op])
		if err != nil {
			return err
		}
		b, err := m.take(n)
		if err != nil {
			return err
		}
		if n > 8 {
			m.push(&Long{Bytes: b})
			return nil
		}
		var v int64
		for i, by := range b {
			v |= int64(by) << (8 * i)
		}
		if n > 0 {
			shift := 64 - 8*n
			v = v << shift >> shift
		}
		m.push(v)
		return nil
	}
	n, err := m.number(map[byte]int{'J': 4, 'K': 1, 'M': 2}[op])
	v := int64(n)
	if op == 'J' {
		v = int64(int32(n))
	}
	m.push(v)
	return err
}

// digits reads a number as a line. Python 2 writes its True and False so, as 01 and 00.
func (m *machine) digits(op byte) error {
	line, err := m.line()
	if err != nil {
		return err
	}
	text := string(line)
	if op == 'I' && (text == "00" || text == "01") {
		m.push(text == "01")
		return nil
	}
	if op == 'L' && len(text) > 0 && text[len(text)-1] == 'L' {
		text = text[:len(text)-1]
	}
	v, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil:
		m.push(v)
		return nil
	case len(text) > 18 && decimal(text):
		m.push(&Long{Digits: text})
		return nil
	}
	return fmt.Errorf("found %.40q, want a whole number", text)
}

func decimal(text string) bool {
	if text[0] == '-' {
		text = text[1:]
	}
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func (m *machine) float(op byte) error {
	if op == 'G' {
		b, err := m.take(8)
		if err != nil {
			return err
		}
		m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		return nil
	}
	line, err := m.line()
	if err != nil {
		return err
	}
	v, err := strconv.ParseFloat(string(line[:min(len(line), 100)]), 64)
	if err != nil {
		return fmt.Errorf("found %.40q, want a number", line)
	}
	m.push(v)
	return nil
}
