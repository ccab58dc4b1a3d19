// Command lxmert answers questions about pictures with LXMERT (Tan & Bansal, EMNLP 2019).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/backend"
)

func main() {
	boundGarbage()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal ends the program at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if leave != nil && leave() != nil && code == exitOK {
		code = exitFailure
	}
	os.Exit(code)
}

// Exit codes: everything went well, something failed, the command line was wrong.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// run executes one command line on the given streams and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	var usage usageError
	var said saidError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &said):
		return exitFailure
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "lxmert: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(errOut, "lxmert: %v\n", err)
		return exitFailure
	}
}

// newRoot is the whole command tree; each verb has a file of its own.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "lxmert",
		Short:         "Ask questions about pictures",
		Long:          "lxmert answers questions about pictures with LXMERT (Tan & Bansal, EMNLP 2019).",
		Version:       version() + ", engines " + strings.Join(backend.Names(), ", "),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(
		newAsk(),
		newExplain(),
		newEval(),
		newPredict(),
		newServe(),
		newForward(),
		newInspect(),
		newTokenize(),
		newInit(),
		newConvert(),
		newPull(),
		newDoctor(),
		newResizeAnswers(),
		newExtract(),
		newDetect(),
		newPretrain(),
		newFinetune(),
		newBench(),
		newData(),
		newScenes(),
		newPlot(),
		newDocs(),
	)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd == root && root.Flags().NArg() > 0 { // a misspelt verb with flags of its own
			return unknownVerb(root.Flags().Arg(0))
		}
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	return root
}

// version is the module's version, as far as the build knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}

func unknownVerb(verb string) error { return usagef("unknown command %q; see lxmert --help", verb) }

// usageError is a mistake in the command line itself: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
