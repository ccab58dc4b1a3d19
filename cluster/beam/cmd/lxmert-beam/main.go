// Command lxmert-beam does LXMERT's batch work on Apache Beam: in one process by default, on Flink, Spark or Dataflow by flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/memfs"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/s3"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx" // the runners, and gs://
)

func main() {
	if isWorker(os.Args[1:]) {
		flag.Parse()
		beam.Init() // works for the runner until that is done
		fmt.Fprintln(os.Stderr, "lxmert-beam: want --worker and the addresses of a runner, see --help")
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal ends the program at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// isWorker says whether a runner has started this program as a worker, with flags alone.
func isWorker(args []string) bool {
	return len(args) > 0 && slices.ContainsFunc(args, func(arg string) bool {
		return arg == "--worker" || arg == "-worker" || strings.HasPrefix(arg, "--worker=") || strings.HasPrefix(arg, "-worker=")
	})
}

// Exit codes: everything went well; something failed, and would again; the command line was wrong; the runner or a worker failed, and it may go well another
// time.
const (
	exitOK = iota
	exitFailure
	exitUsage
	exitTryAgain
)

// run executes one command line on the given streams and returns the exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	if err != nil {
		fmt.Fprintf(errOut, "lxmert-beam: %v\n", err)
	}
	var usage usageError
	var runner runnerError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &runner):
		return exitTryAgain
	}
	return exitFailure
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "lxmert-beam",
		Short:         "LXMERT's batch work on Apache Beam",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q; see lxmert-beam --help", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(newExtract(), newPredict(), newData(), newWorker())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	return root
}

// usageError is a mistake in the command line itself.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// runnerError is what a runner says of a job that failed, and our own code does not.
type runnerError struct{ error }

func (e runnerError) Unwrap() error { return e.error }
