//go:build mpi

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/internal/mpirun"
	"github.com/go-lxmert/lxmert/train"
)

// TestRank is no test, but the command on each rank.
func TestRank(t *testing.T) {
	args := mpirun.Args(t)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code := run(ctx, args, os.Stdin, os.Stdout, os.Stderr)
	if leave() != nil && code == exitOK {
		code = exitFailure
	}
	os.Exit(code)
}

// goldenSize is the size of the reference's trained models, for the pictures of a school.
func goldenSize() []string {
	return []string{"--config", filepath.Join(golden.Dir(), "train", "pretrain_bertadam", "config.json"),
		"--set", "visual_feat_dim=16", "--set", "num_object_labels=4", "--set", "num_attr_labels=4"}
}

// fiftySteps are command lines that train for 50 steps in 4 parts.
func (s *school) fiftySteps(kind, out string, more ...string) []string {
	args := []string{"--features", s.file("features.tsv"), "--vocab", s.file("vocab.txt"), "--out", s.run(out),
		"--batch", "8", "--epochs", "20", "--max-steps", "50", "--lr", "5e-4", "--accumulate", "4", "--save-every", "5"}
	args = slices.Concat(args, goldenSize(), more)
	if kind == "pretrain" {
		return append([]string{"pretrain",
			"--train", s.file("pretrain_train.json"), "--valid", s.file("pretrain_valid.json"), "--labels", s.file("all_ans.json")}, args...)
	}
	return append([]string{"finetune", kind,
		"--train", s.file(kind + "_train.json"), "--valid", s.file(kind + "_valid.json"), "--labels", s.file("labels.json")}, args...)
}

// mpirun runs the command on so many ranks.
func (s *school) mpirun(n int, args ...string) *mpirun.Job {
	return mpirun.Start(s.t, "TestRank", n, func(int) []string { return args })
}

// mpiOK runs it to its end.
func (s *school) mpiOK(n int, args ...string) {
	s.t.Helper()
	if code, said := s.mpirun(n, args...).End(); code != exitOK {
		s.t.Fatalf("%d ranks: %q: exit code %d: %s", n, args, code, said)
	}
}

// apart is how far two models are from each other: the largest difference of a weight, but for key biases, whose true gradient is 0.
func (s *school) apart(one, other string) float64 {
	s.t.Helper()
	read := func(run string) map[string][]float32 {
		file, err := checkpoint.Open(s.run(run + "/last/model.safetensors"))
		if err != nil {
			s.t.Fatal(err)
		}
		defer file.Close()
		weights := map[string][]float32{}
		for _, name := range file.Names() {
			tensor, _ := file.Tensor(name)
			if weights[name], err = tensor.Float32s(); err != nil {
				s.t.Fatal(err)
			}
		}
		return weights
	}
	worst := 0.0
	got, want := read(one), read(other)
	for name, values := range want {
		for i, v := range values {
			if d := math.Abs(float64(got[name][i] - v)); !(d <= worst) && !strings.HasSuffix(name, ".key.bias") {
				worst = d
			}
		}
	}
	return worst
}

// TestRanksReachTheSame: 50 steps in 4 parts come to the same weights on one process, 2 and 4 ranks, and when one that was told to stop goes on with
// another number.
func TestRanksReachTheSame(t *testing.T) {
	for _, kind := range []string{"pretrain", "vqa"} {
		t.Run(kind, func(t *testing.T) {
			s := newSchool(t)
			s.ok(s.fiftySteps(kind, "alone")...)
			_, want := s.log("alone")
			for _, n := range []int{2, 4} {
				out := fmt.Sprint(n)
				s.mpiOK(n, s.fiftySteps(kind, out)...)
				if d := s.apart(out, "alone"); d > 2e-5 {
					t.Errorf("%d ranks: weights differ by %v", n, d)
				} else {
					t.Logf("%d ranks: weights differ by %.2g", n, d)
				}
				steps, epochs := s.log(out)
				if len(steps) != 50 || len(epochs) != len(want) || steps[9].Waiting == 0 || steps[9].Reducing == 0 {
					t.Errorf("%d ranks: the log has %d steps, %d epochs, want 50 and %d", n, len(steps), len(epochs), len(want))
				}
				if got, want := *epochs[0].TrainLoss, *want[0].TrainLoss; math.Abs(got-want) > 1e-5*want {
					t.Errorf("%d ranks: loss %v, want %v", n, got, want)
				}
			}

			if kind == "pretrain" {
				return
			}
			job := s.mpirun(2, s.fiftySteps(kind, "stopped")...)
			s.saved("stopped")
			if err := job.Process.Signal(syscall.SIGUSR1); err != nil { // which mpirun passes on
				t.Fatal(err)
			}
			code, said := job.End()
			if code == exitOK || strings.Count(said, ", which is saved; the same command with --resume goes on") != 1 {
				t.Fatalf("exit code %d: %s", code, said)
			}
			again := s.fiftySteps(kind, "stopped", "--resume")
			at := slices.Index(again, "--accumulate")
			s.mpiOK(4, slices.Delete(again, at, at+2)...) // it is the run's
			if d := s.apart("stopped", "alone"); d > 2e-5 {
				t.Errorf("2 ranks, then 4: weights differ by %v", d)
			}
		})
	}
}

