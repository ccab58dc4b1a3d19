package data

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/go-lxmert/lxmert/vision"
)

const maxSide = 1 << 20 // pixels

// parseRecord reads one line, without its end. The error names the column.
func parseRecord(line []byte) (id string, r vision.Regions, err error) {
	if found := bytes.Count(line, []byte{'\t'}) + 1; found != columns {
		return "", r, wrongColumns(found)
	}
	fields := bytes.Split(line, []byte{'\t'})
	p := recordParser{fields: fields}
	id = string(fields[0])
	r.Size.Height = p.count(1, "img_h", maxSide)
	r.Size.Width = p.count(2, "img_w", maxSide)
	n := p.count(7, "num_boxes", vision.MaxRegions)
	r.Objects = labels(p.array(3, "objects_id", 8*n), p.array(4, "objects_conf", 4*n))
	r.Attributes = labels(p.array(5, "attrs_id", 8*n), p.array(6, "attrs_conf", 4*n))
	boxes := floats(p.array(8, "boxes", 4*4*n))
	r.Features, r.FeatureWidth = p.features(n)
	if p.errs != nil {
		return id, vision.Regions{}, errors.Join(p.errs...)
	}
	r.PosWidth, r.Preset = 4, vision.ButdCaffe
	if r.Boxes, err = vision.NormalizeBoxes(boxes, r.Size); err != nil {
		return id, vision.Regions{}, err
	}
	if err := r.Check(r.FeatureWidth, 4); err != nil {
		return id, vision.Regions{}, fmt.Errorf("(boxes divided by img_w, img_h, %d × %d) %w", r.Size.Width, r.Size.Height, err)
	}
	return id, r, nil
}

// A recordParser reads columns and remembers what was wrong with them.
type recordParser struct {
	fields [][]byte
	errs   []error
}

func (p *recordParser) fail(column, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s: %w", column, fmt.Errorf(format, args...)))
}

// count reads a number from 1 to limit; it is 0 if there is none.
func (p *recordParser) count(i int, column string, limit int) int {
	text := p.fields[i]
	n, err := strconv.Atoi(string(text[:min(len(text), 20)]))
	if err != nil || len(text) > 20 || n < 1 || n > limit {
		p.fail(column, "found %s, want a whole number from 1 to %d", excerpt(text), limit)
		return 0
	}
	return n
}

// array decodes base64 of so many bytes; it is nil if they are not there.
func (p *recordParser) array(i int, column string, want int) []byte {
	if want == 0 {
		return nil // num_boxes is wrong, and that has been said
	}
	text := p.fields[i]
	if found := base64.StdEncoding.EncodedLen(want); found != len(text) {
		p.fail(column, "found %d characters of base64, want %d: %d bytes for %s boxes", len(text), found, want, excerpt(p.fields[7]))
		return nil
	}
	data, ok := p.decode(column, text)
	if ok && len(data) != want { // the padding is another
		p.fail(column, "found %d bytes, want %d for %s boxes", len(data), want, excerpt(p.fields[7]))
		return nil
	}
	return data
}

func (p *recordParser) decode(column string, text []byte) ([]byte, bool) {
	// Go's decoder passes over line ends; a column has none, but for a lone CR.
	if bytes.ContainsAny(text, "\r\n") {
		p.fail(column, "found a line end within base64")
		return nil, false
	}
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		p.fail(column, "%w", err)
		return nil, false
	}
	return data, true
}

// features decodes the last column, which says itself how wide it is.
func (p *recordParser) features(n int) ([]float32, int) {
	if n == 0 {
		return nil, 0
	}
	data, ok := p.decode("features", p.fields[9])
	if !ok {
		return nil, 0
	}
	if len(data) == 0 || len(data)%(4*n) != 0 {
		p.fail("features", "found %d bytes, want a multiple of 4 × %d: float32 for each of the boxes", len(data), n)
		return nil, 0
	}
	return floats(data), len(data) / 4 / n
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// labels pairs ids with confidences; nil if either was wrong.
func labels(ids, confidences []byte) []vision.Label {
	if len(ids) != 2*len(confidences) {
		return nil
	}
	out := make([]vision.Label, len(ids)/8)
	for i, c := range floats(confidences) {
		id := int64(binary.LittleEndian.Uint64(ids[8*i:]))
		if id != int64(int32(id)) {
			id = -1 // no vocabulary is so long; Check says it
		}
		out[i] = vision.Label{ID: int(id), Confidence: c}
	}
	return out
}

// excerpt shows a field in a message.
func excerpt(text []byte) string {
	if len(text) > 40 {
		return strconv.Quote(string(text[:40])) + "…"
	}
	return strconv.Quote(string(text))
}
