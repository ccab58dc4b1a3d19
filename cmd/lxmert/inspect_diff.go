package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/pretrained"
)

// diffRecord is what --diff --json prints.
type diffRecord struct {
	Compared  int                `json:"compared"`
	Different []differenceRecord `json:"different"`
}

type differenceRecord struct {
	Name   string       `json:"name"`
	First  *storedShape `json:"first"` // null: not there
	Second *storedShape `json:"second"`
	Max    *float64     `json:"max"` // null where shapes differ, or one is NaN
	Part   *float64     `json:"relative"`
}

type storedShape struct {
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

// printDiff shows how two checkpoints differ; that they do is an error.
func printDiff(w io.Writer, first, second string, asJSON bool) error {
	differences, err := pretrained.Diff(first, second)
	if err != nil {
		return err
	}
	var different []pretrained.Difference
	for _, d := range differences {
		if !d.Equal() {
			different = append(different, d)
		}
	}
	if asJSON {
		err = printJSON(w, recordDiff(len(differences), different))
	} else {
		err = tableDiff(w, len(differences), different)
	}
	if err == nil && len(different) > 0 {
		err = fmt.Errorf("%d of %d tensors of %s and %s differ", len(different), len(differences), first, second)
	}
	return err
}

func tableDiff(w io.Writer, compared int, different []pretrained.Difference) error {
	if len(different) == 0 {
		_, err := fmt.Fprintf(w, "all %d tensors are equal\n", compared)
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "tensor\tfirst\tsecond\tlargest difference\tof the largest")
	for _, d := range different {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", plain(d.Name), shown(d.First), shown(d.Second), measured(d.Max), measured(d.Relative))
	}
	return table.Flush()
}

func shown(t *checkpoint.Tensor) string {
	if t == nil {
		return "-"
	}
	return fmt.Sprintf("%s %v", t.DType, t.Shape)
}

func measured(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.3g", v)
}

func recordDiff(compared int, different []pretrained.Difference) diffRecord {
	record := diffRecord{Compared: compared, Different: []differenceRecord{}}
	number := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	for _, d := range different {
		record.Different = append(record.Different, differenceRecord{d.Name, shapeRecord(d.First), shapeRecord(d.Second), number(d.Max), number(d.Relative)})
	}
	return record
}

func shapeRecord(t *checkpoint.Tensor) *storedShape {
	if t == nil {
		return nil
	}
	return &storedShape{t.DType.String(), append([]int{}, t.Shape...)}
}
