package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	beamlog "github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"

	"github.com/go-lxmert/lxmert/cluster/beam/batch"
	"github.com/go-lxmert/lxmert/cluster/beam/files"
)

// jobFlags are what all pipelines have in common.
type jobFlags struct {
	parts, workers int
	out, scratch   string
	again, verbose bool
	retries        int
}

func (f *jobFlags) add(cmd *cobra.Command, out string) {
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", out)
	flags.IntVar(&f.workers, "workers", 1, "parts that a worker process works on at once, `n`")
	flags.StringVar(&f.scratch, "scratch", "",
		"`directory` of each worker for parts that are being made (default: a hidden one in --out, or the system's for temporary files)")
	flags.BoolVar(&f.again, "again", false, "do parts with dead letters once more")
	flags.IntVar(&f.retries, "retries", 0, "start the job again, up to `n` times, when the process is killed or the runner fails; whole parts are not done again")
	flags.BoolVar(&f.verbose, "verbose", false, "show what the runner says")
	flags.SortFlags = false
	flags.AddGoFlagSet(flag.CommandLine) // Beam's
	for name := range beamFlags() {
		if own := flags.Lookup(name); own != nil && !shown[name] {
			own.Hidden = true
		}
	}
	required(cmd, "out")
}

// required makes it an error of the command line that a flag is not given.
func required(cmd *cobra.Command, name string) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if flag := cmd.Flags().Lookup(name); flag.Value.String() == "" {
			return usagef("%s wants --%s; see %s --help", cmd.CommandPath(), name, cmd.CommandPath())
		}
		return run(cmd, args)
	}
}

// shown are the flags of Beam that --help names; there are a hundred more, for Dataflow most of them.
var shown = map[string]bool{
	"runner": true, "endpoint": true, "environment_type": true, "environment_config": true, "job_name": true, "async": true, "parallelism": true,
	"project": true, "region": true, "staging_location": true, "worker_machine_type": true, "num_workers": true, "max_num_workers": true,
}

func beamFlags() map[string]bool {
	names := map[string]bool{}
	flag.CommandLine.VisitAll(func(f *flag.Flag) { names[f.Name] = true })
	return names
}

// absolute makes paths of this machine's file systems mean the same wherever the worker was started.
func absolute(paths ...*string) error {
	for _, path := range paths {
		if *path == "" || !files.IsLocal(*path) {
			continue
		}
		whole, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = whole
	}
	return nil
}

var initialise = sync.OnceFunc(func() {
	flag.CommandLine.Parse(nil) // Beam asks whether this has been done; cobra has set the values
	beam.Init()
})

// stageSelf makes this program what workers elsewhere run, unless --worker_binary names another: Beam would compile it anew, from sources that are not here. It
// must be one for Linux.
func stageSelf() (err error) {
	if *jobopts.WorkerBinary == "" && runtime.GOOS == "linux" && elsewhere() {
		*jobopts.WorkerBinary, err = os.Executable()
	}
	return err
}

// elsewhere says whether workers are other processes.
func elsewhere() bool { return *jobopts.EnvironmentType != "" && !jobopts.IsLoopback() }

// newJob is a name for a job that no other has.
func newJob() string { return "lxmert-" + rand.Text()[:12] }

// quiet keeps what the runner says to itself: of a job that fails, its error says all.
func (f *jobFlags) quiet(errOut io.Writer) {
	if f.verbose {
		slog.SetDefault(slog.New(slog.NewTextHandler(errOut, nil)))
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	beamlog.SetLogger(&beamlog.Standard{Level: beamlog.SevFatal})
}

// run runs a pipeline and prints what came of it.
func (f *jobFlags) run(ctx context.Context, out, errOut io.Writer, job string, build func(s beam.Scope)) error {
	initialise()
	f.quiet(errOut)
	if err := stageSelf(); err != nil {
		return err
	}
	p, s := beam.NewPipelineWithRoot()
	build(s)
	start := time.Now()
	result, err := beamx.RunWithMetrics(ctx, p)
	if own := batch.Failure(job); own != nil {
		return own
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted; start the same command again to go on: %w", context.Cause(ctx))
	case err != nil:
		return runnerError{fmt.Errorf("the job failed: %w", err)}
	case *jobopts.Async:
		_, err = fmt.Fprintln(out, "the job has been handed over; see the runner's page for how it goes")
		return err
	}
	metrics := batch.Metrics(result)
	if err := batch.PrintMetrics(out, metrics); err != nil {
		return err
	}
	dead := batch.DeadLettersPath(f.out)
	note := ""
	if ok, err := files.Has(ctx, dead); err == nil && ok {
		note = ", dead letters in " + dead
	}
	_, err = fmt.Fprintf(out, "%s: done in %.1f s%s\n", f.out, time.Since(start).Seconds(), note)
	return err
}
