// Package source reads lists of pictures: lines, JSON lines, TFRecord files and Parquet files, with paths or with the pictures' bytes.
package source

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-lxmert/lxmert/vision"
)

// A Record is one picture of a list.
type Record struct {
	ID      string // "" if the list does not say it
	Path    string // "" if the list has the bytes
	Content []byte // of the picture's file; nil if there is a path
}

// Fields are the names of what is wanted of a record. The first that a file has counts.
type Fields struct{ ID, Path, Content []string }

// DefaultFields are the names in use: ours, those of Hugging Face's image data sets, and those of TensorFlow's.
func DefaultFields() Fields {
	return Fields{
		ID:      []string{"id", "image_id", "img_id", "image/source_id", "image/key", "key"},
		Path:    []string{"path", "file_name", "image.path", "image/filename"},
		Content: []string{"image", "image.bytes", "bytes", "image/encoded", "image_raw"},
	}
}

// A Format is how a list is written.
type Format string

const (
	Lines    Format = "lines"    // a path on each
	JSONL    Format = "jsonl"    // an object on each, with a path, or a picture in base64
	TFRecord Format = "tfrecord" // tf.train.Example, perhaps with gzip
	Parquet  Format = "parquet"
)

// FormatOf tells the format by the end of the file's name; what is none of the others has lines.
func FormatOf(path string) Format {
	name := strings.TrimSuffix(strings.ToLower(path), ".gz")
	switch {
	case strings.HasSuffix(name, ".jsonl"), strings.HasSuffix(name, ".ndjson"):
		return JSONL
	case strings.HasSuffix(name, ".parquet"):
		return Parquet
	case strings.Contains(name[strings.LastIndexByte(name, '/')+1:], ".tfrecord"): // also x.tfrecord-00001-of-00064
		return TFRecord
	}
	return Lines
}

// A RecordError is about one record; the next can still be read.
type RecordError struct {
	Record int // from 0
	Err    error
}

func (e *RecordError) Error() string { return fmt.Sprintf("record %d: %v", e.Record, e.Err) }

// Unwrap is what is wrong.
func (e *RecordError) Unwrap() error { return e.Err }

// Read goes through a list's records, until yield answers false. A record that cannot be used comes with a *RecordError. The error says why there are no more:
// the file cannot be read, is damaged or cut off.
//
// A Parquet file is read here and there, so it must be a file; others may be streams.
func Read(r io.Reader, format Format, fields Fields, yield func(record Record, err error) bool) error {
	switch format {
	case JSONL:
		return jsonLines(r, fields, yield)
	case TFRecord:
		return examples(r, fields, yield)
	case Parquet:
		file, ok := r.(readerAt)
		if !ok {
			return fmt.Errorf("a Parquet file cannot be read from a stream")
		}
		return table(file, fields, yield)
	}
	return lines(r, yield)
}

// tooLarge is the answer to a picture that nobody would decode.
func tooLarge(n int64) error {
	return fmt.Errorf("the picture has %d bytes, want at most %d MB", n, vision.MaxFileBytes>>20)
}
