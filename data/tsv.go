package data

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/vision"
)

// A TSV is a file of regions, one picture a line, as bottom-up attention's scripts write
// it and LXMERT's training reads it: ten columns divided by tabs, no header.
//
//	img_id  img_h  img_w  objects_id  objects_conf  attrs_id  attrs_conf  num_boxes  boxes  features
//
// Numbers are decimal; the lists are base64 of little-endian arrays: ids int64 [n],
// confidences float32 [n], boxes float32 [n, 4] in pixels, features float32 [n, width].
//
// Only the ids and the places of the lines are kept in memory; a record is read when it
// is asked for. Methods may be called from several goroutines.
type TSV struct {
	path    string
	preset  string // of all regions
	file    *os.File
	records []span
	byID    map[string]int // index in records
}

// A span is where a record stands in the file.
type span struct {
	id     string
	offset int64
	length int // without the line's end
	line   int // from 1
}

// A Record is one line of a TSV: a picture's name and its regions.
type Record struct {
	ID      string
	Line    int // from 1
	Regions vision.Regions
}

// OpenTSV reads through the file once to learn where each record is; that takes as long
// as the disk takes (see OpenTSVCached for large files). Lines may end in LF or CRLF, the
// last in nothing; empty lines are passed over, as Python's csv module does.
//
// The error names file and line: of an id that comes twice (both lines), of a line that
// has not ten columns, or is beyond the limits, of a header, or of what is no TSV at all.
// What is in the columns is looked at when the record is.
func OpenTSV(path string) (*TSV, error) {
	file, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	records, err := scan(file)
	return newTSV(path, file, records, err)
}

func openPlain(path string) (*os.File, error) {
	return plainfile.Open(path)
}

// newTSV completes what OpenTSV and OpenTSVCached began; it closes the file on error.
func newTSV(path string, file *os.File, records []span, err error) (*TSV, error) {
	t := &TSV{path: path, preset: vision.ButdCaffe, file: file, records: records, byID: make(map[string]int, len(records))}
	for i, r := range records {
		if first, ok := t.byID[r.id]; ok && err == nil {
			err = fmt.Errorf("line %d: image id %q stands on line %d already, want each once", r.line, r.id, records[first].line)
		}
		t.byID[r.id] = i
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	about, _, err := readTSVAbout(path)
	if err != nil {
		file.Close()
		return nil, err
	}
	t.preset = about.preset()
	return t, nil
}

// Path is the file's name, as it was opened.
func (t *TSV) Path() string { return t.path }

// Len is the number of records.
func (t *TSV) Len() int { return len(t.records) }

// IDs are the image ids in the order of the file.
func (t *TSV) IDs() []string {
	out := make([]string, len(t.records))
	for i, r := range t.records {
		out[i] = r.id
	}
	return out
}

// Get reads the regions of one picture: boxes in 0..1, labels, and the preset that PATH.json
// tells (TSVAbout), or else vision.ButdCaffe, by which the published files are. They have
// passed vision.Regions.Check for the width that the features have.
//
// The error is a *NotFoundError (errors.Is ErrNotFound) if there is no such id; else it
// names file, line, id and column, with what was found and expected.
func (t *TSV) Get(id string) (vision.Regions, error) {
	i, ok := t.byID[id]
	if !ok {
		return vision.Regions{}, &NotFoundError{Path: t.path, ID: id, among: t}
	}
	return t.read(t.records[i])
}

// All goes through the records in the order of the file. A record that cannot be read
// comes with its ID, Line and error, and the next one follows.
func (t *TSV) All() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, s := range t.records {
			regions, err := t.read(s)
			if !yield(Record{ID: s.id, Line: s.line, Regions: regions}, err) {
				return
			}
		}
	}
}

func (t *TSV) read(s span) (vision.Regions, error) {
	line := make([]byte, s.length)
	if _, err := t.file.ReadAt(line, s.offset); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return vision.Regions{}, t.at(s, err)
	}
	id, regions, err := parseRecord(line)
	if id != "" && id != s.id {
		err = fmt.Errorf("found %q in its place: the file has changed since it was opened", id)
	}
	if err != nil {
		return vision.Regions{}, t.at(s, err)
	}
	regions.Preset = t.preset
	return regions, nil
}

// at says where an error is; where there are several, before each.
func (t *TSV) at(s span, err error) error {
	errs := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		errs = many.Unwrap()
	}
	var out []error
	for _, err := range errs {
		out = append(out, fmt.Errorf("%s: line %d (%s): %w", t.path, s.line, plain(s.id), err))
	}
	return errors.Join(out...)
}

// Close closes the file; Get and All give errors from then on.
func (t *TSV) Close() error { return t.file.Close() }
