// Package tensorboard writes the event files that TensorBoard draws curves of.
//
// Such a file is a row of TFRecords, each a protocol buffer of type Event; of that type a run needs three forms only, so they are
// encoded here (event.go) rather than by a library.
package tensorboard

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Writer adds to one event file. It is not safe for concurrent use.
type Writer struct {
	path   string
	file   *os.File // nil once closed
	buffer *bufio.Writer
}

// Create begins a new event file in dir, which it makes if need be. TensorBoard reads all event files of a directory in the order of
// their names, which begin with the time.
//
// If purgeFrom is above 0, TensorBoard forgets what earlier files say about step purgeFrom and later ones: a run that goes on after
// step 500 purges from 501, and what had been written after its checkpoint is not drawn twice.
func Create(dir string, now time.Time, purgeFrom int64) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := create(dir, now)
	if err != nil {
		return nil, err
	}
	w := &Writer{path: file.Name(), file: file, buffer: bufio.NewWriter(file)}
	err = w.write(versionEvent(now))
	if err == nil && purgeFrom > 0 {
		err = w.write(startEvent(now, purgeFrom))
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return w, nil
}

// create makes a file that was not there. The name's end keeps apart what one process begins within a second.
func create(dir string, now time.Time) (*os.File, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	host = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:`, r) {
			return '-'
		}
		return r
	}, host)
	name := fmt.Sprintf("events.out.tfevents.%010d.%s.%d", now.Unix(), host, os.Getpid())
	for try := 0; ; try++ {
		path := filepath.Join(dir, name)
		if try > 0 {
			path += fmt.Sprintf(".%d", try)
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil || !errors.Is(err, fs.ErrExist) || try == 100 {
			return file, err
		}
	}
}

// Path is the file's name.
func (w *Writer) Path() string { return w.path }

// Scalars writes one point of each curve, in the order of their names. A name such as train/loss puts the curve among those of
// train. Values are stored as float32; NaN and infinities are kept.
func (w *Writer) Scalars(step int64, at time.Time, values map[string]float64) error {
	if len(values) == 0 {
		return nil
	}
	return w.write(scalarsEvent(at, step, slices.Sorted(maps.Keys(values)), values))
}

// Flush hands everything to the operating system, so that TensorBoard can see it.
func (w *Writer) Flush() error {
	if w.file == nil {
		return fmt.Errorf("%s: %w", w.path, fs.ErrClosed)
	}
	return w.named(w.buffer.Flush())
}

// Close ends the file. A second Close does nothing.
func (w *Writer) Close() error {
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.Flush(), w.named(w.file.Close()))
	w.file = nil
	return err
}

// write adds a TFRecord: the length, its checksum, the data, its checksum.
func (w *Writer) write(data []byte) error {
	if w.file == nil {
		return fmt.Errorf("%s: %w", w.path, fs.ErrClosed)
	}
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	record = binary.LittleEndian.AppendUint32(record, MaskedCRC(record))
	record = append(record, data...)
	record = binary.LittleEndian.AppendUint32(record, MaskedCRC(data))
	_, err := w.buffer.Write(record)
	return w.named(err)
}

// named says which file an error is about, unless it says so itself.
func (w *Writer) named(err error) error {
	var of *fs.PathError
	if err == nil || errors.As(err, &of) {
		return err
	}
	return fmt.Errorf("%s: %w", w.path, err)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// MaskedCRC is TFRecord's checksum: CRC-32C, turned and moved so that a checksum of data with checksums in it is a good one too.
func MaskedCRC(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
