// Package jsonstream reads JSON files that are larger than memory should hold, record by record. No record may
// be larger than MaxRecord, and nesting is encoding/json's; everything else may be as large as it likes.
package jsonstream

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// MaxRecord is about how many bytes one value that is decoded may have; the largest known, a picture of Visual
// Genome, has 200 thousand.
const MaxRecord = 16 << 20

// A Reader walks through one JSON file.
type Reader struct {
	path   string
	close  func() error
	text   *bufio.Reader
	bounds *bounded
	dec    *json.Decoder
}

// Open opens a file, or the one file NAME.json within a .zip, as data sets' sites offer them.
func Open(path string) (*Reader, error) {
	if strings.HasSuffix(path, ".zip") {
		return openZip(path)
	}
	file, err := plainfile.Open(path)
	if err != nil {
		return nil, err
	}
	r := New(path, file)
	r.close = file.Close
	return r, nil
}

func openZip(path string) (*Reader, error) {
	file, err := plainfile.Open(path) // first, for a pipe would wait
	if err != nil {
		return nil, err
	}
	file.Close()
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var found []*zip.File
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, ".json") && !strings.HasPrefix(f.Name, "__MACOSX/") {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		archive.Close()
		return nil, fmt.Errorf("%s: found %d files NAME.json in it, want one: unpack it and name the one meant", path, len(found))
	}
	content, err := found[0].Open()
	if err != nil {
		archive.Close()
		return nil, fmt.Errorf("%s: %s: %w", path, found[0].Name, err)
	}
	r := New(path, content)
	r.close = func() error { return errors.Join(content.Close(), archive.Close()) }
	return r, nil
}

// New reads from anything; path is for messages.
func New(path string, from io.Reader) *Reader {
	text := bufio.NewReaderSize(from, 1<<18)
	if mark, _ := text.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		text.Discard(3)
	}
	b := &bounded{from: text}
	return &Reader{path: path, text: text, bounds: b, dec: json.NewDecoder(b)}
}

// Path is the file's name, as it was opened.
func (r *Reader) Path() string { return r.path }

// Close closes the file.
func (r *Reader) Close() error {
	if r.close == nil {
		return nil
	}
	return r.close()
}

// Begins says with which byte the file's first value begins, white space passed over: '[', '{' or another. It
// is for the very beginning.
func (r *Reader) Begins() (byte, error) {
	for {
		b, err := r.text.ReadByte()
		if err == io.EOF {
			return 0, fmt.Errorf("%s: the file is empty", r.path)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", r.path, err)
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, r.text.UnreadByte()
		}
	}
}

// A BadValue is JSON, but not of the form wanted; what follows it can still be read.
type BadValue struct{ Err error }

func (e *BadValue) Error() string { return e.Err.Error() }

func (e *BadValue) Unwrap() error { return e.Err }

// Decode reads the next value. The error is a *BadValue if it is of another form than into; any other is the end.
func (r *Reader) Decode(into any) error {
	r.bounds.left = MaxRecord
	err := r.dec.Decode(into)
	var syntax *json.SyntaxError
	if err == io.EOF { // where a value was to come
		err = io.ErrUnexpectedEOF
	}
	if err == nil || err == io.ErrUnexpectedEOF || errors.As(err, &syntax) || r.bounds.err != nil {
		return r.at(err)
	}
	return &BadValue{jsonerror.Explain(err)}
}

// at says where the file is no JSON.
func (r *Reader) at(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return fmt.Errorf("%s: no JSON at byte %d: %w", r.path, r.dec.InputOffset(), err)
}

func (r *Reader) token() (json.Token, error) {
	r.bounds.left = MaxRecord
	t, err := r.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return t, r.at(err)
}

func (r *Reader) delim(want json.Delim) error {
	t, err := r.token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%s: found %s at byte %d, want %q", r.path, show(t), r.dec.InputOffset(), rune(want))
	}
	return nil
}

func show(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%q", t[:min(len(t), 40)])
	}
	return fmt.Sprintf("%.40v", t)
}

// Elements reads a list; element must decode, walk or skip the value numbered i.
func (r *Reader) Elements(element func(i int) error) error {
	if err := r.delim('['); err != nil {
		return err
	}
	for i := 0; r.more(); i++ {
		if err := element(i); err != nil {
			return err
		}
	}
	return r.delim(']')
}

// Members reads an object; member must decode, walk or skip the value of key.
func (r *Reader) Members(member func(key string) error) error {
	if err := r.delim('{'); err != nil {
		return err
	}
	for r.more() {
		t, err := r.token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return fmt.Errorf("%s: found %s at byte %d, want a key", r.path, show(t), r.dec.InputOffset())
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return r.delim('}')
}

func (r *Reader) more() bool {
	r.bounds.left = MaxRecord
	return r.dec.More()
}

// Values reads values that follow each other, such as one on each line, to the end of the file.
func (r *Reader) Values(value func(i int) error) error {
	for i := 0; r.more(); i++ {
		if err := value(i); err != nil {
			return err
		}
	}
	return r.End()
}

// Skip passes over one value, however large.
func (r *Reader) Skip() error {
	for depth := 0; ; {
		t, err := r.token()
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

// End checks that nothing but white space follows.
func (r *Reader) End() error {
	r.bounds.left = MaxRecord
	switch t, err := r.dec.Token(); {
	case err == io.EOF:
		return nil
	case err != nil:
		return r.at(err)
	default:
		return fmt.Errorf("%s: found %s at byte %d, want the end of the file", r.path, show(t), r.dec.InputOffset())
	}
}

// A bounded reader gives out so many bytes until somebody says anew how many.
type bounded struct {
	from io.Reader
	left int
	err  error // of from, or that there were too many bytes; not the end
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.err = fmt.Errorf("one value has more than %d bytes, which no record needs", MaxRecord)
		return 0, b.err
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}
