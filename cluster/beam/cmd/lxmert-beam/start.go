package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

// attempt is the variable by which a program that has been started by itself knows it.
const attempt = "LXMERT_BEAM_ATTEMPT"

// start checks and runs a job, and what comes after it (nil: nothing): here, or with --retries in a process of its own, which is started again when it is
// killed.
func (f *jobFlags) start(cmd *cobra.Command, check func() error, job string, build func(beam.Scope), after func() error) error {
	if f.retries < 0 || f.retries > 1000 {
		return usagef("--retries: found %d, want 0 to 1000", f.retries)
	}
	if f.retries > 0 && os.Getenv(attempt) == "" {
		return f.supervise(cmd)
	}
	if err := check(); err != nil {
		return err
	}
	if err := f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), job, build); err != nil || after == nil {
		return err
	}
	return after()
}

// supervise runs this very command line in another process until it has come to an end that another attempt would not change. Of what embedded
// Prism and its workers do, all is in that process: neither starts a bundle again.
func (f *jobFlags) supervise(cmd *cobra.Command) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		code, how, err := f.once(cmd, program, try)
		switch {
		case err != nil:
			return err
		case code == exitOK:
			return nil
		case cmd.Context().Err() != nil:
			return context.Cause(cmd.Context())
		case code == exitFailure || code == exitUsage:
			return exitStatus(code)
		case try > f.retries:
			return fmt.Errorf("%s, in attempt %d of %d", how, try, f.retries+1)
		}
		wait := min(time.Duration(1)<<min(try-1, 5)*time.Second, 30*time.Second)
		fmt.Fprintf(cmd.ErrOrStderr(), "lxmert-beam: %s; attempt %d of %d in %v\n", how, try+1, f.retries+1, wait)
		select {
		case <-time.After(wait):
		case <-cmd.Context().Done():
			return context.Cause(cmd.Context())
		}
	}
}

// once runs the command line once. The code is -1 if a signal ended it.
func (f *jobFlags) once(cmd *cobra.Command, program string, try int) (code int, how string, err error) {
	child := exec.CommandContext(cmd.Context(), program, os.Args[1:]...)
	child.Stdout, child.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%d", attempt, try))
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	child.WaitDelay = 10 * time.Second
	err = child.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, "", err
	}
	return child.ProcessState.ExitCode(), "the job's process ended: " + child.ProcessState.String(), nil
}

// exitStatus is the exit code of a process that has said itself what was wrong.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit code %d", int(e)) }
