package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/predict"
)

func newDataAssemble() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "assemble STORE | FILE",
		Short: "Put together what several processes have written in parts",
		Long: `Assemble puts together the parts that lxmert extract --shard i/n or lxmert predict --shard i/n have written: of a region
store, which is the directory of all of them; of a TSV; or of a file of predictions, by the name that was given as --out. The last of the processes
does it by itself; do it by hand where parts were copied together from several machines, or where the file system shows new files late, as NFS does.

Parts that are missing or not complete are named, and so are those that were written with other options; the exit code is then 1. Done twice it gives the
same bytes.`,
		Example: `  lxmert data assemble regions
  lxmert data assemble regions.tsv
  lxmert data assemble submission.json`,
		Args: onePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			record, what, err := assemble(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), record)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s %s in %s parts\n", plain(record.Out), grouped(record.Count), what, grouped(record.Parts))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// An assembleRecord is what --json prints.
type assembleRecord struct {
	Out   string `json:"out"`
	Count int    `json:"count"` // images, or answers
	Parts int    `json:"parts"`

	Skipped int `json:"skipped,omitempty"` // questions that could not be answered
}

// assemble puts together a store, a TSV or predictions, and says how many of what there are.
func assemble(path string) (record assembleRecord, what string, err error) {
	record.Out = path
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		m, err := data.Assemble(path)
		record.Count, record.Parts = m.Images, m.Parts
		return record, "images", err
	case strings.EqualFold(filepath.Ext(path), ".tsv"):
		about, err := data.AssembleTSV(path)
		record.Count, record.Parts = about.Images, about.Parts
		return record, "images", err
	}
	done, err := predict.Assemble(path)
	record.Count, record.Parts, record.Skipped = done.Answers, done.Parts, done.Skipped
	return record, "answers", err
}
