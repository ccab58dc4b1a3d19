package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/go-lxmert/lxmert/vision"
)

// regionRecord is a region in JSON.
type regionRecord struct {
	Region     int          `json:"region"` // its number, from 0
	Object     *labelRecord `json:"object,omitempty"`
	Attribute  *labelRecord `json:"attribute,omitempty"`
	Box        *[4]float32  `json:"box,omitempty"`  // x1, y1, x2, y2 in pixels, from the picture's upper left corner; absent if its size is unknown
	Normalized [4]float32   `json:"normalized_box"` // the same in 0..1
}

// labelRecord is a label in JSON.
type labelRecord struct {
	ID         int     `json:"id"`             // line of the vocabulary, from 0
	Name       string  `json:"name,omitempty"` // absent if it is unknown
	Confidence float32 `json:"confidence"`
}

// regionRecords are those of some regions, by number. A region without a place in 0..1 has none.
func regionRecords(r vision.Regions, some []int, words vision.Vocabulary) []regionRecord {
	records := make([]regionRecord, len(some))
	for i, n := range some {
		record := regionRecord{Region: n, Object: newLabelRecord(r.Objects, n, words.Objects), Attribute: newLabelRecord(r.Attributes, n, words.Attributes)}
		copy(record.Normalized[:], r.Box(n))
		if w, h := float32(r.Size.Width), float32(r.Size.Height); w > 0 && h > 0 {
			b := record.Normalized
			record.Box = &[4]float32{b[0] * w, b[1] * h, b[2] * w, b[3] * h}
		}
		records[i] = record
	}
	return records
}

func newLabelRecord(labels []vision.Label, n int, names []string) *labelRecord {
	if n >= len(labels) {
		return nil
	}
	record := &labelRecord{ID: labels[n].ID, Confidence: labels[n].Confidence}
	if record.ID >= 0 && record.ID < len(names) {
		record.Name = names[record.ID]
	}
	return record
}

// printRegions prints a table: number, labels, box; columns that nothing is known of are left out.
func printRegions(w io.Writer, records []regionRecord) error {
	if len(records) == 0 {
		return nil
	}
	first := records[0]
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(region, object, objectSure, attribute, attributeSure string, box [4]string) {
		fmt.Fprintf(table, "%6s\t", region)
		if first.Object != nil {
			fmt.Fprintf(table, "%s\t%10s\t", object, objectSure)
		}
		if first.Attribute != nil {
			fmt.Fprintf(table, "%s\t%10s\t", attribute, attributeSure)
		}
		fmt.Fprintf(table, "%5s\t%5s\t%5s\t%5s\n", box[0], box[1], box[2], box[3])
	}
	row("region", "object", "confidence", "attribute", "confidence", [4]string{"x1", "y1", "x2", "y2"})
	for _, r := range records {
		var box [4]string
		for i := range box {
			if r.Box != nil {
				box[i] = fmt.Sprintf("%.0f", r.Box[i])
			} else {
				box[i] = fmt.Sprintf("%.3f", r.Normalized[i])
			}
		}
		object, objectSure := r.Object.cells()
		attribute, attributeSure := r.Attribute.cells()
		row(strconv.Itoa(r.Region), object, objectSure, attribute, attributeSure, box)
	}
	return table.Flush()
}

// cells are a label's name, or its id, and its confidence.
func (l *labelRecord) cells() (name, confidence string) {
	switch {
	case l == nil:
		return "", ""
	case l.Name == "":
		return strconv.Itoa(l.ID), fmt.Sprintf("%.2f", l.Confidence)
	}
	return plain(l.Name), fmt.Sprintf("%.2f", l.Confidence)
}
