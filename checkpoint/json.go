package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// A jsonReader walks through JSON token by token: unlike Unmarshal it sees a key that
// comes twice, and builds nothing but what is asked for.
type jsonReader struct{ dec *json.Decoder }

func newJSONReader(text []byte) jsonReader {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return jsonReader{dec}
}

// token is the next token; the text's end is an error wherever one is wanted.
func (p jsonReader) token() (json.Token, error) {
	t, err := p.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("no JSON at byte %d: %w", p.dec.InputOffset(), err)
	}
	return t, nil
}

func (p jsonReader) delim(want json.Delim) error {
	t, err := p.token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("found %s, want %q", show(t), rune(want))
	}
	return nil
}

// object calls member for each key; member reads the value.
func (p jsonReader) object(member func(key string) error) error {
	if err := p.delim('{'); err != nil {
		return err
	}
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return fmt.Errorf("found %s, want a key", show(t))
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return p.delim('}')
}

// end checks that nothing but white space follows.
func (p jsonReader) end() error {
	switch t, err := p.dec.Token(); err {
	case io.EOF:
		return nil
	case nil:
		return fmt.Errorf("after the JSON object comes %s, want nothing", show(t))
	default:
		return fmt.Errorf("after the JSON object: %w, want nothing", err)
	}
}

// stringMap reads an object whose values are all strings.
func (p jsonReader) stringMap() (map[string]string, error) {
	out := map[string]string{}
	err := p.object(func(key string) error {
		if _, ok := out[key]; ok {
			return fmt.Errorf("%s is listed twice", quote(key))
		}
		value, err := p.string()
		if err != nil {
			return fmt.Errorf("%s: %w", quote(key), err)
		}
		out[key] = value
		return nil
	})
	return out, err
}

func (p jsonReader) string() (string, error) {
	t, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("found %s, want a string", show(t))
	}
	return s, nil
}

// counts reads a list of at most limit numbers, whole and not negative.
func (p jsonReader) counts(limit int) ([]int, error) {
	if err := p.delim('['); err != nil {
		return nil, err
	}
	out := []int{}
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		number, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("found %s, want a number", show(t))
		}
		n, err := strconv.ParseUint(number.String(), 10, strconv.IntSize-1)
		if err != nil {
			return nil, fmt.Errorf("found %s, want a whole number from 0 to %d", show(t), maxInt)
		}
		if len(out) == limit {
			return nil, fmt.Errorf("more than %d numbers in a list", limit)
		}
		out = append(out, int(n))
	}
	return out, p.delim(']')
}

func show(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(t[:min(len(t), 100)])
	case json.Number:
		return string(t[:min(len(t), 100)])
	}
	return fmt.Sprint(t)
}

// skip passes over one value, however deep.
func (p jsonReader) skip() error {
	for depth := 0; ; {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// appendString writes JSON without the escapes for HTML, as every other writer does.
func appendString(out []byte, s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(s) // a string always encodes
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})...)
}
