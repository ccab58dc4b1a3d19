package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	columns = 10
	maxLine = 64 << 20 // bytes: 36 regions take 400 thousand, 1,024 regions 11 million
	maxID   = 1024
)

// scan notes where each line's record is. It holds one buffer of the file at a time.
func scan(r io.Reader) ([]span, error) {
	var s scanner
	buffer := make([]byte, 1<<20)
	for {
		n, err := r.Read(buffer)
		if s.at == 0 && bytes.HasPrefix(buffer[:n], []byte("\x1f\x8b")) {
			return nil, errors.New("this is a gzip file, want it unpacked (gunzip)")
		}
		if s.at == 0 && bytes.HasPrefix(buffer[:n], []byte("\ufeff")) {
			return nil, errors.New("the file begins with a byte order mark, which would become part of the first image id; want it removed")
		}
		for chunk := buffer[:n]; len(chunk) > 0; {
			part, rest, ended := bytes.Cut(chunk, []byte{'\n'})
			if err := s.add(part); err != nil {
				return nil, err
			}
			if ended {
				if err := s.endLine(); err != nil {
					return nil, err
				}
			}
			chunk = rest
		}
		if err == io.EOF {
			return s.records, s.endLine()
		}
		if err != nil {
			return nil, err
		}
	}
}

// A scanner is what is known in the middle of a line.
type scanner struct {
	records []span
	at      int64 // where the next byte stands in the file
	start   int64 // where the line began
	lines   int   // ended so far
	tabs    int   // in this line
	id      []byte
	last    byte // the line's last byte so far
}

// add takes a part of a line.
func (s *scanner) add(part []byte) error {
	if len(part) == 0 {
		return nil
	}
	if s.tabs == 0 {
		id, _, _ := bytes.Cut(part, []byte{'\t'})
		s.id = append(s.id, id[:min(len(id), maxID+1)]...)
		if len(s.id) > maxID {
			return fmt.Errorf("line %d: image id is longer than %d bytes: this is no TSV of regions", s.lines+1, maxID)
		}
	}
	s.tabs += bytes.Count(part, []byte{'\t'})
	s.at += int64(len(part))
	s.last = part[len(part)-1]
	if s.at-s.start > maxLine {
		return fmt.Errorf("line %d is longer than %d bytes, want a record of one picture", s.lines+1, maxLine)
	}
	return nil
}

// endLine takes the line's end, or the file's.
func (s *scanner) endLine() error {
	length := int(s.at - s.start)
	if length > 0 && s.last == '\r' {
		length--
	}
	s.lines++
	if length > 0 {
		if s.tabs+1 != columns {
			return fmt.Errorf("line %d: %w", s.lines, wrongColumns(s.tabs+1))
		}
		id := string(s.id)
		switch id {
		case "":
			return fmt.Errorf("line %d: img_id is empty", s.lines)
		case "img_id", "image_id":
			return fmt.Errorf("line %d: found the header %q, want records only: remove this line", s.lines, id)
		}
		s.records = append(s.records, span{id: id, offset: s.start, length: length, line: s.lines})
	}
	s.at++ // the newline
	s.start, s.tabs, s.id, s.last = s.at, 0, s.id[:0], 0
	return nil
}

func wrongColumns(found int) error {
	if found == 6 {
		return fmt.Errorf("found 6 columns, want %d (img_id, img_h, img_w, objects_id, …): this is bottom-up attention's own form, without labels; it must be converted first", columns)
	}
	return fmt.Errorf("found %d columns, want %d divided by tabs: img_id, img_h, img_w, objects_id, objects_conf, attrs_id, attrs_conf, num_boxes, boxes, features", found, columns)
}
