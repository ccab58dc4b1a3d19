package main

import "github.com/spf13/cobra"

// newData is the parent of the verbs that prepare data.
func newData() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data VERB",
		Short: "Prepare, check and measure data sets",
		Long: `Regions of pictures live in stores: directories of safetensors files that are mapped into memory. Questions live in
LXMERT's own JSON. The verbs bring both about from what data sets' sites offer, and check them.`,
		Example: `  lxmert data import train2014_obj36.tsv --out regions
  lxmert data check regions
  lxmert data inspect regions --images pictures --out sheet.png`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q; see %s --help", args[0], cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDataImport(), newDataCheck(), newDataStats(), newDataInspect(), newDataConvert(), newDataBuild(), newDataAnswers(), newDataAssemble())
	return cmd
}
