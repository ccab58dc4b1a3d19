package pickle

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// string pushes a text. Those of Python 2 are bytes, except where it says unicode.
func (m *machine) string(op byte) error {
	switch op {
	case 'V':
		line, err := m.line()
		if err != nil {
			return err
		}
		text, err := rawUnicode(line)
		m.push(text)
		return err
	case 'S':
		line, err := m.line()
		if err != nil {
			return err
		}
		if len(line) < 2 || line[0] != line[len(line)-1] || line[0] != '\'' && line[0] != '"' {
			return fmt.Errorf("found %.40q, want a text in quotes", line)
		}
		b, err := escaped(line[1 : len(line)-1])
		m.push(b)
		return err
	}
	b, err := m.counted(map[byte]int{'X': 4, 0x8c: 1, 0x8d: 8}[op])
	m.push(string(b))
	return err
}

// bytes pushes bytes where they are, not a copy: in pickles of NumPy's arrays they are the numbers.
func (m *machine) bytes(op byte) error {
	b, err := m.counted(map[byte]int{'U': 1, 'T': 4, 'C': 1, 'B': 4, 0x8e: 8, 0x96: 8}[op])
	m.push(Bytes(b))
	return err
}

// counted is bytes after their number, which has n bytes itself.
func (m *machine) counted(n int) ([]byte, error) {
	length, err := m.number(n)
	if err != nil {
		return nil, err
	}
	return m.take(length)
}

// rawUnicode reads Python's raw-unicode-escape: Latin-1, where \u0041 and \U00000041 stand for letters by number.
func rawUnicode(line []byte) (string, error) {
	out := make([]byte, 0, len(line))
	for i := 0; i < len(line); {
		if line[i] != '\\' || i+1 == len(line) || line[i+1] != 'u' && line[i+1] != 'U' {
			out = utf8.AppendRune(out, rune(line[i]))
			i++
			continue
		}
		digits := 4
		if line[i+1] == 'U' {
			digits = 8
		}
		end := i + 2 + digits
		if end > len(line) {
			return "", fmt.Errorf("found %.40q at the end of a text, want %d digits", line[i:], digits)
		}
		r, err := strconv.ParseUint(string(line[i+2:end]), 16, 32)
		if err != nil || r > utf8.MaxRune {
			return "", fmt.Errorf("found %.40q in a text, want the number of a letter", line[i:end])
		}
		out = utf8.AppendRune(out, rune(r))
		i = end
	}
	return string(out), nil
}

// escapes are what stands for one byte after a backslash.
var escapes = map[byte]byte{'\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 't': 9, 'n': 10, 'v': 11, 'f': 12, 'r': 13}

// escaped reads a text of Python 2 as it stands in a program. Without a backslash it is a view.
func escaped(text []byte) (Bytes, error) {
	at := bytes.IndexByte(text, '\\')
	if at < 0 {
		return text, nil
	}
	out := append(make([]byte, 0, len(text)), text[:at]...)
	for i := at; i < len(text); {
		if text[i] != '\\' {
			out = append(out, text[i])
			i++
			continue
		}
		b, n := escape(text[i+1:])
		if n == 0 {
			return nil, fmt.Errorf("found %.10q in a text, want an escape such as \\n or \\x00", text[i:])
		}
		out = append(out, b)
		i += 1 + n
	}
	return out, nil
}

// escape is the byte that an escape stands for, and its length without the backslash; 0 if it is none.
func escape(text []byte) (b byte, n int) {
	if len(text) == 0 {
		return 0, 0
	}
	if b, ok := escapes[text[0]]; ok {
		return b, 1
	}
	if text[0] == 'x' {
		if len(text) < 3 {
			return 0, 0
		}
		v, err := strconv.ParseUint(string(text[1:3]), 16, 8)
		if err != nil {
			return 0, 0
		}
		return byte(v), 3
	}
	v := 0
	for n < len(text) && n < 3 && text[n] >= '0' && text[n] <= '7' {
		v = 8*v + int(text[n]-'0')
		n++
	}
	return byte(v), n
}
