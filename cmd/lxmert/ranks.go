package main

import (
	"fmt"
	"io"
	"os/signal"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/train"
)

// A world is the ranks of a training: this program, started several times by a launcher such as mpirun.
type world interface {
	train.Reducer
	fmt.Stringer
	// DivideCores limits this program to its part of the processors that it shares with other ranks.
	DivideCores()
	// Close ends it, once all ranks do. If one does not, the program must end with another exit code than 0.
	Close() error
}

// meet finds the ranks, once in a program; who waits for one longer than patience gives up. It is nil, as is what it finds, where there is but this one. A
// program built with -tags mpi has it.
var meet func(patience time.Duration) (world, error)

// leave ends the world before the program ends; it is nil where there is none.
var leave func() error

// onRanks runs a training on all ranks. One of them speaks: rank 0 or, where that does not answer, another.
func (f *trainFlags) onRanks(cmd *cobra.Command, training func(*cobra.Command) error) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), gentleSignals...)
	defer stop()
	cmd.SetContext(ctx)
	if meet == nil || f.Ranks != nil {
		return training(cmd)
	}
	if f.reduceTimeout <= 0 {
		return f.check(cmd) // which says so
	}
	w, err := meet(f.reduceTimeout)
	if err != nil {
		return err
	}
	if w == nil {
		return training(cmd)
	}
	w.DivideCores()
	f.Ranks = w
	if w.Rank() > 0 {
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
	} else {
		fmt.Fprintf(cmd.ErrOrStderr(), "lxmert: %v\n", w)
	}
	err = train.Agree(w, training(cmd))
	if err != nil && w.Rank() > 0 && train.Agreed(err) {
		return saidError{err}
	}
	return err
}

// saidError is an error that another rank speaks of.
type saidError struct{ error }

func (e saidError) Unwrap() error { return e.error }

// writes says whether this rank writes, and speaks.
func (f *trainFlags) writes() bool { return f.Ranks == nil || f.Ranks.Rank() == 0 }

// divide says in how many parts a batch goes through the model, unless the command line does.
func (f *trainFlags) divide(cmd *cobra.Command, begun *train.Record) error {
	flag := cmd.Flags().Lookup("accumulate")
	parts := f.Devices
	if f.Ranks != nil {
		parts *= f.Ranks.Size()
	}
	if begun != nil {
		if n, err := strconv.Atoi(begun.Settings[flag.Name]); err == nil {
			parts = n
		}
	}
	if flag.Changed {
		return nil
	}
	return flag.Value.Set(strconv.Itoa(parts)) // in the run's record, too
}