// TestRanksTerminated: SIGTERM for mpirun, as by Ctrl-C, stops all ranks after the same step, if they have the time to end it.
func TestRanksTerminated(t *testing.T) {
	s := newSchool(t)
	args := s.vqa("x", "--epochs", "5000", "--save-every", "5")
	// mpirun waits so many seconds before it passes SIGTERM on, and again before it kills.
	job := mpirun.Start(t, "TestRank", 2, func(int) []string { return args }, "--mca", "odls_base_sigkill_timeout", "4")
	s.saved("x")
	if err := job.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, said := job.End(); code == exitOK || strings.Count(said, ", which is saved; the same command with --resume goes on") != 1 {
		t.Fatalf("exit code %d: %s", code, said)
	}
}

// saved waits for a run's first checkpoint.
func (s *school) saved(run string) {
	s.t.Helper()
	for range 6000 {
		if _, err := os.Stat(s.run(run + "/last/" + train.StateName)); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatal("no checkpoint in a minute")
}

// TestRankKilled: a rank that is killed takes the others with it; the run goes on from the last checkpoint, and comes to the same, to the bit.
func TestRankKilled(t *testing.T) {
	s := newSchool(t)
	s.mpiOK(2, s.fiftySteps("vqa", "whole")...)
	job := s.mpirun(2, s.fiftySteps("vqa", "killed")...)
	s.saved("killed")
	start := time.Now()
	other := job.Rank(0)
	if err := job.Rank(1).Kill(); err != nil {
		t.Fatal(err)
	}
	code, said := job.End()
	for other.Signal(syscall.Signal(0)) == nil && time.Since(start) < 10*time.Second {
		time.Sleep(10 * time.Millisecond)
	}
	if took := time.Since(start); code == exitOK || took > 10*time.Second {
		t.Errorf("exit code %d after %v: %s", code, took, said)
	}
	if _, epochs := s.log("killed"); len(epochs) > 6 {
		t.Skip("it had ended before it was killed")
	}
	s.mpiOK(2, s.fiftySteps("vqa", "killed", "--resume")...)
	for _, name := range []string{"/last/model.safetensors", "/last/training.safetensors", "/valid_predict.json"} {
		if s.read(s.run("killed"+name)) != s.read(s.run("whole"+name)) {
			t.Errorf("%s differs from that of a run that was not killed", name)
		}
	}
}

// TestRankFrozen: a rank that stands still is named, and all end.
func TestRankFrozen(t *testing.T) {
	for _, frozen := range []int{0, 1} {
		s := newSchool(t)
		job := s.mpirun(2, s.vqa("x", "--epochs", "5000", "--save-every", "1", "--reduce-timeout", "2s")...)
		s.saved("x")
		start := time.Now()
		if err := job.Rank(frozen).Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		code, said := job.End()
		if took := time.Since(start); code == exitOK || took > 30*time.Second {
			t.Errorf("exit code %d after %v", code, took)
		}
		if !strings.Contains(said, "; the last checkpoint is that of step ") || strings.Count(said, "did not answer for") != 1 {
			t.Errorf("rank %d frozen: %s", frozen, said)
		}
	}
}

// TestRanksDiffer: a rank that was started otherwise, or cannot start, is named in one message, and nothing is begun.
func TestRanksDiffer(t *testing.T) {
	s := newSchool(t)
	for want, other := range map[string][]string{
		"rank 1 was started otherwise than rank 0: --lr was 0.001, is 0.002": s.vqa("x", "--lr", "2e-3"),
		"rank 1 was started otherwise than rank 0: the train data in ":       s.vqa("x", "--train", s.file("vqa_valid.json")),
		"lxmert: rank 1 (on ": s.vqa("x", "--config", s.file("nowhere.json")),
	} {
		job := mpirun.Start(t, "TestRank", 2, func(rank int) []string {
			args := s.vqa("x")
			if rank == 1 {
				args = slices.Clone(other)
				if i := slices.Index(args, s.file("vqa_train.json")); strings.Contains(want, "train data") {
					args = slices.Delete(args, i-1, i+1)
				}
			}
			return args
		})
		code, said := job.End()
		if code == exitOK || strings.Count(said, want) != 1 || strings.Count(said, "lxmert: rank 1 ") != 1 {
			t.Errorf("exit code %d: %s\nwant %s", code, said, want)
		}
		if _, err := os.Stat(s.run("x")); err == nil {
			t.Error("a run has been begun")
		}
	}
	code, said := s.mpirun(2, s.vqa("lost", "--lr", "1e30", "--warmup", "0")...).End()
	if code == exitOK || strings.Count(said, "the weights are lost") != 1 {
		t.Errorf("exit code %d: %s", code, said)
	}
	code, said = s.mpirun(2, s.vqa("x", "--accumulate", "3")...).End()
	if code == exitOK || strings.Count(said, "a batch of 3 parts cannot be divided among 2 ranks") != 1 {
		t.Errorf("exit code %d: %s", code, said)
	}
}
