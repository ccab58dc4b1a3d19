package source

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/xitongsys/parquet-go/reader"
	"github.com/xitongsys/parquet-go/source"
)

// A readerAt is a file, or what is in memory.
type readerAt interface {
	io.ReaderAt
	io.Seeker
}

// rowsAtOnce is how many rows are in memory, with their pictures.
const rowsAtOnce = 16

// table reads the rows of a Parquet file, column by column. The library panics where a file is damaged; that becomes an error.
func table(file readerAt, fields Fields, yield func(Record, error) bool) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("the Parquet file is damaged or of a rare kind: %v", broken)
		}
	}()
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	t, err := reader.NewParquetColumnReader(parquetFile{io.NewSectionReader(file, 0, size), file, size}, 1)
	if err != nil {
		return fmt.Errorf("the Parquet file cannot be read: %w", err)
	}
	defer t.ReadStop()
	column := func(names []string) string {
		for _, name := range names {
			for _, in := range t.SchemaHandler.ValueColumns {
				path := strings.Split(t.SchemaHandler.InPathToExPath[in], "\x01") // the root comes first
				if strings.Join(path[1:], ".") == name {
					return in
				}
			}
		}
		return ""
	}
	columns := [3]string{column(fields.ID), column(fields.Path), column(fields.Content)}
	if columns[1] == "" && columns[2] == "" {
		return fmt.Errorf("found no column with paths (%s) nor one with pictures (%s)", strings.Join(fields.Path, ", "), strings.Join(fields.Content, ", "))
	}
	rows := t.GetNumRows()
	for from := int64(0); from < rows; from += rowsAtOnce {
		n := min(rowsAtOnce, rows-from)
		var values [3][]any
		for i, name := range columns {
			if name == "" {
				values[i] = make([]any, n)
				continue
			}
			if values[i], _, _, err = t.ReadColumnByPath(name, n); err != nil {
				return err
			}
			if int64(len(values[i])) != n {
				return fmt.Errorf("rows %d to %d: found %d values in column %s, want one in each row", from, from+n-1, len(values[i]), name)
			}
		}
		for i := range n {
			record, err := row(values[0][i], values[1][i], values[2][i])
			if err != nil {
				err = &RecordError{int(from + i), err}
			}
			if !yield(record, err) {
				return nil
			}
		}
	}
	return nil
}

func row(id, path, content any) (Record, error) {
	var r Record
	switch id := id.(type) {
	case string:
		r.ID = id
	case int64:
		r.ID = strconv.FormatInt(id, 10)
	case int32:
		r.ID = strconv.Itoa(int(id))
	case nil:
	default:
		return r, fmt.Errorf("id: found a %T, want a text or a whole number", id)
	}
	text := func(what string, v any) (string, error) {
		if v == nil {
			return "", nil
		}
		s, ok := v.(string)
		if !ok {
			return "", fmt.Errorf("%s: found a %T, want bytes", what, v)
		}
		return s, nil
	}
	p, err1 := text("path", path)
	c, err2 := text("picture", content)
	if err := errors.Join(err1, err2); err != nil {
		return r, err
	}
	if c != "" {
		if r.Content = []byte(c); r.ID == "" { // Hugging Face's image.path is the name of the file that image.bytes are of
			r.ID = p
		}
	} else {
		r.Path = p
	}
	return r, checked(r)
}

// A parquetFile is one for reading. Each column reads at a place of its own.
type parquetFile struct {
	*io.SectionReader
	of   io.ReaderAt
	size int64
}

var errReadOnly = errors.New("the file is for reading")

func (f parquetFile) Open(string) (source.ParquetFile, error) {
	return parquetFile{io.NewSectionReader(f.of, 0, f.size), f.of, f.size}, nil
}
func (f parquetFile) Create(string) (source.ParquetFile, error) { return nil, errReadOnly }
func (f parquetFile) Write([]byte) (int, error)                 { return 0, errReadOnly }
func (f parquetFile) Close() error                              { return nil }
