package data

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/go-lxmert/lxmert/vision"
)

// A TSVWriter writes records that LXMERT's own scripts, and OpenTSV, read.
type TSVWriter struct {
	w    io.Writer
	line []byte
	seen map[string]bool
}

// NewTSVWriter makes a writer to w; each Write to it makes one to w.
func NewTSVWriter(w io.Writer) *TSVWriter {
	return &TSVWriter{w: w, seen: map[string]bool{}}
}

// Write adds a picture's regions. The form has no room for regions that are not boxes in
// a picture of known size; their preset is lost. Labels that are missing become object 0
// and attribute 0 with confidence 0, to which training gives no weight. The error says
// what is wrong with the regions, that id has been written before or cannot be written
// (it is empty, too long or has a tab or line end in it), or is that of the writer.
func (t *TSVWriter) Write(id string, r vision.Regions) error {
	if err := writable(id, r); err != nil {
		return fmt.Errorf("image %q: %w", id, err)
	}
	if t.seen[id] {
		return fmt.Errorf("image %q has been written already, want each once", id)
	}
	t.seen[id] = true
	n := r.Len()
	line := fmt.Appendf(t.line[:0], "%s\t%d\t%d\t", id, r.Size.Height, r.Size.Width)
	for _, labels := range [][]vision.Label{r.Objects, r.Attributes} {
		if len(labels) == 0 {
			labels = make([]vision.Label, n)
		}
		var ids, confidences []byte
		for _, l := range labels {
			ids = binary.LittleEndian.AppendUint64(ids, uint64(l.ID))
			confidences = appendFloat(confidences, l.Confidence)
		}
		line = append(base64.StdEncoding.AppendEncode(line, ids), '\t')
		line = append(base64.StdEncoding.AppendEncode(line, confidences), '\t')
	}
	var boxes, features []byte
	for i, v := range r.Boxes {
		by := r.Size.Width
		if i%2 == 1 {
			by = r.Size.Height
		}
		boxes = appendFloat(boxes, v*float32(by))
	}
	for _, v := range r.Features {
		features = appendFloat(features, v)
	}
	line = fmt.Appendf(line, "%d\t", n)
	line = append(base64.StdEncoding.AppendEncode(line, boxes), '\t')
	line = append(base64.StdEncoding.AppendEncode(line, features), '\n')
	t.line = line
	_, err := t.w.Write(line)
	return err
}

func writable(id string, r vision.Regions) error {
	switch {
	case id == "" || len(id) > maxID || strings.ContainsAny(id, "\t\r\n"):
		return fmt.Errorf("an id of a TSV has 1 to %d bytes, no tabs and no line ends", maxID)
	case id == "img_id" || id == "image_id":
		return fmt.Errorf("this id would be taken for a header")
	case r.Size.Width <= 0 || r.Size.Height <= 0 || max(r.Size.Width, r.Size.Height) > maxSide:
		return fmt.Errorf("the picture's size is %d × %d pixels, want 1 to %d: a TSV has boxes in pixels", r.Size.Width, r.Size.Height, maxSide)
	case r.Len() > vision.MaxRegions:
		return fmt.Errorf("%d regions, want at most %d", r.Len(), vision.MaxRegions)
	}
	// In base64 four letters are three bytes; the other columns stay below 100 bytes a region.
	if size := len(r.Features)*4/3*4 + 100*r.Len(); size > maxLine-2*maxID {
		return fmt.Errorf("%d regions of %d numbers make a line of %d bytes, want at most %d", r.Len(), r.FeatureWidth, size, maxLine)
	}
	return r.Check(r.FeatureWidth, 4)
}

func appendFloat(out []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
}
