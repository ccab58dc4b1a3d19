package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/backend"
)

// noArguments refuses arguments of a verb that takes flags only.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, found %q", cmd.CommandPath(), args)
	}
	return nil
}

// required checks before a verb runs that each of these flags was given something.
func required(cmd *cobra.Command, names ...string) {
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		var missing []string
		for _, name := range names {
			if cmd.Flags().Lookup(name).Value.String() == "" {
				missing = append(missing, "--"+name)
			}
		}
		if len(missing) > 0 {
			return usagef("%s needs %s; see %s --help", cmd.CommandPath(), strings.Join(missing, ", "), cmd.CommandPath())
		}
		return nil
	}
}

// backendFlag adds --backend.
func backendFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "backend", "", "`engine`, one of "+strings.Join(backend.Names(), ", ")+
		`, perhaps with options after a colon (default $GOMLX_BACKEND or "`+backend.Default+`")`)
}
